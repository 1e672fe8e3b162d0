"""An encoder that is a function of a text's words alone: for tests, and for demos without weights.

Every word has a fixed random direction, drawn from a hash of the word; a text's vector is the sum of its words'
directions, scaled to length 1. Texts that share words lie near one another, as in a random projection of a bag of
words (Achlioptas 2003, "Database-friendly random projections").
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twofold.contract import Contract
from twofold.encoders.texts import add_to, check_texts
from twofold.errors import InputError
from twofold.reports import EncodingReport
from twofold.scores import Vectors
from twofold.values import without_surrogates

WORD = re.compile(r"\w+")
MOST_NUMBERS = 65_536
"""Numbers a vector has at most: more is taken for a typing error, which would end in a lack of memory."""
CACHED_NUMBERS = 10_000_000
"""Numbers of the directions that are kept: 40 MB, as many words as that holds."""


class HashedWords:
    """A text's vector from the hashes of its first `max_words` words (\\w+, case folded).

    dimension: numbers a vector, from 1 to 65,536. max_words: words of a text; the others are counted as truncated.

    A text without any word, the empty one too, gets a direction of
    its own, so no vector is zero. Equal settings give equal vectors on every machine. Any number of threads may encode
    at once.
    Raises InputError for settings out of range.
    """

    def __init__(self, dimension: int, *, max_words: int = 256) -> None:
        for name, value in (("dimension", dimension), ("max_words", max_words)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise InputError(f"{name} must be a whole number of at least 1, not {value!r}")
        if dimension > MOST_NUMBERS:
            raise InputError(f"dimension must be {MOST_NUMBERS:,} at most, not {dimension:,}")
        self._dimension = dimension
        self._max_words = max_words
        self._lock = threading.Lock()
        self._directions: dict[str, Vectors] = {}

    @property
    def contract(self) -> Contract:
        """Everything that determines the vectors."""
        return Contract(
            weights="hashed words, version 1",
            tokenizer="words",
            dimension=self._dimension,
            pooling="sum",
            layers=("normalize",),
            max_tokens=self._max_words,
        )

    @property
    def source(self) -> dict[str, Any]:
        """The kind, the dimension and the number of words."""
        return {"kind": "hashed-words", "dimension": self._dimension, "max_words": self._max_words}

    @property
    def precision(self) -> str:
        """ "f32"."""
        return "f32"

    @property
    def token_limit(self) -> int:
        """Words that one input takes."""
        return self._max_words

    def spans(self, texts: Sequence[str]) -> list[NDArray[np.int32]]:
        """For each text int32 (words, 2): start and end of each word in characters."""
        return [
            np.array([word.span() for word in WORD.finditer(text)], dtype=np.int32).reshape(-1, 2) for text in texts
        ]

    def encode_queries(self, texts: Sequence[str], *, report: EncodingReport | None = None) -> Vectors:
        """float32 (n, dimension), each of length 1. Raises InputError for what is no text."""
        return self._encode(texts, report)

    def encode_documents(self, texts: Sequence[str], *, report: EncodingReport | None = None) -> Vectors:
        """float32 (n, dimension), each of length 1; the same as for queries. Raises InputError for what is no text."""
        return self._encode(texts, report)

    def _encode(self, texts: Sequence[str], report: EncodingReport | None) -> Vectors:
        check_texts(texts)
        counts = EncodingReport()
        vectors = np.empty((len(texts), self._dimension), dtype=np.float32)
        for position, text in enumerate(texts):
            whole, replaced = without_surrogates(text)
            words = [word.casefold() for word in WORD.findall(whole)]
            counts.surrogates += replaced
            counts.texts += 1
            counts.tokens += min(len(words), self._max_words)
            if len(words) > self._max_words:
                counts.cut[position] = len(words) - self._max_words
            vectors[position] = self._vector(words[: self._max_words] or [f" {whole}"])
        if report is not None:
            add_to(report, counts)
        return vectors

    def _vector(self, words: Sequence[str]) -> Vectors:
        """The directions' sum in float64, in the order of the words, divided by its length."""
        total = np.zeros(self._dimension, dtype=np.float64)
        for word in words:
            total += self._direction(word)
        length = np.sqrt(np.einsum("i,i->", total, total))
        if length == 0:  # two words of opposite directions in few dimensions
            return self._direction(" " + " ".join(words))
        return np.asarray(total / length, dtype=np.float32)

    def _direction(self, word: str) -> Vectors:
        """float32 (dimension,): the word's own direction, of length 1."""
        known = self._directions.get(word)
        if known is not None:
            return known
        drawn = hashlib.shake_128(word.encode()).digest(4 * self._dimension)
        values = np.frombuffer(drawn, dtype="<i4").astype(np.float64)
        direction = np.asarray(values / np.sqrt(np.einsum("i,i->", values, values)), dtype=np.float32)
        with self._lock:
            if (len(self._directions) + 1) * self._dimension > CACHED_NUMBERS:
                self._directions.clear()
            self._directions[word] = direction
        return direction
