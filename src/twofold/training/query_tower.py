"""`train_query_tower`: from texts without judgements to a query tower of microseconds, in the space of an encoder."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from twofold.encoders.loading import load_encoder
from twofold.encoders.static_queries import StaticQueries
from twofold.errors import InputError
from twofold.progress import Progress, silent
from twofold.readers.pairs import read_pairs
from twofold.readers.reading import read
from twofold.tables import Column, Table
from twofold.training.distilling import DistillingSettings, Fidelity, distil_static

SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])")
SHORTEST, LONGEST = 15, 400
"""Characters of a sentence that is taken: shorter ones say little, longer ones are no questions."""
TIMED = 200


@dataclass(frozen=True, slots=True)
class QueryTowerOutcome:
    """file: the tower. fidelity: how well it follows its teacher. milliseconds: of one query, teacher and tower."""

    file: Path
    fidelity: Fidelity
    milliseconds: tuple[float, float]
    seconds: float

    def table(self) -> Table:
        """The teacher beside the tower."""
        columns = (
            Column("query tower"),
            Column("cosine to the teacher", digits=4),
            Column("of its 10 nearest", "%", 1),
            Column("p50 of a query", "ms", 3),
        )
        rows = (
            ("the encoder itself", 1.0, 100.0, self.milliseconds[0]),
            ("static", self.fidelity.cosine, self.fidelity.nearest * 100, self.milliseconds[1]),
        )
        notes = (f"on {self.fidelity.held_out:,} texts that the tower has not seen",)
        return Table("What the tower keeps, and what it saves", columns, rows, notes)

    def to_json(self) -> dict[str, Any]:
        """All figures."""
        return {
            "file": str(self.file),
            **self.fidelity.to_json(),
            "teacher_ms": self.milliseconds[0],
            "static_ms": self.milliseconds[1],
            "seconds": round(self.seconds, 1),
        }


def train_query_tower(
    data: str | Path,
    *,
    to: str | Path,
    base: str | Path | None = None,
    settings: DistillingSettings | None = None,
    progress: Progress = silent,
) -> QueryTowerOutcome:
    """Fits a static tower to an encoder's queries; a collection of that encoder takes it as it is.

    data: pairs, or documents in any form that `read` takes: questions, titles and sentences are what is learned from.
    to: the new file. base: the encoder, the embedded default without one. Raises InputError, ModelError,
    MissingExtraError.
    """
    to = Path(to).resolve()
    if to.exists():
        raise InputError("there is something here already; name a file that does not exist", path=to)
    start, teacher = time.monotonic(), load_encoder(base)
    texts = list(texts_in(data))
    table, fidelity = distil_static(
        teacher, texts, about={"texts": os.path.basename(data)}, settings=settings, progress=progress
    )
    table.write(to)
    seconds, asked = time.monotonic() - start, texts[:TIMED]
    timed = _median(teacher.encode_queries, asked), _median(StaticQueries(to, base).encode_queries, asked)
    return QueryTowerOutcome(to, fidelity, timed, seconds)


def texts_in(data: str | Path) -> Iterator[str]:
    """The questions and sentences of pairs, or the titles and sentences of documents."""
    if not Path(data).is_dir() and _holds_pairs(data):
        for pair in read_pairs(data):
            yield pair.query
            yield from sentences(pair.positive)
        return
    for document in read(data):
        yield from filter(None, (document.title,))
        yield from sentences(document.text)


def sentences(text: str) -> Iterator[str]:
    """The sentences of a text that are neither short nor long."""
    yield from (each for each in SENTENCE.split(text) if each and SHORTEST <= len(each) <= LONGEST)


def _holds_pairs(data: str | Path) -> bool:
    try:
        next(read_pairs(data))
    except (InputError, StopIteration):
        return False
    return True


def _median(encode: Callable[[list[str]], object], texts: list[str]) -> float:
    encode(texts[:1])
    taken = []
    for text in texts:
        start = time.perf_counter()
        encode([text])
        taken.append(time.perf_counter() - start)
    return float(np.median(taken)) * 1000
