"""Questions for measuring an index: given ones, or made from the collection's own texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np

from twofold.collection.guarding import GuardedEncoder
from twofold.documents import Document
from twofold.engine import Ask, Engine, EngineSnapshot, Questions
from twofold.errors import InputError
from twofold.scores import Numbers, Vectors, checked_vectors, scaled, unit_vectors
from twofold.tuning.pseudo_queries import pseudo_queries

QUESTIONS = 400
"""Where tuning asks them, half choose and half check."""
SEED = 0


def asking(engine: Engine, encoder: GuardedEncoder, depth: int, queries: Sequence[str] | Vectors | None = None) -> Ask:
    """Makes the questions when they are needed.

    queries: texts or vectors; by default they are made from documents. depth: of the rankings.
    """

    def ask() -> Questions:
        with engine.snapshot() as snapshot:
            return questions(snapshot, encoder, depth, queries)

    return ask


def questions(
    snapshot: EngineSnapshot,
    encoder: GuardedEncoder,
    depth: int,
    queries: Sequence[str] | Vectors | None = None,
    *,
    unseen: bool = False,
) -> Questions:
    """The given ones, or made from the collection's own texts. unseen: from other documents, if there are enough.

    Raises InputError for fewer than two queries, and where there are no passages.
    """
    if not snapshot.counts.passages:
        raise InputError("there are no passages in this collection, so there is nothing to find")
    if queries is not None:
        if len(queries) < 2:
            raise InputError("tuning halves the queries, so it needs two at least")
        if isinstance(queries, np.ndarray):
            contract = encoder.contract
            vectors = checked_vectors(queries, contract.dimension, what="queries")
            return Questions(scaled(vectors, contract.similarity, what="queries"), "queries given", depth)
        return Questions(encoder.encode_queries(list(queries)), "queries given", depth)
    numbers = np.random.default_rng(SEED).permutation(snapshot.select())
    if encoder.can_encode:
        texts = list(islice(pseudo_queries(_documents(snapshot, numbers[::-1] if unseen else numbers)), QUESTIONS))
        if len(texts) >= 2:
            origin = "titles and openings of documents, encoded as queries"
            return Questions(encoder.encode_queries(texts), origin, depth)
    return Questions(_between(snapshot, SEED + unseen), "points between two stored vectors", depth)


def _documents(snapshot: EngineSnapshot, numbers: Numbers) -> Iterator[Document]:
    for start in range(0, len(numbers), QUESTIONS):
        yield from snapshot.documents(numbers[start : start + QUESTIONS])


def _between(snapshot: EngineSnapshot, seed: int) -> Vectors:
    """Questions for the user's own vectors, without an encoder: points between stored vectors."""
    dense, passages = snapshot.dense(exact=True), snapshot.passages(snapshot.select()).handles
    pairs = np.random.default_rng(seed).choice(passages, (QUESTIONS, 2))
    middle = dense.vectors(pairs[:, 0]) + 0.8 * dense.vectors(pairs[:, 1])
    return unit_vectors(middle[np.abs(middle).sum(axis=1) > 0])
