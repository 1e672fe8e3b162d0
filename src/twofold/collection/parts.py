"""Documents → their passages and vectors in a space."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from twofold.block import Part
from twofold.collection.guarding import GuardedEncoder
from twofold.documents import Document
from twofold.encoders.texts import add_to
from twofold.engine import EngineSnapshot
from twofold.passages.dividing import divide
from twofold.passages.sizes import PassageMode
from twofold.reports import EncodingReport
from twofold.scores import Numbers, Vectors


def encoded(
    documents: Sequence[Document], encoder: GuardedEncoder, mode: PassageMode, counts: EncodingReport | None = None
) -> Part:
    """Divides and encodes documents; counts what was truncated of titles and of texts.

    counts: gets what was encoded added to it.
    """
    if not documents:
        return nothing(encoder.contract.dimension)
    divisions = divide(list(documents), encoder.tokens, mode)
    report = EncodingReport()
    vectors = encoder.encode_documents([text for each in divisions for text in each.inputs], report=report)
    if counts is not None:
        add_to(counts, report)
    passages = np.array([len(division.spans) for division in divisions], np.int64)
    ends = np.cumsum(passages)
    lost = [division.lost for division in divisions]
    for position, tokens in report.cut.items():
        lost[int(np.searchsorted(ends, position, side="right"))] += tokens
    spans = np.concatenate([division.spans for division in divisions])
    return Part(truncated=lost, counts=passages, spans=spans, vectors=vectors)


def of_own(documents: Sequence[Document], vectors: Vectors) -> Part:
    """The user's own vectors, one a document, each for the whole text."""
    spans = np.array([[0, len(document.text)] for document in documents], np.int32).reshape(-1, 2)
    counts = np.ones(len(documents), np.int64)
    return Part(truncated=[0] * len(documents), counts=counts, spans=spans, vectors=vectors)


def kept(snapshot: EngineSnapshot, documents: Numbers, space: str) -> Part:
    """The stored part of documents in a space; nothing is encoded. documents: int64 (n,), in any order."""
    dense, passages = snapshot.dense(space, exact=True), snapshot.passages(documents, space)
    return Part(
        truncated=dense.tokens_cut(documents).tolist(),
        counts=np.bincount(passages.owners, minlength=len(documents)).astype(np.int64),
        spans=passages.spans,
        vectors=dense.vectors(passages.handles),
    )


def nothing(dimension: int) -> Part:
    """The part of no documents."""
    return Part(
        truncated=[],
        counts=np.empty(0, np.int64),
        spans=np.empty((0, 2), np.int32),
        vectors=np.empty((0, dimension), np.float32),
    )
