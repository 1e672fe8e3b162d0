"""Whatever a collection lives in keeps the laws of `twofold.engine`: the same tests of `Collection` for each engine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import numpy as np
import pytest
from toy_engine import ToyEngine

from twofold.collection.collection import Collection
from twofold.collection.guarding import Encoders, space_of
from twofold.collection.opening import create
from twofold.collection.settings import Settings
from twofold.contract import Contract
from twofold.encoders.hashed_words import HashedWords
from twofold.engine import Engine
from twofold.engines.local.engine import Store
from twofold.errors import FilterError, QueryError, VectorError
from twofold.scores import Vectors, dense_scores
from twofold.searching.hybrid import SEARCH_MODES, SearchMode

WORDS = ["red", "green", "blue", "apple", "pear", "plum", "runs", "sleeps", "slow", "fast"]


class Own(HashedWords):
    """An encoder that the library does not know, so that its collections learn their words at the first addition."""

    @property
    def source(self) -> dict[str, object]:
        return {"kind": "own"}


def local(folder: Path, encoder: Own) -> Engine:
    return Store.create(folder, space=space_of(encoder), settings=Settings().to_json(), wait=10)


def toy(folder: Path, encoder: Own) -> Engine:
    return ToyEngine(space_of(encoder))


@pytest.fixture(params=[local, toy, "postgres"], ids=lambda make: getattr(make, "__name__", make))
def collection(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Collection]:
    encoder = Own(64, max_words=12)
    if request.param == "postgres":
        with create(request.getfixturevalue("postgres").address(), encoder) as made:
            yield made
        return
    make: Callable[[Path, Own], Engine] = request.param
    engine = make(tmp_path / "c", encoder)
    with Collection(engine, Encoders(engine, encoder), Settings()) as made:
        yield made


def documents(first: int, end: int) -> list[dict[str, object]]:
    rng = np.random.default_rng(first)
    return [
        {"id": f"d{n}", "text": " ".join(rng.choice(WORDS, rng.integers(1, 40))), "third": n % 3}
        for n in range(first, end)
    ]


def test_a_document_is_found_in_every_mode_from_the_addition_that_brought_it(collection: Collection) -> None:
    collection.add(documents(0, 60))
    for n in range(3):
        collection.add([{"id": f"new{n}", "text": f"zebra{n} apple"}])
        assert [collection.search(f"zebra{n}", k=1, mode=mode)[0].id for mode in SEARCH_MODES] == [f"new{n}"] * 3
    assert len(collection) == 63
    assert {hit.id for hit in collection.search("zebra1 zebra2", mode="lexical")} == {"new1", "new2"}


def test_what_is_added_is_there_in_its_order_and_replaces_what_had_its_id(collection: Collection) -> None:
    assert collection.add([("a", "one"), ("b", "two"), ("c", "three")]).added == 3
    report = collection.add([{"id": "b", "text": "four"}, {"id": "c", "text": "three"}])
    assert (report.replaced, report.unchanged) == (1, 1)
    assert {each.id: each.text for each in collection} == {"a": "one", "b": "four", "c": "three"}
    assert [each.id for each in collection][:1] == ["a"]
    assert ("b" in collection, "x" in collection) == (True, False)
    found = collection.get("b")
    assert found is not None
    assert (found.text, collection.get("x")) == ("four", None)


def test_metadata_alone_changes_without_being_encoded_again(collection: Collection) -> None:
    collection.add([{"id": "a", "text": "red apple", "year": 1}])
    before = collection.search("red", mode="dense")[0].score
    report = collection.add([{"id": "a", "text": "red apple", "year": 2}])
    assert (report.metadata_only, report.passages) == (1, 0)
    hit = collection.search("red", mode="dense", where={"year": 2})[0]
    assert (hit.score, hit.metadata) == (before, {"year": 2})


def test_what_is_deleted_is_found_no_more_in_any_mode(collection: Collection) -> None:
    collection.add([*documents(0, 30), {"id": "gone", "text": "zebra"}, {"id": "also", "text": "zebra apple"}])
    assert collection.delete(["gone", "unknown"]) == 1
    assert [hit.id for hit in collection.search("zebra", mode="lexical")] == ["also"]
    assert collection.delete(where={"third": 1}) == 10
    assert {each.metadata.get("third") for each in collection} == {0, 2, None}
    assert all(
        hit.metadata.get("third") != 1 for mode in SEARCH_MODES for hit in collection.search("red", k=30, mode=mode)
    )
    assert collection.delete(all=True) == 21
    assert [collection.search("red", mode=mode) for mode in SEARCH_MODES] == [[], [], []]


@pytest.mark.parametrize("mode", SEARCH_MODES)
def test_a_page_is_a_cut_of_one_ranking_and_a_filter_takes_out_of_it(collection: Collection, mode: SearchMode) -> None:
    collection.add(documents(0, 90))
    whole = collection.search("red apple sleeps", k=90, mode=mode)
    assert collection.search("red apple sleeps", k=7, offset=5, mode=mode) == whole[5:12]
    scores = [(-hit.score, hit.id) for hit in whole]
    assert scores == sorted(scores)
    within = collection.search("red apple sleeps", k=90, mode=mode, where={"third": {"$in": [0, 2]}})
    assert within == [hit for hit in whole if hit.metadata["third"] != 1]
    assert collection.search_many(["red apple sleeps"] * 3, k=90, mode=mode) == [whole] * 3


def test_filters_ask_for_ids_and_titles_and_facets_count_them(collection: Collection) -> None:
    collection.add([{**each, "title": f"The {WORDS[n % 4]}"} for n, each in enumerate(documents(0, 12))])
    collection.add([{"id": "other", "text": "red", "third": [2, "x", 2], "title": "x"}])
    for _ in range(3):
        assert collection.ids(where={"id": {"$in": ["d3", "d5", "unknown"]}}) == ["d3", "d5"]
        assert collection.ids(where={"id": {"$prefix": "d1"}, "third": {"$all": [1]}}) == ["d1", "d10"]
        assert collection.count(where={"title": {"$prefix": "The "}}) == 12
        assert [hit.id for hit in collection.search("red", where={"title": {"$contains": "x"}})] == ["other"]
        assert collection.facets("third") == {2: 5, 0: 4, 1: 4, "x": 1}
        assert collection.facets("title", where={"id": {"$ne": "d0"}}, limit=2) == {"The apple": 3, "The blue": 3}
        assert collection.facets("id", where={"third": "x"}) == {"other": 1}
        collection.delete(["d2"])
        collection.add([{"id": "d2", "text": "red", "third": 2, "title": "The blue"}])


def test_a_dense_score_is_the_product_with_the_best_stored_vector(collection: Collection) -> None:
    collection.add(documents(0, 40))
    query = collection.encoder.encode_queries(["red apple"])[0]
    with collection.searcher() as searcher:
        snapshot, dense = searcher.snapshot, searcher.dense
        for hit in searcher.search("red apple", k=40, mode="dense"):
            passages = snapshot.passages(np.array(list(snapshot.find([hit.id]).values())))
            scores = dense_scores(query, dense.vectors(passages.handles))
            assert hit.score == scores.max()
            assert [hit.passage.start, hit.passage.end] == passages.spans[int(scores.argmax())].tolist()
        stored = list(dense.stored())
        numbers = np.concatenate([handles for handles, _ in stored])
        vectors: Vectors = np.concatenate([np.asarray(block, np.float32) for _, block in stored])
        assert (dense.vectors(numbers) == vectors).all()
        assert len(numbers) == snapshot.counts.passages
        assert collection.like("d3", k=5)[0].id != "d3"


def test_a_snapshot_stays_as_it_is_whatever_is_written(collection: Collection) -> None:
    collection.add(documents(0, 50))
    with collection.searcher() as searcher:
        before = {mode: searcher.search("red apple", k=60, mode=mode) for mode in SEARCH_MODES}
        collection.delete(where={"third": 0})
        collection.add(documents(50, 80))
        collection.tune()
        collection.optimize()
        assert {mode: searcher.search("red apple", k=60, mode=mode) for mode in SEARCH_MODES} == before
        assert searcher.snapshot.counts.documents == 50
    assert len(collection) == 63


def test_one_writes_at_a_time_and_readers_wait_for_nobody(collection: Collection) -> None:
    collection.add(documents(0, 20))
    with ThreadPoolExecutor(2) as beside, collection.writing():
        added = beside.submit(collection.add, [("later", "zebra")])
        assert beside.submit(collection.search, "red").result()
        assert wait([added], 0.2).not_done
    assert added.result().added == 1


def test_what_cannot_be_is_refused_and_changes_nothing(collection: Collection) -> None:
    collection.add(documents(0, 10))
    with pytest.raises(VectorError):
        collection.add([("x", "red")], vectors=np.full((1, 64), np.nan, np.float32))
    with pytest.raises(FilterError):
        collection.delete(where={})
    with pytest.raises(QueryError):
        collection.search("")
    assert (len(collection), collection.maintain(0), collection.verify().clean) == (10, False, True)


def test_what_is_exported_is_what_is_there(collection: Collection, tmp_path: Path) -> None:
    collection.add([*documents(0, 12), {"id": "titled", "title": "only a title", "text": ""}])
    collection.delete(["d3"])
    report = collection.export(tmp_path / "out")
    lines = [json.loads(line) for line in (tmp_path / "out" / "documents.jsonl").read_text().splitlines()]
    spans = [json.loads(line) for line in (tmp_path / "out" / "passages.jsonl").read_text().splitlines()]
    assert [line["id"] for line in lines] == [each.id for each in collection]
    assert (report.documents, report.passages) == (12, len(spans))
    assert len(np.load(tmp_path / "out" / "vectors.npy")) == len(spans)
    info = collection.info()
    assert (info.documents, info.passages, info.without_vector) == (12, len(spans), 0)
    assert Contract.from_json(info.contract.to_json()) == collection.contract
