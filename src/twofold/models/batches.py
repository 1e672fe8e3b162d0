"""Batches of one padded length.

The padded length of a text follows from its own token count alone, and a batch holds texts of one padded length only:
so a text meets the same arithmetic alone and in any batch, and its vector has the same bits.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twofold.scores import Numbers

BITS = 5
"""The leading binary digits that a padded length may have; the others are zeros.

So there are 16 lengths to each doubling: padding is less than a sixteenth of a text and a thirty-second in the mean,
and texts of up to 32 tokens have none. The library needs time and memory once for each new length.
"""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some texts of one padded length.

    positions: int64 (n,), where each text stood among all. ids: int32 (n, length), zero after a text's end. mask:
    float32 (n, length), 1 for a token and 0 for padding. counted: the same, 0 also where a token does not count in the
    pooling.
    """

    positions: Numbers
    ids: NDArray[np.int32]
    mask: NDArray[np.float32]
    counted: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Ladder:
    """The padded lengths there are. longest: the most positions of the model; None where it can count on and on."""

    longest: int | None

    def length(self, tokens: int) -> int:
        """The padded length of an input of so many tokens."""
        step = 1 << max(0, tokens.bit_length() - BITS)
        padded = max(1, -(-tokens // step)) * step
        return padded if self.longest is None else min(self.longest, padded)


class Batcher:
    """Sorts inputs by padded length as they come and returns a batch whenever one is full.

    budget: tokens a batch, padding included; a batch always holds at least one text. uncounted: how many of each
    input's first tokens do not count in the pooling.
    """

    def __init__(self, ladder: Ladder, budget: int, uncounted: int = 0) -> None:
        self._ladder = ladder
        self._budget = budget
        self._uncounted = uncounted
        self._waiting: dict[int, list[tuple[int, Sequence[int]]]] = defaultdict(list)

    def add(self, position: int, ids: Sequence[int]) -> Batch | None:
        """Adds one input; returns a batch when it is full."""
        length = self._ladder.length(len(ids))
        waiting = self._waiting[length]
        waiting.append((position, ids))
        if len(waiting) < max(1, self._budget // length):
            return None
        del self._waiting[length]
        return self._batch(waiting, length)

    def rest(self) -> Iterator[Batch]:
        """The remaining inputs, longest first, in batches whose sizes are powers of two.

        The library needs time and memory once for each new (size, length); powers of two keep their number small.
        """
        for length, waiting in sorted(self._waiting.items(), reverse=True):
            while waiting:
                size = 1 << (len(waiting).bit_length() - 1)
                yield self._batch(waiting[:size], length)
                waiting = waiting[size:]
        self._waiting.clear()

    def _batch(self, inputs: Sequence[tuple[int, Sequence[int]]], length: int) -> Batch:
        ids = np.zeros((len(inputs), length), dtype=np.int32)
        mask = np.zeros((len(inputs), length), dtype=np.float32)
        for row, (_, tokens) in enumerate(inputs):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        counted = mask
        if self._uncounted:
            counted = mask.copy()
            counted[:, : self._uncounted] = 0
        return Batch(np.array([position for position, _ in inputs], dtype=np.int64), ids, mask, counted)
