"""Passages of any size tile any text: no character is left out, and each span is its passage."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import get_args

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from twofold.contract import Context
from twofold.documents import Document, titled
from twofold.passages.dividing import divide

NASTY = [
    *("# ", "## H\n", "```\n", "~~~", "- ", "1. ", "| a |\n", "===\n", "---\n", "\r\n", "\n\n", "\u2028", "\x0c", "\t"),
    *("    ", " ", "\u3000", "\u0301", "\U0001f469\u200d\U0001f467", "\u202e", "\ufeff", "\x00", "ß", "ﬁ", "word", "a"),
    *("Dr. ", "e.g. ", "...", "?!", ". ", "。", "」", "！", "Longerthanthelimit" * 3),
]
"""Parts of texts that begin, end or hide what divides them."""

texts = st.lists(st.sampled_from(NASTY) | st.text(max_size=8), max_size=120).map("".join)


class Pieces:
    """Tokens of at most four characters, as a word-piece tokeniser has them: long words become several."""

    def __init__(self, token_limit: int) -> None:
        self.token_limit = token_limit

    def spans(self, texts: Sequence[str]) -> list[NDArray[np.int32]]:
        found = [[match.span() for match in re.finditer(r"\w{1,4}|[^\w\s]", text)] for text in texts]
        return [np.array(spans, dtype=np.int32).reshape(-1, 2) for spans in found]


def count(text: str) -> int:
    return len(Pieces(0).spans([text])[0])


@st.composite
def sizes(draw: st.DrawFn) -> dict[str, int]:
    tokens = draw(st.integers(8, 40))
    return {"tokens": tokens, "overlap": draw(st.integers(0, tokens // 3))}


@given(text=texts, title=st.text(alphabet="tu ", max_size=30), mode=sizes(), token_limit=st.integers(1, 60))
@example(text="\n\n# \n" * 30 + "x " * 50, title="", mode={"tokens": 8, "overlap": 2}, token_limit=1)
def test_passages_tile_any_text(text: str, title: str, mode: dict[str, int], token_limit: int) -> None:
    reader = Pieces(token_limit)
    found = divide([Document("d", text, title)], reader, mode)[0]
    spans = found.spans.tolist()
    if not (text.strip() or title.strip()):
        assert spans == []
        return
    assert (spans[0][0], spans[-1][1]) == (0, len(text))
    for (start, end), (following, later) in pairwise(spans):
        assert start < following <= end < later
    ends = [0] + [end for _, end in spans]
    assert "".join(text[before:end] for before, end in pairwise(ends)) == text
    if len(spans) > 1:
        assert all(
            given.endswith(text[start:end].strip()) for (start, end), given in zip(spans, found.inputs, strict=True)
        )


@given(text=texts, title=st.text(alphabet="tu ", max_size=30), mode=sizes(), context=st.sampled_from(get_args(Context)))
def test_in_every_context_passages_tile_any_text(text: str, title: str, mode: dict[str, int], context: Context) -> None:
    found = divide([Document("d", text, title)], Pieces(1000), mode, context)[0]
    spans = found.spans.tolist()
    ends = [0] + [end for _, end in spans]
    assert "".join(text[before:end] for before, end in pairwise(ends)) == (text if spans else "")
    assert all(start <= end for (start, _), end in zip(spans, ends, strict=False))
    if found.within:
        inside = [found.within[start:end] for start, end in found.spans_within.tolist()]
        assert inside[1:] == [text[start:end] for start, end in spans[1:]]
        assert inside[0] == titled(title, text[: spans[0][1]])
    else:
        texts_of = [text[start:end].strip() for start, end in spans]
        assert all(given.rstrip().endswith(each) for given, each in zip(found.inputs, texts_of, strict=True))
        assert all(count(given) <= max(mode["tokens"], count(title)) for given in found.inputs)


@given(text=texts, mode=sizes())
def test_no_passage_is_longer_than_asked_and_no_overlap_either(text: str, mode: dict[str, int]) -> None:
    spans = divide([Document("d", text)], Pieces(1000), mode)[0].spans.tolist()
    assert all(count(text[start:end]) <= mode["tokens"] for start, end in spans)
    assert all(count(text[following:end]) <= mode["overlap"] for (_, end), (following, _) in pairwise(spans))


@given(text=texts, mode=sizes())
def test_a_text_that_fits_is_read_as_it_stands(text: str, mode: dict[str, int]) -> None:
    if count(text) <= mode["tokens"] and text.strip():
        assert divide([Document("d", text)], Pieces(1000), mode)[0].inputs == (titled("", text),)
