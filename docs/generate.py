"""Writes the pages of docs/ that are made from the code: `make docs`. tests/test_docs.py compares them.

docs/cli.md: every command and option of the parser, in words that do not depend on Python's own way of laying out help.
docs/api/: every public name, from signatures and docstrings (api_subjects.py, api_reference.py).
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

from api_reference import FOLDER, Reference

from twofold.cli.main import parser
from twofold.files import write_aside

PAGE = Path(__file__).parent / "cli.md"
HEAD = """# The command line

<!-- Made by `make docs` from the parser; change the code, not this page. -->

Results go to standard output, progress and notes to standard error: a bar on a terminal, elsewhere a line every ten
seconds; `--quiet` leaves them out. A command that a message proposes, between backticks, can be run as it is printed.
Exit status: 0 done, 1 an error of the input or the data, 2 wrong usage, 3 worse (`compare --fail-if-worse`), 130
interrupted. `twofold COMMAND --help` says the same as this page.
"""


def cli_reference() -> str:
    """The whole page."""
    page = "\n".join([HEAD, *_of_parser(parser(), level=2)])
    return re.sub(r"\n{3,}", "\n\n", page).rstrip() + "\n"


def pages() -> dict[Path, str]:
    """Every page that is made from the code."""
    return {PAGE: cli_reference()} | {FOLDER / name: text for name, text in Reference().pages().items()}


def _of_parser(each: argparse.ArgumentParser, level: int) -> Iterator[str]:
    yield f"{'#' * level} {each.prog}\n"
    if each.description:
        yield f"{each.description}\n"
    commands = [action for action in each._actions if isinstance(action, argparse._SubParsersAction)]
    left_out = (*commands, *(action for action in each._actions if isinstance(action, argparse._HelpAction)))
    arguments = [action for action in each._actions if action not in left_out and action.help != argparse.SUPPRESS]
    if arguments:
        yield "| argument | what it does |"
        yield "|---|---|"
    for action in arguments:
        yield f"| {_written(action)} | {_said(action)} |"
    yield ""
    for action in commands:
        for name, command in action.choices.items():
            yield f"- [`{command.prog}`](#{command.prog.replace(' ', '-')}): {_help_of(action, name)}"
    yield ""
    if each.epilog and "examples:" in each.epilog:
        lines = (line.strip() for line in each.epilog.split("examples:", 1)[1].strip().splitlines())
        yield "\n".join(["```text", *lines, "```", ""])
    for action in commands:
        for command in action.choices.values():
            yield from _of_parser(command, level)


def _help_of(commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str) -> str:
    return next(choice.help or "" for choice in commands._choices_actions if choice.dest == name)


def _written(action: argparse.Action) -> str:
    metavar = action.metavar if isinstance(action.metavar, str) else None
    value = metavar or ("|".join(map(str, action.choices)) if action.choices else action.dest.upper())
    if not action.option_strings:
        repeated = {"*": f"[{value} …]", "+": f"{value} […]", "?": f"[{value}]"}.get(str(action.nargs), value)
        return f"`{repeated}`"
    takes = "" if action.nargs == 0 else f" [{value}]" if action.nargs == "?" else f" {value}"
    return ", ".join(f"`{option}{takes}`" for option in action.option_strings).replace("|", "\\|")


def _said(action: argparse.Action) -> str:
    said = (action.help or "").replace("%%", "%").replace("|", "\\|")
    has_default = action.option_strings and action.default not in (None, False, [], argparse.SUPPRESS)
    told = "default" in said or str(action.default) in said.replace(",", "")
    return f"{said} (default: `{action.default}`)" if has_default and not told else said


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for path, text in pages().items():
        with write_aside(path) as file:
            file.write(text.encode())
