"""Every kind of index, whole, in pieces and translated, keeps the laws of `protocols.VectorIndex`, and finds what exact
search finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from twofold.errors import CorruptionError, InputError
from twofold.indexes.kinds import KINDS, IndexSettings, build, load
from twofold.indexes.pieces import PiecewiseIndex, Stretch
from twofold.indexes.translated import TranslatedIndex
from twofold.protocols import VectorIndex
from twofold.scores import Numbers, Scores, Vectors, dense_scores, unit_vectors

ROWS, DIMENSION, COUNT = 3_000, 256, 200
RNG = np.random.default_rng(3)


@dataclass
class Stored:
    """Vectors in two stretches, as segments are."""

    vectors: NDArray[np.float16]

    def blocks(self) -> Sequence[tuple[int, NDArray[np.float16]]]:
        half = len(self.vectors) // 2
        return [(0, self.vectors[:half]), (half, self.vectors[half:])] if half else [(0, self.vectors)]

    @property
    def longest(self) -> float:
        return 1.01


def clustered(count: int) -> Vectors:
    """Unit vectors in clouds, as texts lie."""
    clouds = RNG.standard_normal((30, DIMENSION))
    drawn = clouds[RNG.integers(0, 30, count)] + RNG.standard_normal((count, DIMENSION)) * 0.7
    return unit_vectors(drawn.astype(np.float32))


VECTORS = clustered(ROWS)
VECTORS[7] = VECTORS[1_900]  # a tie
STORED = Stored(VECTORS.astype(np.float16))
QUERIES = clustered(40)
EVERYTHING = np.ones(ROWS, np.bool_)


@pytest.fixture(scope="module", params=sorted(KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def folder(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made: Path = tmp_path_factory.mktemp(kind)
    build(IndexSettings(kind=kind), STORED, made, threads=2)
    return made


ENDS = (0, 1_700, 2_600, ROWS)
"""Where the pieces of an index begin and end; none of them as the stored stretches do."""


GONE = np.sort(RNG.choice(4 * ROWS // 3, ROWS // 3, replace=False))
"""Rows that a translated index was built from and that are no more."""
LEFT = np.setdiff1d(np.arange(4 * ROWS // 3), GONE)


TRANSLATION = np.full(4 * ROWS // 3, -1, np.int32)
TRANSLATION[LEFT] = np.arange(ROWS)


def wider() -> Stored:
    """The stored vectors with others between them."""
    vectors = np.empty((4 * ROWS // 3, DIMENSION), np.float16)
    vectors[GONE] = clustered(len(GONE))
    vectors[LEFT] = STORED.vectors
    return Stored(vectors)


@pytest.fixture(scope="module", params=["whole", "in pieces", "translated"])
def folders(
    request: pytest.FixtureRequest, kind: str, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[Path]:
    if request.param == "whole":
        return [folder]
    if request.param == "translated":
        whole = tmp_path_factory.mktemp("translated")
        build(IndexSettings(kind=kind), wider(), whole, threads=2)
        return [whole]
    made = [tmp_path_factory.mktemp(kind) for _ in ENDS[1:]]
    for first, end, place in zip(ENDS, ENDS[1:], made, strict=False):
        build(IndexSettings(kind=kind), Stretch(STORED, first, end), place, threads=2)
    return made


def opened(kind: str, folders: list[Path]) -> VectorIndex:
    pieces = [load(IndexSettings(kind=kind), folder) for folder in folders]
    if pieces[0].rows > ROWS:
        return TranslatedIndex(pieces[0], TRANSLATION, ROWS)
    return pieces[0] if len(pieces) == 1 else PiecewiseIndex(pieces)


@pytest.fixture(scope="module")
def index(kind: str, folders: list[Path]) -> VectorIndex:
    return opened(kind, folders)


def best(query: Vectors, allowed: NDArray[np.bool_], k: int = 10) -> set[int]:
    scores = dense_scores(query, STORED.vectors.astype(np.float32))
    scores[~allowed] = -np.inf
    return set(np.argsort(-scores, kind="stable")[:k].tolist())


def test_it_covers_the_rows_that_it_was_built_from(index: VectorIndex) -> None:
    assert index.rows == ROWS


def test_rows_come_once_and_best_first(index: VectorIndex) -> None:
    for query in QUERIES:
        rows, scores = index.candidates(query, COUNT, EVERYTHING)
        assert len(rows) == len(set(rows.tolist())) == COUNT
        assert (np.diff(scores) <= 0).all()
        assert rows.dtype == np.int64
        assert ((rows >= 0) & (rows < ROWS)).all()


def test_its_candidates_hold_nearly_all_that_exact_search_finds(index: VectorIndex) -> None:
    found = [
        len(best(query, EVERYTHING) & set(index.candidates(query, COUNT, EVERYTHING)[0].tolist())) for query in QUERIES
    ]
    assert np.mean(found) >= 8.5


@pytest.mark.parametrize("share", [0.97, 0.5, 0.1])
def test_a_row_that_is_not_allowed_never_appears_and_the_others_are_found(index: VectorIndex, share: float) -> None:
    allowed = np.random.default_rng(5).random(ROWS) < share
    found = []
    for query in QUERIES:
        rows, _ = index.candidates(query, COUNT, allowed)
        assert allowed[rows].all()
        assert len(rows) == COUNT
        found.append(len(best(query, allowed) & set(rows.tolist())))
    assert np.mean(found) >= 8.5


def test_more_than_there_are_gives_all_that_may_appear(index: VectorIndex) -> None:
    few = np.zeros(ROWS, np.bool_)
    few[[3, 7, 2_999]] = True
    assert sorted(index.candidates(QUERIES[0], COUNT, few)[0].tolist()) == [3, 7, 2_999]
    rows, _ = index.candidates(QUERIES[0], 10 * ROWS, EVERYTHING)
    assert sorted(rows.tolist()) == list(range(ROWS))
    assert len(index.candidates(QUERIES[0], COUNT, np.zeros(ROWS, np.bool_))[0]) == 0


def test_the_same_question_gives_the_same_rows_whenever_it_is_opened(
    index: VectorIndex, kind: str, folders: list[Path]
) -> None:
    again = opened(kind, folders)
    for query in QUERIES[:5]:
        first = index.candidates(query, COUNT, EVERYTHING)
        for other in (index.candidates(query, COUNT, EVERYTHING), again.candidates(query, COUNT, EVERYTHING)):
            assert first[0].tolist() == other[0].tolist()
            assert first[1].tolist() == other[1].tolist()


def test_the_number_of_threads_of_faiss_is_as_before_afterwards(index: VectorIndex) -> None:
    import faiss

    before = faiss.omp_get_max_threads()
    index.candidates(QUERIES[0], COUNT, EVERYTHING)
    assert faiss.omp_get_max_threads() == before


def test_vectors_of_other_lengths_are_refused(kind: str, tmp_path: Path) -> None:
    longer = STORED.vectors.copy()
    longer[40] *= 2
    with pytest.raises(InputError, match="row 40 has a vector of another length"):
        build(IndexSettings(kind=kind), Stored(longer), tmp_path, threads=1)


def test_a_file_that_is_none_of_its_kind_is_a_clear_error(kind: str, folder: Path, tmp_path: Path) -> None:
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(b"IwXX" + bytes(100))
    with pytest.raises(CorruptionError, match=r"can be read|another kind"):
        load(IndexSettings(kind=kind), tmp_path)


def test_a_scan_of_a_few_rows_finds_them(tmp_path: Path) -> None:
    build(IndexSettings(kind="scan"), Stored(STORED.vectors[:1]), tmp_path, threads=1)
    index = load(IndexSettings(kind="scan"), tmp_path)
    assert index.candidates(QUERIES[0], 5, np.ones(1, np.bool_))[0].tolist() == [0]


@pytest.mark.parametrize(
    "wrong", [{"kind": "tree"}, {"kind": "graph"}, {"kind": "scan", "effort": -1}, {"kind": "scan", "effort": True}]
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError):
        IndexSettings(**wrong)  # type: ignore[arg-type]  # wrong on purpose


def test_settings_go_to_json_and_back() -> None:
    settings = IndexSettings(kind="hnsw", effort=300)
    assert IndexSettings.from_json(settings.to_json()) == settings


def test_a_stretch_is_its_rows_numbered_from_0() -> None:
    for first, end in ((0, ROWS), (100, 1_400), (1_400, 1_600), (2_999, ROWS)):
        blocks = Stretch(STORED, first, end).blocks()
        assert np.concatenate([vectors for _, vectors in blocks]).tolist() == STORED.vectors[first:end].tolist()
        assert [start for start, _ in blocks] == np.cumsum([0, *(len(each) for _, each in blocks[:-1])]).tolist()


class Short:
    """A piece that reaches one row only."""

    rows = 10

    def candidates(self, query: Vectors, count: int, allowed: NDArray[np.bool_]) -> tuple[Numbers, Scores]:
        rows = np.flatnonzero(allowed)[:1]
        return rows, np.ones(len(rows), np.float32)


def test_pieces_say_so_where_one_of_them_does_not_reach_its_rows() -> None:
    index = PiecewiseIndex([Short(), Short()])
    allowed = np.zeros(20, np.bool_)
    allowed[[3, 14]] = True
    assert index.candidates(QUERIES[0], 2, allowed)[0].tolist() == [3, 14]
    allowed = allowed | (np.arange(20) == 15)
    with pytest.raises(RuntimeError, match="rows 10 to 19"):
        index.candidates(QUERIES[0], 2, allowed)


def test_pieces_are_asked_anew_with_every_mask() -> None:
    index = PiecewiseIndex([Short(), Short()])
    for place in range(20):
        allowed = np.arange(20) == place
        assert index.candidates(QUERIES[0], 2, allowed)[0].tolist() == [place]


class Every:
    """An index that gives all allowed rows, and keeps the mask that it was asked with."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.masks: list[NDArray[np.bool_]] = []

    def candidates(self, query: Vectors, count: int, allowed: NDArray[np.bool_]) -> tuple[Numbers, Scores]:
        self.masks.append(allowed)
        rows = np.flatnonzero(allowed)[:count]
        return rows, np.ones(len(rows), np.float32)


def test_a_translation_leads_a_mask_there_and_rows_back() -> None:
    inner = Every(6)
    index = TranslatedIndex(inner, np.array([-1, 0, 1, -1, 2, -1], np.int32), 3)
    assert index.rows == 3
    assert index.candidates(QUERIES[0], 9, np.ones(3, np.bool_))[0].tolist() == [0, 1, 2]
    assert inner.masks[-1].tolist() == [False, True, True, False, True, False]
    rows, _ = index.candidates(QUERIES[0], 9, np.array([False, True, True]))
    assert rows.tolist() == [1, 2]
    assert rows.dtype == np.int64
    assert inner.masks[-1].tolist() == [False, False, True, False, True, False]


def test_a_mask_is_translated_once_while_question_after_question_comes_with_it() -> None:
    inner = Every(6)
    index = TranslatedIndex(inner, np.array([-1, 0, 1, -1, 2, -1], np.int32), 3)
    allowed = np.array([True, False, True, True, True])
    for part in (allowed[:3], allowed[:3], allowed[1:4], np.array([True, False, True])):
        index.candidates(QUERIES[0], 9, part)
    first, second, third, fourth = inner.masks
    assert first is second
    assert third.tolist() == [False, False, True, False, True, False]
    assert fourth.tolist() == first.tolist()


def test_a_damaged_translation_gives_no_row_that_is_not_there() -> None:
    index = TranslatedIndex(Every(4), np.array([0, 7, -9, 1], np.int32), 2)
    for allowed in ([True, True], [True, False], [False, True]):
        rows, scores = index.candidates(QUERIES[0], 9, np.array(allowed))
        assert set(rows.tolist()) <= {0, 1}
        assert len(scores) == len(rows)
    with pytest.raises(ValueError, match="4 rows are translated, and the index has 5"):
        TranslatedIndex(Every(5), np.array([0, 1, 2, 3], np.int32), 4)
