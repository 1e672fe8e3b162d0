"""Late interaction over stored token vectors: a ranker of the documents of one snapshot, which encodes none of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from twofold.engine import EngineSnapshot, Passages
from twofold.errors import QueryError
from twofold.maxsim import TokenVectors
from twofold.reports import EncodingReport
from twofold.scores import Numbers, Scores, Vectors
from twofold.space import Space
from twofold.token_codes import STORED, TokenCodes

NONE_KEPT = (
    "this collection keeps no token vectors; `twofold index DATA --to COLLECTION --token-vectors`, or "
    "collection.add_token_vectors(), makes them"
)
ROWS_AT_ONCE = 256
"""Rows that are decoded at a time: their vectors stay in the processor's cache until they are compared."""


class TokenQueries(Protocol):
    """The query side of an encoder of token vectors."""

    @property
    def codes(self) -> TokenCodes:
        """How the documents' vectors are stored."""

    def encode_queries(self, texts: Sequence[str], *, report: EncodingReport | None = None) -> TokenVectors:
        """The vectors of each query's tokens, turned as the stored ones are."""


class StoredTokens:
    """Scores documents of a snapshot by MaxSim of the query's vectors and the stored ones.

    A document's score is that of its best passage, of equal ones the earlier; without a token it is -1. It has the same
    bits whatever other documents or queries are scored with it.
    """

    name = STORED

    def __init__(self, snapshot: EngineSnapshot, space: Space, encoder: TokenQueries) -> None:
        self._snapshot = snapshot
        self._space = space
        self._encoder = encoder

    @property
    def codes(self) -> TokenCodes:
        """How the documents' vectors are stored."""
        return self._encoder.codes

    def ranked(
        self, queries: Sequence[str], documents: Sequence[Numbers], *, report: EncodingReport | None = None
    ) -> list[tuple[Scores, NDArray[np.int32]]]:
        """For each query the scores of its documents, float32 (n,), and the spans of their best passages, int32 (n, 2).

        Raises QueryError while documents lack token vectors.
        """
        if not self._snapshot.counted(self._space.name).complete:
            raise QueryError(
                "the token vectors of this collection are not complete; run "
                "`twofold index DATA --to COLLECTION --token-vectors` or add_token_vectors() again, which goes on "
                "where it stopped"
            )
        vectors = self._encoder.encode_queries(queries, report=report)
        return [self.scored(query, each) for query, each in zip(vectors, documents, strict=True)]

    def bounded(self, scores: Scores) -> Scores:
        """float32 (n,), from 0 to 1 and rising with the score: -1 is 0 and 1 is 1; no probability."""
        return np.asarray(np.clip((scores + 1) / 2, 0, 1), dtype=np.float32)

    def scored(self, query: Vectors, documents: Numbers) -> tuple[Scores, NDArray[np.int32]]:
        """The same of one query whose vectors are there, turned as the stored ones are."""
        order = np.argsort(documents)
        passages = self._snapshot.passages(documents[order], self._space.name)
        owners, spans = passages.owners, passages.spans
        starts, rows = rows_of_passages(passages)
        scores = np.full(len(documents), -1, np.float32)
        best = np.zeros((len(documents), 2), np.int32)
        if len(starts):
            found = np.concatenate(
                [self._products(query, passages.handles, starts, rows, some) for some in _shares(rows)]
            )
            # The first of equal passages: lexsort puts them in order of owner, then falling score, then place.
            ranked = np.lexsort((starts, -found, owners[starts]))
            of = owners[starts][ranked]
            winners = ranked[np.flatnonzero(np.r_[True, of[1:] != of[:-1]])]
            places = order[owners[starts][winners]]
            scores[places], best[places] = found[winners], spans[starts[winners]]
        return scores, best

    def _products(self, query: Vectors, handles: Numbers, starts: Numbers, rows: Numbers, some: slice) -> Scores:
        """The scores of some passages."""
        first, end = int(starts[some][0]), int(starts[some][-1] + rows[some][-1])
        words = self._snapshot.codes(handles[first:end], self._space.name)
        return self._encoder.codes.maxsim(query, words, rows[some])


def rows_of_passages(rows: Passages) -> tuple[Numbers, Numbers]:
    """Of the rows of a space of token vectors, where each passage begins and how many rows it has, both int64 (n,)."""
    begins = np.ones(len(rows.owners), np.bool_)
    begins[1:] = (rows.owners[1:] != rows.owners[:-1]) | (rows.spans[1:] != rows.spans[:-1]).any(axis=1)
    starts = np.flatnonzero(begins)
    return starts, np.diff(starts, append=len(rows.owners))


def _shares(rows: Numbers) -> Iterator[slice]:
    """The passages in shares of about `ROWS_AT_ONCE` rows."""
    ends, first = np.cumsum(rows), 0
    while first < len(rows):
        before = int(ends[first - 1]) if first else 0
        end = max(first + 1, int(np.searchsorted(ends, before + ROWS_AT_ONCE, side="right")))
        yield slice(first, end)
        first = end
