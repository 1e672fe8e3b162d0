"""`index`, `add` and `delete` killed at a random moment: whole commits are there, and the same command goes on."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from storing import content

from twofold.collection.adding import ENCODED_AT_ONCE
from twofold.errors import NotACollectionError
from twofold.storage.store import Store

DOCUMENTS = 4_000


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two files: documents, and later versions of every second of them with as many new ones."""
    folder = tmp_path_factory.mktemp("data")
    first = [{"id": f"d{n}", "text": f"text number {n} " * 5, "n": n} for n in range(DOCUMENTS)]
    later = [{"id": f"d{n}", "text": f"version two of {n}", "n": n} for n in range(0, 2 * DOCUMENTS, 2)]
    for name, records in (("first.jsonl", first), ("later.jsonl", later)):
        (folder / name).write_text("".join(json.dumps(record) + "\n" for record in records))
    return folder


def commands(data: Path, collection: Path) -> list[list[str]]:
    where = json.dumps({"n": {"$gte": 1_000}})
    return [
        ["index", str(data / "first.jsonl"), "--to", str(collection), "--encoder", "hashed-words:16"],
        ["add", str(collection), str(data / "later.jsonl")],
        ["delete", str(collection), "--where", where],
    ]


def started(words: list[str]) -> subprocess.Popen[bytes]:
    program = [sys.executable, "-m", "twofold", *words]
    return subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def finished(words: list[str]) -> float:
    """Runs a command to its end; gives the seconds that it took."""
    start = time.monotonic()
    with started(words) as process:
        _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said.decode()
    return time.monotonic() - start


def killed(words: list[str], seconds: float) -> bool:
    """Starts a command and kills it after so many seconds; gives whether it was still running."""
    with started(words) as process:
        time.sleep(seconds)
        process.kill()
        process.communicate()
    return process.returncode != 0


def held(collection: Path) -> dict[str, Any]:
    """All that a whole collection holds; nothing where there is none yet."""
    try:
        with Store.open(collection) as store:
            assert store.verify().damage == []
            return content(store)
    except NotACollectionError:
        return {}


def between(words: list[str], found: dict[str, Any], before: dict[str, Any], after: dict[str, Any]) -> None:
    """That a killed command did a whole number of its commits: blocks in the order of the file, or the one deletion."""
    if words[0] == "delete":
        assert found in (before, after)
        return
    fresh = [identifier for identifier in after if before.get(identifier) != after[identifier]]
    done = [identifier for identifier in fresh if found.get(identifier) == after[identifier]]
    assert len(done) % ENCODED_AT_ONCE == 0 or done == fresh
    assert done == fresh[: len(done)]
    rest = {identifier: each for identifier, each in before.items() if identifier not in set(done)}
    assert found == {**rest, **{identifier: after[identifier] for identifier in done}}


def rehearse(data: Path, tmp_path: Path, times: int) -> int:
    """Kills each command so many times, finishes it each time, and gives how many kills met a running command."""
    draw, met = random.Random(29), 0
    states, seconds = [held(tmp_path / "undisturbed")], []
    for words in commands(data, tmp_path / "undisturbed"):
        seconds.append(finished(words))
        states.append(held(tmp_path / "undisturbed"))
    assert [len(state) for state in states] == [0, 4_000, 6_000, 1_000]
    for number in range(times):
        for position, words in enumerate(commands(data, tmp_path / str(number))):
            before, after = states[position : position + 2]
            met += killed(words, seconds[position] * draw.uniform(0.4, 1.0))
            between(words, held(tmp_path / str(number)), before, after)
            finished(words)
            assert held(tmp_path / str(number)) == after
    return met


def test_a_killed_command_did_whole_commits_and_running_it_again_finishes_the_job(data: Path, tmp_path: Path) -> None:
    assert rehearse(data, tmp_path, 1) >= 1


@pytest.mark.long
def test_commands_killed_two_hundred_times_end_as_if_undisturbed(data: Path, tmp_path: Path) -> None:
    met = rehearse(data, tmp_path, 80)
    print(f"{met} of 240 kills met a running command")
    assert met >= 200
