"""`twofold completion`: what bash completes with the script, and what the scripts of all shells hold."""

from __future__ import annotations

import argparse
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from twofold.cli.completion import SHELLS, commands_of
from twofold.cli.main import parser

Twofold = Callable[..., Any]
ASK = """source ./script
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"
_twofold
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two collections, another folder, and a file."""
    for name in ("wiki.twofold", "my books.twofold", "notes", "deeper/inside.twofold"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "articles.jsonl").touch()
    return tmp_path


@pytest.fixture
def completed(folder: Path, twofold: Twofold) -> Callable[..., list[str]]:
    """What bash offers for the last of these words."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("bash is not installed, which is asked what it completes")
    (folder / "script").write_text(twofold("completion", "bash").out)

    def ask(*words: str) -> list[str]:
        done = subprocess.run(
            [bash, "--noprofile", "--norc", "-c", ASK, "bash", "twofold", *words],
            capture_output=True,
            text=True,
            check=True,
            cwd=folder,
        )
        assert done.stderr == ""
        return sorted(done.stdout.split("\n")[:-1]) if done.stdout.strip() else []

    return ask


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["ind"], ["index"]),
        (["bench", "lo"], ["long", "lookups"]),
        (["index", "--pass"], ["--passage-context", "--passage-overlap", "--passage-tokens", "--passages"]),
        (["index", "articles.jsonl", "--passages", ""], ["auto", "none"]),
        (["index", "--passages", "=", "n"], ["none"]),
        (["index", "--to", "w"], ["wiki.twofold"]),
        (["info", ""], ["my books.twofold", "wiki.twofold"]),
        (["info", "my"], ["my books.twofold"]),
        (["info", "dee"], ["deeper"]),  # the way to a collection
        (["info", "deeper/"], ["deeper/inside.twofold"]),
        (["add", "wiki.twofold", "art"], ["articles.jsonl"]),
        (["search", "wiki.twofold", "--k", ""], []),  # nobody knows a number
        (["search", "wiki.twofold", "index", "--exa"], ["--exact"]),  # a query that is called like a command
        (["bench", "encode", "--precision", ""], ["bf16", "f32", "int8"]),
        (["completion", ""], ["bash", "fish", "zsh"]),
        (["--ver"], ["--version"]),
    ],
)
def test_bash_completes_commands_options_choices_and_collections(
    completed: Callable[..., list[str]], words: list[str], offered: list[str]
) -> None:
    assert completed(*words) == offered


def test_every_command_and_every_option_is_in_the_script_of_every_shell(twofold: Twofold) -> None:
    found = {shell: twofold("completion", shell) for shell in SHELLS}
    assert all((done.status, done.err) == (0, "") for done in found.values())

    def walked(each: argparse.ArgumentParser, at: str) -> Iterator[tuple[str, list[str]]]:
        yield at, [name for action in each._actions for name in action.option_strings]
        for action in each._actions:
            if isinstance(action, argparse._SubParsersAction):
                for name, below in action.choices.items():
                    yield from walked(below, f"{at}/{name}")

    lines = {shell: done.out.splitlines() for shell, done in found.items()}
    for at, options in walked(parser(), ""):
        in_fish = [
            line for line in lines["fish"] if line.startswith(f"complete -c twofold -n '__twofold_at {at or chr(39)}")
        ]
        for option in options:
            flag = f" -l {option[2:]} " if option.startswith("--") else f" -s {option[1:]} "
            assert any(flag in line for line in in_fish), (at, option)
            for shell in ("bash", "zsh"):
                assert any(f"{at}:" in line and option in line for line in lines[shell]), (shell, at, option)


def test_the_commands_are_those_of_the_parser_and_say_what_they_do() -> None:
    commands = {each.at: each for each in commands_of(parser())}
    assert {"/index", "/bench", "/bench/encode", "/completion"} <= commands.keys()
    assert all(commands[""].commands.values())
    (passages,) = [option for option in commands["/index"].options if "--passages" in option.names]
    assert passages.value is not None
    assert passages.value.words == ("auto", "none")


@pytest.mark.parametrize("shell", SHELLS)
def test_the_shell_reads_its_script(shell: str, twofold: Twofold, tmp_path: Path) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    script = tmp_path / "script"
    script.write_text(twofold("completion", shell).out)
    done = subprocess.run([program, "-n", str(script)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
