"""What can be asked of a collection, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from twofold.collection.building import build
from twofold.collection.collection import Collection
from twofold.collection.opening import create, open_collection
from twofold.encoders.hashed_words import HashedWords
from twofold.errors import FilterError, InputError, NotACollectionError, QueryError, VectorError
from twofold.reports import EncodingReport
from twofold.scores import Scores, Vectors


@pytest.fixture
def collection() -> Iterator[Collection]:
    with create(None, HashedWords(64)) as made:
        made.add(
            [
                {"id": "apple", "text": "a red apple", "title": "Apple", "year": 1990, "tags": ["fruit", "red"]},
                {"id": "pear", "text": "a green pear", "year": 2001, "tags": ["fruit"]},
                {"id": "brick", "text": "a red brick", "year": 2001, "tags": []},
            ]
        )
        yield made


def test_a_hit_says_what_was_found(collection: Collection) -> None:
    hit = collection.search("red apple", k=1)[0]
    assert (hit.id, hit.title, hit.passage.text) == ("apple", "Apple", "a red apple")
    assert hit.metadata == {"year": 1990, "tags": ["fruit", "red"]}
    assert hit.to_json()["start"] == 0
    assert "dense" in hit.explain()


def test_a_vector_asks_the_same_as_its_text(collection: Collection) -> None:
    vector = collection.encoder.encode_queries(["red apple"])[0]
    assert collection.search(vector) == collection.search("red apple")
    assert [hit.id for hit in collection.search(vector * 3)] == [hit.id for hit in collection.search("red apple")]


def test_like_leaves_the_document_itself_out(collection: Collection) -> None:
    assert [hit.id for hit in collection.like("apple")] == ["brick", "pear"]
    assert [hit.id for hit in collection.like("apple", where={"tags": "fruit"})] == ["pear"]
    with pytest.raises(QueryError, match="'nothing'"):
        collection.like("nothing")


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ({"k": 0}, "k is a count from 1 on, not 0"),
        ({"k": -3}, "not -3"),
        ({"k": True}, "not True"),
        ({"k": 1.5}, "not 1.5"),
        ({"offset": -1}, "offset"),
        ({"depth": -1}, "depth is a count"),
    ],
)
def test_a_page_that_no_ranking_has_is_refused(collection: Collection, page: dict[str, Any], message: str) -> None:
    with pytest.raises(QueryError, match=message):
        collection.search("red", **page)


def test_a_page_beyond_the_end_is_shorter_and_a_larger_k_raises_the_depth(tmp_path: Path) -> None:
    with create(tmp_path / "c", HashedWords(64), depth=3) as collection:
        collection.add([(f"d{number}", f"red number {number}") for number in range(10)])
        assert [len(collection.search("red", k=k)) for k in (2, 3, 7, 10, 50)] == [2, 3, 7, 10, 10]
        whole = collection.search("red", k=10)
        assert collection.search("red", k=4, offset=8) == whole[8:]
        assert collection.search("red", k=4, offset=100) == []
        assert collection.search("red", k=7, depth=4) == whole[:4]
        assert collection.search("red", k=7, offset=4, depth=4) == []
        assert collection.search_many(["red"], k=7, offset=3) == [whole[3:]]
        assert collection.search("red", k=10, min_score=whole[4].score) == whole[:5]
        assert collection.search("red", k=10, min_score=2.0) == []
        with pytest.raises(QueryError, match="min_score is a number, not nan"):
            collection.search("red", min_score=float("nan"))


@pytest.mark.parametrize("query", [None, 7, {"a": 1}])
def test_a_query_is_a_text_or_a_vector(collection: Collection, query: Any) -> None:
    with pytest.raises(QueryError, match="a text or a vector"):
        collection.search(query)


@pytest.mark.parametrize("query", [np.ones(63), np.full(64, np.nan), np.zeros(64), np.ones((2, 64))])
def test_a_query_vector_without_meaning_is_refused(collection: Collection, query: Any) -> None:
    with pytest.raises(VectorError):
        collection.search(query)


def test_an_empty_collection_answers_nothing() -> None:
    with create(None, HashedWords(64)) as made:
        assert made.search("anything") == []
        assert made.run({"q": "anything"}) == {"q": {}}
        assert len(made) == 0


def test_k_beyond_the_count_gives_what_there_is(collection: Collection) -> None:
    assert len(collection.search("red", k=200)) == 3
    assert collection.search("red", k=10, offset=3) == []


def test_a_field_that_no_document_has_matches_nothing_unless_strictness_is_asked_for(collection: Collection) -> None:
    for where in ({"yaer": 1990}, {"year": "1990"}):
        assert collection.search("red", where=where) == []
        assert collection.count(where=where) == collection.delete(where=where) == 0
        for strict in (
            lambda where: collection.search("red", where=where, strict=True),
            lambda where: collection.like("apple", where=where, strict=True),
            lambda where: collection.count(where=where, strict=True),
            lambda where: collection.delete(where=where, strict=True),
        ):
            with pytest.raises(FilterError, match="year"):
                strict(where)
    assert len(collection.search("red", where={"yaer": {"$ne": 1990}})) == 3
    assert collection.search("red", where={"year": 1991}, strict=True) == []
    with pytest.raises(FilterError, match="almost"):
        collection.search("red", where={"year": {"$almost": 3}})


def test_deleting_takes_ids_or_a_filter(collection: Collection) -> None:
    assert collection.delete(["apple", "nothing"]) == 1
    assert "apple" not in collection
    assert [hit.id for hit in collection.search("red apple", k=10)] == ["brick", "pear"]
    assert collection.delete(where={"year": 2001}) == 2
    assert len(collection) == 0
    for wrong in (
        {},
        {"ids": ["a"], "where": {"year": 1}},
        {"ids": 7},
        {"ids": ["a"], "all": True},
        {"where": {"a": 1}, "all": True},
    ):
        with pytest.raises(InputError):
            collection.delete(**wrong)


@pytest.mark.parametrize("where", [{}, {"$or": []}, {"year": {"$nin": []}}, {"$or": [{"year": 1}, {}]}, {"year": {}}])
def test_a_filter_that_says_nothing_deletes_nothing(collection: Collection, where: dict[str, Any]) -> None:
    with pytest.raises(FilterError, match=r"nothing|is empty"):
        collection.delete(where=where)
    assert len(collection) == 3
    assert collection.delete(all=True) == 3
    assert len(collection) == 0


def test_a_document_with_several_values_under_one_name_is_not_deleted_by_it(collection: Collection) -> None:
    both = {"id": "both", "text": "x", "author.name": "Ada", "author": {"name": "Cy"}}
    key, inside = (
        {"id": "key", "text": "x", "author.name": "Ada"},
        {"id": "inside", "text": "x", "author": {"name": "Cy"}},
    )
    collection.add([key, inside, both])
    for where in ({"author.name": "Ada"}, {"$or": [{"year": 2001}, {"author.name": {"$ne": "Bo"}}]}):
        with pytest.raises(FilterError, match=r"document 'both' has several values under 'author\.name'"):
            collection.delete(where=where)
    assert len(collection) == 6
    assert {hit.id for hit in collection.search("x", where={"author.name": "Ada"})} == {"key", "both"}
    collection.delete(["both"])
    assert collection.delete(where={"author.name": "Ada"}) == 1
    assert collection.delete(where={"author.name": {"$in": ["Ada", "Cy"]}}) == 1


def test_a_pinned_searcher_sees_one_commit(collection: Collection) -> None:
    with collection.searcher() as searcher:
        before = searcher.search("red apple")
        collection.delete(["apple"])
        collection.add([("new", "red apple")])
        assert searcher.search("red apple") == before
    assert [hit.id for hit in collection.search("red apple", k=1)] == ["new"]


class Backwards:
    """A second stage that likes short texts."""

    name = "brevity"

    def __init__(self) -> None:
        self.calls: list[int] = []

    def scores(self, query: str, texts: Sequence[str]) -> Scores:
        self.calls.append(len(texts))
        return np.array([-len(text) for text in texts], dtype=np.float32)


def test_a_ranker_reads_the_whole_ranking_whatever_the_page(collection: Collection) -> None:
    ranker = Backwards()
    whole = collection.search("red apple", ranker=ranker)
    assert [hit.id for hit in whole] == ["brick", "pear", "apple"]
    assert set(whole[0].parts) == {"dense", "brevity"}
    assert collection.search("red apple", k=1, offset=1, ranker=ranker) == whole[1:2]
    assert ranker.calls == [3, 3]
    with pytest.raises(QueryError, match="a ranker"):
        collection.search(np.ones(64, dtype=np.float32), ranker=ranker)


class Returning:
    """A ranker that returns what it is told to."""

    name = "returning"

    def __init__(self, found: Any) -> None:
        self.found = found

    def scores(self, query: str, texts: Sequence[str]) -> Any:
        return self.found


@pytest.mark.parametrize("ranker", [Backwards, 3, object(), lambda query, texts: texts])
def test_what_is_no_ranker_is_refused_as_text(collection: Collection, ranker: Any) -> None:
    with pytest.raises(InputError, match="ranker"):
        collection.search("red apple", ranker=ranker)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (["good", "bad", "bad"], "one number for each of 3 texts"),
        (None, "one number|shape"),
        ([[1], [1, 2], [3]], "one number for each"),
        ([1.0, 2.0], "shape"),
        ([1.0, float("nan"), 0.0], "nan for text 1 of 3"),
        ([float("inf"), 1.0, 0.0], "inf for text 0 of 3"),
    ],
)
def test_scores_of_a_ranker_that_are_none_are_refused_as_text(collection: Collection, found: Any, said: str) -> None:
    with pytest.raises(QueryError, match=f"'returning' returned.*({said})"):
        collection.search("red apple", ranker=Returning(found))


def test_build_makes_a_collection_and_goes_on_with_it(tmp_path: Path) -> None:
    documents: list[Mapping[str, Any]] = [{"id": "a", "text": "red"}, {"id": "b", "text": "blue"}]
    built, report = build(documents, tmp_path / "c", encoder=HashedWords(16), depth=50)
    built.close()
    assert report.added == 2
    built, report = build(iter(documents), tmp_path / "c")
    with built:
        assert report.unchanged == 2
        assert built.settings.depth == 50
    with pytest.raises(InputError, match="passages='auto'"):
        build(documents, tmp_path / "c", passages="none")
    with pytest.raises(InputError, match="no documents"):
        build([], tmp_path / "empty", encoder=HashedWords(16))
    assert not (tmp_path / "empty").exists()


def test_a_folder_that_is_no_collection_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotACollectionError, match="nowhere"):
        open_collection(tmp_path / "nowhere")


def test_an_id_with_nul_is_no_document_and_one_that_is_no_text_is_refused(collection: Collection) -> None:
    assert collection.delete(["apple\0x", "\ud800"]) == 0
    assert collection.get("apple\0x") is None
    assert len(collection) == 3
    wrong: Any = [7.5]
    with pytest.raises(InputError, match="an id must be text or an integer, not number"):
        collection.delete(wrong)


def test_documents_are_counted_by_ids_or_by_filter(collection: Collection) -> None:
    assert collection.count() == 3
    assert collection.count(["apple", "nothing"]) == 1
    assert collection.count(where={"year": 2001}) == 2
    with pytest.raises(InputError, match="not both"):
        collection.count(["apple"], where={"year": 2001})


def test_a_filter_too_deep_to_read_is_refused_and_a_deep_one_is_not(collection: Collection) -> None:
    deep: dict[str, Any] = {"year": 2001}
    for _ in range(14):
        deep = {"$and": [deep, {"year": {"$not": {"$lt": 5}}}]}
    assert collection.count(where=deep) == 2
    for _ in range(500):
        deep = {"$and": [deep]}
    with pytest.raises(FilterError, match="deep"):
        collection.count(where=deep)


def test_a_filter_takes_numpys_numbers_for_what_they_are(collection: Collection) -> None:
    assert collection.count(where={"year": np.float64(2001)}) == 2


def test_an_empty_query_is_refused_and_a_cut_one_is_counted(collection: Collection) -> None:
    with pytest.raises(QueryError, match="empty"):
        collection.search(" \n")
    report = EncodingReport()
    with collection.searcher() as searcher:
        searcher.search("red " * 300, report=report)
    assert report.tokens_cut == 300 - 256


class Unscaled(HashedWords):
    """Compared by cosine, but its vectors are as long as their texts."""

    def encode_queries(self, texts: Sequence[str], *, report: EncodingReport | None = None) -> Vectors:
        return super().encode_queries(texts, report=report) * 3

    def encode_documents(self, texts: Sequence[str], *, report: EncodingReport | None = None) -> Vectors:
        lengths = np.array([[len(text)] for text in texts], dtype=np.float32)
        return super().encode_documents(texts, report=report) * lengths


def test_cosine_is_cosine_whatever_the_encoder_leaves_undone() -> None:
    texts = [("short", "red apple"), ("long", "red apple and a great many other things besides")]
    with create(None, Unscaled(64)) as unscaled, create(None, HashedWords(64)) as plain:
        unscaled.add(texts)
        plain.add(texts)
        found, expected = unscaled.search("red apple"), plain.search("red apple")
        assert [hit.id for hit in found] == [hit.id for hit in expected] == ["short", "long"]
        assert np.allclose([hit.score for hit in found], [hit.score for hit in expected], atol=1e-3)
        assert unscaled.search(unscaled.encoder.encode_queries(["red apple"])[0]) == found
