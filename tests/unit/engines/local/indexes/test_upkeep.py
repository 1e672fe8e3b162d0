"""An index keeps up with its collection: pieces over what is new, measured before they count."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from math import log
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from storing import local

import twofold
from twofold.collection.collection import Collection
from twofold.collection.questions import asking
from twofold.encoders.given_vectors import GivenVectors
from twofold.engines.local.derived.indexes import choosing, making, measuring, upkeep
from twofold.engines.local.derived.indexes import opened as searching
from twofold.engines.local.derived.indexes.upkeep import JOINED, Upkeep, due, joined_from, worn
from twofold.engines.local.derived.manifest import Manifest, Piece, Translation
from twofold.engines.local.spaces import indexed
from twofold.indexes import kinds
from twofold.indexes.kinds import IndexSettings
from twofold.progress import Progress, silent
from twofold.protocols import VectorBlocks, VectorIndex
from twofold.scores import Vectors, unit_vectors

DIMENSION = 64
RNG = np.random.default_rng(4)
VECTORS = unit_vectors(RNG.standard_normal((12_000, DIMENSION), dtype=np.float32))
QUERIES = unit_vectors(VECTORS[:60] + RNG.standard_normal((60, DIMENSION), dtype=np.float32) / np.float32(16))


@pytest.fixture
def collection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Collection]:
    monkeypatch.setattr(indexed, "FEW", 0)
    monkeypatch.setattr(upkeep, "MORE_ROWS", 500)
    with twofold.create(tmp_path / "c", GivenVectors(DIMENSION), depth=20) as made:
        add(made, 0, 3_000)
        yield made


def add(collection: Collection, first: int, last: int) -> None:
    collection.add([{"id": f"{n:05}", "text": f"text {n}"} for n in range(first, last)], vectors=VECTORS[first:last])


def standing(collection: Collection) -> Manifest:
    with collection.searcher() as searcher:
        built = searcher.snapshot.built("indexes/main")  # type: ignore[attr-defined]  # the local engine's
    assert isinstance(built, Manifest)
    return built


def sizes(collection: Collection) -> list[int]:
    return [piece.rows for piece in standing(collection).pieces]


def maintained(collection: Collection, seconds: float, work: Callable[[Upkeep], object] | None = None) -> object:
    with local(collection).writing() as writer:
        made = Upkeep(writer._work(asking(local(collection), collection.encoder, 20), silent))
        return made.maintain(seconds) if work is None else work(made)


def scores(collection: Collection, *, exact: bool = False) -> list[dict[str, float]]:
    return [{hit.id: hit.score for hit in collection.search(each, exact=exact)} for each in QUERIES]


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows were built at a time, from here on."""
    rows: list[int] = []
    kept = kinds.build

    def build(settings: IndexSettings, stored: VectorBlocks, folder: Path, *, threads: int, progress: Progress) -> None:
        rows.append(sum(len(vectors) for _, vectors in stored.blocks()))
        kept(settings, stored, folder, threads=threads, progress=progress)

    monkeypatch.setattr(making, "build", build)
    return rows


def test_new_rows_get_a_piece_when_there_are_enough_and_the_others_stay(
    collection: Collection, built: list[int]
) -> None:
    collection.optimize(index="hnsw", queries=QUERIES, recall=0.9)
    first = standing(collection).pieces[0]
    add(collection, 3_000, 3_400)
    assert sizes(collection) == [3_000]
    add(collection, 3_400, 3_600)
    assert sizes(collection) == [3_000, 600]
    assert standing(collection).pieces[0] == first
    assert built == [3_000, 600]
    report = collection.info().index
    assert report is not None
    assert (report.rows, report.pieces, report.bytes) == (3_600, 2, standing(collection).bytes)
    assert collection.verify().clean


@pytest.mark.parametrize("kind", list(kinds.KINDS))
def test_a_documents_score_has_equal_bits_however_the_index_is_divided(collection: Collection, kind: str) -> None:
    collection.optimize(index="flat")
    add(collection, 3_000, 4_200)
    exact = [{hit.id: hit.score for hit in collection.search(each, k=4_200, depth=4_200)} for each in QUERIES[:20]]
    collection.optimize(index=kind, queries=QUERIES, recall=0.9)
    divided = [scores(collection)[:20]]
    for ends in ((3_000, 4_200), (1_000, 2_500, 4_000), (4_200,)):
        divide(collection, kind, ends)
        assert [piece.end for piece in standing(collection).pieces] == list(ends)
        divided.append(scores(collection)[:20])
    for found in divided:
        assert all(mine.items() <= all_.items() for mine, all_ in zip(found, exact, strict=True))
        assert {len(mine) for mine in found} == {10}


def divide(collection: Collection, kind: str, ends: tuple[int, ...]) -> None:
    """Publishes the collection's index in pieces that end so."""
    with local(collection).writing() as writer, local(collection).snapshot() as snapshot:
        made = making.Making(writer._work(asking(local(collection), collection.encoder, 20), silent), snapshot)
        pieces = [made.piece(kind, first, end) for first, end in zip((0, *ends), ends, strict=False)]
        writer.publish("indexes/main", standing(collection).about, pieces)


def test_adding_n_rows_builds_about_n_rows_times_a_logarithm(collection: Collection, built: list[int]) -> None:
    collection.optimize(index="scan", queries=QUERIES, recall=0.5)
    built.clear()
    for first in range(3_000, 12_000, 500):
        add(collection, first, first + 500)
        assert len(sizes(collection)) <= upkeep.MANY
    assert sum(rows > (1 + upkeep.BESIDE_ADD) * 500 for rows in built) <= 2
    assert sum(built) <= 9_000 * log(12_000 / 500, 1 + 1 / JOINED)
    assert 11_400 <= sum(sizes(collection)) <= 12_000
    maintained(collection, 60.0)
    assert all(one >= JOINED * other for one, other in zip(sizes(collection), sizes(collection)[1:], strict=False))
    assert not maintained(collection, 60.0)
    assert sum(built) <= 2 * 12_000 * log(12_000 / 500, 1 + 1 / JOINED)


def test_what_does_not_fit_into_the_time_is_left(collection: Collection, built: list[int]) -> None:
    collection.optimize(index="scan", queries=QUERIES, recall=0.5)
    add(collection, 3_000, 3_450)
    divide(collection, "scan", (1_000, 2_000, 3_000))
    built.clear()
    before = standing(collection)
    assert not maintained(collection, 0.0)
    assert (built, standing(collection)) == ([], before)
    assert maintained(collection, 60.0)
    assert sizes(collection) == [3_000]


def test_questions_and_their_answers_are_kept_and_only_new_rows_are_looked_at(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection.optimize(index="scan", queries=QUERIES, recall=0.9)
    looked: list[int] = []
    kept = measuring.Measuring

    def measuring_with(*given: Any) -> measuring.Measuring:
        looked.append(given[3].covered)
        return kept(*given)

    monkeypatch.setattr(upkeep, "Measuring", measuring_with)
    add(collection, 3_000, 3_600)
    assert looked == [3_000]
    report = collection.info().index
    assert report is not None
    assert report.reached is not None
    asked = collection.recall(QUERIES[1::2]).whole
    assert report.reached.recall == pytest.approx(asked.recall)
    assert report.reached.queries == asked.queries
    shutil.rmtree(standing(collection).path(standing(collection).parts[-1]))
    monkeypatch.setattr(upkeep, "Measuring", kept)
    add(collection, 3_600, 4_200)
    again = collection.info().index
    assert again is not None
    assert (again.rows, again.reached is not None) == (4_200, True)


def test_the_effort_is_raised_where_the_pieces_do_not_keep_the_promise(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(choosing.EFFORTS, "scan", (0, 200, 4_000))
    low = collection.optimize(index="scan", queries=QUERIES, recall=0.1).index
    assert low.reached is not None
    assert low.reached.effort == 0
    about = dict(standing(collection).about)
    with local(collection).writing() as writer:
        built = standing(collection)
        writer.publish(
            "indexes/main", about | {"evidence": about["evidence"] | {"promise": 1.0}}, built.pieces, built.beside
        )
    add(collection, 3_000, 3_600)
    report = collection.info().index
    assert report is not None
    assert report.reached is not None
    assert (report.reached.effort, report.reached.recall, report.kept) == (4_000, 1.0, True)
    assert scores(collection) == scores(collection, exact=True)
    monkeypatch.setitem(choosing.EFFORTS, "scan", (0,))
    with local(collection).writing() as writer:
        writer.publish("indexes/main", about | {"evidence": about["evidence"] | {"promise": 1.0}}, built.pieces[:1])
    add(collection, 3_600, 4_200)
    report = collection.info().index
    assert report is not None
    assert not report.kept


def test_a_first_index_is_built_while_documents_are_added_and_exact_search_that_was_asked_for_stays(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choosing, "FROM_ROWS", 3_500)
    collection.optimize(index="flat")
    add(collection, 3_000, 3_600)
    assert collection.info().index is None
    shutil.rmtree(collection.path / "indexes")
    add(collection, 3_600, 3_601)
    report = collection.info().index
    assert report is not None
    assert (report.kind, report.rows) == ("scan", 3_601)


def test_kinds_that_all_fail_are_not_tried_again_at_each_call(
    collection: Collection, monkeypatch: pytest.MonkeyPatch, built: list[int]
) -> None:
    def refuses(stored: VectorBlocks, folder: Path, threads: int, progress: Progress) -> None:
        raise twofold.errors.InputError("not these")

    monkeypatch.setattr(choosing, "FROM_ROWS", 3_000)
    for kind in list(kinds.KINDS):
        monkeypatch.setitem(kinds.KINDS, kind, kinds.Kind(refuses, kinds.KINDS[kind].open, effort=1))
    add(collection, 3_000, 3_001)
    assert built == [3_001] * len(kinds.KINDS)
    add(collection, 3_001, 5_000)
    assert len(built) == len(kinds.KINDS)
    assert collection.info().index is None
    add(collection, 5_000, 6_100)
    assert built[-1] == 6_100


def test_a_kind_that_new_rows_do_not_suit_gives_way_to_another(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection.optimize(index="hnsw", queries=QUERIES, recall=0.5)
    monkeypatch.setattr(choosing, "FROM_ROWS", 1_000)
    kept = kinds.KINDS["hnsw"]

    def refuses(stored: VectorBlocks, folder: Path, threads: int, progress: Progress) -> None:
        raise twofold.errors.InputError("not these")

    monkeypatch.setitem(kinds.KINDS, "hnsw", kinds.Kind(refuses, kept.open, effort=kept.effort))
    add(collection, 3_000, 4_000)
    report = collection.info().index
    assert report is not None
    assert (report.kind, report.rows, report.pieces) == ("scan", 4_000, 1)
    names = {path.name for path in (collection.path / "indexes" / "main").iterdir()}
    assert names == {"manifest-0.json", *(part.folder for part in standing(collection).parts)}


def test_only_damaged_pieces_are_built_again(collection: Collection, built: list[int]) -> None:
    collection.optimize(index="scan", queries=QUERIES, recall=0.9)
    add(collection, 3_000, 4_000)
    add(collection, 4_000, 4_400)
    before = scores(collection)
    was = standing(collection)
    assert [piece.rows for piece in was.pieces] == [3_000, 1_000]
    path = was.path(was.pieces[0]) / "codes.faiss"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    built.clear()
    assert collection.verify(repair=True).clean
    assert built == [3_000]
    assert standing(collection).pieces[1] == was.pieces[1]
    assert collection.verify().damage == []
    assert scores(collection) == before
    (was.home / "manifest-0.json").write_text("{}")
    assert collection.verify(repair=True).clean
    assert collection.info().index is None
    assert scores(collection) == scores(collection, exact=True)


def test_searches_answer_from_the_index_that_stands_while_another_is_made(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection.optimize(index="hnsw", queries=QUERIES, recall=0.9)
    before, was = scores(collection), standing(collection)
    seen: list[bool] = []
    kept = making.Making.tried

    def tried(*given: object, **named: object) -> object:
        with twofold.open(collection.path) as other:
            seen.append(scores(other) == before and standing(other) == was)
        return kept(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(making.Making, "tried", tried)
    collection.optimize(index="scan", queries=QUERIES, recall=0.9)
    assert seen == [True]
    assert standing(collection) != was

    def fails(*_: object, **__: object) -> object:
        raise RuntimeError("no more")

    was = standing(collection)
    monkeypatch.setattr(making.Making, "evidence", fails)
    with pytest.raises(RuntimeError):
        collection.optimize(index="hnsw", queries=QUERIES)
    assert standing(collection) == was
    assert len(list((collection.path / "indexes" / "main").iterdir())) == 3


def test_an_opened_piece_is_kept_when_others_join_it(collection: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    collection.optimize(index="hnsw", queries=QUERIES, recall=0.9)
    opened: list[str] = []
    kept = searching._opened

    def opening(home: Path, piece: Piece, settings: IndexSettings) -> VectorIndex | None:
        opened.append(piece.folder)
        return kept(home, piece, settings)

    monkeypatch.setattr(searching, "_opened", opening)
    scores(collection)
    add(collection, 3_000, 3_600)
    scores(collection)
    assert opened == [piece.folder for piece in standing(collection).pieces]


def pieces(*rows: int) -> list[Piece]:
    ends = np.cumsum(rows).tolist()
    return [
        Piece(folder="000001", files={}, first=end - count, rows=count, vectors="")
        for end, count in zip(ends, rows, strict=True)
    ]


@pytest.mark.parametrize(
    ("there", "new", "most", "joined"),
    [
        ([100], 10, 1_000, 10),
        ([100], 50, 1_000, 50),
        ([100], 51, 1_000, 151),
        ([100, 30, 10], 10, 1_000, 50),
        ([100, 30, 10], 10, 25, 20),
        ([100, 30, 20], 10, 1_000, 10),
        ([100, 60, 20], 40, 1_000, 220),
    ],
)
def test_a_new_piece_takes_in_those_that_are_not_much_larger(
    there: list[int], new: int, most: int, joined: int
) -> None:
    end = sum(there) + new
    assert end - joined_from(pieces(*there), sum(there), end, most=most) == joined


@pytest.mark.parametrize(
    ("there", "stretch"),
    [
        ([100], None),
        ([100, 50, 25], None),
        ([200, 40, 40, 10], (200, 280)),
        ([100, 40, 40, 10], (0, 180)),
        ([40, 40, 40], (0, 120)),
    ],
)
def test_pieces_of_one_size_are_due_to_be_joined(there: list[int], stretch: tuple[int, int] | None) -> None:
    assert due(pieces(*there), sum(there), build=False) == stretch


def test_vectors_need_an_index_of_cosines() -> None:
    with twofold.create(None, GivenVectors(DIMENSION, similarity="dot")) as made:
        vectors: Vectors = 2 * VECTORS[:200]
        made.add([{"id": str(n), "text": "a"} for n in range(200)], vectors=vectors)
        with local(made).snapshot() as snapshot:
            assert not upkeep.wanted(snapshot, cosine=False)


def compacted(collection: Collection, numbers: Iterable[int]) -> list[Piece]:
    """Deletes documents and compacts; gives the pieces that stand then."""
    collection.delete([f"{n:05}" for n in numbers])
    with local(collection).writing() as writer:
        writer.compact()
    return list(standing(collection).pieces)


@pytest.mark.parametrize("kind", list(kinds.KINDS))
def test_an_index_serves_through_compactions_and_grows_on(
    collection: Collection, kind: str, built: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = collection.optimize(index=kind, queries=QUERIES, recall=0.9).index
    built.clear()
    (piece,) = compacted(collection, range(0, 3_000, 10))
    assert (piece.rows, piece.gone) == (2_700, 300)
    report = collection.info().index
    assert report is not None
    assert (report.rows, report.pieces, report.gone, report.kept) == (2_700, 1, 300, before.kept)
    assert report.bytes == before.bytes + 4 * 3_000
    asked: list[Vectors] = []
    kept = measuring.Measuring

    def measuring_with(*given: Any) -> measuring.Measuring:
        asked.append(given[1])
        return kept(*given)

    monkeypatch.setattr(upkeep, "Measuring", measuring_with)
    add(collection, 3_000, 3_600)
    assert [(each.rows, each.gone) for each in standing(collection).pieces] == [(2_700, 300), (600, 0)]
    assert [each.tolist() for each in asked] == [QUERIES.tolist()]
    assert built == [600]
    report = collection.info().index
    assert report is not None
    assert report.reached is not None
    assert report.reached.recall == pytest.approx(collection.recall(QUERIES[1::2]).whole.recall)
    assert before.reached is not None
    assert report.reached.recall > before.reached.recall - 0.1
    first, second = compacted(collection, [1, 2, 3_100])
    assert ((first.rows, first.gone), (second.rows, second.gone)) == ((2_698, 302), (599, 1))
    assert collection.verify().damage == []


def test_a_piece_of_which_too_much_is_gone_is_built_again_where_there_is_time(
    collection: Collection, built: list[int]
) -> None:
    collection.optimize(index="scan", queries=QUERIES, recall=0.5)
    add(collection, 3_000, 4_000)
    compacted(collection, range(600))
    built.clear()
    assert not maintained(collection, 60.0)
    compacted(collection, range(600, 700))
    assert not maintained(collection, 0.0)
    assert maintained(collection, 60.0)
    assert built == [2_300]
    assert [(piece.rows, piece.gone) for piece in standing(collection).pieces] == [(2_300, 0), (1_000, 0)]
    assert not maintained(collection, 60.0)
    assert collection.verify().damage == []


def test_beside_an_addition_no_more_is_built_again_than_its_bound(collection: Collection, built: list[int]) -> None:
    collection.optimize(index="scan", queries=QUERIES, recall=0.5)
    add(collection, 3_000, 4_000)
    assert sizes(collection) == [3_000, 1_000]
    compacted(collection, [*range(700), *range(3_000, 3_250)])
    built.clear()
    add(collection, 4_000, 4_500)
    assert sorted(built) == [1_250]  # the second is joined with what is new; the first would be too much
    compacted(collection, [*range(700, 2_500), *range(3_250, 3_700)])
    assert [piece.rows for piece in standing(collection).pieces] == [500, 800]
    built.clear()
    add(collection, 4_500, 5_000)
    assert sum(built) <= (1 + upkeep.BESIDE_ADD) * 500
    assert all(piece.gone == 0 for piece in standing(collection).pieces)


def test_stretches_of_worn_pieces_fit_into_the_bound() -> None:
    pieces = [worn_piece(0, 100, 30), worn_piece(100, 100, 20), worn_piece(200, 50, 50), worn_piece(250, 10, 0)]
    assert worn(pieces, 260, 1_000) == [(200, 250), (0, 100)]
    assert worn(pieces, 260, 149) == [(200, 250)]
    assert worn(pieces, 260, 49) == []
    assert worn(pieces, 249, 1_000) == [(0, 100)]


def worn_piece(first: int, rows: int, gone: int) -> Piece:
    translation = Translation(folder="000002", files={}, rows=rows + gone) if gone else None
    return Piece(folder="000001", files={}, first=first, rows=rows, vectors="", translation=translation)


def test_a_kept_index_serves_until_optimizing_has_chosen_another(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection.optimize(index="scan", queries=QUERIES, recall=0.5)
    collection.delete([f"{n:05}" for n in range(0, 3_000, 3)])
    seen: list[tuple[int, int]] = []
    kept = kinds.build

    def build(settings: IndexSettings, stored: VectorBlocks, folder: Path, *, threads: int, progress: Progress) -> None:
        (piece,) = standing(collection).pieces
        seen.append((piece.rows, piece.gone))
        kept(settings, stored, folder, threads=threads, progress=progress)

    monkeypatch.setattr(making, "build", build)
    report = collection.optimize(index="hnsw", queries=QUERIES, recall=0.5)
    assert seen == [(2_000, 1_000)]
    assert (report.compact.rows, report.compact.rewritten) == (1_000, 2_000)
    assert (report.index.kind, report.index.rows, report.index.gone) == ("hnsw", 2_000, 0)
    names = {path.name for path in (collection.path / "indexes" / "main").iterdir()}
    assert names == {"manifest-1.json", *(part.folder for part in standing(collection).parts)}


def test_a_kept_piece_that_is_damaged_is_built_again_of_the_rows_that_are_left(
    collection: Collection, built: list[int]
) -> None:
    collection.optimize(index="scan", queries=QUERIES, recall=0.5)
    (piece,) = compacted(collection, range(100))
    assert piece.translation is not None
    path = standing(collection).path(piece.translation) / "rows.i32"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    built.clear()
    assert collection.verify(repair=True).clean
    assert built == [2_900]
    assert [(each.rows, each.gone) for each in standing(collection).pieces] == [(2_900, 0)]
    assert collection.verify().damage == []
