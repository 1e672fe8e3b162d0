"""The entry point: `twofold COMMAND …`, its exit status, and its error messages.

0 done · 1 an error of the input or the data, one line on standard error · 2 wrong usage · 3 what `compare
--fail-if-worse` watches for · 130 interrupted. Nothing heavy is imported before a command runs, so `twofold --help`
answers at once.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib.metadata import version

from twofold.addresses import has_password
from twofold.cli import (
    add,
    backup,
    bench,
    compare,
    completion,
    copy,
    delete,
    demo,
    encode,
    evaluate,
    export,
    facets,
    get,
    import_,
    index,
    info,
    key,
    mcp,
    migrate,
    mine,
    models,
    optimize,
    quantize,
    search,
    serve,
    similarity,
    sync,
    train,
    tune,
    update,
    verify,
)
from twofold.cli import list as listing
from twofold.cli.options import HelpFormatter, Parser
from twofold.cli.output import OutputError, quietly, results, say
from twofold.errors import MESSAGE, InputError, TwofoldError, brief

COMMANDS = (
    demo,
    index,
    import_,
    search,
    encode,
    similarity,
    add,
    sync,
    update,
    delete,
    get,
    listing,
    facets,
    info,
    migrate,
    verify,
    optimize,
    tune,
    train,
    mine,
    quantize,
    backup,
    copy,
    export,
    serve,
    mcp,
    key,
    evaluate,
    compare,
    bench,
    models,
    completion,
)
HINT = re.compile(r"(`twofold [a-z]+ )COLLECTION\b")
DONE, FAILED, MISUSED, INTERRUPTED = 0, 1, 2, 130


def parser() -> argparse.ArgumentParser:
    """The whole command line: every command with its options; docs/cli.md is made from it."""
    whole = Parser(
        prog="twofold",
        usage="twofold [-h] [--version] COMMAND [...]",
        description="Finds the documents that answer a query, by dense and lexical search, on this machine.",
        epilog="Begin with: twofold demo\nMore about a command: twofold COMMAND --help, or twofold help COMMAND",
        formatter_class=lambda prog: HelpFormatter(prog, 16),
        allow_abbrev=False,
    )
    whole.add_argument("--version", action="version", version=f"twofold {version('twofold')}")
    subparsers = whole.add_subparsers(prog="twofold", dest="command", metavar="COMMAND [...]", title="commands")
    for command in COMMANDS:
        command.register(subparsers)
    return whole


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command line (sys.argv by default) and returns the exit status."""
    _open_closed_streams()
    # Text that the terminal's encoding lacks is shown escaped instead of ending the command.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    given = list(sys.argv[1:] if argv is None else argv)
    try:
        try:
            return _answered(given)
        finally:
            with results() as output:
                output.flush()  # Also where argparse ends the program after its help.
    except BrokenPipeError:
        # Whoever read our output has had enough (`| head`).
        _drop_output()
        return DONE
    except OutputError as error:
        _drop_output()
        say(f"twofold: error: {error}")
        return FAILED


def _answered(given: list[str]) -> int:
    if given[:1] == ["help"]:
        given = [*given[1:2], "--help"]
    whole = parser()
    arguments = whole.parse_args(given)
    if arguments.command is None:
        whole.print_help(sys.stderr)
        return MISUSED
    arguments.command_line, arguments.parser = given, whole
    return _run(arguments)


def _open_closed_streams() -> None:
    """Standard streams that were closed (`>&-`) lead nowhere; else the next file opened would get their numbers."""
    for name, descriptor, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != descriptor:
                os.dup2(nowhere, descriptor)
                os.close(nowhere)
            stream = open(descriptor, mode, encoding="utf-8", closefd=False)  # noqa: SIM115 - open as long as we run
            setattr(sys, name, stream)


def _drop_output() -> None:
    """Discards what Python would flush at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _with_name(message: str, arguments: argparse.Namespace) -> str:
    """The message with this command's collection in the commands that it proposes, so that they run as printed."""
    collection = getattr(arguments, "collection", None)
    return message if collection is None else HINT.sub(lambda found: found[1] + shlex.quote(str(collection)), message)


def _logged(times: int) -> AbstractContextManager[None]:
    if not times:
        return nullcontext()
    from twofold.cli.verbose import logged

    return logged(times)


def _check_addresses(arguments: argparse.Namespace) -> None:
    """Raises InputError for an address with a password, which messages and results would repeat."""
    for value in vars(arguments).values():
        if any(map(has_password, value if isinstance(value, list) else [value])):
            raise InputError(
                "a password in a command line is seen by everyone who lists this machine's processes, and results "
                "repeat the address; give it as the environment variable PGPASSWORD, or in ~/.pgpass"
            )


def _run(arguments: argparse.Namespace) -> int:
    try:
        with quietly(arguments.quiet), _logged(arguments.verbose):
            _check_addresses(arguments)
            return int(arguments.run(arguments))
    except BrokenPipeError:
        raise
    except KeyboardInterrupt:
        say("twofold: interrupted")
        return INTERRUPTED
    except (TwofoldError, OSError) as error:
        say(f"twofold: error: {_with_name(brief(str(error), MESSAGE), arguments)}")
        return FAILED
