"""Any text may be asked; ties are broken by number; the query language is for those who ask for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twofold.documents import Document
from twofold.errors import QueryError
from twofold.lexical.analysing import LexicalSettings
from twofold.lexical.index import LexicalIndex
from twofold.lexical.language import DEEPEST, LONGEST
from twofold.scores import Scores

COUNT = 5_000
ALLOWED = np.ones(COUNT, np.bool_)
TEXTS = {7: "red whale", 8: "whale red", 9: "red red whale", 4_000: "text number red", 4_001: "not number:4001"}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> LexicalIndex:
    """Thousands of documents alike, in segments whose order is not that of the numbers."""
    made = LexicalIndex.create(tmp_path_factory.mktemp("ties"))
    made.update([], [], commit=1, generation=0)
    for commit, start in enumerate((2_500, 0), 2):
        numbers = reversed(range(start, start + 2_500))
        made.update(
            ((number, Document(str(number), TEXTS.get(number, "common words"))) for number in numbers),
            [],
            commit=commit,
            generation=0,
        )
    return made


@pytest.mark.parametrize("query", ["common", "common words", "words common common"])
@pytest.mark.parametrize("every", [1, 2])
def test_all_that_tie_with_the_last_are_given_wherever_they_lie(index: LexicalIndex, query: str, every: int) -> None:
    allowed = np.arange(COUNT) % every == 0
    numbers, scores = index.candidates(query, 20, allowed)
    expected = [number for number in range(COUNT) if number not in TEXTS and allowed[number]]
    assert numbers.tolist() == expected
    assert len(set(scores.tolist())) == 1


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(exclude_categories=[])) | st.text("+-\"'()[]{}^~*?:\\/ redAND", max_size=30))
def test_any_text_is_safe_and_signs_mean_nothing(index: LexicalIndex, text: str) -> None:
    numbers, scores = index.candidates(text, 10, ALLOWED)
    assert scores.tobytes() == index.scores(text, numbers).tobytes()
    assert np.isfinite(index.weight(text))


@pytest.mark.parametrize("query", ["number:4001", "*", "-red whale", '"whale red', "red^9 whale", "IN [red", "/red.*/"])
def test_operators_are_words_like_any_others(index: LexicalIndex, query: str) -> None:
    words = "".join(character if character.isalnum() else " " for character in query)
    ours, plain = index.candidates(query, 50, ALLOWED), index.candidates(words, 50, ALLOWED)
    assert ours[0].tolist() == plain[0].tolist()
    assert ours[1].tobytes() == plain[1].tobytes()


def test_a_repeated_word_counts_as_often_as_it_is_asked(index: LexicalIndex) -> None:
    once, twice = (index.scores(query, np.array([7])) for query in ("red", "red red"))
    assert twice == 2 * once
    assert index.weight("red red") == 2 * index.weight("red")


@pytest.mark.parametrize("language", [False, True])
def test_a_word_counts_eight_times_at_most_however_often_it_is_asked(index: LexicalIndex, language: bool) -> None:
    reader = index.with_query_language() if language else index.reader
    times = 2_000 if language else 50_000
    once, eight, very_often = (reader.scores("red " * count, np.array([7])) for count in (1, 8, times))
    assert very_often.tobytes() == eight.tobytes()
    assert eight == pytest.approx(8 * once)
    assert reader.weight("red " * times) == reader.weight("red " * 8) == pytest.approx(8 * reader.weight("red"))
    both, whale = reader.scores("red " * times + "whale", np.array([7])), reader.scores("whale", np.array([7]))
    assert both == pytest.approx(eight + whale)


def test_a_boost_counts_as_often_as_it_says(index: LexicalIndex) -> None:
    reader = index.with_query_language()
    assert reader.scores("red^20", np.array([7])) == pytest.approx(20 * reader.scores("red", np.array([7])))


def test_the_order_of_words_makes_no_difference_to_the_bits(index: LexicalIndex) -> None:
    numbers = np.array(sorted(TEXTS))
    first = index.scores("red whale text number", numbers)
    assert first.tobytes() == index.scores("number text whale red", numbers).tobytes()


def test_a_score_is_the_sum_of_its_terms_taken_in_pairs(tmp_path: Path) -> None:
    draw = np.random.default_rng(2)
    words = [f"word{number}" for number in range(10, 40)]
    texts = [" ".join(draw.choice(words, int(length))) for length in draw.integers(1, 90, 1_000)]
    index = LexicalIndex.create(tmp_path)
    index.update(((n, Document(str(n), text)) for n, text in enumerate(texts)), [], commit=1, generation=0)
    numbers = np.arange(len(texts))

    def in_pairs(parts: list[Scores]) -> Scores:
        middle = (len(parts) + 1) // 2
        return parts[0] if len(parts) == 1 else in_pairs(parts[:middle]) + in_pairs(parts[middle:])

    for length in (3, 7, 12):
        asked = sorted(draw.choice(words, length, replace=False))
        expected = in_pairs([index.scores(word, numbers) for word in asked])
        assert index.scores(" ".join(asked), numbers).tobytes() == expected.tobytes()


def test_a_very_long_query_is_answered(index: LexicalIndex) -> None:
    query = " ".join([*(f"word{number}" for number in range(20_000)), "whale red"])
    assert set(index.candidates(query, 3, ALLOWED)[0].tolist()) == {7, 8, 9}


def test_the_query_language_knows_phrases_and_operators(index: LexicalIndex) -> None:
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
    assert language.weight("red AND (whale -text)^2") == pytest.approx(index.weight("red whale"))
    assert language.commit == index.commit


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
def test_a_mistake_in_the_query_language_is_shown_in_its_place(index: LexicalIndex, query: str, said: str) -> None:
    with pytest.raises(QueryError, match=said):
        index.with_query_language().candidates(query, 10, ALLOWED)


def test_a_negative_count_is_refused(index: LexicalIndex) -> None:
    with pytest.raises(QueryError, match="-1"):
        index.candidates("red", -1, ALLOWED)


def test_ngrams_find_what_stands_inside_a_run(tmp_path: Path) -> None:
    index = LexicalIndex.create(tmp_path, LexicalSettings(analyser="ngram"))
    index.update(
        [(0, Document("a", "東京都庁")), (1, Document("b", "大阪城")), (2, Document("c", "parseJsonLines"))],
        [],
        commit=1,
        generation=0,
    )
    assert index.candidates("京都", 10, ALLOWED)[0].tolist() == [0]
    assert index.candidates("jsonl", 10, ALLOWED)[0].tolist() == [2]
