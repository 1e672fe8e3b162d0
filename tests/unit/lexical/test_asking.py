"""Any text may be asked; ties are broken by number; the query language is for those who ask for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twofold.errors import QueryError
from twofold.lexical.analysing import LexicalSettings
from twofold.lexical.index import LexicalIndex
from twofold.lexical.language import DEEPEST, LONGEST
from twofold.lexical.reading import LexicalReader
from twofold.lexical.stretches import Tail, recorded

COUNT = 5_000
ALLOWED = np.ones(COUNT, np.bool_)
TEXTS = {7: "red whale", 8: "whale red", 9: "red red whale", 4_000: "text number red", 4_001: "not number:4001"}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> LexicalReader:
    """Thousands of documents alike, in several segments."""
    made = LexicalIndex.create(tmp_path_factory.mktemp("ties"))
    for end in (2_500, COUNT):
        made = made.extended(((number, TEXTS.get(number, "common words")) for number in range(made.end, end)), end)
    return made.reader()


@pytest.mark.parametrize("query", ["common", "common words", "words common common"])
@pytest.mark.parametrize("every", [1, 2])
def test_all_that_tie_with_the_last_are_given_wherever_they_lie(index: LexicalReader, query: str, every: int) -> None:
    allowed = np.arange(COUNT) % every == 0
    numbers, scores = index.candidates(query, 20, allowed)
    expected = [number for number in range(COUNT) if number not in TEXTS and allowed[number]]
    assert numbers.tolist() == expected
    assert len(set(scores.tolist())) == 1


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(exclude_categories=[])) | st.text("+-\"'()[]{}^~*?:\\/ redAND", max_size=30))
def test_any_text_is_safe_and_signs_mean_nothing(index: LexicalReader, text: str) -> None:
    numbers, scores = index.candidates(text, 10, ALLOWED)
    assert scores.tobytes() == index.scores(text, numbers).tobytes()
    assert np.isfinite(index.evidence(text, numbers)).all()


@pytest.mark.parametrize("query", ["number:4001", "*", "-red whale", '"whale red', "red^9 whale", "IN [red", "/red.*/"])
def test_operators_are_words_like_any_others(index: LexicalReader, query: str) -> None:
    words = "".join(character if character.isalnum() else " " for character in query)
    ours, plain = index.candidates(query, 50, ALLOWED), index.candidates(words, 50, ALLOWED)
    assert ours[0].tolist() == plain[0].tolist()
    assert ours[1].tobytes() == plain[1].tobytes()


def test_a_repeated_word_counts_as_often_as_it_is_asked(index: LexicalReader) -> None:
    once, twice = (index.scores(query, np.array([7])) for query in ("red", "red red"))
    assert twice == 2 * once
    assert index.evidence("red red", np.array([7])) == 2 * index.evidence("red", np.array([7]))


@pytest.mark.parametrize("language", [False, True])
def test_a_word_counts_eight_times_at_most_however_often_it_is_asked(index: LexicalReader, language: bool) -> None:
    reader = index.with_query_language() if language else index
    times = 2_000 if language else 50_000
    once, eight, very_often = (reader.scores("red " * count, np.array([7])) for count in (1, 8, times))
    assert very_often.tobytes() == eight.tobytes()
    assert eight == pytest.approx(8 * once)
    once, eight, very_often = (reader.evidence("red " * count, np.array([7])) for count in (1, 8, times))
    assert very_often.tobytes() == eight.tobytes()
    assert eight == pytest.approx(8 * once)
    eight = reader.scores("red " * 8, np.array([7]))
    both, whale = reader.scores("red " * times + "whale", np.array([7])), reader.scores("whale", np.array([7]))
    assert both == pytest.approx(eight + whale)


def test_the_order_of_words_makes_no_difference_to_the_bits(index: LexicalReader) -> None:
    numbers = np.array(sorted(TEXTS))
    first = index.scores("red whale text number", numbers)
    assert first.tobytes() == index.scores("number text whale red", numbers).tobytes()
    evidence = index.evidence("red whale text number", numbers)
    assert evidence.tobytes() == index.evidence("number text whale red", numbers).tobytes()


def test_a_very_long_query_is_answered(index: LexicalReader) -> None:
    query = " ".join([*(f"word{number}" for number in range(20_000)), "whale red"])
    assert set(index.candidates(query, 3, ALLOWED)[0].tolist()) == {7, 8, 9}


def test_the_query_language_knows_phrases_and_operators(index: LexicalReader) -> None:
    language = index.with_query_language()
    for query, expected in {
        '"red whale"': {7, 9},
        "red AND whale": {7, 8, 9},
        "red -whale": {4_000},
        "+whale number": {7, 8, 9},
        "(text OR whale) AND number": {4_000},
        "": set(),
    }.items():
        numbers, scores = language.candidates(query, 10, ALLOWED)
        assert set(numbers.tolist()) == expected, query
        assert scores.tobytes() == language.scores(query, numbers).tobytes()
    having = np.array([7, 8, 9])
    assert language.evidence("red AND (whale -text)", having).tobytes() == index.evidence("red whale", having).tobytes()
    assert language.evidence('"red whale"', having).tolist() == [
        *index.evidence("red whale", having)[:1],
        0.0,
        *index.evidence("red whale", having)[2:],
    ]
    assert language.evidence("red -whale", having).tolist() == [0, 0, 0]
    assert language.end == index.end


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ('red "whale', "character 5: this quote is not closed"),
        ("(red", r"character 1: this \( is not closed"),
        ("red (whale))", r"character 12: this \) closes nothing"),
        ("red AND", "character 8: expected a word"),
        ("red OR OR whale", "character 8: expected a word"),
        ("AND red", "character 1: expected a word"),
        ("red ()", "character 6: expected a word"),
        ("red - whale", "character 5: - stands right before what it marks"),
        ("red --whale", "character 6: expected a word"),
        ("red ^2", "character 5: a boost stands right behind"),
        ("red^", "character 4: a boost is a number above 0"),
        ("red^-1 whale", "character 4: a boost is a number above 0"),
        ("red^0", "character 4: a boost is a number above 0"),
        ("-red", "name what hits should have"),
        ("NOT red -whale", "name what hits should have"),
        ("whale OR NOT red", "name what hits should have"),
        ("red^" + "9" * 60, "boost"),
        ("(" * (DEEPEST + 1) + "red", "parentheses"),
        ("x" * (LONGEST + 1), "characters"),
    ],
)
def test_a_mistake_in_the_query_language_is_shown_in_its_place(index: LexicalReader, query: str, said: str) -> None:
    with pytest.raises(QueryError, match=said):
        index.with_query_language().candidates(query, 10, ALLOWED)


def test_a_negative_count_is_refused(index: LexicalReader) -> None:
    with pytest.raises(QueryError, match="-1"):
        index.candidates("red", -1, ALLOWED)


def test_ngrams_find_what_stands_inside_a_run(tmp_path: Path) -> None:
    texts = ["東京都庁", "大阪城", "parseJsonLines"]
    made = LexicalIndex.create(tmp_path, LexicalSettings(analyser="ngram"))
    index = made.extended(enumerate(texts), 3).reader()
    assert index.candidates("京都", 10, ALLOWED)[0].tolist() == [0]
    assert index.candidates("jsonl", 10, ALLOWED)[0].tolist() == [2]


def test_a_phrase_counts_its_words_where_it_stands_and_boosts_multiply(index: LexicalReader) -> None:
    language, numbers = index.with_query_language(), np.array([7, 8, 9])
    red, whale = index.scores("red", numbers), index.scores("whale", numbers)
    for query, expected in {
        'red "red whale"': red + np.where(numbers == 8, 0, red + whale),
        "red (whale^2)^1.5": red + 3 * whale,
        "+red whale": red + whale,
        "(red AND absent) OR whale": red + whale,
        "whale NOT (NOT red)": red + whale,
    }.items():
        np.testing.assert_allclose(language.scores(query, numbers), expected, rtol=1e-6, err_msg=query)
    assert language.scores("whale -text", np.array([7])) == index.scores("whale", np.array([7]))


def test_what_follows_the_index_matches_and_scores_like_what_is_in_it(tmp_path: Path) -> None:
    texts = ["red whale", "whale red", "red red whale", "text number red", "a blue fish", ""]
    documents = list(enumerate(texts))
    allowed = np.ones(len(texts), np.bool_)
    expected: dict[str, object] = {}
    for split in range(len(texts) + 1):
        (folder := tmp_path / str(split)).mkdir()
        index = LexicalIndex.create(folder).extended(documents[:split], split)
        tail = Tail(folder, recorded(index.analysis, split, documents[split:], len(texts)))
        tail.make_matchable(index.analysis, documents)
        reader = index.reader(tail).with_query_language()
        for query in ('"red whale"', "red -whale", "+red fish", "(fish OR number) AND (blue OR red)", "red^2 whale"):
            numbers, scores = reader.candidates(query, 2, allowed)
            mask = reader.restriction(query)
            said = (
                numbers.tolist(),
                scores.tobytes(),
                reader.evidence(query, np.arange(len(texts))).tobytes(),
                None if mask is None else mask.tolist(),
            )
            assert said == expected.setdefault(query, said)
