"""The query language finds what its definition says, for any query and any documents."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twofold.errors import QueryError
from twofold.lexical.analysing import LexicalSettings
from twofold.lexical.asking import text_of_language
from twofold.lexical.index import LexicalIndex
from twofold.lexical.language import Either, Item, Phrase, parse
from twofold.lexical.reading import LexicalReader
from twofold.lexical.stretches import Tail, recorded

LETTERS = ["red", "fox", "whale", "dog"]
DRAW = random.Random(4)
TEXTS = ["", *(" ".join(DRAW.choices([*LETTERS, "the"], k=DRAW.randint(1, 6))) for _ in range(79))]
ALLOWED = np.ones(len(TEXTS), np.bool_)


@pytest.fixture(scope="module")
def language(tmp_path_factory: pytest.TempPathFactory) -> LexicalReader:
    documents = list(enumerate(TEXTS))
    half = len(TEXTS) // 2
    index = LexicalIndex.create(tmp_path_factory.mktemp("language")).extended(documents[:half], half)
    tail = Tail(index.folder, recorded(index.analysis, half, documents[half:], len(TEXTS)))
    tail.make_matchable(index.analysis, documents)
    return index.reader(tail).with_query_language()


def matches(part: Phrase | Either, text: str) -> bool | None:
    """The definition, a document at a time; None for what asks for nothing."""
    if isinstance(part, Phrase):
        return None if part.text in ("", "the", "--") else f" {part.text} " in f" {text} "
    found = any_of(all_of(matches_list(items, text) for items in every) for every in part.choices)
    return all_of([found, *rules(part, text)])


def matches_list(items: Sequence[Item], text: str) -> bool | None:
    signed = {sign: [matches(item.part, text) for item in items if item.sign == sign] for sign in ("", "+", "NOT")}
    required = all_of(signed["+"])
    wanted = any_of(signed[""]) if required is None else required
    return all_of([wanted, *(None if found is None else not found for found in signed["NOT"])])


def rules(query: Either, text: str) -> list[bool | None]:
    items = [item for every in query.choices for items in every for item in items]
    found = [(item.sign, matches(item.part, text)) for item in items if item.sign in ("+", "-")]
    return [said if sign == "+" or said is None else not said for sign, said in found]


def may_be_found(part: Phrase | Either, text: str) -> bool:
    """Whether nothing that a query requires or excludes keeps a document out."""
    if isinstance(part, Phrase):
        return True
    choices = []
    for every in part.choices:
        if all_of(matches_list(items, text) for items in every) is None:
            continue
        choices.append(
            all_of(matches_list(items, text) for items in every) if len(every) > 1 else list_may(every[0], text)
        )
    return all_of([any_of(choices), *rules(part, text)]) is not False


def list_may(items: Sequence[Item], text: str) -> bool:
    required = all_of(matches(item.part, text) for item in items if item.sign == "+")
    if required is None:
        plain = [item.part for item in items if item.sign == "" and matches(item.part, text) is not None]
        required = any_of(may_be_found(part, text) for part in plain)
    excluded = any_of(matches(item.part, text) for item in items if item.sign == "NOT")
    return required is not False and not excluded


def any_of(found: Iterable[bool | None]) -> bool | None:
    said = [each for each in found if each is not None]
    return any(said) if said else None


def all_of(found: Iterable[bool | None]) -> bool | None:
    said = [each for each in found if each is not None]
    return all(said) if said else None


def parts(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    item = st.tuples(st.sampled_from(["", "", "", "+", "-", "NOT ", "NOT NOT "]), inner).map("".join)
    items = st.lists(item, min_size=1, max_size=3).map(" ".join)
    every = st.lists(items, min_size=1, max_size=3).map(" AND ".join)
    return st.lists(every, min_size=1, max_size=3).map(" OR ".join)


PHRASES = st.lists(st.sampled_from(LETTERS), min_size=2, max_size=2).map(lambda words: f'"{" ".join(words)}"')
LEAVES = st.sampled_from([*LETTERS, *LETTERS, "the"]) | PHRASES | st.sampled_from(["red^2", '""', '"red fox"^0.5'])
QUERIES = parts(st.recursive(LEAVES, lambda inner: parts(inner).map("({})".format) | inner, max_leaves=5))


@settings(max_examples=300, deadline=None)
@given(QUERIES)
def test_a_query_finds_what_it_says_and_restricts_what_meaning_may_find(language: LexicalReader, query: str) -> None:
    said = parse(query)
    assert said is not None
    try:
        numbers, scores = language.candidates(query, len(TEXTS), ALLOWED)
    except QueryError:
        assert matches(said, "") or text_of_language(query) == ""
        return
    expected = {number for number, text in enumerate(TEXTS) if matches(said, text)}
    if matches(said, "") is None or (text_of_language(query).replace("the", "").strip() == ""):
        expected = set()
    assert set(numbers.tolist()) == expected
    assert scores.tobytes() == language.scores(query, numbers).tobytes()
    restriction = language.restriction(query)
    allowed = ALLOWED if restriction is None else restriction
    assert allowed.tolist() == [may_be_found(said, text) for text in TEXTS]
    assert allowed[numbers].all()


@settings(max_examples=400, deadline=None)
@given(st.text(st.characters(exclude_categories=[])) | st.text('+-"()^&|!~*:\\/ redANDORNOT2.', max_size=30))
def test_any_query_is_answered_or_refused(language: LexicalReader, query: str) -> None:
    with suppress(QueryError):
        numbers, scores = language.candidates(query, 10, ALLOWED)
        restriction = language.restriction(query)
        assert restriction is None or restriction[numbers].all()
        assert np.isfinite(scores).all()


@pytest.mark.parametrize(
    ("query", "same"),
    [
        ("red AND NOT fox", "red NOT fox"),
        ("red AND NOT fox", "+red -fox"),
        ("(red OR whale) AND NOT fox", "(red whale) -fox"),
        ("red whale AND NOT fox", "(red OR whale) AND (NOT fox)"),
        ("NOT fox AND red", "red -fox"),
        ("red AND -fox", "red NOT fox"),
        ("red OR whale -fox", "(red OR whale) AND NOT fox"),
        ("red AND fox OR whale", "(red AND fox) OR whale"),
        ("red AND (whale OR NOT fox)", "red NOT (fox NOT whale)"),
        ("red AND the", "red"),
        ("“red fox”", '"red fox"'),
        ("（red OR fox） －whale", "(red OR fox) -whale"),
        ("red & fox", "red fox"),
        ("\\AND red", "and red"),
        ("fox-red whale", '"fox red" whale'),
        ("NOT NOT red", "red"),
    ],
)
def test_two_ways_to_say_one_thing_find_the_same(language: LexicalReader, query: str, same: str) -> None:
    ours, theirs = (set(language.candidates(each, len(TEXTS), ALLOWED)[0].tolist()) for each in (query, same))
    assert ours == theirs != set()


def test_every_hit_has_what_is_marked_plus_and_none_what_is_marked_minus(language: LexicalReader) -> None:
    numbers, scores = language.candidates("+red OR dog -fox", len(TEXTS), ALLOWED)
    assert set(numbers.tolist()) == {n for n, text in enumerate(TEXTS) if "red" in text and "fox" not in text}
    alone = language.scores("red OR dog", numbers)
    np.testing.assert_allclose(scores, alone, rtol=1e-5)  # what is required counts once


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ('+red -fox "blue whale"^2', "red blue whale"),
        ("(dog NOT (fox NOT whale))^3", "dog whale"),
        ("what's e-mail?", "what's e-mail?"),
        ('"" red', "red"),
        ("", ""),
    ],
)
def test_a_vector_is_made_of_the_words_that_hits_may_have(query: str, text: str) -> None:
    assert text_of_language(query) == text


def test_a_word_of_ngrams_is_all_of_its_grams(tmp_path: Path) -> None:
    index = LexicalIndex.create(tmp_path, LexicalSettings(analyser="ngram"))
    texts = ["東京都庁", "京都", "東京", "大阪城"]
    documents = enumerate(texts)
    language = index.extended(documents, len(texts)).reader().with_query_language()
    for query, expected in {
        "京都 AND NOT 東京": [1],
        '"東京都"': [0],
        "東京 -京都": [2],
        "大阪 OR 東京都": [0, 3],
    }.items():
        assert sorted(language.candidates(query, 10, ALLOWED)[0].tolist()) == expected, query


def test_documents_that_were_not_read_are_not_let_through_by_a_restriction(language: LexicalReader) -> None:
    restriction = language.restriction("fox -red")
    assert restriction is not None
    assert len(restriction) == len(TEXTS)
    assert language.restriction("fox red") is None
