"""What only lists have: an effort that decides how many are scanned, and widening where that is too little."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from twofold.bench.index import Blocks
from twofold.indexes.kinds import IndexSettings, build, load
from twofold.scores import Vectors

ROWS, DIMENSION, K = 4000, 64, 10


@pytest.fixture(scope="module")
def vectors() -> Vectors:
    drawn = np.random.default_rng(4).standard_normal((ROWS + 50, DIMENSION)).astype(np.float32)
    unit: Vectors = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    return unit


@pytest.fixture(scope="module")
def folder(vectors: Vectors, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("ivf")
    build(IndexSettings(kind="ivf"), Blocks(vectors[:ROWS].astype(np.float16)), made, threads=1)
    return made


def found(folder: Path, vectors: Vectors, effort: int, allowed: NDArray[np.bool_]) -> float:
    """Recall@10 of the first 200 candidates among the allowed rows."""
    index = load(IndexSettings(kind="ivf", effort=effort), folder)
    recalls = []
    for query in vectors[ROWS:]:
        scores = np.where(allowed, vectors[:ROWS] @ query, -np.inf)
        rows, _ = index.candidates(query, 200, allowed)
        assert allowed[rows].all()
        recalls.append(len(set(np.argsort(-scores)[:K].tolist()) & set(rows.tolist())) / K)
    return float(np.mean(recalls))


def test_more_lists_find_more(folder: Path, vectors: Vectors) -> None:
    everything = np.ones(ROWS, np.bool_)
    few, some, every = (found(folder, vectors, effort, everything) for effort in (16, 40, 1000))
    assert few < some - 0.1
    assert some < every - 0.1


def test_a_filter_widens_the_search(folder: Path, vectors: Vectors) -> None:
    everything, half = np.ones(ROWS, np.bool_), np.arange(ROWS) % 2 == 0
    assert found(folder, vectors, 40, half) > found(folder, vectors, 40, everything) + 0.05


@pytest.mark.parametrize("share", [1, 3])
def test_what_few_lists_lack_comes_from_all(folder: Path, vectors: Vectors, share: int) -> None:
    allowed = np.arange(ROWS) % share == 0
    rows, scores = load(IndexSettings(kind="ivf", effort=1), folder).candidates(vectors[ROWS], ROWS, allowed)
    assert sorted(rows.tolist()) == np.flatnonzero(allowed).tolist()
    assert (np.diff(scores) <= 0).all()


@pytest.mark.parametrize("rows", [1, 2, 15, 17])
def test_few_rows_have_no_more_lists_than_rows(rows: int, vectors: Vectors, tmp_path: Path) -> None:
    build(IndexSettings(kind="ivf"), Blocks(vectors[:rows].astype(np.float16)), tmp_path, threads=1)
    index = load(IndexSettings(kind="ivf"), tmp_path)
    found, _ = index.candidates(vectors[0], rows, np.ones(rows, np.bool_))
    assert sorted(found.tolist()) == list(range(rows))
