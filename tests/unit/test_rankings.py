"""A hit says what answers, where in it, and why."""

from __future__ import annotations

from dataclasses import replace

from twofold.documents import Document, Passage
from twofold.rankings import Hit

HIT = Hit(
    0.75, Document("a", "one two three", "Title", {"year": 1990}), Passage(4, 7, "two"), {"dense": 0.75, "lexical": 2.0}
)


def test_a_hit_carries_its_document_and_the_span_that_answered() -> None:
    assert (HIT.id, HIT.title, HIT.metadata) == ("a", "Title", {"year": 1990})
    assert HIT.document.text[HIT.passage.start : HIT.passage.end] == HIT.passage.text


def test_json_gives_the_passage_and_not_the_whole_text() -> None:
    assert HIT.to_json() == {
        "id": "a",
        "score": 0.75,
        "relevance": None,
        "title": "Title",
        "text": "two",
        "start": 4,
        "end": 7,
        "metadata": {"year": 1990},
    }


def test_json_says_under_which_headings_and_on_which_page_the_passage_stands() -> None:
    text = "# Mars\n\nA planet.\n\n## Moons\n\nTwo of them.\fPhobos and Deimos."
    hit = Hit(0.5, Document("a", text), Passage.of(text, text.index("Phobos"), len(text)))
    told = replace(hit, more=(Passage.of(text, 0, 6),)).to_json()
    assert (told["headings"], told["page"]) == (["Mars", "Moons"], 2)
    assert [(each["headings"], each["page"]) for each in told["passages"]] == [(["Mars", "Moons"], 2), (["Mars"], 1)]


def test_an_explanation_names_each_part_of_the_score_and_the_span() -> None:
    assert HIT.explain() == "a: 0.750000 (dense 0.750000, lexical 2.000000; best passage: characters 4-7)"
    assert Hit(0.5, Document("b", "x"), Passage(0, 1, "x")).explain() == "b: 0.500000 (characters 0-1)"
