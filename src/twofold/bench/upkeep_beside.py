"""Searches beside additions and upkeep: how long they take, what fails, which answers are neither old nor new."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from itertools import count as counting
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from twofold.bench.timing import MILLISECONDS
from twofold.bench.upkeep_supply import Supply
from twofold.collection.collection import Collection
from twofold.collection.opening import open_collection
from twofold.errors import TwofoldError
from twofold.rankings import Hit
from twofold.scores import Vectors
from twofold.searching.hybrid import SearchMode

K, PAUSE = 10, 0.01
Question = tuple[SearchMode, str | Vectors]
Answer = tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Grown:
    """One addition, as `time.time` says: when it began, when all was acknowledged, when its upkeep was done."""

    begun: float
    acknowledged: float
    done: float


@dataclass(frozen=True, slots=True)
class Singles:
    """Documents added one at a time: seconds from adding to having found each by both; how often it was not found."""

    seconds: tuple[float, ...]
    missed: int
    failed: tuple[str, ...]


class Searching(AbstractContextManager["Searching"]):
    """Threads that search all the time, each one question after the other; what they note is read afterwards.

    taken: by mode, when each search began (`time.time`) and the seconds that it took. failed: what was raised.
    """

    def __init__(self, collection: Collection, questions: Sequence[Question], threads: int) -> None:
        self.taken: dict[SearchMode, list[tuple[float, float]]] = {mode: [] for mode, _ in questions}
        self.failed: list[str] = []
        self._collection = collection
        self._questions = questions
        self._done = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(first,)) for first in range(threads)]

    def wait(self, count: int) -> None:
        """Returns when so many searches were answered or failed."""
        while sum(map(len, self.taken.values())) + len(self.failed) < count:
            time.sleep(PAUSE)

    def p99(self, mode: SearchMode, begun: float = 0, done: float = np.inf) -> float | None:
        """Milliseconds, of searches that began within this time; None without any."""
        seconds = [each for start, each in self.taken[mode] if begun <= start <= done]
        return float(np.percentile(seconds, 99)) * MILLISECONDS if seconds else None

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, first: int) -> None:
        for turn in counting(first):
            if self._done.is_set():
                return
            mode, question = self._questions[turn % len(self._questions)]
            begun, start = time.time(), time.perf_counter()
            try:
                self._collection.search(question, k=K, mode=mode)
            except TwofoldError as error:
                self.failed.append(f"{type(error).__name__}: {error}")
            else:
                self.taken[mode].append((begun, time.perf_counter() - start))


def grown(collection: Collection, supply: Supply, start: int) -> Grown:
    """Adds the documents from a place on that are to come later, all with one call."""
    documents = list(supply.documents(start, supply.more))
    acknowledged: list[float] = []

    def told(done: int, total: int | None) -> None:  # noqa: ARG001 - what is told afterwards counts something else
        if done == len(documents) and not acknowledged:
            acknowledged.append(time.time())

    begun = time.time()
    collection.add(documents, vectors=supply.lines(start, supply.more), progress=told)
    return Grown(begun, acknowledged[0], time.time())


def grown_elsewhere(path: Path, supply: Supply, start: int) -> Grown:
    """The same, in the process that this is called in."""
    with open_collection(path) as collection:
        return grown(collection, supply, start)


def singly(collection: Collection, supply: Supply, start: int, count: int) -> Singles:
    """Adds documents one at a time, each with a word of its own, and looks for each by its vector and by that word."""
    documents = list(supply.documents(start, count))
    lines = np.array(supply.lines(start, count), np.float32)
    seconds: list[float] = []
    failed: list[str] = []
    missed = 0
    for place, (document, line) in enumerate(zip(documents, lines, strict=True), start):
        word = f"unheardof{place}"
        fresh = replace(document, text=f"{document.text} {word}")
        begun = time.perf_counter()
        try:
            collection.add([fresh], vectors=line[None])
            found = [collection.search(line, k=K, mode="dense"), collection.search(word, k=K, mode="lexical")]
        except TwofoldError as error:
            failed.append(f"{type(error).__name__}: {error}")
            continue
        seconds.append(time.perf_counter() - begun)
        missed += sum(fresh.id not in {hit.id for hit in hits} for hits in found)
    return Singles(tuple(seconds), missed, tuple(failed))


def singly_elsewhere(path: Path, supply: Supply, start: int, count: int) -> Singles:
    """The same, in the process that this is called in."""
    with open_collection(path) as collection:
        return singly(collection, supply, start, count)


def changed_answers(
    collection: Collection, questions: Sequence[Question], work: Callable[[], object]
) -> tuple[int, int]:
    """Asks while the work is done: how many answers there were, and how many were given neither before nor after."""
    before = [_answer(collection, each) for each in questions]
    seen: list[tuple[int, Answer]] = []
    done = threading.Event()

    def ask() -> None:
        for turn in counting():
            if done.is_set():
                return
            place = turn % len(questions)
            seen.append((place, _answer(collection, questions[place])))

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        work()
    finally:
        done.set()
        thread.join()
    after = [_answer(collection, each) for each in questions]
    return len(seen), sum(answer not in (before[place], after[place]) for place, answer in seen)


def _answer(collection: Collection, question: Question) -> Answer:
    mode, asked = question
    hits: list[Hit] = collection.search(asked, k=K, mode=mode)
    return tuple((hit.id, hit.score) for hit in hits)
