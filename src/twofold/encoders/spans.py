"""Vectors of spans of a text: the means of their tokens' states, each encoded with the text around it.

Late chunking (Günther et al. 2024, arXiv 2409.04701). A text of more tokens than the model reads is read in windows
that share a quarter of them; a token's state is that of the window in which it is farther from both ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twofold.errors import InputError
from twofold.models.folder import ModelFolder
from twofold.models.layers import Normalize, unit_length
from twofold.models.token_folder import states_of
from twofold.models.token_model import TokenInput, TokenModel
from twofold.models.tokenizing import Tokenizing
from twofold.passages.windows import windows
from twofold.reports import EncodingReport
from twofold.scores import Numbers, Vectors
from twofold.values import without_surrogates

SHARED = 4
"""Neighbouring windows share one part in four of their tokens."""
AT_ONCE = 16
"""Windows tokenised at a time, while the batches before them run."""

Spans = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class _Window:
    """What the model reads at once of a text, and which tokens have their states from it.

    text: its number. start, end: in characters of it. first, last: the tokens from the first of these places on and
    before the second are taken from it.
    """

    text: int
    start: int
    end: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class _Sums:
    """Sums of states in one window. spans: int64 (n,), numbers of spans; sums: float32 (n, width); counts: int64 (n,),
    tokens of each.
    """

    spans: Numbers
    sums: Vectors
    counts: Numbers


class SpanVectors:
    """A model's vectors of spans. prompt: before each window.

    Raises InputError where the model cannot make any.
    """

    def __init__(
        self,
        folder: ModelFolder,
        tokenizing: Tokenizing,
        prompt: str,
        *,
        precision: str,
        threads: int | None,
        device: str,
    ) -> None:
        states = states_of(folder)
        self._states = TokenModel(states, precision=precision, threads=threads, device=device)
        self._width = states.dimension
        self._normalizes = bool(folder.layers) and isinstance(folder.layers[-1], Normalize)
        self._dimension = folder.dimension
        self._tokenizing = tokenizing
        self._prompt = prompt
        taken = tokenizing.special_tokens + (tokenizing.count(prompt) if prompt else 0)
        self._limit = tokenizing.max_tokens - taken

    def vectors(self, texts: Sequence[str], spans: Sequence[Spans], counts: EncodingReport) -> Vectors:
        """float32 (all spans, dimension). spans: of each text int32 (n, 2), in characters. counts: gets what was read.

        A vector depends on its text and span alone. A span without a token has the vector of the token before it.
        Raises InputError for a text without tokens.
        """
        numbers = np.cumsum([0, *(len(each) for each in spans)])
        places: dict[int, tuple[_Window, Numbers]] = {}
        found: dict[int, _Sums] = {}
        for number, states in self._states.vectors(self._inputs(texts, counts, places)):
            window, starts = places.pop(number)
            found[number] = _summed(states, starts, window, spans[window.text], int(numbers[window.text]))
        # Batches end in any order, and sums of floating point numbers differ by their order: that of the text decides.
        sums, tokens = np.zeros((int(numbers[-1]), self._width), np.float32), np.zeros(int(numbers[-1]), np.int64)
        for number in sorted(found):
            sums[found[number].spans] += found[number].sums
            tokens[found[number].spans] += found[number].counts
        made: Vectors = np.asarray(sums / np.maximum(tokens, 1)[:, None], dtype=np.float32)
        return (unit_length(made) if self._normalizes else made)[:, : self._dimension]

    def _inputs(
        self, texts: Sequence[str], counts: EncodingReport, places: dict[int, tuple[_Window, Numbers]]
    ) -> Iterator[TokenInput]:
        """The windows as the model reads them. places: gets the starts of the tokens that are taken, by window."""
        number, waiting = 0, list[tuple[_Window, str]]()
        for position, text in enumerate(texts):
            whole, replaced = without_surrogates(text)
            counts.surrogates += replaced
            counts.texts += 1
            for window in self._windows(position, whole):
                waiting.append((window, self._prompt + whole[window.start : window.end]))
                if len(waiting) == AT_ONCE:
                    yield from self._read(waiting, number, counts, places)
                    number += len(waiting)
                    waiting.clear()
        yield from self._read(waiting, number, counts, places)

    def _read(
        self,
        waiting: Sequence[tuple[_Window, str]],
        number: int,
        counts: EncodingReport,
        places: dict[int, tuple[_Window, Numbers]],
    ) -> Iterator[TokenInput]:
        read = self._tokenizing.placed([text for _, text in waiting])
        for at, ((window, _), (tokenized, spans)) in enumerate(zip(waiting, read, strict=True), number):
            if tokenized.lost:
                counts.cut[window.text] = counts.cut.get(window.text, 0) + tokenized.lost
            counts.tokens += len(tokenized.ids)
            starts = spans[:, 0].astype(np.int64) - len(self._prompt) + window.start
            kept = (spans[:, 0] >= len(self._prompt)) & (starts >= window.first) & (starts < window.last)
            places[at] = window, starts[kept]
            yield TokenInput(tokenized.ids, len(tokenized.ids), kept)

    def _windows(self, position: int, text: str) -> list[_Window]:
        """What is read at once of a text, in its order."""
        tokens = self._tokenizing.spans([text])[0]
        if not len(tokens):
            raise InputError(f"text {position} has no token, so its spans have no vectors")
        if len(tokens) <= self._limit:
            return [_Window(position, 0, len(text), 0, len(text) + 1)]
        read = windows(tokens, len(text), self._limit, self._limit // SHARED)
        begun = np.searchsorted(tokens[:, 0], read[1:, 0])
        ended = np.searchsorted(tokens[:, 0], read[:-1, 1])
        limits = [0, *tokens[(begun + ended) // 2, 0].tolist(), len(text) + 1]
        return [
            _Window(position, int(start), int(end), limits[at], limits[at + 1]) for at, (start, end) in enumerate(read)
        ]


def _summed(states: Vectors, starts: Numbers, window: _Window, spans: Spans, first: int) -> _Sums:
    """The sums of a text's spans in one window. states: (n, width), of the tokens at `starts`. first: the number of the
    text's first span.
    """
    lows, highs = (np.searchsorted(starts, spans[:, side]) for side in (0, 1))
    begins = (spans[:, 0] >= window.first) & (spans[:, 0] < window.last)
    empty = (highs <= lows) & begins & bool(len(starts))
    lows = np.where(empty, np.clip(lows - 1, 0, None), lows)
    highs = np.where(empty, lows + 1, highs)
    there = np.flatnonzero(highs > lows)
    sums = [states[lows[at] : highs[at]].sum(axis=0, dtype=np.float32) for at in there]
    width = states.shape[1]
    return _Sums(there + first, np.array(sums, np.float32).reshape(-1, width), (highs - lows)[there])
