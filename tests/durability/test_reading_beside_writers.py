"""Readers of a collection while others write to it: each call is one commit, and a pinned searcher stays at its own.

Every commit replaces all of a generation's documents at once and tags them with its number; a mixture shows at once.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from generations import TOGETHER, beside_processes, beside_threads, check, check_pinned, made, write

from twofold.documents import Document


def test_processes_forked_and_spawned_read_one_commit_each_while_another_writes(tmp_path: Path) -> None:
    assert beside_processes(tmp_path / "c", ["fork", "spawn"], 60, write) > 0


def test_threads_that_search_one_collection_object_see_one_commit_each(tmp_path: Path) -> None:
    assert beside_threads(tmp_path / "c", 3, 40, write) > 3


def test_a_pinned_searcher_answers_as_at_its_commit_through_writes_and_a_fork(tmp_path: Path) -> None:
    with made(tmp_path / "c") as collection, collection.searcher() as pinned:
        for number in range(1, 12):
            write(collection, number)
        assert check_pinned(pinned) == 0
        child = os.fork()
        if child == 0:
            try:
                write(collection, 12)
                os._exit(check(collection))
            finally:
                os._exit(99)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 12
        assert check_pinned(pinned) == 0
        assert check(collection) == 12


def test_a_pinned_searcher_holds_the_log_back_only_while_it_is_held(tmp_path: Path) -> None:
    """SQLite folds its log into the catalogue every 16 MiB, but not what a held commit must not see."""
    texts = [Document(f"long {n}", "x" * 20_000) for n in range(400)]
    with made(tmp_path / "c") as collection:
        with collection.searcher() as pinned:
            for number in range(4):
                collection.add([Document(each.id, f"{number} {each.text}") for each in texts])
            assert collection.info().bytes["log"] > 30e6
            assert check_pinned(pinned) == 0
        write(collection, 1)
        write(collection, 2)
        assert collection.info().bytes["log"] < 20e6  # folded in, and truncated
        assert collection.count() == TOGETHER + 3 + len(texts)


@pytest.mark.long
def test_many_readers_see_one_commit_each_for_a_long_time(tmp_path: Path) -> None:
    processes = beside_processes(tmp_path / "processes", ["fork", "spawn", "fork", "spawn"], 1_500, write)
    threads = beside_threads(tmp_path / "threads", 6, 1_000, write)
    print(f"processes saw generation {processes} of 1,500, threads saw {threads} generations of 1,000")
    assert processes > 100
    assert threads > 50
