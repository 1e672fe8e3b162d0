"""BM25 by one function: a document's terms are added in the order of their hashes, whichever others are scored beside.

k1 = 1.2 and b = 0.75 (Robertson et al., TREC-3, 1994), the inverse document frequency of Lucene; lengths count as they
fit into a byte, as in Lucene and tantivy.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twofold.lexical.records import Hashes, Records
from twofold.lexical.vocabulary import hashed
from twofold.scores import Numbers

K1, B = 1.2, 0.75
Sums = NDArray[np.float64]
"""float64 (n,)."""


def _lengths() -> Sums:
    """What each byte says of a length (Lucene's SmallFloat.byte4ToInt): exact up to 40, then three bits and a shift."""
    exact = 24

    def of(code: int) -> int:
        bits, shift = code & 7, code >> 3
        return bits if shift == 0 else (bits | 8) << (shift - 1)

    return np.array([code if code < exact else exact + of(code - exact) for code in range(256)], np.float64)


LENGTHS = _lengths()
"""float64 (256,), ascending."""
SHORT = (np.searchsorted(LENGTHS, np.arange(2**16), side="right") - 1).astype(np.uint8)
"""The byte of each length that most documents have."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """What a score depends on beside query and document: how many documents were read, and tokens in all of them."""

    documents: int
    tokens: int

    @property
    def average(self) -> float:
        """Tokens of a document; 1 where there is nothing that could be scored."""
        return self.tokens / self.documents if self.tokens else 1.0

    def rarity(self, having: int) -> float:
        """The inverse document frequency of a term that so many documents have."""
        return math.log1p((self.documents - having + 0.5) / (having + 0.5))


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """What each term of a query weighs. hashes: ascending, all different; values: float64, in their order."""

    hashes: Hashes
    values: Sums

    @classmethod
    def of(cls, terms: Mapping[str, float]) -> Weights:
        """From term → weight."""
        weighed = sorted((hashed(term), weight) for term, weight in terms.items())
        hashes = np.array([each for each, _ in weighed], np.uint64)
        return cls(hashes, np.array([weight for _, weight in weighed], np.float64))


def summed(records: Records, numbers: Numbers, weights: Weights, average: float) -> Sums:
    """float64 (n,): the sums over the terms of these documents, which are ascending, all different, of the records."""
    return summed_and_had(records, numbers, weights, average)[0]


def summed_and_had(records: Records, numbers: Numbers, weights: Weights, average: float) -> tuple[Sums, Sums]:
    """Twice float64 (n,): the sums of `summed`, and for each document the sum of the weights of the terms it has."""
    matches, lengths = records.matches(numbers, weights.hashes), records.lengths_of(numbers)
    return _summed(*matches, lengths, weights, average)


def summed_in_passages(
    records: Records, numbers: Numbers, weights: Weights, average: float
) -> tuple[Numbers, Sums, Sums]:
    """int64 (documents,): how many passages each of these documents has, 0 for one; and of all of these passages, one
    document's after the other's, what `summed_and_had` gives for documents. average: of the lengths of passages."""
    found = records.passage_matches(numbers, weights.hashes)
    matches = found.passages, found.terms, found.counts
    return found.many, *_summed(*matches, found.lengths.astype(np.uint32), weights, average)


def _summed(
    owners: Numbers, which: Numbers, counts: Sums, lengths: NDArray[np.uint32], weights: Weights, average: float
) -> tuple[Sums, Sums]:
    """Twice float64 (n,). owners, which, counts: what was found: in which of n texts, which term, and how often."""
    norms = (K1 * (1 - B + B * LENGTHS / average))[_bytes(lengths)]
    had = weights.values[which]
    parts = had * (counts * (K1 + 1) / (counts + norms[owners]))
    # bincount adds in the order of what it is given, so the terms of a text in the order of their hashes.
    sums, of_terms = (np.bincount(owners, weights=each, minlength=len(lengths)) for each in (parts, had))
    return sums.astype(np.float64, copy=False), of_terms.astype(np.float64, copy=False)


def _bytes(lengths: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """uint8 (n,): the byte of each length, rounded down."""
    bytes_of = SHORT[np.minimum(lengths, len(SHORT) - 1)]
    long = np.flatnonzero(lengths >= len(SHORT))
    bytes_of[long] = np.searchsorted(LENGTHS, lengths[long], side="right") - 1
    return bytes_of
