"""Vectors that are stored already: those of the passages of a changed document whose inputs are as they were.

A stored vector is the encoder's rounded to float16, and rounding it again changes no bit: it is stored as if it had
been encoded again.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from twofold.block import Known
from twofold.collection.guarding import GuardedEncoder
from twofold.collection.parts import Ready
from twofold.engine import EngineSnapshot
from twofold.passages.dividing import divide
from twofold.passages.sizes import PassageMode
from twofold.scores import Vectors
from twofold.space import Space


def stored_vectors(
    snapshot: EngineSnapshot, stored: Sequence[Known], space: Space, encoder: GuardedEncoder, mode: PassageMode
) -> Ready:
    """The vectors of the passages of stored documents in a space, by what the encoder read for each.

    Left out are documents of one passage, of which nothing stays as it was, and which may have a vector of the user's;
    those whose passages were made by other rules; and those of which something was cut off, since which passage lost
    it is not stored. There are none where a passage is encoded within its document.
    """
    if encoder.contract.context == "document" or not stored:
        return {}
    handles = np.array(sorted(each.handle for each in stored), np.int64)
    counts = np.bincount(snapshot.passages(handles, space.name).owners, minlength=len(handles))
    handles = handles[counts > 1]
    if not len(handles):
        return {}
    documents, passages = snapshot.documents(handles), snapshot.passages(handles, space.name)
    dense = snapshot.dense(space.name, exact=True)
    cut, vectors = dense.tokens_cut(handles), dense.vectors(passages.handles)
    divisions = divide(documents, encoder.tokens, mode, encoder.contract.context)
    ready: dict[str, Vectors] = {}
    for at, division in enumerate(divisions):
        rows = passages.owners == at
        if np.array_equal(division.spans, passages.spans[rows]) and division.lost == cut[at]:
            ready.update(zip(division.inputs, vectors[rows], strict=True))
    return ready
