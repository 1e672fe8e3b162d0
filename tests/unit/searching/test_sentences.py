"""The sentence nearest to a query, and what of it the screen shows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twofold.cli.snippets import snippet
from twofold.documents import Document, Passage
from twofold.lexical.analysing import LexicalSettings
from twofold.lexical.highlighting import Highlights
from twofold.rankings import Hit
from twofold.searching.sentences import QueryMarking, sentences

TEXT = (
    "Venus is a planet. The surface of Venus is hot, e.g. lead would melt there. Venus has no moon! "
    "金星には月がない。金星の表面は熱い。"
)


def hit_of(text: str, query: str, start: int = 0, end: int | None = None) -> Hit:
    marking = QueryMarking(Highlights(LexicalSettings(), query))
    return Hit(0.5, Document("a", text), Passage.of(text, start, len(text) if end is None else end), marking=marking)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("Where does lead melt on Venus?", "The surface of Venus is hot, e.g. lead would melt there."),
        ("moons of Venus", "Venus has no moon!"),
        ("nothing of that sort", "Venus is a planet."),
    ],
)
def test_the_sentence_has_the_rarest_words_of_the_query(query: str, found: str) -> None:
    sentence = hit_of(TEXT, query).sentence
    assert sentence is not None
    assert sentence.text == found == TEXT[sentence.start : sentence.end]


def test_a_word_that_every_sentence_has_decides_nothing() -> None:
    text = "Venus Venus shines. Venus Venus turns. Venus Venus Venus rains acid."
    sentence = hit_of(text, "Venus acid").sentence
    assert sentence is not None
    assert sentence.text == "Venus Venus Venus rains acid."


def test_a_sentence_is_whole_where_its_passage_ends_within_it() -> None:
    start = TEXT.index("lead")
    assert [TEXT[a:b] for a, b in sentences(TEXT, start, start + 4)] == [
        "The surface of Venus is hot, e.g. lead would melt there."
    ]


@given(text=st.text("ab. \n!。#-", max_size=200), place=st.integers(0, 200), length=st.integers(0, 100))
def test_sentences_hold_every_character_of_the_passage_but_spaces(text: str, place: int, length: int) -> None:
    start, end = min(place, len(text)), min(place + length, len(text))
    spans = sentences(text, start, end)
    held = {at for first, last in spans for at in range(first, last)}
    assert {at for at in range(start, end) if not text[at].isspace()} <= held
    assert spans == sorted(spans)


def test_highlights_are_places_of_the_document() -> None:
    start = TEXT.index("The surface")
    hit = hit_of(TEXT, "melting lead", start, TEXT.index("Venus has"))
    assert [TEXT[a:b] for a, b in hit.highlights] == ["lead", "melt"]


@pytest.mark.parametrize("width", [24, 72])
def test_the_screen_shows_the_whole_sentence_and_what_fits_around_it(width: int) -> None:
    text = "First words. " * 90 + "The answer to it all is forty-two. " + "Last words. " * 90
    shown = snippet(hit_of(text, "what is the answer?"), width, 2)
    assert "The answer to it all is forty-two." in shown
    assert shown.startswith("…")
    assert shown.endswith("…")
    assert len(shown) <= max(2 * width, 40)
    assert shown.strip("…") in text


def test_what_fits_is_shown_from_its_first_character_to_its_last() -> None:
    assert snippet(hit_of("One. Two!\nThree?", "two"), 72, 2) == "One. Two! Three?"
    wide = "金星には月がない。" * 40
    assert snippet(hit_of(wide + "表面は熱い。", "表面は熱い。"), 40, 2).endswith("表面は熱い。")


def test_a_query_without_a_text_shows_the_passage_from_its_beginning() -> None:
    hit = Hit(0.5, Document("a", "one two three"), Passage.of("one two three", 4, 13))
    assert snippet(hit, 72, 2) == "…two three"
