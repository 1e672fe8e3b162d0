"""Where texts may be divided: sentences of any script, paragraphs, headings, lists and code."""

from __future__ import annotations

from itertools import pairwise

import pytest

from twofold.passages.boundaries import LINE, PARAGRAPH, SECTION, SENTENCE, WITHIN, boundaries


def pieces(text: str, least: int) -> list[str]:
    """The text divided at all places of at least this rank."""
    found = boundaries(text)
    places = [0, *found.places[found.ranks >= least].tolist(), len(text)]
    return [text[start:end] for start, end in pairwise(places)]


@pytest.mark.parametrize(
    "sentences",
    [
        ["One is here. ", "Two is there! ", "Is it three?"],
        ["He said “no.” ", "Then he left."],
        ["Das ist Nr. 5 von z.B. vielen. ", "Ende."],
        ["Dr. J. Smith et al. wrote it. ", "We read it."],
        ["It costs 3.50 euros. ", "So be it."],
        ["今日は晴れ。", "明日は雨！", "本当？"],
        ["वह आया। ", "वह गया।"],
        ["هل جاء؟ ", "نعم."],
        ["Wait... ", "What?! ", "Yes."],
    ],
)
def test_sentences_of_any_script_are_told_apart(sentences: list[str]) -> None:
    assert pieces("".join(sentences), SENTENCE) == sentences


@pytest.mark.parametrize("blank", ["\n\n", "\r\n\r\n", "\n \t\n", "\u2029\u2029"])
def test_blank_lines_divide_paragraphs(blank: str) -> None:
    assert pieces(f"one line{blank}another", PARAGRAPH) == [f"one line{blank}", "another"]


@pytest.mark.parametrize("heading", ["# One\n", "### One ###\n", "One\n===\n", "One\r\n---\r\n"])
def test_headings_begin_sections(heading: str) -> None:
    assert pieces(f"before\n\n{heading}\nafter", SECTION) == ["before\n\n", f"{heading}\nafter"]


def test_what_stands_in_code_is_no_heading_and_no_paragraph() -> None:
    code = "```sh\n# a comment\n\nls. Then\n```\n"
    assert pieces(f"text\n\n{code}\nmore", SENTENCE) == ["text\n\n", f"{code}\n", "more"]
    assert SECTION not in boundaries(code).ranks


def test_list_items_are_whole() -> None:
    items = ["- one. And more of it\n  on a line of its own\n", "- two\n", "10. ten\n"]
    assert pieces("".join(items), LINE) == items


def test_lines_that_are_wrapped_are_not_ends() -> None:
    found = boundaries("a sentence that is\nwrapped in the middle\n")
    assert found.ranks.tolist() == [WITHIN]


@pytest.mark.parametrize("mark", [".", "!", "#", "# ", "`", "-", "=", ")", " ", ". ", "。", "1.", "\n", ".)"])
def test_a_long_run_of_a_mark_takes_no_time_that_grows_with_its_square(mark: str) -> None:
    text = mark * 100_000 + "x"  # a quadratic pattern would take minutes
    assert (boundaries(text).places < len(text)).all()
