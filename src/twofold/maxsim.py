"""Late interaction: ragged token vectors, and MaxSim, which compares a query's with those of documents.

MaxSim takes for each vector of the query the largest dot product with any vector of the document, and adds these up
(Khattab & Zaharia, ColBERT, 2020). Here the sum is divided by the number of the query's vectors, so scores of unit
vectors lie between -1 and 1 whatever the query's length; the order of the documents is the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from twofold.scores import Numbers, Scores, Vectors

TOGETHER = 32
"""Vectors of a document that one matrix product takes."""


@dataclass(frozen=True, slots=True)
class TokenVectors:
    """The vectors of several texts, a line a token. vectors: float32 (total, dimension). counts: int64 (texts,)."""

    vectors: Vectors
    counts: Numbers

    def __len__(self) -> int:
        return len(self.counts)

    def __iter__(self) -> Iterator[Vectors]:
        ends = np.cumsum(self.counts)
        return (self.vectors[end - count : end] for count, end in zip(self.counts, ends, strict=True))

    def of(self, texts: Numbers) -> TokenVectors:
        """Those of some texts, in the order given. texts: int64 (n,)."""
        ends = np.cumsum(self.counts)
        counts = self.counts[texts]
        lines = [np.arange(ends[text] - self.counts[text], ends[text]) for text in texts.tolist()]
        return TokenVectors(self.vectors[np.concatenate(lines)] if lines else self.vectors[:0], counts)


def maxsim(query: Vectors, documents: TokenVectors) -> Scores:
    """float32 (documents,): the mean over the query's vectors of the largest dot product with one of the document's.

    query: float32 (vectors, dimension), at least one. A text without vectors scores -1, as nothing is less like the
    query. A score has the same bits whatever other documents are scored with it: products of one shape are computed,
    and a document begins in one of its own.
    """
    scores = np.full(len(documents), -1, dtype=np.float32)
    some = np.flatnonzero(documents.counts)
    counts = documents.counts[some]
    blocks = -(-counts // TOGETHER)
    if not len(some) or not len(query):
        return scores
    first_blocks = np.cumsum(blocks) - blocks
    starts = np.cumsum(counts) - counts
    places = np.arange(int(counts.sum())) + np.repeat(first_blocks * TOGETHER - starts, counts)
    padded = np.zeros((int(blocks.sum()) * TOGETHER, query.shape[1]), dtype=np.float32)
    padded[places] = documents.vectors
    products = padded.reshape(-1, TOGETHER, query.shape[1]) @ np.ascontiguousarray(query.T)
    # What fills a block up repeats no vector, so its products must not win.
    filled = np.ones(len(padded), dtype=np.bool_)
    filled[places] = False
    products.reshape(-1, len(query))[filled] = -np.inf
    largest = np.maximum.reduceat(products.max(axis=1), first_blocks, axis=0)
    scores[some] = largest.astype(np.float64).sum(axis=1) / len(query)
    return scores
