"""Token windows: a document longer than the encoder reads becomes several passages that share 32 tokens.

The encoder's input is the title, a space, and the passage, so that every passage has its context. A title takes
at most a quarter of the limit. Windows end at word boundaries, if a text has any.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from twofold.documents import Document, titled
from twofold.protocols import TokenSpans

PassageMode = Literal["auto", "none"]
"""auto: as many windows as the text needs; none: one passage a document, cut at the encoder's length."""
PASSAGE_MODES: tuple[PassageMode, ...] = ("auto", "none")

SHARED_TOKENS = 32
"""Neighbouring windows share this many tokens, so that a sentence at a border is whole in one of them."""
TITLE_SHARE = 4
"""A title takes at most one part in four of the limit."""

Spans = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Division:
    """One document as passages.

    spans: int32 (passages, 2), start and end in characters of the text; inputs: what the encoder reads for each;
    lost: tokens of the title that no input holds. A document without content has no passages.
    """

    spans: Spans
    inputs: tuple[str, ...]
    lost: int


def divide(documents: Sequence[Document], tokens: TokenSpans | None, mode: PassageMode) -> list[Division]:
    """The passages of each document, in their order.

    Without `tokens` (an encoder that does not say how it reads) a document is one passage.
    """
    if tokens is None:
        return [_whole(document, document.title, 0) for document in documents]
    titles = tokens.spans([document.title for document in documents])
    texts = tokens.spans([document.text for document in documents])
    return [
        _divide(document, title, text, tokens.token_limit, mode)
        for document, title, text in zip(documents, titles, texts, strict=True)
    ]


def _divide(
    document: Document, title_tokens: Spans, text_tokens: Spans, token_limit: int, mode: PassageMode
) -> Division:
    title_limit = token_limit // TITLE_SHARE if len(text_tokens) else token_limit
    kept = min(len(title_tokens), title_limit)
    title = (
        document.title if kept == len(title_tokens) else document.title[: int(title_tokens[kept - 1, 1]) if kept else 0]
    )
    lost = len(title_tokens) - kept
    text_limit = max(token_limit - kept, 1)
    if len(text_tokens) <= text_limit:
        return _whole(document, title, lost)
    if mode == "none":
        end = int(text_tokens[text_limit - 1, 1])
        # The encoder gets the whole text, cuts it and counts: a cut here could change how the last word is tokenised.
        return Division(np.array([[0, end]], dtype=np.int32), (titled(title, document.text),), lost)
    spans = _windows(text_tokens, len(document.text), text_limit)
    inputs = tuple(titled(title, document.text[start:end]) for start, end in spans.tolist())
    return Division(spans, inputs, lost)


def _whole(document: Document, title: str, lost: int) -> Division:
    if not document.has_content:
        return Division(np.empty((0, 2), dtype=np.int32), (), 0)
    span = np.array([[0, len(document.text)]], dtype=np.int32)
    return Division(span, (titled(title, document.text),), lost)


def _windows(tokens: Spans, length: int, token_limit: int) -> Spans:
    """Spans of at most `token_limit` tokens that cover all tokens; the outer ends are those of the text."""
    opens_word = np.ones(len(tokens) + 1, dtype=np.bool_)
    opens_word[1:-1] = tokens[1:, 0] > tokens[:-1, 1]
    shared = min(SHARED_TOKENS, token_limit // 3)
    spans, first, last = [], 0, 0
    while True:
        # Each window ends after the one before it, and at the earliest half the limit from its own start.
        earliest = max(first + max(token_limit // 2, 1), last + 1)
        last = _boundary(opens_word, min(first + token_limit, len(tokens)), earliest)
        spans.append((int(tokens[first, 0]), int(tokens[last - 1, 1])))
        if last == len(tokens):
            break
        # A window of a single token shares it with nobody: the next one starts after it, or there would be no end.
        first = _boundary(opens_word, max(first + 1, last - shared), max(first + 1, last - 2 * shared))
    spans[0] = (0, spans[0][1])
    spans[-1] = (spans[-1][0], length)
    return np.array(spans, dtype=np.int32)


def _boundary(opens_word: NDArray[np.bool_], at: int, lowest: int) -> int:
    """The last word boundary not after `at` and not before `lowest`; `at` itself where there is none."""
    found = np.flatnonzero(opens_word[lowest : at + 1])
    return lowest + int(found[-1]) if len(found) else at
