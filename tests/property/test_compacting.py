"""Whatever is deleted and added between compactions: each of them leaves every answer as it was, exact and by index.

Exact search answers with the same ids and bits. An index may find others than before, but every hit's score is that of
exact search, and none of them was deleted or is kept out by the filter.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from storing import local

import twofold
from twofold.collection.collection import Collection
from twofold.encoders.given_vectors import GivenVectors
from twofold.engines.local.derived.indexes import upkeep
from twofold.engines.local.derived.manifest import Manifest
from twofold.engines.local.spaces import indexed, segments
from twofold.indexes.kinds import KINDS
from twofold.scores import Vectors, unit_vectors

DIMENSION, ROWS, ADDED = 64, 300, 60
RNG = np.random.default_rng(5)
VECTORS = unit_vectors(RNG.standard_normal((2_000, DIMENSION), dtype=np.float32))
QUERIES = unit_vectors(RNG.standard_normal((4, DIMENSION), dtype=np.float32))
FILTERS: tuple[dict[str, object] | None, ...] = (None, {"third": 0}, {"n": {"$lt": 40}})
STEPS = st.one_of(
    st.tuples(st.just("delete"), st.floats(0.0, 1.0), st.integers(0, 2**20)),
    st.tuples(st.just("stretch"), st.floats(0.0, 1.0), st.integers(0, 2**20)),
    st.tuples(st.sampled_from(["add", "compact", "maintain"]), st.just(0.0), st.just(0)),
)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexed, "FEW", 0)
    monkeypatch.setattr(upkeep, "MORE_ROWS", 100)
    monkeypatch.setattr(segments, "SEGMENT_ROWS", 128)


class Life:
    """A collection with an index, and which documents it has."""

    def __init__(self, collection: Collection, kind: str) -> None:
        self.collection = collection
        self.given = 0
        self.there: set[int] = set()
        self.add(ROWS)
        collection.optimize(index=kind, queries=QUERIES, recall=0.5)

    def add(self, count: int) -> None:
        numbers = range(self.given, self.given + count)
        documents = [{"id": f"{n:05}", "text": f"text {n}", "n": n, "third": n % 3} for n in numbers]
        self.collection.add(documents, vectors=VECTORS[numbers.start : numbers.stop])
        self.given += count
        self.there.update(numbers)

    def delete(self, share: float, seed: int, *, stretch: bool) -> None:
        """Deletes documents at random, or a stretch of them."""
        there = sorted(self.there)
        draw = np.random.default_rng(seed)
        if stretch:
            first = int(draw.integers(0, len(there) + 1))
            chosen = there[first : first + int(share * len(there))]
        else:
            chosen = [n for n, drawn in zip(there, draw.random(len(there)), strict=True) if drawn < share]
        self.collection.delete([f"{n:05}" for n in chosen])
        self.there.difference_update(chosen)

    def exact(self) -> list[list[tuple[str, float]]]:
        """All that passes each filter, for each query."""
        return [self.hits(query, where, 2_000, exact=True) for query in QUERIES for where in FILTERS]

    def hits(
        self, query: Vectors, where: dict[str, object] | None, k: int, *, exact: bool = False
    ) -> list[tuple[str, float]]:
        found = self.collection.search(query, k=k, depth=k, where=where, exact=exact)
        return [(hit.id, hit.score) for hit in found]

    def check(self, exact: list[list[tuple[str, float]]]) -> None:
        """That each search by the index gives as many hits as there are, each with the score of exact search."""
        asked = [(query, where) for query in QUERIES for where in FILTERS]
        for (query, where), all_hits in zip(asked, exact, strict=True):
            found = self.hits(query, where, 10)
            assert set(found) <= set(all_hits)
            assert len(found) == min(10, len(all_hits))
            assert {int(identifier) for identifier, _ in found} <= self.there

    def built(self) -> Manifest | None:
        with local(self.collection).snapshot() as snapshot:
            return snapshot.built("indexes/main")

    def compact(self) -> None:
        before = self.built()
        exact = self.exact()
        self.check(exact)
        with self.collection.writing() as writer:
            writer.compact()
        assert self.exact() == exact
        self.check(exact)
        after = self.built()
        if before is not None and before.pieces and after is not None:
            assert after.lost == ()
            assert {piece.folder for piece in after.pieces} <= {piece.folder for piece in before.pieces}


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(sorted(KINDS)), steps=st.lists(STEPS, min_size=1, max_size=8))
def test_compacting_changes_no_answer(kind: str, steps: list[tuple[str, float, int]]) -> None:
    with twofold.create(None, GivenVectors(DIMENSION)) as collection:
        life = Life(collection, kind)
        for step, share, seed in [*steps, ("compact", 0.0, 0)]:
            if step == "add":
                life.add(ADDED)
            elif step == "compact":
                life.compact()
            elif step == "maintain":
                collection.maintain(60.0)
            else:
                life.delete(share, seed, stretch=step == "stretch")
        assert collection.verify().damage == []


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_compacting_again_and_again_keeps_an_index_that_finds_what_is_left(kind: str, tmp_path: Path) -> None:
    with twofold.create(tmp_path / "c", GivenVectors(DIMENSION)) as collection:
        life = Life(collection, kind)
        pieces = life.built()
        assert pieces is not None
        for turn in range(4):
            life.add(ADDED // 3)
            life.delete(0.1, turn, stretch=turn % 2 == 1)
            life.compact()
            now = life.built()
            assert now is not None
            assert [piece.folder for piece in now.pieces] == [piece.folder for piece in pieces.pieces]
            assert now.pieces[0].gone > 0
        with twofold.open(tmp_path / "c") as again:
            assert again.verify().damage == []
