"""Documents → their passages and vectors in a space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from twofold.block import Part
from twofold.collection.guarding import GuardedEncoder
from twofold.collection.guarding_tokens import GuardedTokenEncoder
from twofold.documents import Document
from twofold.encoders.texts import add_to
from twofold.engine import EngineSnapshot
from twofold.maxsim import TokenVectors
from twofold.passages.dividing import Division, divide
from twofold.passages.sizes import PassageMode
from twofold.reports import EncodingReport
from twofold.scores import Numbers, Vectors
from twofold.space import Space
from twofold.token_codes import TokenCodes, Words

Ready = Mapping[str, Vectors]
"""What the encoder reads → its vector, float32 (dimension,)."""
ReadyRows = Mapping[str, Words]
"""What the encoder of token vectors reads → the rows of its vectors, uint16 (rows, words)."""
NOTHING_READY: dict[str, Any] = {}


def encoded(
    documents: Sequence[Document],
    encoder: GuardedEncoder,
    mode: PassageMode,
    counts: EncodingReport | None = None,
    ready: Ready = NOTHING_READY,
) -> Part:
    """Divides and encodes documents; counts what was truncated of titles and of texts.

    counts: gets what was encoded added to it. ready: vectors that need not be encoded.
    """
    if not documents:
        return nothing(encoder.contract.dimension)
    divisions = divide(list(documents), encoder.tokens, mode, encoder.contract.context)
    report = EncodingReport()
    passages = np.array([len(division.spans) for division in divisions], np.int64)
    owners = np.repeat(np.arange(len(divisions)), passages)
    alone = np.repeat([not division.within for division in divisions], passages)
    vectors = np.empty((len(owners), encoder.contract.dimension), np.float32)
    inputs = [text for each in divisions for text in each.inputs]
    new = np.array([text not in ready for text in inputs], np.bool_)
    rows = np.flatnonzero(alone)
    for row, text in zip(rows[~new].tolist(), (text for text in inputs if text in ready), strict=True):
        vectors[row] = ready[text]
    vectors[rows[new]] = encoder.encode_documents([text for text in inputs if text not in ready], report=report)
    lost = _lost(divisions, owners[rows[new]], report)
    if counts is not None:
        add_to(counts, report)
    if within := [at for at, division in enumerate(divisions) if division.within]:
        report = EncodingReport()
        spans_within = [divisions[at].spans_within for at in within]
        vectors[~alone] = encoder.encode_spans([divisions[at].within for at in within], spans_within, report=report)
        for position, tokens in report.cut.items():
            lost[within[position]] += tokens
        if counts is not None:
            add_to(counts, report)
    spans = np.concatenate([division.spans for division in divisions])
    return Part(truncated=lost, counts=passages, spans=spans, vectors=vectors)


def encoded_tokens(
    documents: Sequence[Document], encoder: GuardedTokenEncoder, mode: PassageMode, ready: ReadyRows = NOTHING_READY
) -> Part:
    """Divides and encodes documents by the vectors of their tokens; a passage has as many rows as these need.

    ready: rows that need not be encoded.
    """
    if not documents:
        return nothing(encoder.codes.words, np.uint16)
    divisions = divide(list(documents), encoder.tokens, mode)
    report = EncodingReport()
    inputs = [text for each in divisions for text in each.inputs]
    new = [text not in ready for text in inputs]
    vectors = encoder.encode_documents([text for text in inputs if text not in ready], report=report)
    words, rows = encoder.codes.rows(vectors)
    lost = _lost(divisions, _owners(divisions)[np.array(new, np.bool_)], report)
    if not all(new):
        made = iter(np.split(words, np.cumsum(rows)[:-1]))
        parts = [next(made) if fresh else ready[text] for text, fresh in zip(inputs, new, strict=True)]
        words, rows = np.concatenate(parts), np.array([len(each) for each in parts], np.int64)
    return _of_rows(divisions, words, rows, lost)


def token_part(divisions: Sequence[Division], report: EncodingReport, vectors: TokenVectors, codes: TokenCodes) -> Part:
    """The part of divided documents in a space of token vectors.

    report: of encoding their passages. vectors: of the tokens of each passage.
    """
    return _of_rows(divisions, *codes.rows(vectors), _lost(divisions, _owners(divisions), report))


def _of_rows(divisions: Sequence[Division], words: Words, rows: Numbers, lost: list[int]) -> Part:
    """rows: int64 (passages,), how many each passage has. lost: as `_lost` counts."""
    spans = np.concatenate([division.spans for division in divisions])
    counts = np.bincount(np.repeat(_owners(divisions), rows), minlength=len(divisions)).astype(np.int64)
    return Part(truncated=lost, counts=counts, spans=np.repeat(spans, rows, axis=0), vectors=words)


def _owners(divisions: Sequence[Division]) -> Numbers:
    """int64 (passages,): the position of each passage's document."""
    return np.repeat(np.arange(len(divisions)), [len(division.spans) for division in divisions])


def _lost(divisions: Sequence[Division], owners: Numbers, report: EncodingReport) -> list[int]:
    """Of each document, the tokens of its title and its passages that no vector covers. owners: of what was encoded."""
    lost = [division.lost for division in divisions]
    for position, tokens in report.cut.items():
        lost[int(owners[position])] += tokens
    return lost


def of_own(documents: Sequence[Document], vectors: Vectors) -> Part:
    """The user's own vectors, one a document, each for the whole text."""
    spans = np.array([[0, len(document.text)] for document in documents], np.int32).reshape(-1, 2)
    counts = np.ones(len(documents), np.int64)
    return Part(truncated=[0] * len(documents), counts=counts, spans=spans, vectors=vectors)


def kept(snapshot: EngineSnapshot, documents: Numbers, space: Space) -> Part:
    """The stored part of documents in a space; nothing is encoded. documents: int64 (n,), in any order."""
    dense, passages = snapshot.dense(space.name, exact=True), snapshot.passages(documents, space.name)
    rows = passages.handles
    return Part(
        truncated=dense.tokens_cut(documents).tolist(),
        counts=np.bincount(passages.owners, minlength=len(documents)).astype(np.int64),
        spans=passages.spans,
        vectors=snapshot.codes(rows, space.name) if space.bits else dense.vectors(rows),
    )


def nothing(words: int, dtype: DTypeLike = np.float32) -> Part:
    """The part of no documents."""
    return Part(
        truncated=[],
        counts=np.empty(0, np.int64),
        spans=np.empty((0, 2), np.int32),
        vectors=np.empty((0, words), dtype),
    )
