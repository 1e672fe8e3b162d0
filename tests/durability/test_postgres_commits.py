"""Over a network that fails, nothing that was acknowledged in PostgreSQL is lost, and nothing is stored twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from cutting import Cutting, cutting
from postgres_server import Database

import twofold
from twofold.collection.collection import Collection
from twofold.encoders.hashed_words import HashedWords
from twofold.errors import LockedError, StorageError

WRITES = """
import sys, time, twofold
with twofold.open(sys.argv[1]) as collection, collection.writing():
    for n in range(10**6):
        collection.add([(f"k{n}-{m}", f"text {n} {m}") for m in range(3)])
        print(n, flush=True)
"""


@pytest.fixture
def made(postgres: Database) -> str:
    address = postgres.address()
    with twofold.create(address, HashedWords(16)) as collection:
        collection.add([("a", "red apple"), ("b", "green pear")])
        collection.tune()
    return address


@pytest.fixture
def between(postgres: Database) -> Iterator[Cutting]:
    with cutting(postgres.url) as server:
        yield server


def near(made: str, between: Cutting) -> Collection:
    return twofold.open(between.address(made.partition("?")[2].rpartition("&")[2]), HashedWords(16))


def test_a_commit_whose_answer_was_lost_is_found_again_and_stored_once(made: str, between: Cutting) -> None:
    with near(made, between) as collection, collection.writing():
        between.cut_after("COMMIT", answered=True)
        report = collection.add([("c", "blue plum"), ("a", "red cherry")])
        assert (report.added, report.replaced, between.cuts) == (1, 1, 1)
        assert collection.add([("d", "white melon")]).added == 1  # the lock was taken again
    with twofold.open(made) as collection:
        assert [each.id for each in collection] == ["b", "c", "a", "d"]
        assert collection.verify().clean
        assert [hit.id for hit in collection.search("cherry", mode="lexical")] == ["a"]


@pytest.mark.parametrize("text", ["COMMIT", "PGCOPY", "BEGIN", "pg_current_xact_id"])
def test_a_commit_that_did_not_arrive_leaves_everything_as_it_was(made: str, between: Cutting, text: str) -> None:
    with near(made, between) as collection:
        before = list(collection)
        with collection.writing():
            between.cut_after(text, answered=False)
            with pytest.raises(StorageError, match="run it again"):
                collection.add([("c", "blue plum"), ("a", "red cherry")])
            assert between.cuts == 1
            assert list(collection) == before
            assert collection.add([("c", "blue plum"), ("a", "red cherry")]).added == 1
        assert collection.verify().clean
        assert len(collection) == 3


def test_a_reader_whose_connection_broke_is_told_and_the_next_search_finds(made: str, between: Cutting) -> None:
    with near(made, between) as collection:
        between.cut_after("halfvec_send", answered=False)
        with pytest.raises(StorageError, match="check the server and the network"):
            collection.search("apple")
        assert collection.search("apple")[0].id == "a"


def test_a_server_that_cannot_be_reached_is_told_with_its_address(made: str, between: Cutting) -> None:
    with near(made, between) as collection:
        address = collection.info().path
    between.refusing = True
    with pytest.raises(StorageError, match=r"cannot be reached.*Check that the server runs"):
        twofold.open(address)


def test_a_killed_writer_leaves_whole_commits_and_no_lock(made: str) -> None:
    writer = subprocess.Popen([sys.executable, "-c", WRITES, made], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    acknowledged = [int(writer.stdout.readline()) for _ in range(4)]
    with twofold.open(made, wait=0) as collection:
        with pytest.raises(LockedError, match=rf"twofold {writer.pid} on .* is writing"):
            collection.add([("x", "y")])
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        deadline = time.monotonic() + 60
        while True:  # the server notices that the connection has ended
            try:
                collection.add([("x", "y")])
                break
            except LockedError:
                assert time.monotonic() < deadline
        stored = [each.id for each in collection if each.id.startswith("k")]
        assert len(stored) % 3 == 0
        assert stored[: 3 * len(acknowledged)] == [f"k{n}-{m}" for n in acknowledged for m in range(3)]
        assert collection.verify().clean
