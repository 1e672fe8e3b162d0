"""Commands that messages propose: each stands between backticks, is understood, and names the user's collection."""

from __future__ import annotations

import ast
import re
import shlex
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

import pytest

import twofold
from twofold.cli.info import index_as_text
from twofold.cli.main import _with_name, parser
from twofold.cli.summaries import added_as_text
from twofold.index_report import IndexReport, OperatingPoint
from twofold.reports import AddReport

PACKAGE = Path(twofold.__file__).parent
COMMANDS = "|".join(each for action in parser()._actions if action.dest == "command" for each in action.choices or ())
PROPOSED = re.compile(rf"`(twofold (?:{COMMANDS})\b[^`]*)`")
BARE = re.compile(rf"(?<!`)\btwofold (?:{COMMANDS})\b")
PARTS = {"twofold train --query-tower"}
"""What a text speaks of by its command, without proposing to run it."""
SPACED = "my books.twofold"


def texts_of(tree: ast.AST) -> Iterator[str]:
    """Every text that is put together in a file, what is filled in replaced by a word; docstrings are none of them."""
    match tree:
        case ast.Expr(value=ast.Constant(value=str())):
            return
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=values):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in values)
        case _:
            for child in ast.iter_child_nodes(tree):
                yield from texts_of(child)


def messages() -> Iterator[tuple[str, str]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        if "bench" not in path.parts:
            for text in texts_of(ast.parse(path.read_text(encoding="utf-8"))):
                yield str(path.relative_to(PACKAGE)), text


HINTS = sorted({(path, hint) for path, text in messages() for hint in PROPOSED.findall(text)} - {("", "")})


@pytest.mark.parametrize(("path", "hint"), [each for each in HINTS if each[1] not in PARTS])
def test_a_proposed_command_is_understood(path: str, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        parser().parse_args(shlex.split(hint)[1:])
    except SystemExit:
        pytest.fail(f"{path} proposes `{hint}`: {capsys.readouterr().err}")


def test_there_are_such_messages() -> None:
    assert len(HINTS) > 15
    assert {hint for _, hint in HINTS} >= PARTS


def test_no_message_proposes_a_command_without_backticks() -> None:
    examples = re.compile(r"^(# Completes|#compdef|cat|echo|twofold) |Begin with: |source <\(twofold completion bash\)")
    assert [(path, text) for path, text in messages() if BARE.search(text) and not examples.search(text)] == []


def test_the_command_line_puts_the_users_collection_into_what_a_message_proposes() -> None:
    message = "COLLECTION: run `twofold verify COLLECTION --repair`, or `twofold tune COLLECTION`"
    shown = _with_name(message, Namespace(collection=SPACED))
    assert shown == "COLLECTION: run `twofold verify 'my books.twofold' --repair`, or `twofold tune 'my books.twofold'`"
    assert _with_name(message, Namespace()) == message


def test_names_with_spaces_are_quoted_in_what_summaries_propose() -> None:
    report = AddReport(added=1, truncated=1, tokens_cut=1, analyser="ngram, since the texts are mostly Chinese")
    point = OperatingPoint(kind="scan", effort=0, recall=0.5, low=0.4, high=0.6, p50=1.0, p99=2.0, queries=200)
    broken = IndexReport(kind="scan", why="", rows=12000, reached=point)
    lines = [*added_as_text(report, 1.0, SPACED), *index_as_text(broken, SPACED)]
    hints = [hint for line in lines for hint in PROPOSED.findall(line)]
    assert len(hints) == 4
    for hint in hints:
        assert parser().parse_args(shlex.split(hint)[1:]).collection == SPACED
