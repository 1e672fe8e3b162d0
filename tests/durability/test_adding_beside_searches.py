"""Additions beside searches, by the same process and by another: none of either fails, and nothing is missing."""

from __future__ import annotations

import multiprocessing
import threading
from concurrent.futures import ProcessPoolExecutor
from itertools import count
from pathlib import Path

import pytest

import twofold
from twofold.collection.collection import Collection
from twofold.errors import TwofoldError
from twofold.searching.hybrid import SEARCH_MODES

ENCODER = twofold.HashedWords(16)
THREADS = 4


def text(number: int) -> str:
    return f"unique{number} and number {number % 50} of many"


def add(collection: Collection, numbers: range) -> list[str]:
    """Adds documents one at a time; gives what was raised."""
    failed = []
    for number in numbers:
        try:
            collection.add([(f"d{number}", text(number))])
        except TwofoldError as error:
            failed.append(repr(error))
    return failed


def add_elsewhere(path: Path, numbers: range) -> list[str]:
    """The same, in the process that this is called in."""
    with twofold.open(path, ENCODER) as collection:
        return add(collection, numbers)


class Searches:
    """Threads that search in every mode until they are told to stop and have searched often enough."""

    def __init__(self, collection: Collection, least: int) -> None:
        self.failed: list[str] = []
        self.done = threading.Event()
        self._collection = collection
        self._counts, self._least = [0] * THREADS, least // THREADS
        self._threads = [threading.Thread(target=self._search, args=(place,)) for place in range(THREADS)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> int:
        """Lets them end; gives how many searches there were."""
        self.done.set()
        for thread in self._threads:
            thread.join()
        return sum(self._counts)

    def _search(self, place: int) -> None:
        for turn in count():
            if self._counts[place] >= self._least and self.done.is_set():
                return
            try:
                self._collection.search(f"number {turn % 50}", k=5, mode=SEARCH_MODES[turn % len(SEARCH_MODES)])
            except TwofoldError as error:
                self.failed.append(repr(error))
            self._counts[place] += 1


@pytest.mark.parametrize(("additions", "searches"), [(60, 200), pytest.param(10_000, 100_000, marks=pytest.mark.long)])
def test_no_addition_fails_because_somebody_searches_and_no_search_because_somebody_adds(
    tmp_path: Path, additions: int, searches: int
) -> None:
    half = additions // 2
    with twofold.create(tmp_path / "c", ENCODER) as collection:
        collection.add((f"first{number}", text(-number)) for number in range(50))
        collection.tune()
        asking = Searches(collection, searches)
        try:
            failed = add(collection, range(half))
            with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as other:
                failed += other.submit(add_elsewhere, tmp_path / "c", range(half, additions)).result()
        finally:
            searched = asking.stop()
        assert (failed, asking.failed) == ([], [])
        assert searched >= searches
        assert len(collection) == 50 + additions
        for number in range(0, additions, max(1, additions // 20)):
            assert collection.search(f"unique{number}", k=1, mode="lexical")[0].id == f"d{number}"
        assert collection.verify().clean
