"""Token windows: a text longer than the encoder reads becomes several spans that share 32 tokens.

Windows end at word boundaries, if a text has any.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SHARED_TOKENS = 32
"""Neighbouring windows share this many tokens, so that a sentence at a border is whole in one of them."""

Spans = NDArray[np.int32]


def windows(tokens: Spans, length: int, token_limit: int, shared_tokens: int = SHARED_TOKENS) -> Spans:
    """Spans of at most `token_limit` tokens that cover all tokens; the outer ends are those of the text."""
    opens_word = np.ones(len(tokens) + 1, dtype=np.bool_)
    opens_word[1:-1] = tokens[1:, 0] > tokens[:-1, 1]
    shared = min(shared_tokens, token_limit // 3)
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
