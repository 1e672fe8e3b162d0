"""The command line as a whole: every command helps with two examples, wrong usage is status 2, help is quick."""

from __future__ import annotations

import argparse
import contextlib
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator

import pytest

from twofold.cli.main import COMMANDS, main, parser
from twofold.cli.options import text
from twofold.indexes.kinds import KINDS

NAMES = [command.__name__.rpartition(".")[2].rstrip("_") for command in COMMANDS]  # import_ is not Python's word


def commands() -> dict[str, argparse.ArgumentParser]:
    """Every command's own parser by its name."""
    (choices,) = [action.choices for action in parser()._actions if isinstance(action, argparse._SubParsersAction)]
    return dict(choices)


def examples(name: str) -> list[str]:
    """The examples that a command's help ends with."""
    return re.findall(r"^  (.*)$", commands()[name].epilog or "", re.MULTILINE)


def test_a_command_is_named_as_its_file() -> None:
    assert list(commands()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_command_helps_with_two_examples_that_parse(name: str) -> None:
    shown = examples(name)
    assert len(shown) == 2
    for example in shown:
        *_, last = example.split(" | ")
        words = shlex.split(last)
        assert words[:2] == ["twofold", name]
        assert parser().parse_args(words[1:]).command == name


@pytest.mark.parametrize("name", NAMES)
def test_every_command_speaks_json(name: str) -> None:
    *_, last = examples(name)[0].split(" | ")
    assert parser().parse_args([*shlex.split(last)[1:], "--json"]).json


@pytest.mark.parametrize("name", NAMES)
def test_every_option_says_what_it_does(name: str) -> None:
    assert all(action.help for action in commands()[name]._actions)


@pytest.mark.parametrize(
    "line",
    [
        "frobnicate",
        "search",
        "search c",
        "search c question --like x",
        "search c --queries q.jsonl --k 3",
        "search c question --run out.trec",
        "search c question --k many",
        "delete c",
        "delete c one --where {}",
        "index a.jsonl",
        "index a.csv --to c --types year",
        "similarity one",
        "similarity one two --pairs p.tsv",
        "search c question --js",
    ],
)
def test_wrong_usage_is_status_2_and_says_what_is_right(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(line.split())
    assert stopped.value.code == 2
    assert "usage: twofold" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("search c --json red", "query", "red"),
        ("search c --mode lexical --k 2 red", "query", "red"),
        ("search c --json -- -red", "query", "-red"),
        ("search --json c -- -red", "query", "-red"),
        ("search c --like red --json", "query", None),
        ("delete c --json a b", "ids", ["a", "b"]),
        ("delete c --all --json", "ids", []),
        ("similarity --json red blue", "texts", ["red", "blue"]),
    ],
)
def test_what_may_be_left_out_may_stand_behind_options(line: str, name: str, value: object) -> None:
    assert getattr(parser().parse_args(line.split()), name) == value


def test_no_command_at_all_shows_the_help_and_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "twofold demo" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["help"], ["help", "search"], ["help", "search", "more"]])
def test_help_may_be_asked_for_as_a_command(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([*words[1:2], "--help"])
    expected = capsys.readouterr().out
    with pytest.raises(SystemExit, match="0"):
        main(words)
    assert capsys.readouterr().out == expected


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys\nfrom twofold.cli.main import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'numpy', 'rich', 'openvino', 'faiss', 'tokenizers', 'sqlite3', 'torch'} & set(sys.modules)\n"
        "sys.exit(', '.join(heavy) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert all(name in done.stdout for name in NAMES)


def test_every_kind_of_index_may_be_asked_for() -> None:
    (index,) = [action for action in commands()["optimize"]._actions if action.dest == "index"]
    assert tuple(index.choices or ()) == ("flat", *KINDS)


PATHS = {
    "against", "also", "base", "collection", "collections", "data", "encoder", "exclude", "file", "include", "keys",
    "model", "only", "pairs", "per_query", "plot", "qrels", "queries", "query_tower", "rerank", "run_file", "source",
    "split", "sts", "systems", "target", "teacher", "texts", "to", "token_vectors", "vector", "vectors",
}  # fmt: skip
"""What names files and folders, whose names may be any bytes."""


def options() -> Iterator[tuple[str, argparse.ArgumentParser, argparse.Action]]:
    """Every argument of every command, those of `bench` too, with the words of the command."""

    def below(
        words: str, command: argparse.ArgumentParser
    ) -> Iterator[tuple[str, argparse.ArgumentParser, argparse.Action]]:
        for action in command._actions:
            if isinstance(action, argparse._SubParsersAction):
                for name, inner in action.choices.items():
                    yield from below(f"{words} {name}", inner)
            else:
                yield words, command, action

    return below("twofold", parser())


def test_every_argument_that_is_no_path_number_or_choice_is_a_text() -> None:
    untyped = {
        action.dest for _, _, action in options() if action.nargs != 0 and action.type is None and not action.choices
    }
    assert untyped == PATHS


def test_bytes_that_the_locale_lacks_are_read_as_utf_8_and_refused_where_they_are_none() -> None:
    hidden = "gr\udcc3\udcb6\udcc3\udc9fe"
    assert (text(hidden), text("größe")) == ("größe", "größe")
    for value in ("caf\udce9", "größe\udcff", "\ud800"):
        with pytest.raises(argparse.ArgumentTypeError, match="is not UTF-8"):
            text(value)


OTHERS = {"types": "a=int", "device": "cpu"}
"""Values of options that take no "1"."""


def a_value(action: argparse.Action) -> list[str]:
    """Words that an option takes."""
    if action.nargs == 0:
        return []
    return [str(next(iter(action.choices)))] if action.choices else [OTHERS.get(action.dest, "1")]


def test_an_option_is_given_once_unless_its_help_says_that_it_may_come_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    repeated = []
    for words, command, action in options():
        if not action.option_strings or isinstance(action, argparse._HelpAction | argparse._VersionAction):
            continue
        option = [action.option_strings[-1], *a_value(action)]
        with contextlib.suppress(SystemExit):
            command.parse_args([*option, *option])
        once = f"{option[0]} is given twice; give it once" in capsys.readouterr().err
        again = "may be repeated" in (action.help or "")
        assert once != again, (words, option)
        repeated += [option[0]] if again else []
    named = {"--types", "--measure", "--only", "--precision", "--mode", "--verbose", "--encoder", "--cross-encoder"}
    named |= {"--clients", "--collection", "--exclude", "--host-name", "--include", "--late-interaction", "--rerank"}
    assert set(repeated) == named


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["serach", "c"], "invalid choice: 'serach'; did you mean search? (choose from 'demo', "),
        (["search", "c", "q", "--mode", "lexicla"], "invalid choice: 'lexicla'; did you mean lexical?"),
        (["search", "c", "--qureies", "f"], "--qureies is no option; did you mean --queries?; a text"),
        (["search", "c", "-red"], "-red is no option; a text that begins with - goes behind"),
        (["search", "c", "-quick"], "-quick is no option; a text that begins with - goes behind"),
        (["xyzzy"], "invalid choice: 'xyzzy' (choose from"),
    ],
)
def test_what_may_have_been_meant_is_asked(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_short_options_are_the_long_ones() -> None:
    assert parser().parse_args(["search", "c", "q", "-k", "3"]).k == 3
    assert parser().parse_args(["list", "c", "-n", "3"]).limit == 3


@pytest.mark.parametrize("words", [["search", "-vv"], ["search", "-k5"], ["index", "--id=x"]])
def test_an_option_that_is_known_is_not_called_none(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(words)
    assert "is no option" not in capsys.readouterr().err
