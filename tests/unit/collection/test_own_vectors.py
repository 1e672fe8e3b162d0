"""Queries that come with vectors of their own, in collections of own vectors and in those of an encoder."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import twofold
from twofold.collection.collection import Collection
from twofold.encoders.given_vectors import GivenVectors
from twofold.encoders.hashed_words import HashedWords
from twofold.errors import InputError, QueryError, VectorError
from twofold.protocols import Encoder
from twofold.reports import EncodingReport
from twofold.scores import Similarity, Vectors

DIMENSION = 32
TEXTS = {f"d{n}": f"word{n} word{n % 7} word{n % 11} colour{n % 5} shape{n % 3}" for n in range(80)}
QUERIES = {"first": "word3 colour1", "second": "shape2 word5", "third": "word9 word10 colour0"}


def made_elsewhere(texts: Sequence[str]) -> Vectors:
    return HashedWords(DIMENSION).encode_documents(list(texts))


ASKED = made_elsewhere(list(QUERIES.values()))


def filled(similarity: Similarity = "cosine", path: Path | None = None) -> Collection:
    made = twofold.create(path, GivenVectors(DIMENSION, similarity=similarity))
    made.add(list(TEXTS.items()), vectors=made_elsewhere(list(TEXTS.values())))
    return made


@pytest.fixture(scope="module")
def own() -> Iterator[Collection]:
    with filled() as made:
        yield made


def parts(collection: Collection, *query: Any, **options: Any) -> set[str]:
    return set(collection.search(*query, **options)[0].parts)


def test_a_text_is_searched_lexically_a_vector_densely_and_both_in_a_hybrid_search(own: Collection) -> None:
    text, vector = QUERIES["first"], ASKED[0]
    assert parts(own, text) == {"lexical"}
    assert parts(own, vector) == {"dense"}
    assert parts(own, text, vector=vector) == {"dense", "lexical", "lexical evidence", "lexical weight"}
    assert parts(own, text, vector=vector, mode="dense") == {"dense"}
    assert own.search(text, vector=vector, mode="dense") == own.search(vector)
    assert own.search(text, vector=vector, mode="lexical") == own.search(text)


def test_the_hybrid_score_of_a_given_vector_is_that_of_the_parts(own: Collection) -> None:
    fusion = own.info().lexical.fusion  # type: ignore[union-attr]
    assert fusion is not None
    dense = {hit.id: hit.score for hit in own.search(ASKED[0], k=80)}
    lexical = {hit.id: hit.score for hit in own.search(QUERIES["first"], k=80)}
    for hit in own.search(QUERIES["first"], vector=ASKED[0], k=20):
        assert hit.parts["dense"] == dense[hit.id]
        assert hit.parts["lexical"] == lexical.get(hit.id, 0.0)
        mixed = fusion.beyond_chance(np.array([hit.parts["dense"]], np.float32))[0]
        assert hit.score == pytest.approx(mixed + hit.parts["lexical weight"] * hit.parts["lexical evidence"], abs=1e-6)


def test_many_queries_with_vectors_are_answered_as_each_alone(own: Collection) -> None:
    texts = list(QUERIES.values())
    alone = [own.search(text, vector=vector) for text, vector in zip(texts, ASKED, strict=True)]
    assert own.search_many(texts, vectors=ASKED) == alone
    assert own.search_many(texts, vectors=list(ASKED)) == alone
    assert asyncio.run(own.asearch(texts[0], vector=ASKED[0])) == alone[0]
    assert asyncio.run(own.asearch_many(texts, vectors=ASKED)) == alone
    with own.searcher() as searcher:
        assert searcher.search(texts[0], vector=ASKED[0]) == alone[0]
        assert (searcher.modes, searcher.modes_with_vector) == (("lexical",), ("dense", "lexical", "hybrid"))
    run = own.run(QUERIES, vectors=ASKED, depth=10)
    assert run == {name: {hit.id: hit.score for hit in hits} for name, hits in zip(QUERIES, alone, strict=True)}


def test_the_hits_of_a_run_come_by_query_id(own: Collection) -> None:
    found = own.run_hits(QUERIES, vectors=ASKED, k=4, where={"$truncated": False})
    assert list(found) == list(QUERIES)
    run = own.run(QUERIES, vectors=ASKED, depth=200)
    for name, hits in found.items():
        assert [(hit.id, hit.score) for hit in hits] == list(run[name].items())[:4]
        assert hits[0].document.text == TEXTS[hits[0].id]


def test_a_list_has_no_ids_by_which_hits_could_come(own: Collection) -> None:
    wrong: Any
    for wrong in (["hello"], []):
        with pytest.raises(QueryError, match="search_many takes a list"):
            own.run_hits(wrong)


def test_one_dict_is_one_document_with_its_vector() -> None:
    with twofold.create(None, GivenVectors(DIMENSION)) as made:
        assert made.add({"id": "a", "text": "one", "n": 1}, vectors=ASKED[:1]).added == 1
        assert made.update({"id": "a", "text": "two"}, vectors=ASKED[1:2]).replaced == 1


class CannotEncodeQueries(HashedWords):
    """An encoder whose query side must not be used."""

    def encode_queries(self, texts: Sequence[str], *, report: EncodingReport | None = None) -> Vectors:
        if any(text in QUERIES.values() for text in texts):
            raise AssertionError("a query was encoded")
        return super().encode_queries(texts, report=report)


def test_a_given_vector_is_used_instead_of_encoding_the_text() -> None:
    text = QUERIES["first"]
    with (
        twofold.create(None, HashedWords(DIMENSION)) as plain,
        twofold.create(None, CannotEncodeQueries(DIMENSION)) as guarded,
    ):
        for made in (plain, guarded):
            made.add(list(TEXTS.items()))
            made.tune()
        vector = HashedWords(DIMENSION).encode_queries([text])[0]
        assert guarded.search(text, vector=vector) == plain.search(text)
        scaled = [hit.score for hit in guarded.search(text, vector=3 * vector)]
        assert scaled == pytest.approx([hit.score for hit in plain.search(text)], abs=1e-6)
        assert guarded.search_many([text, text], vectors=[vector, vector]) == plain.search_many([text, text])
        assert plain.search(text, vector=ASKED[1], mode="dense") == plain.search(ASKED[1])


def test_dot_products_are_not_mixed_with_given_vectors_either() -> None:
    with filled("dot") as made:
        assert parts(made, QUERIES["first"], vector=ASKED[0]) == {"dense"}
        with pytest.raises(QueryError, match="dot products; search with the mode dense or lexical"):
            made.search(QUERIES["first"], vector=ASKED[0], mode="hybrid")


def test_without_any_text_a_query_text_is_refused_and_a_vector_answers() -> None:
    with twofold.create(None, GivenVectors(DIMENSION)) as made:
        made.add([{"id": name} for name in TEXTS], vectors=made_elsewhere(list(TEXTS.values())))
        with pytest.raises(QueryError, match=r"cannot encode a query.* no document .* has a text or a title"):
            made.search("word1")
        assert parts(made, "word1", vector=ASKED[0]) == {"dense"}


@pytest.mark.parametrize("mode", ["dense", "hybrid"])
def test_a_mode_that_needs_a_vector_says_so(own: Collection, mode: Any) -> None:
    with pytest.raises(QueryError, match=r"cannot encode a query; give the query's vector too, or .*mode lexical"):
        own.search("word1", mode=mode)
    with pytest.raises(QueryError, match="needs a text, not a vector alone"):
        own.search(ASKED[0], mode="hybrid")


@pytest.mark.parametrize(
    ("vector", "said"),
    [
        (ASKED[0][:5], r"the vector of the query has the shape \(5,\); this collection takes \(32,\)"),
        (ASKED[:1], r"has the shape \(1, 32\)"),
        (np.full(DIMENSION, np.nan), "holds NaN, infinity"),
        (np.full(DIMENSION, 1e39), "holds NaN, infinity"),
        (np.zeros(DIMENSION), "zero vector"),
        (["a"] * DIMENSION, "not a list of texts"),
        ([[1, 2], [3]], "must be a list of 32 numbers"),
        ("a text", "a query is a text or a vector, not str"),
        (7, "a query is a text or a vector, not int"),
    ],
)
def test_a_vector_that_does_not_fit_is_refused_in_words(own: Collection, vector: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        own.search("word1", vector=vector)


def test_vectors_that_do_not_pair_with_queries_are_refused(own: Collection) -> None:
    with pytest.raises(QueryError, match="2 vectors came with 3 queries; give one vector a query, in the same order"):
        own.search_many(list(QUERIES.values()), vectors=ASKED[:2])
    with pytest.raises(QueryError, match="2 vectors came with 3 queries"):
        own.run(QUERIES, vectors=ASKED[:2])
    with pytest.raises(VectorError, match=r"query 1 has the shape \(3,\)"):
        own.search_many(["a", "b"], vectors=[ASKED[0], ASKED[1][:3]])
    with pytest.raises(QueryError, match="the query has a vector beside it, so it must be a text, not ndarray"):
        own.search(ASKED[0], vector=ASKED[0])


def test_a_ranker_reads_the_text_beside_a_vector(own: Collection) -> None:
    class Longest:
        name = "longest"

        def scores(self, query: str, texts: Sequence[str]) -> Any:
            assert query == QUERIES["first"]
            return np.array([len(text) for text in texts], np.float32)

    assert "longest" in own.search(QUERIES["first"], vector=ASKED[0], ranker=Longest())[0].parts
    with pytest.raises(QueryError, match="a ranker reads the query"):
        own.search(ASKED[0], ranker=Longest())


def test_chance_is_measured_between_stored_vectors_and_again_after_fourfold_growth() -> None:
    given = np.random.default_rng(0).standard_normal((400, DIMENSION)).astype(np.float32)
    alike = given[:320] + 2.0  # vectors of an encoder that makes unrelated texts alike
    with twofold.create(None, GivenVectors(DIMENSION)) as made:
        made.add([(f"a{n}", f"word{n}") for n in range(80)], vectors=given[:80])
        first = made.info().lexical.fusion.chance  # type: ignore[union-attr]
        made.add([(f"b{n}", f"word{n}") for n in range(320)], vectors=alike)
        later = made.info().lexical.fusion.chance  # type: ignore[union-attr]
    assert abs(first) < 0.05
    assert later > 0.4


def test_judgements_choose_the_share_by_given_vectors(own: Collection) -> None:
    queries = {f"q{n}": text for n, text in enumerate(list(TEXTS.values())[:20])}
    qrels = {f"q{n}": {f"d{n}": 1} for n in range(20)}
    with filled() as made:
        with pytest.raises(InputError, match=r"cannot encode the judged queries; give their vectors \(vectors=, --v"):
            made.tune(queries=queries, qrels=qrels)
        with pytest.raises(QueryError, match="19 vectors came with 20 queries"):
            made.tune(queries=queries, qrels=qrels, vectors=made_elsewhere(list(queries.values()))[1:])
        with pytest.raises(InputError, match="give the judgements too"):
            made.tune(queries=queries, vectors=made_elsewhere(list(queries.values())))
        report = made.tune(queries=queries, qrels=qrels, vectors=made_elsewhere(list(queries.values())))
        assert report.learned is not None
        assert report.learned.questions == 20
        assert report.learned.dense > 0.95  # each vector is that of its query's own text
        assert made.info().lexical == report


@pytest.mark.parametrize("encoder", [HashedWords(DIMENSION), GivenVectors(DIMENSION)], ids=["encoder", "own vectors"])
def test_vectors_of_other_libraries_are_taken_as_they_are(encoder: Encoder) -> None:
    class Tensor:
        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            return ASKED[0].astype(np.float64)

    with twofold.create(None, encoder) as made:
        made.add(list(TEXTS.items()), vectors=made_elsewhere(list(TEXTS.values())))
        assert made.search(Tensor()) == made.search(ASKED[0]) == made.search(ASKED[0].tolist())  # type: ignore[arg-type]
