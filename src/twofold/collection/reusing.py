"""What is stored already: vectors of the passages of a changed document whose inputs are as they were.

A stored vector is the encoder's rounded to float16, or to codes, and rounding it again changes no bit: it is stored as
if it had been encoded again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twofold.block import Known
from twofold.collection.guarding import GuardedEncoder
from twofold.collection.guarding_tokens import GuardedTokenEncoder
from twofold.collection.parts import NOTHING_READY, Ready, ReadyRows
from twofold.contract import USUAL_CONTEXT, Context
from twofold.engine import EngineSnapshot
from twofold.passages.dividing import divide
from twofold.passages.sizes import PassageMode
from twofold.scores import Numbers
from twofold.space import Space


@dataclass(frozen=True, slots=True)
class Dividing:
    """How the documents of a space were divided, and what was read with each passage."""

    encoder: GuardedEncoder | GuardedTokenEncoder
    mode: PassageMode
    context: Context = USUAL_CONTEXT


@dataclass(frozen=True, slots=True)
class _Read:
    """Passages as they are stored.

    inputs: what was read for each. rows: int64 (n,), the rows of one after the other's. counts: how many each has.
    """

    inputs: list[str]
    rows: Numbers
    counts: Numbers


def stored_vectors(
    snapshot: EngineSnapshot, stored: Sequence[Known], space: Space, encoder: GuardedEncoder, mode: PassageMode
) -> Ready:
    """The vectors of the passages of stored documents in a space, by what the encoder read for each.

    Left out are documents of one passage, of which nothing stays as it was, and which may have a vector of the user's;
    those whose passages were made by other rules; and those of which something was cut off, since which passage lost
    it is not stored. There are none where a passage is encoded within its document.
    """
    if encoder.contract.context == "document" or not stored:
        return NOTHING_READY
    read = _read(snapshot, stored, space, Dividing(encoder, mode, encoder.contract.context))
    if not read.inputs:
        return NOTHING_READY
    return dict(zip(read.inputs, snapshot.dense(space.name, exact=True).vectors(read.rows), strict=True))


def stored_rows(
    snapshot: EngineSnapshot, stored: Sequence[Known], space: Space, encoder: GuardedTokenEncoder, mode: PassageMode
) -> ReadyRows:
    """The rows of the passages of stored documents in a space of token vectors, as `stored_vectors` gives vectors."""
    if not stored:
        return NOTHING_READY
    read = _read(snapshot, stored, space, Dividing(encoder, mode))
    if not read.inputs:
        return NOTHING_READY
    words = np.split(snapshot.codes(read.rows, space.name), np.cumsum(read.counts)[:-1])
    return dict(zip(read.inputs, words, strict=True))


def _read(snapshot: EngineSnapshot, stored: Sequence[Known], space: Space, dividing: Dividing) -> _Read:
    handles = np.array(sorted(each.handle for each in stored), np.int64)
    counts = np.bincount(snapshot.passages(handles, space.name).owners, minlength=len(handles))
    handles = handles[counts > 1]
    inputs, rows, many = list[str](), [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    if not len(handles):
        return _Read(inputs, rows[0], many[0])
    documents, passages = snapshot.documents(handles), snapshot.passages(handles, space.name)
    cut = snapshot.dense(space.name, exact=True).tokens_cut(handles)
    divisions = divide(documents, dividing.encoder.tokens, dividing.mode, dividing.context)
    for at, division in enumerate(divisions):
        own = passages.owners == at
        spans = passages.spans[own]
        starts = np.flatnonzero(np.any(np.diff(spans, axis=0, prepend=-1) != 0, axis=1))
        if np.array_equal(division.spans, spans[starts]) and division.lost == cut[at]:
            inputs += division.inputs
            rows.append(passages.handles[own])
            many.append(np.diff(starts, append=len(spans)))
    return _Read(inputs, np.concatenate(rows), np.concatenate(many))
