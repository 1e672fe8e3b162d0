"""Relevance: probabilities that follow from the scores alone, where they can be said, and what they leave out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from twofold.collection.collection import Collection
from twofold.collection.opening import create
from twofold.encoders.hashed_words import HashedWords
from twofold.errors import InputError, QueryError
from twofold.searching.fusion import Fusion
from twofold.searching.hybrid import SEARCH_MODES, SearchMode
from twofold.searching.relevance import Calibration, Relevance

TEXTS = {
    "compiler": "Grace Hopper wrote the first compiler for a machine in 1952.",
    "engine": "Ada Lovelace published an algorithm for the analytical engine.",
    "bread": "Bread is baked from flour, water and yeast in a hot oven.",
}
QUERY = "who wrote the first compiler"


@pytest.fixture(scope="module")
def collection() -> Iterator[Collection]:
    """Three documents, so few that chance is that of the encoder's probe texts."""
    with create(None) as made:
        made.add([{"id": name, "text": text, "even": len(name) % 2 == 0} for name, text in TEXTS.items()])
        yield made


@pytest.mark.parametrize("mode", SEARCH_MODES)
def test_relevance_is_a_probability_that_tells_an_answer_from_the_rest(
    collection: Collection, mode: SearchMode
) -> None:
    answer, *others = [hit.relevance for hit in collection.search(QUERY, mode=mode)]
    assert answer is not None
    assert 0.05 < answer < 1
    assert all(other is not None and 0 < other < answer / 4 for other in others)
    unrelated = [hit.relevance for hit in collection.search("pizza in Naples", mode=mode)]
    assert all(each is not None and 0 < each < 0.1 for each in unrelated)


def test_relevance_is_the_same_in_every_page_filter_batch_and_run(collection: Collection) -> None:
    for mode in SEARCH_MODES:
        whole = {hit.id: hit.relevance for hit in collection.search(QUERY, mode=mode)}
        pages = [collection.search(QUERY, mode=mode, k=1, offset=n) for n in range(len(whole))]
        pages += [
            collection.search(QUERY, mode=mode, depth=2),
            collection.search(QUERY, mode=mode, where={"even": True}),
        ]
        pages += collection.search_many(["water", QUERY, QUERY], mode=mode)[1:]
        assert all(hit.relevance == whole[hit.id] for page in pages for hit in page)
        kept = collection.run({"q": QUERY}, mode=mode, min_relevance=0.2)["q"]
        assert kept.keys() == {name for name, each in whole.items() if each is not None and each >= 0.2}


def test_an_only_document_has_a_probability_too(collection: Collection) -> None:
    with create(None) as lonely:
        lonely.add([{"id": "compiler", "text": TEXTS["compiler"]}])
        (equal,) = lonely.search(TEXTS["compiler"])
        (other,) = lonely.search("pizza in Naples")
    assert 0.5 < (equal.relevance or 0) < 1
    assert 0 < (other.relevance or 0) < 0.1


def test_what_is_less_relevant_than_asked_is_left_out(collection: Collection) -> None:
    whole = collection.search(QUERY)
    assert collection.search(QUERY, min_relevance=0.2) == whole[:1]
    assert collection.search("pizza in Naples", min_relevance=0.2) == []
    assert collection.search_many([QUERY], min_relevance=0.2) == [whole[:1]]
    for wrong in (1.5, -0.1, float("nan"), True, "much"):
        with pytest.raises(QueryError, match="min_relevance is a probability"):
            collection.search(QUERY, min_relevance=wrong)  # type: ignore[arg-type]


def test_where_relevance_cannot_be_said_it_is_none_and_no_limit_is_taken(collection: Collection) -> None:
    assert [hit.relevance for hit in collection.like("compiler")] == [None, None]
    with create(None, HashedWords(32)) as unmeasured:
        unmeasured.add([{"id": name, "text": text} for name, text in TEXTS.items()])
        assert {hit.relevance for hit in unmeasured.search(QUERY)} == {None}
        with pytest.raises(QueryError, match="cannot be said here"):
            unmeasured.search(QUERY, min_relevance=0.5)
        with pytest.raises(QueryError, match="cannot be said here"):
            unmeasured.run({"q": QUERY}, min_relevance=0.5)


def test_the_table_of_hits_and_the_notebook_show_relevance(collection: Collection) -> None:
    hits = collection.search(QUERY)
    assert hits.to_pandas()["relevance"].tolist() == [hit.relevance for hit in hits]
    assert f"<td>{hits[0].relevance:.0%}</td>" in hits._repr_html_()


def test_relevance_rises_with_each_score_and_stays_finite() -> None:
    known = Relevance(fusion=Fusion(chance=0.1), documents=1000)
    rising = np.linspace(-1, 1, 50, dtype=np.float32)
    bm25 = np.linspace(0, 1000, 50, dtype=np.float32)
    flat = np.zeros(50, np.float32)
    for made in (
        known.dense(rising),
        known.lexical(bm25, 20.0),
        known.hybrid(rising, flat, 20.0),
        known.hybrid(flat, bm25, 20.0),
    ):
        assert made == sorted(made or [])
        assert 0 < made[0] < made[-1] < 1
    assert known.lexical(flat[:1], 0.0) == known.lexical(flat[:1], 20.0)


def test_a_calibration_keeps_the_order_and_refuses_to_turn_it() -> None:
    plain = Relevance(fusion=Fusion(chance=0.1), documents=1000)
    other = Relevance(fusion=Fusion(chance=0.1), documents=1000, calibrations={"dense": Calibration(shift=1.0)})
    scores = np.array([0.1, 0.5], np.float32)
    assert [a < b for a, b in zip(plain.dense(scores) or [], other.dense(scores) or [], strict=True)] == [True, True]
    assert plain.hybrid(scores, scores, 1.0) == other.hybrid(scores, scores, 1.0)
    assert other.by_ranker("model", 0.3) == 0.3
    for slope in (0.0, -1.0, float("inf"), float("nan")):
        with pytest.raises(InputError, match="slope above 0"):
            Calibration(slope=slope)
