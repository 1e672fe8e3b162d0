"""Which characters of a text are terms of a query."""

from __future__ import annotations

import pickle

import pytest

from twofold.lexical.analysing import LexicalSettings
from twofold.lexical.highlighting import Highlights


def marked(query: str, text: str, analyser: str = "english") -> list[str]:
    spans = Highlights(LexicalSettings(analyser=analyser), query).spans(text)
    assert spans == sorted(spans)
    return [text[start:end] for start, end in spans]


@pytest.mark.parametrize(
    ("query", "text", "found"),
    [
        ("running dogs", "A dog runs; the DOGS ran off-road (dog's).", ["dog", "runs", "DOGS", "dog"]),
        ("the compiler", "The first compiler, and the one after.", ["compiler"]),  # stop words are no terms
        ("cafe\u0301", "Café, CAFÉ and cafe\u0301s", ["Café", "CAFÉ", "cafe\u0301s"]),
        ("file", "A ﬁle and a soft\u00adware fi\u00adle.", ["ﬁle", "fi\u00adle"]),
        ("art", "state-of-the-art", ["art"]),
        ("moon", "", []),
        ("", "moon", []),
        ("the", "the moon", []),
    ],
)
def test_words_are_marked_as_they_are_found_however_they_are_spelled(query: str, text: str, found: list[str]) -> None:
    assert marked(query, text) == found


def test_names_are_marked_as_they_stand_where_nothing_is_stemmed() -> None:
    assert marked("dogs", "dog Dogs", "plain") == ["Dogs"]


def test_without_words_the_longest_runs_of_the_query_are_marked() -> None:
    assert marked("日本の首都", "東京は日本の首都です。", "ngram") == ["日本の首都"]
    assert marked("首都", "東京は日本の首都です。", "ngram") == ["首都"]
    assert marked("大阪", "東京は日本の首都です。", "ngram") == []
    assert marked("file", "A ﬁle", "ngram") == ["ﬁle"]


def test_highlights_can_be_sent_to_another_process() -> None:
    highlights = Highlights(LexicalSettings(), "moon")
    assert pickle.loads(pickle.dumps(highlights)) == highlights
