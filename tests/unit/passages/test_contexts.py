"""What stands before a passage when it is encoded: nothing, a title, headings; and which encoders can do more."""

from __future__ import annotations

import itertools
from typing import get_args

import pytest

from twofold.contract import Context
from twofold.documents import Document
from twofold.encoders.hashed_words import HashedWords
from twofold.errors import InputError
from twofold.passages.contexts import check_context
from twofold.passages.dividing import Division, divide

READER = HashedWords(1024)
"""A token is a word here, or a mark."""
SIZES = {"tokens": 24, "overlap": 0}


def words(name: str, count: int) -> str:
    return " ".join(f"{name}{n}" for n in range(count))


A, B, C, D = (f"{words(name, 14)}.\n\n" for name in "abcd")
TEXT = f"# Mars\n\n{A}## Moons\n\n{B}{C}# Venus\n\n{D}"


def division(context: Context, text: str = TEXT, title: str = "Planets") -> Division:
    return divide([Document("d", text, title)], READER, SIZES, context)[0]


def test_alone_only_the_first_passage_has_the_title() -> None:
    first, *others = division("none").inputs
    assert first.startswith("Planets # Mars")
    assert len(others) == 3
    assert not any("Planets" in each for each in others)


def test_by_default_every_passage_has_the_title_and_no_more() -> None:
    assert [each[:11] for each in division("title").inputs] == [
        "Planets # M",
        "Planets ## ",
        "Planets c0 ",
        "Planets # V",
    ]


def test_headings_are_those_above_a_passage_but_for_its_own() -> None:
    first, moons, more, venus = division("headings").inputs
    assert first.startswith("Planets # Mars")
    assert moons.startswith("Planets. Mars ## Moons")
    assert more.startswith("Planets. Mars. Moons c0")
    assert venus.startswith("Planets # Venus")


def test_a_title_that_is_the_highest_heading_comes_once() -> None:
    assert division("headings", title="Mars").inputs[2].startswith("Mars. Moons c0")


def test_no_input_is_longer_than_passages_are_and_headings_take_a_quarter_at_most() -> None:
    long = f"# {words('h', 30)}\n\n{words('a', 100)}.\n"
    inputs = division("headings", long).inputs
    assert all(len(READER.spans([each])[0]) <= SIZES["tokens"] for each in inputs)
    assert inputs[-1].startswith("Planets. h26 h27 h28 h29 a")


@pytest.mark.parametrize("context", get_args(Context))
def test_spans_are_those_of_the_text_whatever_stands_before(context: Context) -> None:
    spans = division(context).spans.tolist()
    assert (spans[0][0], spans[-1][1]) == (0, len(TEXT))
    assert all(start == end for (_, end), (start, _) in itertools.pairwise(spans))


def test_within_a_document_the_title_is_part_of_the_first_passage() -> None:
    found = division("document")
    assert found.within == f"Planets {TEXT}"
    assert not found.inputs
    texts = [found.within[start:end] for start, end in found.spans_within.tolist()]
    assert texts[0].startswith("Planets # Mars")
    assert texts[1].startswith("## Moons")
    assert "".join(texts) == found.within


def test_a_document_of_one_passage_is_encoded_as_ever() -> None:
    assert all(division(context, "Two words.").inputs == ("Planets Two words.",) for context in get_args(Context))


def test_a_document_around_passages_needs_sizes_and_an_encoder_of_spans() -> None:
    with pytest.raises(InputError, match="--passage-tokens 128"):
        check_context("document", "auto", READER)
    with pytest.raises(InputError, match="encode_spans"):
        check_context("document", SIZES, READER)


def test_an_encoder_that_tells_no_tokens_has_the_usual_context_only() -> None:
    check_context("title", "auto", object())
    with pytest.raises(InputError, match="how it reads"):
        check_context("headings", "auto", object())
