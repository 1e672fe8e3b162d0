"""Many writers at once, in threads and in processes: each gets in, none is refused, nothing is missing or twice."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import twofold
from twofold.collection.collection import Collection
from twofold.encoders.hashed_words import HashedWords

MANY = 40
ENCODER = HashedWords(16)
FORKING = multiprocessing.get_context("fork")

ADDS_ONE = """
import sys
import twofold
from twofold.encoders.hashed_words import HashedWords
with twofold.open(sys.argv[1], HashedWords(16)) as collection:
    sys.stdin.read(1)
    collection.add([("own " + sys.argv[2], "the text of " + sys.argv[2])])
"""
"""A process that adds one document when its input ends."""

UPDATES = """
import sys
import twofold
from twofold.encoders.hashed_words import HashedWords
with twofold.open(sys.argv[1], HashedWords(16)) as collection:
    done = 0
    while not (open(sys.argv[2]).read()):
        with collection.writing():
            for _ in range(5):
                collection.update([{"id": sys.argv[3], "text": f"version {done}"}])
                done += 1
        if done == 5:
            print("begun", flush=True)
print(done)
"""
"""A process that updates one document, five times a turn, as fast as it can, until a file has content."""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    twofold.create(tmp_path / "c", ENCODER).close()
    return tmp_path / "c"


def add_one(collection: Collection, name: str) -> int:
    return collection.add([(name, f"the text of {name}")]).added


def has_all(place: Path, names: list[str]) -> bool:
    with twofold.open(place, ENCODER) as collection:
        assert sorted(each.id for each in collection) == sorted(names)
        assert all(collection[name].text == f"the text of {name}" for name in names)
        return collection.verify().clean


def test_forty_threads_add_a_document_each_and_none_is_refused(place: Path) -> None:
    names = [f"{how} {number}" for number in range(MANY // 2) for how in ("shared", "own")]

    def add(name: str) -> int:
        if name.startswith("shared"):
            return add_one(collection, name)
        with twofold.open(place, ENCODER) as own:
            return add_one(own, name)

    with twofold.open(place, ENCODER) as collection, ThreadPoolExecutor(MANY) as threads:
        assert list(threads.map(add, names)) == [1] * MANY
    assert has_all(place, names)


def test_forty_forked_processes_add_a_document_each_and_none_is_refused(place: Path) -> None:
    names = [f"{how} {number}" for number in range(MANY // 2) for how in ("inherited", "own")]
    begin = FORKING.Event()

    def add(name: str) -> None:
        begin.wait()
        if name.startswith("inherited"):
            add_one(collection, name)
        else:
            with twofold.open(place, ENCODER) as own:
                add_one(own, name)

    with twofold.open(place, ENCODER) as collection:
        processes = [FORKING.Process(target=add, args=(name,)) for name in names]
        for process in processes:
            process.start()
        begin.set()
        for process in processes:
            process.join()
        assert [process.exitcode for process in processes] == [0] * MANY
    assert has_all(place, names)


@pytest.mark.long
def test_forty_programs_add_a_document_each_and_none_is_refused(place: Path) -> None:
    reading, writing = os.pipe()
    programs = [
        subprocess.Popen([sys.executable, "-c", ADDS_ONE, str(place), str(number)], stdin=reading)
        for number in range(MANY)
    ]
    os.close(reading)
    os.close(writing)  # the end of everybody's input
    assert [program.wait() for program in programs] == [0] * MANY
    with twofold.open(place, ENCODER) as collection:
        assert sorted(each.id for each in collection) == sorted(f"own {number}" for number in range(MANY))
        assert collection.verify().clean


def test_a_writer_beside_two_that_update_in_a_tight_loop_is_never_refused(place: Path, tmp_path: Path) -> None:
    end = tmp_path / "end"
    end.touch()
    with twofold.open(place, ENCODER) as collection:
        collection.add([("a", "one"), ("b", "another")])
        loops = [
            subprocess.Popen(
                [sys.executable, "-c", UPDATES, str(place), str(end), name], stdout=subprocess.PIPE, text=True
            )
            for name in ("a", "b")
        ]
        for loop in loops:
            assert loop.stdout is not None
            assert loop.stdout.readline() == "begun\n"
        for number in range(20):
            with collection.writing(wait=10):
                add_one(collection, f"d{number}")
        end.write_text("now")
        updates = [int(loop.communicate()[0]) for loop in loops]
        assert [loop.returncode for loop in loops] == [0, 0]
        assert min(updates) > 0
        assert {each.id for each in collection} == {"a", "b", *(f"d{number}" for number in range(20))}
        assert [collection[name].text for name in ("a", "b")] == [f"version {done - 1}" for done in updates]


def test_threads_that_write_in_a_tight_loop_let_another_thread_in(place: Path) -> None:
    with twofold.open(place, ENCODER) as collection, ThreadPoolExecutor(3) as threads:
        ended: list[str] = []

        def updating(name: str) -> int:
            done = 0
            while not ended:
                with collection.writing():
                    for _ in range(5):
                        done += collection.add([(name, f"version {done}")]).added
            return done

        loops = [threads.submit(updating, name) for name in ("a", "b")]
        try:
            assert [add_one(collection, f"d{number}") for number in range(20)] == [1] * 20
        finally:
            ended.append("now")
        assert all(loop.result() for loop in loops)
        assert collection.count() == 22
