"""Passages that a search gives: the best of each document, as hits of their own, and with their neighbours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest

import twofold
from twofold.collection.collection import Collection
from twofold.encoders.hashed_words import HashedWords
from twofold.errors import QueryError
from twofold.rankings import Hit
from twofold.scores import Scores
from twofold.searching.hybrid import SEARCH_MODES, SearchMode

QUERY = "Which metal melts on the surface of Venus?"
TOPICS = {
    "venus": "Venus is hot. Its clouds hold heat. Lead, a metal, melts on its surface. Nothing lives there at all.",
    "mars": "Mars is cold. Iron is the metal that colours its surface. Two small moons circle it. Its air is thin.",
    "metals": "A metal conducts heat well. Gold is a soft metal. Lead melts early. A surface of silver shines a lot.",
    "food": "Bread is baked early. Cheese melts in the oven. Soup stays on the stove. Salad is made without heat.",
}
WORDS = "Some words that have little to do with it stand here so that the text becomes long enough to be divided. "


class LongestFirst:
    """Prefers long texts."""

    name = "longest"

    def scores(self, query: str, texts: Sequence[str]) -> Scores:
        """The length of each text."""
        return np.array([len(text) for text in texts], np.float32)


@pytest.fixture(scope="module")
def collection() -> Iterator[Collection]:
    with twofold.create(None, passages={"tokens": 32, "overlap": 8}) as made:
        texts = {f"{name}-{n}": WORDS * n + text + WORDS * (2 - n) for name, text in TOPICS.items() for n in range(3)}
        made.add(list(texts.items()))
        yield made


def placed(hits: list[Hit]) -> list[tuple[str, int, int, float]]:
    return [(hit.id, hit.passage.start, hit.passage.end, hit.score) for hit in hits]


@pytest.mark.parametrize("mode", SEARCH_MODES)
def test_the_best_passages_are_the_first_of_all_passages_by_their_scores(
    collection: Collection, mode: SearchMode
) -> None:
    every = [
        (hit.id, passage.start, passage.end, passage.score or 0.0)
        for hit in collection.search(QUERY, k=20, passages=50, mode=mode)
        for passage in hit.passages
    ]
    every.sort(key=lambda each: (-each[3], each[0], each[1]))
    whole = placed(collection.search(QUERY, k=30, unit="passage", mode=mode))
    assert len(every) > 30
    assert len({name for name, *_ in whole}) < 13
    assert whole == every[:30]


@pytest.mark.parametrize("mode", SEARCH_MODES)
def test_a_passage_scores_the_same_whatever_k_page_and_batch(collection: Collection, mode: SearchMode) -> None:
    whole = placed(collection.search(QUERY, k=20, unit="passage", mode=mode))
    for k in (1, 2, 7):
        assert placed(collection.search(QUERY, k=k, unit="passage", mode=mode)) == whole[:k]
    assert placed(collection.search(QUERY, k=5, offset=4, unit="passage", mode=mode)) == whole[4:9]
    first, _ = collection.search_many([QUERY, "soft gold"], k=20, unit="passage", mode=mode)
    assert placed(first) == whole
    kept = placed(collection.search(QUERY, k=20, unit="passage", mode=mode, where={"id": {"$ne": whole[0][0]}}))
    assert [each for each in kept if each in whole] == [each for each in whole if each[0] != whole[0][0]]


@pytest.mark.parametrize("mode", SEARCH_MODES)
def test_the_first_passage_is_the_best_one_and_has_the_score_of_its_document_unless_that_is_its_own_bm25(
    collection: Collection, mode: SearchMode
) -> None:
    for hit in collection.search(QUERY, k=12, passages=4, mode=mode):
        assert hit.passages[0] == hit.passage
        assert mode == "lexical" or hit.passage.score == hit.score
        scores = [passage.score or 0 for passage in hit.passages]
        assert scores == sorted(scores, reverse=True)
        assert len({(passage.start, passage.end) for passage in hit.passages}) == len(hit.passages) > 1


def test_in_lexical_mode_passages_are_ranked_as_documents_which_are_these_passages_would_be() -> None:
    query = "soft metal heat"
    with (
        twofold.create(None, HashedWords(16), passages={"tokens": 32, "overlap": 8}) as long,
        twofold.create(None, HashedWords(16)) as short,
    ):
        texts = {f"{name}-{n}": WORDS * n + text + WORDS * (2 - n) for name, text in TOPICS.items() for n in range(3)}
        long.add([*texts.items(), ("b", "A metal spoon.")])
        every = long.search(query, k=20, passages=50, mode="dense")
        short.add([(f"{hit.id}|{each.start:04}", each.text) for hit in every for each in hit.passages])
        long.tune()
        short.tune()
        found = [hit for hit in long.search(query, k=30, unit="passage", mode="lexical") if hit.score > 0]
        expected = short.search(query, k=30, mode="lexical")
        assert [(hit.text, hit.score) for hit in found] == [(hit.text, hit.score) for hit in expected]
        assert len({hit.id for hit in found}) < len(found) > 9
        shown = long.search(query, k=30, mode="lexical")
        assert {hit.id: hit.text for hit in shown} == {hit.id: hit.text for hit in reversed(found)}
        assert [hit.id for hit in shown] != list(dict.fromkeys(hit.id for hit in found))


def test_context_is_one_span_of_the_text_from_the_neighbour_before_to_the_one_behind(collection: Collection) -> None:
    for hit in collection.search(QUERY, k=12, passages=50, context=1):
        spans = sorted((passage.start, passage.end) for passage in hit.passages)
        for passage in hit.passages:
            at, context = spans.index((passage.start, passage.end)), passage.context
            assert context is not None
            assert (context.start, context.end) == (spans[max(at - 1, 0)][0], spans[min(at + 1, len(spans) - 1)][1])
            assert context.text == hit.document.text[context.start : context.end]
    (alone,) = collection.search(QUERY, k=1, context=100)
    assert alone.passage.context is not None
    assert alone.passage.context.text == alone.document.text
    assert alone.more == ()


def test_without_these_options_a_hit_has_its_best_passage_alone(collection: Collection) -> None:
    (hit,) = collection.search(QUERY, k=1)
    assert hit.passages == (hit.passage,)
    assert (hit.passage.score, hit.passage.context) == (None, None)
    assert "passages" not in hit.to_json()
    assert "context" not in hit.to_json()


def test_a_vector_finds_passages_as_its_text_does(collection: Collection) -> None:
    vector = collection.encoder.encode_queries([QUERY])[0]
    by_text = placed(collection.search(QUERY, k=9, unit="passage", mode="dense"))
    assert placed(collection.search(vector, k=9, unit="passage")) == by_text
    assert collection.search(vector, k=1)[0].sentence is None


def test_a_ranker_orders_passages(collection: Collection) -> None:
    hits = collection.search(QUERY, k=20, unit="passage", ranker=LongestFirst())
    lengths = [len(hit.text) for hit in hits]
    assert lengths == sorted(lengths, reverse=True)
    assert len({hit.id for hit in hits}) < len(hits)
    (page,) = collection.search(QUERY, k=1, ranker=LongestFirst(), passages=3, context=1)
    assert len(page.passages) == 3
    assert page.passages[0].context is not None


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"unit": "sentence"}, "there is no unit 'sentence'; there are document, passage"),
        ({"unit": "passage", "passages": 2}, "each hit is one passage"),
        ({"passages": 0}, "passages is a count from 1 on, not 0"),
        ({"context": -1}, "context is a count of neighbours from 0 on, not -1"),
        ({"context": True}, "not True"),
    ],
)
def test_what_cannot_be_shown_is_refused(collection: Collection, options: dict[str, object], said: str) -> None:
    with pytest.raises(QueryError, match=said):
        collection.search(QUERY, **options)  # type: ignore[arg-type]
