"""--wait: a writing command waits for another writer, reports it, and fails when the time is over."""

from __future__ import annotations

import argparse
import math

from twofold.cli.output import note
from twofold.errors import WAIT, LockedError, NotACollectionError


def add_wait_option(parser: argparse.ArgumentParser) -> None:
    """--wait [SECONDS]."""
    parser.add_argument(
        "--wait",
        metavar="SECONDS",
        nargs="?",
        type=_seconds,
        const=math.inf,
        default=WAIT,
        help="wait for another process that is writing, at most this many seconds for each that does, or without "
        f"limit if no number is given; 0 fails at once (default: {WAIT:g})",
    )


def waited(arguments: argparse.Namespace) -> float:
    """The seconds of --wait; where somebody is to be waited for, standard error says who."""
    from twofold.collection.opening import open_collection

    wait: float = arguments.wait
    if wait:
        try:
            with open_collection(arguments.collection) as collection, collection.writing(0):
                pass
        except NotACollectionError:
            pass  # `index` will make it
        except LockedError as error:
            note(f"twofold: waiting: {str(error).partition('; ')[0]}")
    return wait


def _seconds(value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = math.nan
    if not seconds >= 0:
        raise argparse.ArgumentTypeError(
            f"{value!r} is no number of seconds; to wait without limit, put --wait last or before an option"
        )
    return seconds
