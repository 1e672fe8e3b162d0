"""Two commands that want to write: the second waits for the first by name, and with --wait 0 is refused at once."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from twofold.collection.opening import create, open_collection
from twofold.encoders.hashed_words import HashedWords
from twofold.engines.local.engine import Store
from twofold.errors import LockedError

Twofold = Callable[..., Any]
LATER = '{"id": "later", "text": "It came second."}\n'
WORDS = ("--encoder", "hashed-words:64")


@contextmanager
def command(*words: object) -> Iterator[subprocess.Popen[bytes]]:
    """A command that runs beside the test; killed when the block ends before it does."""
    program = [sys.executable, "-m", "twofold", *map(str, words)]
    pipe = subprocess.PIPE
    with subprocess.Popen(program, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def writing(place: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`add` that waits for standard input while it holds the lock; `communicate` ends it.

    It waits for the lock, too: the look whether it is held takes it for a moment.
    """
    with command("add", place, "-", "--wait", "60") as process:
        assert process.stdin is not None
        process.stdin.write(b'{"id": "first", "text": "It came first."}\n')
        process.stdin.flush()
        until(lambda: held(place))
        yield process


def held(place: Path) -> bool:
    try:
        with Store.open(place) as store, store.writing():
            return False
    except LockedError:
        return True


def until(happens: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not happens():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def said_while_it_runs(process: subprocess.Popen[bytes]) -> str:
    """The first line that it writes to standard error."""
    assert process.stderr is not None
    return process.stderr.readline().decode()


def ids(place: Path) -> list[str]:
    with open_collection(place) as collection:
        return sorted(each.id for each in collection)


@pytest.fixture
def later(tmp_path: Path) -> Path:
    (tmp_path / "later.jsonl").write_text(LATER)
    return tmp_path / "later.jsonl"


def changes(place: Path, later: Path) -> list[tuple[object, ...]]:
    """Every command that writes, as it changes this collection."""
    return [("index", later, "--to", place), ("add", place, later), ("delete", place, "tea")]


def test_a_second_writer_that_does_not_wait_is_told_who_writes_and_how_to_wait(
    hashed: Path, later: Path, twofold: Twofold
) -> None:
    before = ids(hashed)
    with writing(hashed) as first:
        for words in changes(hashed, later):
            done = twofold(*words, "--wait", "0")
            assert (done.status, done.out) == (1, "")
            assert f"process {first.pid} on " in done.err
            assert f"is writing to {hashed}" in done.err
            assert "--wait" in done.err
        assert twofold("search", hashed, "tea").status == 0  # readers wait for nobody
        assert first.communicate(timeout=60)[0]
    assert ids(hashed) == sorted([*before, "first"])


@pytest.mark.parametrize("number", [0, 1, 2])
def test_with_wait_it_says_for_whom_it_waits_and_then_does_its_work(hashed: Path, later: Path, number: int) -> None:
    before = set(ids(hashed))
    after = {*before, "first"} - {"tea"} if number == 2 else {*before, "first", "later"}
    with writing(hashed) as first, command(*changes(hashed, later)[number], "--json", "--wait") as second:
        assert f"waiting: process {first.pid} on " in said_while_it_runs(second)
        time.sleep(0.2)
        assert second.poll() is None
        first.communicate(timeout=60)
        out, err = second.communicate(timeout=60)
    assert second.returncode == 0, err.decode()
    assert json.loads(out)["documents"] == len(after)
    assert set(ids(hashed)) == after


def test_a_writing_call_waits_some_seconds_without_being_told(tmp_path: Path) -> None:
    with create(tmp_path / "c", HashedWords(8)) as first, open_collection(tmp_path / "c") as second:
        with ThreadPoolExecutor(1) as beside, first.writing():
            added = beside.submit(second.add, [{"id": "a", "text": "one"}])
            assert wait([added], 0.3).not_done
        assert added.result().added == 1
    with (
        create(tmp_path / "d", HashedWords(8)) as first,
        open_collection(tmp_path / "d", wait=0) as second,
        ThreadPoolExecutor(1) as beside,
        first.writing(),
        pytest.raises(LockedError),
    ):
        beside.submit(second.add, [{"id": "a", "text": "one"}]).result()


def test_waiting_ends_after_the_seconds_that_were_given(hashed: Path, later: Path, twofold: Twofold) -> None:
    with writing(hashed):
        for words in changes(hashed, later):
            begun = time.monotonic()
            done = twofold(*words, "--wait", "0.3")
            assert time.monotonic() - begun >= 0.3
            assert done.status == 1
            assert "waiting: process" in done.err
            assert "error: process" in done.err


def test_the_lock_of_a_killed_command_is_free_and_its_finished_blocks_are_in(
    hashed: Path, later: Path, twofold: Twofold
) -> None:
    before = ids(hashed)
    with writing(hashed) as first:
        first.kill()
        first.wait()
    assert "pid" in (hashed / "lock").read_text()  # the note lies about, the lock does not
    for words in changes(hashed, later):
        assert twofold(*words).status == 0
    assert set(ids(hashed)) == {*before, "later"} - {"tea"}


def test_two_commands_that_make_one_collection_at_once_are_one_after_the_other(tmp_path: Path) -> None:
    place, names = tmp_path / "new", ["a", "b", "c"]
    for name in names:
        (tmp_path / f"{name}.jsonl").write_text(json.dumps({"id": name, "text": f"the text of {name}"}) + "\n")
    with (
        command("index", tmp_path / "a.jsonl", "--to", place, *WORDS, "--wait", "60") as first,
        command("index", tmp_path / "b.jsonl", "--to", place, *WORDS, "--wait", "60") as second,
        command("index", tmp_path / "c.jsonl", "--to", place, *WORDS, "--wait", "60") as third,
    ):
        for each in (first, second, third):
            _, err = each.communicate(timeout=60)
            assert each.returncode == 0, err.decode()
    assert ids(place) == names


@pytest.mark.parametrize("seconds", ["soon", "-1", "nan"])
def test_a_wait_that_is_no_number_of_seconds_is_wrong_usage(hashed: Path, seconds: str, twofold: Twofold) -> None:
    done = twofold("delete", hashed, "tea", f"--wait={seconds}")
    assert done.status == 2
    assert "no number of seconds" in done.err
