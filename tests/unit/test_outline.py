"""Headings and pages are told as Markdown and texts of PDF files write them, and a passage says where it stands."""

from __future__ import annotations

from twofold.documents import Passage
from twofold.outline import heading_paths, headings, page_at

TEXT = (
    "Before all.\n\n# Mars #\n\nIt is red.\n\n## Moons\n\nThere are two.\f\n\nVenus\n=====\n\nIt is hot.\n"
    "```\n# no heading\n```\n\nClouds\n---\nThey are thick.\fThe end.\n"
)


def at(words: str) -> Passage:
    return Passage.of(TEXT, TEXT.index(words), len(TEXT))


def test_headings_have_levels_and_titles_without_signs() -> None:
    found = [(heading.level, heading.title) for heading in headings(TEXT)]
    assert found == [(1, "Mars"), (2, "Moons"), (1, "Venus"), (2, "Clouds")]
    assert all(heading.title in TEXT[heading.start : heading.end] for heading in headings(TEXT))


def test_a_passage_says_the_headings_under_which_it_stands() -> None:
    assert at("Before").headings == ()
    assert at("It is red").headings == ("Mars",)
    assert at("There are").headings == ("Mars", "Moons")
    assert at("It is hot").headings == at("# no heading").headings == ("Venus",)
    assert at("They are").headings == ("Venus", "Clouds")


def test_the_heading_with_which_a_passage_begins_is_its_own() -> None:
    assert at("## Moons").headings == ("Mars", "Moons")
    assert at("\n\n# Mars").headings == ("Mars",)
    assert at("Venus\n==").headings == ("Venus",)


def test_a_deeper_heading_that_was_left_is_not_in_the_path() -> None:
    text = "# A\n\n### B\n\nb\n\n## C\n\nc\n"
    paths = heading_paths(text, [text.index("b\n"), text.index("c\n")])
    assert [[heading.title for heading in path] for path in paths] == [["A", "B"], ["A", "C"]]


def test_pages_are_counted_by_form_feeds() -> None:
    assert [at(words).page for words in ("Before", "There", "Venus", "They", "The end")] == [1, 1, 2, 2, 3]
    assert page_at("\f\f on the third", 0) == 3


def test_a_text_without_form_feeds_has_no_pages_and_one_without_signs_no_headings() -> None:
    passage = Passage.of("Two words - no more = none # at all.", 0, 9)
    assert (passage.page, passage.headings) == (None, ())


def test_a_passage_whose_document_is_not_known_says_nothing() -> None:
    assert (Passage(0, 3, "two").page, Passage(0, 3, "two").headings) == (None, ())
