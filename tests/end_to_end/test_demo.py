"""`twofold demo` as a process: it indexes once, answers, and starts at once the second time."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from twofold.cli.demo import QUESTIONS

Twofold = Callable[..., Any]
WORDS = ("--encoder", "hashed-words:256")


@pytest.fixture(scope="module")
def first(twofold: Twofold) -> Any:
    """The first run of all, as JSON."""
    done = twofold("demo", *WORDS, "--json")
    assert done.status == 0, done.err
    return done.json


def test_the_demo_indexes_the_documentation_on_this_machine(first: Any) -> None:
    assert 4000 < first["added"]["added"] < 10_000
    assert [answer["query"] for answer in first["answers"]] == list(QUESTIONS)
    assert all(len(answer["hits"]) == 3 for answer in first["answers"])


def test_the_second_run_adds_nothing_and_answers_the_same(first: Any, twofold: Twofold) -> None:
    again = twofold("demo", *WORDS, "--json").json
    assert again["added"] is None
    assert again["answers"] == first["answers"]
    assert again["collection"] == first["collection"]


def test_in_a_pipe_the_demo_asks_nobody_and_has_no_colour(first: Any, twofold: Twofold) -> None:
    done = twofold("demo", *WORDS, stdin="never asked\n")
    assert done.status == 0, done.err
    assert "nothing changed" in done.out
    assert all(f"? {question}" in done.out for question in QUESTIONS)
    assert "never asked" not in done.out
    assert "passages encoded (extrapolated)" in done.out
    assert "\x1b" not in done.out
    assert max(len(line) for line in done.out.splitlines() if not line.startswith("kept in")) <= 80


def test_a_collection_that_was_taken_away_is_made_again(first: Any, twofold: Twofold) -> None:
    shutil.rmtree(first["collection"])
    assert twofold("demo", *WORDS, "--json").json["added"]["added"] == first["added"]["added"]


def test_documentation_that_changed_is_indexed_again_and_what_stayed_is_not_encoded(
    tmp_path: Path, twofold: Twofold
) -> None:
    words = ("demo", "--to", tmp_path / "c", "--encoder", "hashed-words:16", "--json")
    made = twofold(*words).json["added"]
    mark = tmp_path / "c.complete.json"
    mark.write_text(json.dumps({**json.loads(mark.read_text()), "documentation": "that of yesterday"}))
    again = twofold(*words).json["added"]
    assert (again["unchanged"], again["passages"]) == (made["added"], 0)
    assert twofold(*words).json["added"] is None


def test_another_encoder_gets_a_collection_of_its_own(first: Any, twofold: Twofold) -> None:
    other = twofold("demo", "--encoder", "hashed-words:32", "--json").json
    assert other["collection"] != first["collection"]
    assert other["added"]["added"] == first["added"]["added"]


def test_on_a_terminal_the_user_asks_until_an_empty_line(first: Any) -> None:
    ours, theirs = pty.openpty()
    program = [sys.executable, "-m", "twofold", "demo", *WORDS, "--no-table"]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "90"}
    with subprocess.Popen(program, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        os.write(ours, b"how to parse json text\n\n")
        shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", everything(ours))
    assert process.returncode == 0
    asked = shown[shown.rindex("Ask something yourself") :]
    assert "json" in asked
    assert len(re.findall(r"^ 0\.\d{3}  ", asked, re.MULTILINE)) == 3


def everything(terminal: int) -> str:
    """All that a process writes to a terminal until it ends."""
    shown = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # Linux says so when the other side is closed
            part = b""
        if not part:
            os.close(terminal)
            return shown.decode()
        shown += part
