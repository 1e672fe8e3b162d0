"""Documents → passages: the spans that get a vector each, and what the encoder reads for each.

The encoder's input is the title, a space, and the passage, so that every passage has its context. A title takes at most
a quarter of the limit. By default a text that is longer than the encoder reads becomes token windows (windows.py). With
sizes of its own (sizes.py) it is divided where it divides itself (boundaries.py, packing.py): the first passage begins
at 0, each begins where the one before it ends, or up to `overlap` tokens before, and the last ends at the end, so that
no character is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twofold.documents import Document, titled
from twofold.passages.boundaries import SECTION, SENTENCE, Boundaries, boundaries
from twofold.passages.packing import Counts, Spans, packed
from twofold.passages.sizes import OVERLAP_SHARE, PassageMode, Sizes, sizes_of
from twofold.passages.windows import windows
from twofold.protocols import TokenSpans

TITLE_SHARE = 4
"""A title takes at most one part in four of the limit."""


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
    sizes = sizes_of(mode)
    token_limit = token_limit if sizes is None else min(token_limit, sizes.tokens)
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
    if sizes is None:
        spans = windows(text_tokens, len(document.text), text_limit)
        texts = [document.text[start:end] for start, end in spans.tolist()]
    else:
        spans = _spans(document.text, text_tokens, text_limit, sizes)
        # The space after a paragraph belongs to the passage, and says nothing to the encoder.
        texts = [document.text[start:end].strip() for start, end in spans.tolist()]
    return Division(spans, tuple(titled(title, text) for text in texts), lost)


def _whole(document: Document, title: str, lost: int) -> Division:
    if not document.has_content:
        return Division(np.empty((0, 2), dtype=np.int32), (), 0)
    span = np.array([[0, len(document.text)]], dtype=np.int32)
    return Division(span, (titled(title, document.text),), lost)


def _spans(text: str, tokens: Spans, limit: int, sizes: Sizes) -> Spans:
    """Passages of a text of more than `limit` tokens."""
    overlap = min(sizes.overlap, limit // OVERLAP_SHARE)
    found = boundaries(text)
    starts = packed(tokens, found, len(text), limit - overlap)
    ends = np.append(starts[1:], len(text))
    return np.stack([_overlapping(starts, found, tokens, overlap), ends], axis=1).astype(np.int32)


def _overlapping(starts: Counts, found: Boundaries, tokens: Spans, overlap: int) -> Spans:
    """Where passages begin with what they repeat of the one before: whole sentences where there are any, else words.

    A passage that begins a section repeats nothing.
    """
    first = np.searchsorted(tokens[:, 0], starts)
    earliest = tokens[np.maximum(first - overlap, 0), 0]
    rank = dict(zip(found.places.tolist(), found.ranks.tolist(), strict=True))
    sentences = found.places[found.ranks >= SENTENCE]
    opens = np.r_[True, tokens[1:, 0] > tokens[:-1, 1]]
    begins = starts.copy()
    for at in range(1, len(starts)):
        start = int(starts[at])
        if not overlap or rank.get(start) == SECTION:
            continue
        lowest = max(int(earliest[at]), int(starts[at - 1]) + 1)
        place = int(np.searchsorted(sentences, lowest))
        if place < len(sentences) and sentences[place] < start:
            begins[at] = sentences[place]
            continue
        words = np.flatnonzero(opens[max(int(first[at]) - overlap, 0) : int(first[at])])
        if len(words) and (word := int(tokens[max(int(first[at]) - overlap, 0) + words[0], 0])) >= lowest:
            begins[at] = word
    return begins.astype(np.int32)
