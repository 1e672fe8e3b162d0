"""Documents → passages: the spans that get a vector each, and what the encoder reads for each.

The encoder's input is by default the title, a space, and the passage, so that every passage has its context. What
stands before a passage takes at most a quarter of the limit; contexts.py has other contexts. By default a text that is
longer than the encoder reads becomes token windows (windows.py). With sizes of its own (sizes.py) it is divided where
it divides itself (boundaries.py, packing.py): the first passage begins at 0, each begins where the one before it ends,
or up to `overlap` tokens before, and the last ends at the end, so that no character is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twofold.contract import USUAL_CONTEXT, Context
from twofold.documents import Document, titled
from twofold.passages.boundaries import SECTION, SENTENCE, Boundaries, boundaries
from twofold.passages.contexts import before, longest_paths, paths_before
from twofold.passages.packing import Counts, Spans, packed
from twofold.passages.sizes import OVERLAP_SHARE, PassageMode, sizes_of
from twofold.passages.windows import windows
from twofold.protocols import TokenSpans

BEFORE_SHARE = 4
"""What stands before a passage takes at most one part in four of the limit."""


@dataclass(frozen=True, slots=True)
class Division:
    """One document as passages.

    spans: int32 (passages, 2), start and end in characters of the text; inputs: what the encoder reads for each;
    lost: tokens of the title that no input holds. A document without content has no passages. within: title and text,
    where the passages are encoded within these; there are no inputs then.
    """

    spans: Spans
    inputs: tuple[str, ...]
    lost: int
    within: str = ""

    @property
    def spans_within(self) -> Spans:
        """int32 (passages, 2): the spans in characters of `within`; the title is part of the first."""
        spans = self.spans + (len(self.within) - int(self.spans[-1, 1]))
        spans[0, 0] = 0
        return spans


def divide(
    documents: Sequence[Document], tokens: TokenSpans | None, mode: PassageMode, context: Context = USUAL_CONTEXT
) -> list[Division]:
    """The passages of each document, in their order.

    Without `tokens` (an encoder that does not say how it reads) a document is one passage.
    """
    if tokens is None:
        return [_whole(document, document.title, 0) for document in documents]
    titles = tokens.spans([document.title for document in documents])
    texts = tokens.spans([document.text for document in documents])
    dividing = _Dividing(tokens, mode, context)
    return [dividing.of(document, title, text) for document, title, text in zip(documents, titles, texts, strict=True)]


class _Dividing:
    """How documents are divided."""

    def __init__(self, tokens: TokenSpans, mode: PassageMode, context: Context) -> None:
        self._tokens = tokens
        self._mode = mode
        self._context = context
        self._sizes = sizes_of(mode)
        limit = tokens.token_limit
        self._limit = limit if self._sizes is None else min(limit, self._sizes.tokens)

    def of(self, document: Document, title_tokens: Spans, text_tokens: Spans) -> Division:
        """One document. title_tokens, text_tokens: int32 (n, 2), as the encoder reads them."""
        if self._context == "document" and len(text_tokens):
            return self._within(document, title_tokens, text_tokens)
        title_limit = self._limit // BEFORE_SHARE if len(text_tokens) else self._limit
        kept = min(len(title_tokens), title_limit)
        title = document.title if kept == len(title_tokens) else _beginning(document.title, title_tokens, kept)
        lost = len(title_tokens) - kept
        text_limit = max(self._limit - kept, 1)
        if len(text_tokens) <= text_limit:
            return _whole(document, title, lost)
        if self._mode == "none":
            end = int(text_tokens[text_limit - 1, 1])
            # The encoder gets the whole text, cuts it and counts: a cut here could change how the last word is
            # tokenised.
            return Division(np.array([[0, end]], dtype=np.int32), (titled(title, document.text),), lost)
        room = max(title_limit - kept, 0)
        if self._context == "headings":
            text_limit = max(text_limit - min(room, self._longest_path(document.text)), 1)
        spans = self._spans(document.text, text_tokens, text_limit)
        return Division(spans, tuple(self._inputs(document.text, title, spans, room)), lost)

    def _within(self, document: Document, title_tokens: Spans, text_tokens: Spans) -> Division:
        if len(title_tokens) + len(text_tokens) <= self._limit:
            return _whole(document, document.title, 0)
        if len(text_tokens) <= self._limit:
            spans = np.array([[0, len(document.text)]], dtype=np.int32)
        else:
            spans = self._spans(document.text, text_tokens, self._limit)
        return Division(spans, (), 0, titled(document.title, document.text))

    def _spans(self, text: str, tokens: Spans, limit: int) -> Spans:
        """Passages of a text of more than `limit` tokens."""
        if self._sizes is None:
            return windows(tokens, len(text), limit)
        overlap = min(self._sizes.overlap, limit // OVERLAP_SHARE)
        found = boundaries(text)
        starts = packed(tokens, found, len(text), limit - overlap)
        ends = np.append(starts[1:], len(text))
        return np.stack([_overlapping(starts, found, tokens, overlap), ends], axis=1).astype(np.int32)

    def _inputs(self, text: str, title: str, spans: Spans, room: int) -> list[str]:
        """What the encoder reads for each passage. room: tokens that headings may take."""
        texts = [text[start:end] for start, end in spans.tolist()]
        if self._sizes is not None:
            # The space after a paragraph belongs to the passage, and says nothing to the encoder.
            texts = [each.strip() for each in texts]
        if self._context == "none":
            return [titled(title, texts[0]), *texts[1:]]
        if self._context == "headings":
            paths = self._cut(paths_before(text, spans[:, 0].tolist()), room)
            return [before(title, path, each) for path, each in zip(paths, texts, strict=True)]
        return [titled(title, each) for each in texts]

    def _longest_path(self, text: str) -> int:
        """Tokens that headings before a passage take at most."""
        paths = longest_paths(text)
        # The sign between a title and headings is a token too.
        return 1 + max(len(each) for each in self._tokens.spans(paths)) if paths else 0

    def _cut(self, paths: list[str], room: int) -> list[str]:
        """Paths of at most `room` tokens; what is cut off is the beginning, which is far from the passage."""
        kept = max(room - 1, 0)
        distinct = sorted(set(paths))
        spans = self._tokens.spans(distinct)
        cut = {
            path: path if len(each) <= kept else path[int(each[-kept, 0]) :] if kept else ""
            for path, each in zip(distinct, spans, strict=True)
        }
        return [cut[path] for path in paths]


def _beginning(title: str, tokens: Spans, count: int) -> str:
    return title[: int(tokens[count - 1, 1]) if count else 0]


def _whole(document: Document, title: str, lost: int) -> Division:
    if not document.has_content:
        return Division(np.empty((0, 2), dtype=np.int32), (), 0)
    span = np.array([[0, len(document.text)]], dtype=np.int32)
    return Division(span, (titled(title, document.text),), lost)


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
