"""A collection with an approximate index: built, used, kept beside new documents, thrown away when it is damaged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import twofold
from twofold.collection.collection import Collection
from twofold.encoders.given_vectors import GivenVectors
from twofold.engines.local.derived.indexes import choosing as indexing
from twofold.engines.local.spaces import indexed
from twofold.errors import InputError
from twofold.indexes import kinds
from twofold.indexes.kinds import KINDS, Kind
from twofold.progress import Progress
from twofold.protocols import VectorBlocks
from twofold.scores import Mask, Numbers, Scores, Vectors, unit_vectors

DOCUMENTS, DIMENSION = 3_000, 64
RNG = np.random.default_rng(11)
VECTORS = unit_vectors(RNG.standard_normal((DOCUMENTS + 50, DIMENSION), dtype=np.float32))
QUERIES = unit_vectors(VECTORS[:60] + RNG.standard_normal((60, DIMENSION), dtype=np.float32) / np.float32(16))


def documents(first: int, last: int) -> list[dict[str, object]]:
    return [{"id": f"{n:05}", "text": f"text {n}", "half": n % 2} for n in range(first, last)]


@pytest.fixture
def collection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Collection]:
    monkeypatch.setattr(indexed, "FEW", 0)
    with twofold.create(tmp_path / "c", GivenVectors(DIMENSION)) as made:
        made.add(documents(0, DOCUMENTS), vectors=VECTORS[:DOCUMENTS])
        yield made


def ids(collection: Collection, query: Vectors, **options: object) -> list[tuple[str, float]]:
    return [(hit.id, hit.score) for hit in collection.search(query, **options)]  # type: ignore[arg-type]  # by name


@pytest.mark.parametrize("kind", list(KINDS))
def test_an_index_finds_nearly_what_exact_search_finds_with_the_same_scores(collection: Collection, kind: str) -> None:
    report = collection.optimize(index=kind, queries=QUERIES, recall=0.9)
    assert report.index.kind == kind
    assert report.index.rows == DOCUMENTS
    assert 0 < report.index.bytes <= collection.info().bytes["indexes"]
    assert report.index.reached is not None
    checked = [report.index.reached, *(point for _, point in report.index.filtered)]
    assert report.index.kept == all(point.holds(0.9) for point in checked)
    found = 0
    for query in QUERIES:
        exact = dict(ids(collection, query, exact=True))
        by_index = dict(ids(collection, query))
        found += len(exact.keys() & by_index.keys())
        assert all(exact[each] == by_index[each] for each in exact.keys() & by_index.keys())
    assert found / (10 * len(QUERIES)) > 0.85


def test_a_new_document_is_found_at_once_and_a_deleted_one_never(collection: Collection) -> None:
    collection.optimize(index="scan", queries=QUERIES)
    collection.add(documents(DOCUMENTS, DOCUMENTS + 50), vectors=VECTORS[DOCUMENTS:])
    for number in range(DOCUMENTS, DOCUMENTS + 50):
        assert ids(collection, VECTORS[number], k=1)[0][0] == f"{number:05}"
    collection.delete(["00005"])
    assert "00005" not in [each for each, _ in ids(collection, VECTORS[5], k=100)]
    assert ids(collection, VECTORS[5], exact=True)[0][0] != "00005"


def test_a_filter_holds_with_an_index(collection: Collection) -> None:
    collection.optimize(index="hnsw", queries=QUERIES)
    for query in QUERIES[:5]:
        hits = collection.search(query, k=50, where={"half": 1})
        assert len(hits) == 50
        assert all(hit.document.metadata["half"] == 1 for hit in hits)


def test_the_ranking_does_not_depend_on_how_much_of_it_is_asked_for(collection: Collection) -> None:
    collection.optimize(index="hnsw", queries=QUERIES)
    for query in QUERIES[:5]:
        whole = ids(collection, query, k=200)
        assert ids(collection, query, k=7) == whole[:7]
        assert ids(collection, query, k=20, offset=30) == whole[30:50]


def test_what_was_measured_is_kept_and_used_when_the_collection_is_opened_again(
    collection: Collection, tmp_path: Path
) -> None:
    report = collection.optimize(index="hnsw", queries=QUERIES)
    before = [ids(collection, query) for query in QUERIES]
    with twofold.open(tmp_path / "c") as again:
        assert again.info().index == report.index
        assert [ids(again, query) for query in QUERIES] == before


def test_compacting_and_indexing_again_keeps_every_answer_of_exact_search(collection: Collection) -> None:
    collection.optimize(index="scan", queries=QUERIES)
    collection.delete([f"{n:05}" for n in range(0, DOCUMENTS, 3)])
    exact = [ids(collection, query, exact=True) for query in QUERIES]
    report = collection.optimize(index="scan", queries=QUERIES)
    assert report.compact.rows == report.compact.documents == DOCUMENTS // 3
    assert report.index.rows == DOCUMENTS - DOCUMENTS // 3
    assert [ids(collection, query, exact=True) for query in QUERIES] == exact


def test_flat_throws_the_index_away(collection: Collection, tmp_path: Path) -> None:
    collection.optimize(index="scan", queries=QUERIES)
    assert collection.optimize(index="flat").index.kind == "flat"
    assert not list((tmp_path / "c" / "indexes").rglob("codes.faiss"))
    assert collection.info().index is None
    assert ids(collection, QUERIES[0]) == ids(collection, QUERIES[0], exact=True)


@pytest.mark.parametrize("harm", ["cut", "remove", "empty", "other"])
def test_a_damaged_index_is_passed_over_and_every_answer_is_exact(
    collection: Collection, tmp_path: Path, harm: str
) -> None:
    collection.optimize(index="scan", queries=QUERIES)
    (file,) = (tmp_path / "c" / "indexes").rglob("codes.faiss")
    content = file.read_bytes()
    if harm == "remove":
        file.unlink()
    else:
        file.write_bytes({"cut": content[:-1], "empty": b"", "other": bytes(len(content))}[harm])
    with twofold.open(tmp_path / "c") as again:
        for query in QUERIES[:5]:
            assert ids(again, query) == ids(again, query, exact=True)
        assert not again.verify().clean


def test_repairing_builds_a_damaged_index_again(collection: Collection, tmp_path: Path) -> None:
    report = collection.optimize(index="scan", queries=QUERIES)
    before = [ids(collection, query) for query in QUERIES]
    (file,) = (tmp_path / "c" / "indexes").rglob("codes.faiss")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(bytes(content))
    with twofold.open(tmp_path / "c") as again:
        assert [damage.derived for damage in again.verify().damage] == [True]
        assert again.verify(repair=True).clean
        assert again.verify().damage == []
        index = again.info().index
        assert index is not None
        assert index.reached is not None
        assert report.index.reached is not None
        assert (index.kind, index.rows, index.bytes) == (report.index.kind, report.index.rows, report.index.bytes)
        assert (index.reached.effort, index.reached.recall) == (
            report.index.reached.effort,
            report.index.reached.recall,
        )
        assert [ids(again, query) for query in QUERIES] == before


def test_info_says_what_a_pinned_searcher_holds_back(collection: Collection) -> None:
    assert collection.info().log_held_back == 0
    with collection.searcher():
        for _ in range(16):
            collection.add(documents(0, DOCUMENTS), vectors=VECTORS[1 : DOCUMENTS + 1])
            collection.add(documents(0, DOCUMENTS), vectors=VECTORS[:DOCUMENTS])
        assert collection.info().log_held_back > 0


def test_small_collections_stay_exact_and_large_ones_are_indexed_unasked(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = collection.optimize()
    assert (report.index.kind, report.index.why) == (
        "flat",
        "3,000 passages are searched exactly in a few milliseconds",
    )
    monkeypatch.setattr(indexing, "FROM_ROWS", 1_000)
    report = collection.optimize(recall=0.5)
    assert report.index.kind == "scan"
    assert report.index.questions == "400 points between two stored vectors"


def test_an_unknown_kind_and_a_single_question_are_refused(collection: Collection) -> None:
    with pytest.raises(InputError, match="no index of the kind 'tree'"):
        collection.optimize(index="tree")
    with pytest.raises(InputError, match="there are flat, scan, ivf, hnsw"):
        collection.optimize(index="graph")
    with pytest.raises(InputError, match="needs two at least"):
        collection.optimize(index="scan", queries=QUERIES[:1])


def test_vectors_compared_by_dot_product_stay_exact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "FROM_ROWS", 10)
    with twofold.create(tmp_path / "dot", GivenVectors(DIMENSION, similarity="dot")) as made:
        made.add(documents(0, 100), vectors=3 * VECTORS[:100])
        assert made.optimize().index.kind == "flat"
        with pytest.raises(InputError, match="another length"):
            made.optimize(index="scan")


def test_the_report_says_what_is_found_behind_filters(collection: Collection) -> None:
    report = collection.optimize(index="scan", queries=QUERIES, recall=0.9).index
    assert [share for share, _ in report.filtered] == [0.5, 0.05, 0.001]
    assert all(point.queries == 30 for _, point in report.filtered)
    assert report.filtered[-1][1].recall > 0.9
    assert collection.info().index == report


def test_recall_is_measured_again_on_the_collection_as_it_is(collection: Collection) -> None:
    flat = collection.recall(QUERIES)
    assert (flat.kind, flat.whole.recall, flat.kept) == ("flat", 1.0, True)
    report = collection.optimize(index="hnsw", queries=QUERIES, recall=0.5).index
    again = collection.recall(QUERIES)
    assert report.reached is not None
    assert (again.kind, again.promise, again.whole.queries) == ("hnsw", 0.5, 60)
    assert 0.5 < again.whole.recall <= 1
    assert again.kept
    own = collection.recall()
    assert own.questions == "400 points between two stored vectors"
    collection.delete(all=True)
    with pytest.raises(InputError, match="no passages"):
        collection.recall()


def test_a_promise_that_the_index_does_not_keep_is_told(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(indexing.EFFORTS, "scan", (0,))
    collection.optimize(index="scan", queries=QUERIES, recall=1.0)
    found = collection.recall(QUERIES)
    assert found.kept == (min(found.whole.low, *(point.low for _, point in found.filtered)) >= 0.995)
    assert not found.kept


def test_kinds_are_tried_from_the_smallest_on_until_one_is_fast_enough(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "FROM_ROWS", 1_000)
    fits = collection.optimize(recall=0.5, latency=1_000.0).index
    assert (fits.kind, fits.why) == ("scan", "the smallest kind that keeps the promise within 1000 ms")
    assert [point.kind for point in fits.tried] == ["flat", "scan"]
    assert (fits.tried[0].recall, fits.tried[0].queries) == (1.0, 20)
    none = collection.optimize(recall=0.5, latency=1e-6).index
    assert {point.kind for point in none.tried} == {"flat", *KINDS}
    assert none.why == "none was found within 1e-06 ms, it is the fastest"
    last = {point.kind: point.p50 for point in none.tried[1:]}
    assert none.kind == min(last, key=last.__getitem__)
    assert none.reached is not None
    assert (none.reached.kind, none.rows) == (none.kind, DOCUMENTS)
    assert collection.info().index == none
    for query in QUERIES[:5]:
        assert dict(ids(collection, query)).items() & dict(ids(collection, query, exact=True)).items()


def test_kinds_that_are_slow_to_build_are_left_to_those_who_ask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "FROM_ROWS", 1_000)
    monkeypatch.setattr("twofold.engines.local.derived.indexes.upkeep.LATENCY", 1e-6)
    vectors = np.random.default_rng(0).standard_normal((1_500, 16)).astype(np.float32)
    with twofold.create(tmp_path / "c", twofold.GivenVectors(16)) as made:
        beside = made.add([{"id": str(number)} for number in range(len(vectors))], vectors=vectors).index
        assert beside is not None
        assert {point.kind for point in beside.tried} == {"flat", "scan", "ivf"}
        assert beside.why.endswith("; optimize tries hnsw too, which takes longer to build")
        asked = made.optimize(latency=1e-6).index
        assert {point.kind for point in asked.tried} == {"flat", "scan", "ivf", "hnsw"}
        assert "optimize tries" not in asked.why


def test_an_index_that_was_passed_over_for_a_better_one_is_not_what_stands(
    collection: Collection, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(indexing, "FROM_ROWS", 1_000)
    monkeypatch.setattr(indexing, "best", lambda points, _promise: points[0])
    assert collection.optimize(latency=1e-6).index.kind == "scan"
    files = {file.name for file in (tmp_path / "c" / "indexes").rglob("*") if file.suffix}
    assert files == {"manifest-0.json", "codes.faiss", "questions.npz"}


def test_a_kind_is_tried_only_where_memory_holds_it(collection: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "FROM_ROWS", 1_000)
    monkeypatch.setattr(indexing, "available_bytes", lambda: 1_000_000)
    report = collection.optimize(recall=0.5, latency=1e-6).index
    assert report.kind in ("scan", "ivf")
    assert "hnsw was not tried, it needs" in report.why
    assert collection.optimize(index="hnsw").index.kind == "hnsw"


@pytest.mark.parametrize("latency", [0.0, -1.0, float("nan")])
def test_a_latency_that_no_search_can_have_is_refused(collection: Collection, latency: float) -> None:
    with pytest.raises(InputError, match="above 0 milliseconds"):
        collection.optimize(latency=latency)


def test_a_scan_scores_more_candidates_where_the_promise_asks_for_it(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(indexing.EFFORTS, "scan", (0, 3_000))
    report = collection.optimize(index="scan", queries=QUERIES, recall=0.999).index
    assert report.reached is not None
    assert [(point.kind, point.effort) for point in report.tried] == [("flat", 0), ("scan", 0), ("scan", 3_000)]
    assert report.tried[1].recall < report.tried[2].recall == report.reached.recall == 1.0
    for query in QUERIES:
        assert ids(collection, query) == ids(collection, query, exact=True)


MORE = unit_vectors(np.random.default_rng(11).standard_normal((5_000, DIMENSION), dtype=np.float32))
ALIKE = {
    "a sixth equal": np.concatenate([MORE[:2_000], np.repeat(MORE[:1], 1_000, axis=0), MORE[2_000:]]),
    "all equal": np.repeat(VECTORS[:1], DOCUMENTS, axis=0),
    "two values": np.repeat(VECTORS[:2], DOCUMENTS // 2, axis=0),
    "dimensions that say nothing": unit_vectors(VECTORS[:DOCUMENTS] * (np.arange(DIMENSION) < 40)),
    "few": VECTORS[:40],
}


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("name", ALIKE)
def test_what_was_chosen_answers_however_alike_vectors_are(
    name: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexed, "FEW", 0)
    vectors = ALIKE[name]
    with twofold.create(None, GivenVectors(DIMENSION)) as made:
        made.add(documents(0, len(vectors)), vectors=vectors)
        report = made.optimize(index=kind, queries=np.concatenate([vectors[:4], vectors[-4:], QUERIES[:8]])).index
        assert report.kind == kind or f"{kind} was passed over: it does not answer" in report.why
        assert made.info().index == (None if report.kind == "flat" else report)
        for query in (*vectors[:2], vectors[-1], *QUERIES[:3]):
            best = ids(made, query, k=1, exact=True)[0][1]
            assert len(found := ids(made, query, k=30)) == 30
            assert found[0][1] <= best
        half = np.arange(len(vectors)) % 2
        assert all(half[int(each)] == 1 for each, _ in ids(made, vectors[0], k=15, where={"half": 1}))


class Failing:
    """An index whose library gives up on every question."""

    rows = DOCUMENTS

    def candidates(self, query: Vectors, count: int, allowed: Mask) -> tuple[Numbers, Scores]:
        raise RuntimeError("no way on")


def test_a_kind_that_does_not_answer_is_passed_over_and_what_stood_before_still_answers(
    collection: Collection, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(indexing, "FROM_ROWS", 1_000)
    monkeypatch.setitem(kinds.KINDS, "hnsw", replace(kinds.KINDS["hnsw"], open=lambda _folder, _effort: Failing()))
    report = collection.optimize(recall=0.5, latency=1e-6).index
    assert report.kind in ("scan", "ivf")
    assert "; hnsw was passed over: it cannot answer every question" in report.why
    asked = collection.optimize(index="hnsw", recall=0.5, latency=1_000).index
    assert asked.kind == "scan"
    assert asked.why.startswith("hnsw was passed over: it cannot answer every question")
    assert not list((tmp_path / "c" / "indexes").rglob("hnsw*"))
    monkeypatch.setattr(indexing, "FROM_ROWS", 10_000)
    assert collection.optimize(index="hnsw").index.kind == "flat"


def test_an_index_that_fails_at_a_question_hands_over_to_exact_search(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert collection.optimize(index="hnsw", queries=QUERIES).index.kind == "hnsw"
    monkeypatch.setitem(kinds.KINDS, "hnsw", replace(kinds.KINDS["hnsw"], open=lambda _folder, _effort: Failing()))
    for query in QUERIES[:5]:
        assert ids(collection, query) == ids(collection, query, exact=True)


def unbuildable(vectors: VectorBlocks, folder: Path, threads: int, progress: Progress) -> None:
    (folder / "begun").touch()
    raise InputError("no such index can be built of these vectors")


def test_a_kind_that_cannot_be_built_is_passed_over_unless_it_was_asked_for(
    collection: Collection, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(indexing, "FROM_ROWS", 1_000)
    monkeypatch.setitem(kinds.KINDS, "hnsw", replace(kinds.KINDS["hnsw"], fill=unbuildable))
    report = collection.optimize(latency=1e-6).index
    assert report.kind in ("scan", "ivf")
    assert "; hnsw was passed over: no such index can be built" in report.why
    with pytest.raises(InputError, match="no such index can be built"):
        collection.optimize(index="hnsw")
    assert collection.info().index == report
    assert not list((tmp_path / "c" / "indexes").rglob("begun"))


def test_a_promise_that_filters_break_is_said_not_to_be_kept(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = collection.optimize(index="scan", queries=QUERIES, recall=0.5).index
    assert report.reached is not None
    assert report.kept
    ((share, point), *others) = report.filtered
    broken = replace(report, filtered=((share, replace(point, recall=0.4, low=0.3)), *others))
    assert not broken.kept
    assert broken.to_json()["kept"] is False
    assert "does NOT keep the 0.500 promised" in str(broken)
    assert "0.400 (BELOW) where 50.0% pass" in str(broken)
    assert "keeps the 0.500 promised" in str(report)


class Hesitant:
    """Exact search, but a question whose first number is negative needs an effort, and finds the farthest without."""

    needs = 300

    def __init__(self, folder: Path, effort: int) -> None:
        self._vectors = np.load(folder / "vectors.npy")
        self._effort = effort
        self.rows = len(self._vectors)

    @staticmethod
    def fill(stored: VectorBlocks, folder: Path, threads: int, progress: Progress) -> None:
        np.save(folder / "vectors.npy", np.concatenate([vectors for _, vectors in stored.blocks()]))

    def candidates(self, query: Vectors, count: int, allowed: Mask) -> tuple[Numbers, Scores]:
        scores = self._vectors.astype(np.float32) @ query
        order = np.argsort(scores if query[0] < 0 and self._effort < self.needs else -scores, kind="stable")
        rows = order[allowed[order]][:count]
        return rows, scores[rows]


SIGNS = np.where(np.arange(len(QUERIES)) % 2, -1, 1)
ONE_HALF_HARDER = np.concatenate([SIGNS[:, None] * np.abs(QUERIES[:, :1]), QUERIES[:, 1:]], axis=1)
"""As QUERIES, but those of the half that checks begin with a negative number."""


def test_where_the_checking_half_refutes_an_effort_the_next_is_taken_and_searched_with(
    collection: Collection, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(kinds.KINDS, "hnsw", Kind(Hesitant.fill, Hesitant, effort=100))
    monkeypatch.setitem(indexing.EFFORTS, "hnsw", (100, 200, 300, 400))
    report = collection.optimize(index="hnsw", latency=1e6, queries=ONE_HALF_HARDER).index
    assert [(point.kind, point.effort, point.recall) for point in report.tried] == [("flat", 0, 1), ("hnsw", 100, 1)]
    assert [point.effort for point in report.checked] == [100, 200, 300]
    assert report.checked[0].recall == 0
    assert report.kept
    assert report.reached == report.checked[-1]
    assert all(point.effort == 300 for _, point in report.filtered)
    assert "on half of 60 queries given, asked at 3 efforts, p50" in str(report)
    assert collection.info().facts()["checked"].startswith("hnsw at effort 100 0.000 in ")
    with twofold.open(tmp_path / "c") as again:
        assert again.info().index == report
        assert all(ids(again, query) == ids(again, query, exact=True) for query in ONE_HALF_HARDER)


def test_what_is_built_again_takes_a_larger_effort_where_the_checking_half_asks_for_it(
    collection: Collection, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(kinds.KINDS, "hnsw", Kind(Hesitant.fill, Hesitant, effort=100))
    monkeypatch.setitem(indexing.EFFORTS, "hnsw", (100, 200, 300, 400))
    monkeypatch.setattr(Hesitant, "needs", 200)
    report = collection.optimize(index="hnsw", latency=1e6, queries=ONE_HALF_HARDER).index
    assert [point.effort for point in report.checked] == [100, 200]
    monkeypatch.setattr(Hesitant, "needs", 400)
    (file,) = (tmp_path / "c" / "indexes").rglob("vectors.npy")
    file.write_bytes(b"")
    with twofold.open(tmp_path / "c") as again:
        assert again.verify(repair=True).clean
        index = again.info().index
        assert index is not None
        assert (index.kind, index.kept, [point.effort for point in index.checked]) == ("hnsw", True, [200, 300, 400])


def test_what_no_effort_kept_is_built_again_without_asking_for_all_of_them_again(
    collection: Collection, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(kinds.KINDS, "hnsw", Kind(Hesitant.fill, Hesitant, effort=100))
    monkeypatch.setitem(indexing.EFFORTS, "hnsw", (100, 200))
    report = collection.optimize(index="hnsw", latency=1e6, queries=ONE_HALF_HARDER).index
    assert (report.kept, [point.effort for point in report.checked]) == (False, [100, 200])
    assert report.why == "asked for; questions that choosing had not seen say that it does not"
    (file,) = (tmp_path / "c" / "indexes").rglob("vectors.npy")
    file.write_bytes(b"")
    with twofold.open(tmp_path / "c") as again:
        assert again.verify(repair=True).clean
        index = again.info().index
        assert index is not None
        assert (index.kept, [point.effort for point in index.checked]) == (False, [100])


def test_a_choice_that_other_questions_refute_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(indexing.EFFORTS, "scan", (0,))
    monkeypatch.setattr(indexed, "FEW", 0)
    monkeypatch.setattr(indexing, "FROM_ROWS", 1_000)
    noise = RNG.standard_normal((1_000, DIMENSION), dtype=np.float32) / np.float32(200)
    easy = unit_vectors(np.repeat(VECTORS[:100], 10, axis=0) + noise)
    asked = np.stack([VECTORS[:40], unit_vectors(RNG.standard_normal((40, DIMENSION), dtype=np.float32))], axis=1)
    with twofold.create(None, GivenVectors(DIMENSION), depth=10) as made:
        made.add(documents(0, DOCUMENTS), vectors=np.concatenate([easy, VECTORS[1_000:DOCUMENTS]]))
        report = made.optimize(recall=0.95, latency=1_000.0, queries=asked.reshape(80, DIMENSION)).index
    assert report.reached is not None
    assert report.tried[-1].recall > 0.95 > report.reached.recall
    assert not report.kept
    assert report.why.endswith("within 1000 ms; questions that choosing had not seen say that it does not")


@pytest.mark.parametrize("recall", [0.0, -1.0, 2.0, float("nan")])
def test_a_recall_that_no_search_can_have_is_refused(collection: Collection, recall: float) -> None:
    with pytest.raises(InputError, match="recall is a share"):
        collection.optimize(recall=recall)
