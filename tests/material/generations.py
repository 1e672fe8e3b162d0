"""Generations of documents that every commit replaces at once and tags with its number: a mixture shows at once."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import numpy as np

from twofold.collection.collection import Collection
from twofold.collection.opening import create, open_collection
from twofold.documents import Document
from twofold.encoders.hashed_words import HashedWords
from twofold.scores import dense_scores
from twofold.searching.searcher import SnapshotSearcher

TOGETHER = 6
ENCODER = HashedWords(8)
QUERY = ENCODER.encode_queries(["generation of them"])[0]
KEEPS = 5
"""Documents of their own that the last generations leave; older ones are deleted."""


def generation(number: int) -> list[Document]:
    """What one commit adds: documents that replace those of the generation before, and one that stays a while."""
    same = [Document(f"{n}", f"generation {number} of {n}", "", {"g": number}) for n in range(TOGETHER)]
    return [*same, Document(f"own {number}", f"only of {number}", "", {"g": number})]


def write(collection: Collection, number: int) -> None:
    """Two commits: a generation, and the deletion of a document that has grown old."""
    with collection.writing(wait=60):
        collection.add(generation(number))
        collection.delete([f"own {number - KEEPS}"])


def live(number: int, deleted: bool) -> list[Document]:
    """What is there after a generation, before or after its deletion, in order."""
    first = max(0, number - KEEPS + deleted)
    older = [generation(each)[-1] for each in range(first, number)]
    return [*older, *generation(number)]


def answers(documents: list[Document]) -> list[tuple[str, float]]:
    """The ranking of these documents."""
    vectors = ENCODER.encode_documents([each.text for each in documents]).astype(np.float16).astype(np.float32)
    scores = dense_scores(QUERY, vectors).tolist()
    return sorted(((each.id, score) for each, score in zip(documents, scores, strict=True)), key=_rank)


def _rank(hit: tuple[str, float]) -> tuple[float, str]:
    return -hit[1], hit[0]


def search(searcher: Collection | SnapshotSearcher) -> list[tuple[str, float, int]]:
    return [(hit.id, hit.score, int(hit.metadata["g"])) for hit in searcher.search(QUERY, k=TOGETHER + KEEPS + 1)]


def newest(documents: list[Document]) -> int:
    tags = [each.metadata["g"] for each in documents]
    return max(tag for tag in tags if isinstance(tag, int))


def check_calls(collection: Collection) -> int:
    """Every call alone is one commit; gives which generation it saw last."""
    documents = list(collection)
    number = newest(documents)
    assert documents in (live(number, False), live(number, True))
    found = search(collection)
    seen = max(g for _, _, g in found)
    assert seen >= number
    assert [hit[:2] for hit in found] in [answers(live(seen, deleted)) for deleted in (False, True)]
    assert TOGETHER < collection.count() <= TOGETHER + KEEPS + 1
    got = collection.get("3")
    assert got is not None
    assert got.text == f"generation {got.metadata['g']} of 3"
    return seen


def check_pinned(searcher: SnapshotSearcher) -> int:
    """All calls of a pinned searcher are the same commit."""
    documents = list(searcher.snapshot.documents(searcher.snapshot.document_numbers(None)))  # type: ignore[attr-defined]
    number = newest(documents)
    assert documents in (live(number, False), live(number, True))
    for _ in range(2):
        assert [hit[:2] for hit in search(searcher)] == answers(documents)
        latest = searcher.search(QUERY, k=TOGETHER + KEEPS + 1, where={"g": number})
        assert sorted(hit.id for hit in latest) == sorted(each.id for each in generation(number))
        assert searcher.like("3", k=1)[0].id != "3"
    return number


def check(collection: Collection) -> int:
    seen = check_calls(collection)
    with collection.searcher() as searcher:
        pinned = check_pinned(searcher)
    assert pinned >= seen
    return pinned


def made(path: Path) -> Collection:
    collection = create(path, ENCODER)
    write(collection, 0)
    return collection


def read_until_told(folder: Path, ready: Event, stop: Event, seen: Any) -> None:
    """A reader of its own process."""
    with open_collection(folder, HashedWords(8)) as collection:
        ready.set()
        while not stop.is_set():
            with seen.get_lock():
                seen.value = max(check(collection), seen.value)


def beside_processes(
    folder: Path, methods: list[str], generations: int, change: Callable[[Collection, int], None]
) -> int:
    """Writes while processes read; gives the newest generation that one of them saw before the end."""
    with made(folder) as collection:
        stops, readers = [], []
        seen = multiprocessing.get_context("spawn").Value("i", -1)
        for method in methods:
            context: Any = multiprocessing.get_context(method)
            ready, stop = context.Event(), context.Event()
            reader = context.Process(target=read_until_told, args=(folder, ready, stop, seen))
            reader.start()
            readers.append(reader)
            stops.append(stop)
            assert ready.wait(60)
        for number in range(1, generations):
            change(collection, number)
        last_seen = int(seen.value)
        for stop in stops:
            stop.set()
        for reader in readers:
            reader.join(60)
        assert [reader.exitcode for reader in readers] == [0] * len(readers)
        assert collection.verify().clean
        assert list(collection) == live(generations - 1, True)
        return last_seen


def beside_threads(folder: Path, readers: int, generations: int, change: Callable[[Collection, int], None]) -> int:
    """Writes through the same object that threads search; gives how many generations they saw."""
    stop, seen, failures = threading.Event(), set[int](), list[BaseException]()
    with made(folder) as collection:

        def read() -> None:
            try:
                while not stop.is_set():
                    seen.add(check(collection))
            except BaseException as error:  # noqa: BLE001 - a thread's failure is told by the test
                failures.append(error)

        threads = [threading.Thread(target=read) for _ in range(readers)]
        for thread in threads:
            thread.start()
        for number in range(1, generations):
            change(collection, number)
        stop.set()
        for thread in threads:
            thread.join()
        assert failures == []
        assert check(collection) == generations - 1
    return len(seen)
