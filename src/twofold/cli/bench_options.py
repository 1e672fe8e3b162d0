"""What the commands below `twofold bench` have in common."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twofold.cli.options import HelpFormatter, Subparsers, add_output_options, encoder_of, names_encoder

if TYPE_CHECKING:
    from twofold.progress import Progress
    from twofold.protocols import Encoder
    from twofold.tables import Report

Measure = Callable[[argparse.Namespace, "Progress"], "Report"]


def named(subparsers: Subparsers, name: str, measure: Measure, does: str) -> Any:
    """A command that measures something and prints a report."""
    parser = subparsers.add_parser(
        name, help=does, description=f"Measures {does}.", formatter_class=HelpFormatter, allow_abbrev=False
    )
    # Without defaults of its own, so that `bench --json NAME` is not overruled.
    add_output_options(parser, default=argparse.SUPPRESS)
    parser.set_defaults(measure=measure)
    return parser


def encoder_or_none(arguments: argparse.Namespace) -> Encoder | None:
    """The encoder that was named; None leaves it to the bench."""
    return encoder_of(arguments) if names_encoder(arguments) else None
