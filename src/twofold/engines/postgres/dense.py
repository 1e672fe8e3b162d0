"""Dense search of one snapshot: the server proposes rows, `scores.dense_scores` scores what is stored. Implements
engine.DenseSnapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from twofold.drawing import drawn
from twofold.engine import EVERYTHING, Passages, Selection
from twofold.engines.postgres.connecting import Session
from twofold.engines.postgres.copying import halves_of, query_of
from twofold.engines.postgres.schema import SpaceHead
from twofold.engines.postgres.selecting import Selecting
from twofold.passage_scores import Nearest, PassageScores
from twofold.scores import Numbers, Vectors, best_positions, dense_scores
from twofold.space import Space

ROWS = 4_096
"""Vectors that are read at a time."""
SPARE = 64
"""Rows proposed beyond what a ranking is likely to need."""
GROWTH = 4
NOTHING = Nearest(np.empty(0, np.int64), np.empty(0, np.float32), np.empty(0, np.int64))


class PostgresDense:
    """The rows of one space on one snapshot. ids: gives the ids of documents."""

    def __init__(
        self,
        session: Session,
        space: Space,
        head: SpaceHead,
        selecting: Selecting,
        ids: Callable[[Numbers], Sequence[str]],
    ) -> None:
        self._session = session
        self._space = space
        self._head = head
        self._selecting = selecting
        self._ids = ids

    def nearest(self, query: Vectors, *, depth: int, top: int, selection: Selection = EVERYTHING) -> Nearest:
        """The first `top` of the ranking of `depth` documents; see engine.DenseSnapshot.

        The server's scan gives the best rows by its own sums, which differ from ours by at most a known margin. Where
        the last document of the ranking does not score above all that an unseen row could, more rows are asked for.
        """
        wanted, chosen = min(depth, top), self._selecting.selected(selection)
        if not self._head.rows or wanted <= 0:
            return NOTHING
        joined = sql.SQL("" if chosen.is_everything else "JOIN documents AS d ON d.number = v.document")
        proposing = sql.SQL(
            "SELECT v.document, v.vector::vector <#> %(query)s::vector AS away FROM {} AS v {} WHERE {} "
            "ORDER BY away LIMIT %(rows)s"
        ).format(self._head.table, joined, chosen.sql)
        rows = 2 * wanted + SPARE
        while True:
            given = {**chosen.parameters, "query": query_of(query), "rows": rows}
            proposed = np.array(self._session.rows(proposing, given), np.float64).reshape(-1, 2)
            found = self.scored(query, np.unique(proposed[:, 0].astype(np.int64))).nearest()
            if len(proposed) < rows:
                break
            unseen = -proposed[-1, 1] + self._margin(query)
            if int(np.count_nonzero(found.scores > unseen)) >= wanted:
                break
            rows *= GROWTH
        best = best_positions(found.scores, wanted, lambda among: self._ids(found.documents[among]))
        return Nearest(found.documents[best], found.scores[best], found.passages[best])

    def scored(self, query: Vectors, documents: Numbers) -> PassageScores:
        """All passages of these documents, which are ascending and distinct, with their scores; those without a vector
        are left out."""
        reading = sql.SQL(
            "SELECT v.document, v.number, halfvec_send(v.vector) FROM {} AS v WHERE v.document = ANY(%s::bigint[]) "
            "ORDER BY v.document, v.number"
        ).format(self._head.table)
        owners, rows, vectors = [np.empty(0, np.int64)], [np.empty(0, np.int64)], [np.empty(0, np.float32)]
        for some in _parts(documents, ROWS):
            if lines := self._session.rows(reading, (some.tolist(),), binary=True):
                of_documents, numbers, halves = zip(*lines, strict=True)
                owners.append(np.array(of_documents, np.int64))
                rows.append(np.array(numbers, np.int64))
                vectors.append(dense_scores(query, self._read(halves)))
        found, counts = np.unique(np.concatenate(owners), return_counts=True)
        return PassageScores(found, counts.astype(np.int64), np.concatenate(rows), np.concatenate(vectors))

    def vectors(self, passages: Numbers) -> Vectors:
        """float32 (n, dimension): the stored vectors of these passages."""
        reading = sql.SQL(
            "SELECT halfvec_send(v.vector) FROM unnest(%s::bigint[]) WITH ORDINALITY AS w(number, place) "
            "JOIN {} AS v USING (number) ORDER BY place"
        ).format(self._head.table)
        parts = [np.empty((0, self._space.dimension), np.float32)]
        for some in _parts(passages, ROWS):
            lines = self._session.rows(reading, (some.tolist(),), binary=True)
            parts.append(self._read([vector for (vector,) in lines]))
        return np.concatenate(parts)

    def tokens_cut(self, documents: Numbers) -> Numbers:
        """int64 (n,): tokens of each of these documents that its vectors do not cover."""
        query = "SELECT document, tokens FROM truncations WHERE space = %s AND document = ANY(%s::bigint[])"
        found = dict(self._session.rows(query, (self._head.number, documents.tolist())))
        return np.array([found.get(number, 0) for number in documents.tolist()], np.int64)

    def stored(self) -> Iterator[tuple[Numbers, NDArray[Any]]]:
        """All stored vectors, float16, in blocks, with the handles of their passages; see engine.DenseSnapshot."""
        reading = sql.SQL(
            "SELECT number, halfvec_send(vector) FROM {} WHERE number > %s ORDER BY number LIMIT %s"
        ).format(self._head.table)
        last = -1
        while lines := self._session.rows(reading, (last, ROWS), binary=True):
            numbers, halves = zip(*lines, strict=True)
            yield np.array(numbers, np.int64), halves_of(halves, self._space.dimension)
            last = numbers[-1]

    def drawn(self, count: int) -> Passages:
        """Up to `count` passages of different vectors, decided by the vectors alone; see engine.DenseSnapshot."""
        handles: list[Numbers] = []

        def blocks() -> Iterator[tuple[int, NDArray[np.float16]]]:
            for numbers, halves in self.stored():
                yield sum(map(len, handles)), halves
                handles.append(numbers)

        places = drawn(blocks(), np.ones(self._head.rows, np.bool_), count)
        rows = np.concatenate([np.empty(0, np.int64), *handles])[places]
        reading = sql.SQL(
            "SELECT v.document, v.starts, v.ends FROM unnest(%s::bigint[]) WITH ORDINALITY AS w(number, place) "
            "JOIN {} AS v USING (number) ORDER BY place"
        ).format(self._head.table)
        found = np.array(self._session.rows(reading, (rows.tolist(),)), np.int64).reshape(-1, 3)
        return Passages(rows, found[:, 0].copy(), found[:, 1:].astype(np.int32))

    def _margin(self, query: Vectors) -> float:
        """The server's float32 sums differ from ours by at most so much (docs/decisions/004)."""
        length = float(np.linalg.norm(query.astype(np.float64)))
        return self._space.dimension * 2.0**-22 * length * self._head.longest

    def _read(self, halves: Sequence[bytes]) -> Vectors:
        return halves_of(halves, self._space.dimension).astype(np.float32)


def _parts(numbers: Numbers, size: int) -> Iterator[Numbers]:
    """The numbers, so many at a time."""
    for start, end in pairwise([*range(0, len(numbers), size), len(numbers)]):
        yield numbers[start:end]
