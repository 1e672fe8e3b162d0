"""The cost of filters: first and repeated evaluation, with other threads, and after additions and deletions."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import count as counting
from pathlib import Path

import numpy as np

from twofold.bench.surroundings import header
from twofold.bench.timing import MILLISECONDS, Work, seconds
from twofold.block import Block, Part
from twofold.collection.collection import Collection
from twofold.collection.opening import create, open_collection
from twofold.documents import Document
from twofold.encoders.given_vectors import GivenVectors
from twofold.engine import EngineSnapshot, EngineWriter
from twofold.filters import Filter, parse
from twofold.memory import anonymous_bytes
from twofold.progress import Progress, silent
from twofold.space import MAIN
from twofold.tables import Cell, Column, Report, Table
from twofold.values import Json

DIMENSION, BLOCK = 8, 10_000
LANGUAGES = ("de", "en", "es", "fr", "it", "nl", "pl", "pt")
VALUES = 10_000
"""Values of a long list."""
PAUSE = 0.002
"""Seconds between the questions of those who ask while a column is read."""
MEBIBYTE = 2**20
BOUND, TEXT, BOTH = (
    parse(where) for where in ({"year": {"$lt": 1950}}, {"lang": "de"}, {"lang": "de", "year": {"$gte": 1950}})
)
"""Filters that are asked again and again."""

Change = Callable[[int], object]


def bench_filters(*, count: int = 1_000_000, rounds: int = 5, progress: Progress = silent) -> Report:
    """Counts by filters, in a collection of `count` documents that have a year, a language and a number.

    Times are of `count(where=…)` on a snapshot: what passes, and how many that are.
    """
    with tempfile.TemporaryDirectory(prefix="twofold-bench-") as folder:
        path = Path(folder) / "filters.twofold"
        with create(path, GivenVectors(DIMENSION)) as collection, collection.writing() as writer:
            for start in range(0, count, BLOCK):
                writer.commit(_block(range(start, min(start + BLOCK, count))))
                progress(start, count)
        # In a new process, since what adding has left in memory would hide what is kept.
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as new_process:
            tables = new_process.submit(measured_filters, path, count, rounds).result()
    return Report(header(), tables)


def measured_filters(path: Path, count: int, rounds: int) -> list[Table]:
    """The tables of a collection that was made so, which is changed."""
    with open_collection(path) as collection:
        with collection.searcher() as searcher:
            tables = [_read_once(searcher.snapshot, collection), _asked(searcher.snapshot, rounds)]
        return [*tables, _after_changes(collection, count, rounds)]


def _block(numbers: Sequence[int]) -> Block:
    """Documents of these numbers with random vectors, written without the lexical index, which filters do not need."""
    count = len(numbers)
    return Block(
        documents=[_document(number) for number in numbers],
        text_hashes=[b"\0" * 8] * count,
        parts={
            MAIN: Part(
                truncated=[0] * count,
                counts=np.ones(count, np.int64),
                spans=np.tile(np.array([[0, 4]], np.int32), (count, 1)),
                vectors=np.random.default_rng(numbers[0]).standard_normal((count, DIMENSION), np.float32),
            )
        },
    )


def _document(number: int) -> Document:
    metadata: dict[str, Json] = {
        "year": 1900 + number * 31_337 % 125,
        "lang": LANGUAGES[number * 7_919 % 8],
        "thousandth": number * 104_729 % 1000,
    }
    return Document(f"d{number}", "text", "", metadata)


def _read_once(snapshot: EngineSnapshot, collection: Collection) -> Table:
    """What is read of the catalogue once, and who waits meanwhile."""
    waits: dict[str, list[float]] = {"an answer that is there": [], "another column": []}
    questions = {"an answer that is there": lambda _: BOUND, "another column": _below}
    lines = [
        _read("the rows, after opening", lambda: snapshot.passages(np.array([0]))),
        _read("numbers, the first time: by SQL", lambda: snapshot.count(_below(0))),
        _read("numbers, the second time: their column", lambda: snapshot.count(BOUND)),
        _read("text, the first time: by SQL", lambda: snapshot.count(parse({"lang": "xx"}))),
    ]
    with _asking(collection, questions, waits):
        lines.append(_read("text, the second time: its column", lambda: snapshot.count(TEXT)))
    longest = ", ".join(f"{max(each) * MILLISECONDS:,.1f} ms for {name}" for name, each in waits.items())
    notes = (
        f"{snapshot.counts.documents:,} documents, in a new process; memory is what stays, answers among it",
        f"while the column of text was read, other threads waited at most {longest}",
    )
    return Table(
        "Read once", (Column("what"), Column("time", "ms", 1), Column("memory", "MiB", 1)), tuple(lines), notes
    )


@contextmanager
def _asking(
    collection: Collection, questions: Mapping[str, Callable[[int], Filter]], waits: Mapping[str, list[float]]
) -> Iterator[None]:
    """Threads that ask all the time, and note how long each answer took."""
    begun, done = threading.Barrier(len(questions) + 1), threading.Event()

    def ask(name: str) -> None:
        with collection.searcher() as searcher:
            searcher.snapshot.count(questions[name](0))
            begun.wait()
            for turn in counting(1):
                waits[name].append(seconds(partial(searcher.snapshot.count, questions[name](turn))))
                if done.wait(PAUSE):
                    return

    threads = [threading.Thread(target=ask, args=(name,)) for name in questions]
    for thread in threads:
        thread.start()
    begun.wait()
    try:
        yield
    finally:
        done.set()
        for thread in threads:
            thread.join()


def _asked(snapshot: EngineSnapshot, rounds: int) -> Table:
    """Filters whose fields have columns; each is another in every round."""
    lists = [{"year": {"$in": list(range(1950 + turn, 1950 + turn + VALUES))}} for turn in range(rounds)]
    texts = [{"lang": {"$in": ["de", *(f"{turn}-{each}" for each in range(1, VALUES))]}} for turn in range(rounds)]
    questions: dict[str, Change] = {
        "a number below a bound": lambda turn: snapshot.count(_below(turn + 1)),
        "one text": lambda turn: snapshot.count(parse({"lang": LANGUAGES[turn % 8], "year": {"$gte": -turn}})),
        "text beyond a bound": lambda turn: snapshot.count(parse({"lang": {"$gt": f"e{turn}"}})),
        "the documents of half": lambda turn: snapshot.select(parse({"year": {"$gte": 1962 + turn * 1e-3}})),
        "the documents of no filter": lambda _: snapshot.select(),
        f"{VALUES:,} numbers, parsed": lambda turn: parse(lists[turn]),
        f"{VALUES:,} numbers, parsed and counted": lambda turn: snapshot.count(parse(lists[turn])),
        f"{VALUES:,} numbers, again": lambda turn: snapshot.count(parse(lists[turn])),
        f"{VALUES:,} texts, parsed and counted": lambda turn: snapshot.count(parse(texts[turn])),
    }
    lines = [_line(name, [seconds(partial(ask, turn)) for turn in range(rounds)]) for name, ask in questions.items()]
    return Table("Asked with columns", _columns("filter"), tuple(lines), (f"{rounds} rounds",))


def _after_changes(collection: Collection, count: int, rounds: int) -> Table:
    """The first question after a commit: the rows, filters that were asked before, and one that was not."""

    changes: dict[str, Callable[[EngineWriter, int], object]] = {
        "one added": lambda writer, turn: writer.commit(_block([count + turn])),
        "one replaced": lambda writer, turn: writer.commit(_block([turn])),
        "one deleted": lambda writer, turn: writer.delete(np.array([count // 2 + turn])),
    }
    lines = []
    for name, change in changes.items():
        taken: dict[str, list[float]] = {"the rows": [], "a filter asked before": [], "another filter": []}
        for turn in range(-1, rounds):
            with collection.writing() as writer:
                change(writer, turn + 1)
            # The first makes room for those to come, and is not counted.
            _ask_after(collection, turn, taken if turn >= 0 else {each: [] for each in taken})
        lines += [_line(f"{name}: {what}", each) for what, each in taken.items()]
    return Table("After a commit", _columns("what"), tuple(lines), (f"{rounds} commits of each kind",))


def _ask_after(collection: Collection, turn: int, taken: Mapping[str, list[float]]) -> None:
    rows, before, other = taken.values()
    with collection.searcher() as searcher:
        snapshot = searcher.snapshot
        rows.append(seconds(lambda: snapshot.passages(np.array([0]))))
        before += [seconds(partial(snapshot.count, where)) for where in (BOUND, TEXT, BOTH)]
        other.append(seconds(partial(snapshot.count, _below(turn + 0.5))))


def _below(turn: float) -> Filter:
    """Another bound each turn."""
    return parse({"year": {"$lt": 1970 + turn * 1e-6}})


def _read(name: str, work: Work) -> tuple[Cell, ...]:
    before = anonymous_bytes(os.getpid())
    taken = seconds(work)
    after = anonymous_bytes(os.getpid())
    memory = None if before is None or after is None else max(0, after - before) / MEBIBYTE
    return name, taken * MILLISECONDS, memory


def _line(name: str, taken: list[float]) -> tuple[Cell, ...]:
    return name, float(np.median(taken)) * MILLISECONDS, max(taken) * MILLISECONDS


def _columns(what: str) -> tuple[Column, ...]:
    return Column(what), Column("p50", "ms", 3), Column("worst", "ms", 3)
