"""The frontier of indexes: everybody is asked the same questions, and recall is counted against exact search."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from twofold.bench import index
from twofold.bench.index import EXACT, bench_index
from twofold.bench.index_peers import Contender, PeerMissingError
from twofold.errors import InputError
from twofold.scores import Vectors


def missing(vectors: Vectors, threads: int) -> Contender:
    raise PeerMissingError("Some library")


def wrong(vectors: Vectors, threads: int) -> Contender:
    return Contender({"fast": lambda query, count: np.arange(count)}, 1.0)


@pytest.fixture(autouse=True)
def few_peers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "PEERS", {"missing": missing, "wrong": wrong})


def test_kinds_and_peers_are_measured_on_the_same_questions(tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", np.random.default_rng(0).standard_normal((1_000, 64), dtype=np.float32))
    np.save(tmp_path / "q.npy", np.random.default_rng(1).standard_normal((40, 64), dtype=np.float32))
    (table,) = bench_index(tmp_path / "v.npy", queries=tmp_path / "q.npy").tables
    recalls = {(row[0], row[1]): row[2].value for row in table.rows}  # type: ignore[union-attr]  # an interval
    assert recalls[EXACT, ""] == 1.0
    assert recalls["Twofold scan", ""] > 0.8
    assert recalls["Twofold hnsw", "effort 300"] > 0.9
    assert recalls["wrong", "fast"] < 0.5
    assert any("Some library is not installed" in note for note in table.notes)
    assert any("1,000 vectors of 64 numbers, 40 queries given" in note for note in table.notes)


def test_too_few_vectors_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", np.ones((20, 64), dtype=np.float32))
    with pytest.raises(InputError, match="20 vectors are too few"):
        bench_index(tmp_path / "v.npy")


def test_a_picture_of_the_frontier_is_drawn(tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", np.random.default_rng(0).standard_normal((300, 64), dtype=np.float32))
    bench_index(tmp_path / "v.npy", plot=tmp_path / "frontier.svg")
    assert "recall@10" in (tmp_path / "frontier.svg").read_text()
