"""Search by an index that covers some rows: what it lacks is found all the same, scored as exact search does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray
from storing import new_store

from twofold.block import Block, Part
from twofold.documents import Document
from twofold.engines.local.snapshot import StoredSnapshot
from twofold.engines.local.spaces import indexed
from twofold.engines.local.spaces.exact import ExactSearch
from twofold.engines.local.spaces.indexed import IndexedSearch
from twofold.indexes.flat import FlatIndex
from twofold.passage_scores import Nearest
from twofold.scores import Mask, Numbers, Scores, Vectors, unit_vectors
from twofold.space import MAIN

DIMENSION, DOCUMENTS, COVERED = 16, 300, 500
RNG = np.random.default_rng(0)
QUERY = unit_vectors(RNG.standard_normal((1, DIMENSION), dtype=np.float32))[0]


@dataclass
class FirstRows:
    """The first rows of a snapshot, as an index built some commits ago would know them."""

    snapshot: StoredSnapshot
    rows: int

    def blocks(self) -> Sequence[tuple[int, NDArray[np.float16]]]:
        return [(first, vectors[: self.rows - first]) for first, vectors in self.snapshot.blocks() if first < self.rows]

    @property
    def longest(self) -> float:
        return self.snapshot.longest


class Limited:
    """An index that cannot reach more than so many rows, as a graph that fell apart."""

    def __init__(self, index: FlatIndex, limit: int) -> None:
        self._index = index
        self._limit = limit

    @property
    def rows(self) -> int:
        return self._index.rows

    def candidates(self, query: Vectors, count: int, allowed: Mask) -> tuple[Numbers, Scores]:
        assert len(allowed) == self.rows
        rows, scores = self._index.candidates(query, min(count, self._limit), allowed)
        return rows, scores


@pytest.fixture
def snapshot() -> Iterator[StoredSnapshot]:
    """Documents of one to three rows and one of very many near the query; some are deleted."""
    counts = RNG.integers(1, 4, DOCUMENTS)
    counts[5] = 150
    vectors = unit_vectors(RNG.standard_normal((counts.sum(), DIMENSION), dtype=np.float32))
    vectors[-1] = vectors[0]
    start = counts[:5].sum()
    vectors[start : start + counts[5]] = unit_vectors(QUERY + vectors[start : start + counts[5]] / 10)
    with new_store(None, dimension=DIMENSION) as store, store.writing() as writer:
        documents = [Document(str(number), "text") for number in range(DOCUMENTS)]
        writer.commit(
            Block(
                documents=documents,
                text_hashes=[bytes(16)] * DOCUMENTS,
                parts={
                    MAIN: Part(
                        truncated=[0] * DOCUMENTS,
                        counts=counts.astype(np.int64),
                        spans=np.zeros((counts.sum(), 2), np.int32),
                        vectors=vectors,
                    )
                },
            )
        )
        writer.delete(np.arange(0, DOCUMENTS, 17))
        with store.snapshot() as snapshot:
            assert snapshot.head.next_row > COVERED
            yield snapshot


def search(snapshot: StoredSnapshot, limit: int = 10**6) -> tuple[ExactSearch, IndexedSearch]:
    exact = ExactSearch(snapshot, FlatIndex(snapshot))
    index = Limited(FlatIndex(FirstRows(snapshot, COVERED)), limit)
    return exact, IndexedSearch(snapshot, index, tail=FlatIndex(snapshot, first=index.rows), exact=exact)


def same(found: Nearest, expected: Nearest) -> bool:
    return all(
        np.array_equal(getattr(found, name), getattr(expected, name)) for name in ("documents", "scores", "passages")
    )


@pytest.mark.parametrize("few", [0, 10**6])
@pytest.mark.parametrize("depth", [1, 10, 100, DOCUMENTS])
def test_rows_that_the_index_lacks_are_found_beside_those_that_it_has(
    snapshot: StoredSnapshot, monkeypatch: pytest.MonkeyPatch, few: int, depth: int
) -> None:
    monkeypatch.setattr(indexed, "FEW", few)
    exact, by_index = search(snapshot)
    everything = snapshot.row_mask(None)
    expected = exact.nearest(QUERY, depth=depth, top=depth, allowed=everything)
    assert same(by_index.nearest(QUERY, depth=depth, top=depth, allowed=everything), expected)
    assert depth < 100 or expected.passages.max() >= COVERED > expected.passages.min()


@pytest.mark.parametrize("few", [0, 10**6])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.3])
def test_a_filter_holds_for_the_index_and_for_the_rows_behind_it(
    snapshot: StoredSnapshot, monkeypatch: pytest.MonkeyPatch, few: int, share: float
) -> None:
    monkeypatch.setattr(indexed, "FEW", few)
    exact, by_index = search(snapshot)
    matching = np.random.default_rng(1).random(DOCUMENTS) < share
    allowed = snapshot.row_mask(None) & matching[snapshot.documents_of(np.arange(snapshot.head.next_row))]
    found = by_index.nearest(QUERY, depth=50, top=50, allowed=allowed)
    assert same(found, exact.nearest(QUERY, depth=50, top=50, allowed=allowed))


def test_the_first_of_a_ranking_does_not_depend_on_how_many_are_asked_for(
    snapshot: StoredSnapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexed, "FEW", 0)
    _, by_index = search(snapshot)
    whole = by_index.nearest(QUERY, depth=100, top=100, allowed=snapshot.row_mask(None))
    for top in (1, 7, 99):
        page = by_index.nearest(QUERY, depth=100, top=top, allowed=snapshot.row_mask(None))
        assert page.documents.tolist() == whole.documents[:top].tolist()
        assert page.scores.tolist() == whole.scores[:top].tolist()


def test_an_index_that_cannot_reach_enough_rows_hands_over_to_exact_search(
    snapshot: StoredSnapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexed, "FEW", 0)
    exact, by_index = search(snapshot, limit=20)
    everything = snapshot.row_mask(None)
    found = by_index.nearest(QUERY, depth=100, top=100, allowed=everything)
    assert same(found, exact.nearest(QUERY, depth=100, top=100, allowed=everything))
