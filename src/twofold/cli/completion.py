"""`twofold completion`: a script that completes commands, options and their values in bash, zsh or fish."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from textwrap import shorten

from twofold.cli.options import Subparsers, command
from twofold.cli.output import print_json, print_line
from twofold.cli.shells import Command, Option, Value, bash, fish, zsh

SHELLS = {"bash": bash, "zsh": zsh, "fish": fish}
FILES = {"BOOK", "DATA", "FILE", "RECIPE.py", "RUN", "X.npy"}
FOLDERS = {"COLLECTION|FOLDER", "FOLDER"}
MODELS = {"encoder", "base", "teacher", "query_tower"}
"""Options that take a model's folder, or a name that cannot be completed."""
WIDEST = 72


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = command(
        subparsers,
        "completion",
        run,
        does="print a script that completes commands, options and collections in a shell",
        examples=("twofold completion bash", "twofold completion fish"),
    )
    parser.add_argument(
        "shell",
        choices=list(SHELLS),
        help="the shell that reads the script: bash with source <(twofold completion bash) in ~/.bashrc; zsh from a "
        "file _twofold in a folder of $fpath; fish from ~/.config/fish/completions/twofold.fish",
    )


def run(arguments: argparse.Namespace) -> int:
    """Prints the script."""
    script = SHELLS[arguments.shell](list(commands_of(arguments.parser)))
    if arguments.json:
        print_json({"shell": arguments.shell, "script": script})
    else:
        print_line(script)
    return 0


def commands_of(parser: argparse.ArgumentParser, at: str = "") -> Iterator[Command]:
    """The command of a parser, then all below it."""
    options, values, below = [], [], {}
    for action in parser._actions:  # argparse has no public name for them
        if isinstance(action, argparse._SubParsersAction):
            says = {choice.dest: choice.help or "" for choice in action._choices_actions}
            below = {name: (_short(says[name]), each) for name, each in action.choices.items()}
        elif action.option_strings:
            value = None if action.nargs == 0 else _value(action)
            options.append(Option(tuple(action.option_strings), _short(action.help or ""), value))
        else:
            values.append(_value(action))
    yield Command(at, tuple(options), tuple(values), {name: says for name, (says, _) in below.items()})
    for name, (_, each) in below.items():
        yield from commands_of(each, f"{at}/{name}")


def _value(action: argparse.Action) -> Value:
    if action.choices is not None:
        return Value("words", tuple(map(str, action.choices)))
    if action.metavar == "COLLECTION":
        return Value("collections")
    if action.metavar in FOLDERS:
        return Value("folders")
    return Value("files" if action.metavar in FILES or action.dest in MODELS else "")


def _short(text: str) -> str:
    return shorten(text.replace("%%", "%"), WIDEST, placeholder="…")
