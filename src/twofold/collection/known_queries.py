"""Vectors of the latest query texts, so that a text that is asked again is not encoded again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence

import numpy as np

from twofold.scores import Vectors


class KnownQueries:
    """Keeps the vectors of the `most` texts that were asked last; threads may share it.

    A text's vector has the same bits alone and in any batch, so a kept one is the one that encoding would give.
    hits, misses: how many texts were kept when they were asked for, and how many were not.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[str, Vectors] = OrderedDict()
        self._lock = threading.Lock()
        self.hits = 0
        self.misses = 0

    def __len__(self) -> int:
        return len(self._kept)

    def vectors(self, texts: Sequence[str], encode: Callable[[list[str]], Vectors]) -> Vectors:
        """float32 (n, dimension): kept ones, and those that `encode` makes of the other texts, each once."""
        with self._lock:
            known = {text: self._kept[text] for text in texts if text in self._kept}
            for text in known:
                self._kept.move_to_end(text)
            self.hits += len(known)
        new = [text for text in dict.fromkeys(texts) if text not in known]
        if not new and known:
            return np.stack([known[text] for text in texts])
        made = encode(new)
        known.update(zip(new, made, strict=True))
        with self._lock:
            self.misses += len(new)
            for text, vector in zip(new, made, strict=True):
                self._kept[text] = vector.copy()  # a row alone, not its whole batch
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return np.stack([known[text] for text in texts]) if len(texts) else made
