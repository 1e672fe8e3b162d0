"""Which passages of its documents have each term of a run, and how often: of documents that have several passages.

A document of one passage is its passage, so nothing is kept for it. A passage is known by its place among those of its
document, which no compaction changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twofold.scores import Numbers

MOST_PASSAGES = 2**16
"""Of a document, so that the place of a passage fits into 16 bits; one with more counts as one passage."""
LONGEST = 2**16 - 1
"""No passage is longer, as far as its length tells."""


@dataclass(frozen=True, slots=True, eq=False)
class PassageRecords:
    """The passages of the documents of a run; all arrays are empty where no document has several.

    ends: uint32 (terms,), where the entries of each term of the run end. having: uint32 (terms,), how many of these
    documents have it. last: uint32 (documents,), where the lengths of each document's passages end. lengths: uint16
    (passages,), terms of each with repetitions. documents, passages, counts: uint16, uint16 and uint8, an entry a
    passage that has a term, one term after the other: the document's place in the run, the passage's in the document,
    both ascending, and how often.
    """

    ends: NDArray[np.uint32]
    having: NDArray[np.uint32]
    last: NDArray[np.uint32]
    lengths: NDArray[np.uint16]
    documents: NDArray[np.uint16]
    passages: NDArray[np.uint16]
    counts: NDArray[np.uint8]

    def __len__(self) -> int:
        """How many passages."""
        return len(self.lengths)

    @property
    def several(self) -> NDArray[np.bool_]:
        """bool (documents,): which of the documents have several passages."""
        several: NDArray[np.bool_] = np.diff(self.last, prepend=np.uint32(0)) > 0
        return several

    @property
    def terms(self) -> Numbers:
        """int64 (entries,): the place of each entry's term in the run."""
        ends = np.concatenate([[0], self.ends.astype(np.int64)])
        return np.repeat(np.arange(len(self.ends)), ends[1:] - ends[:-1])

    def spans(self, documents: Numbers) -> tuple[Numbers, Numbers]:
        """int64 (n,) twice: where the lengths of these documents' passages begin and end; equal where it has one."""
        if not len(self):
            return np.zeros(len(documents), np.int64), np.zeros(len(documents), np.int64)
        begins = self.last.take(documents - 1, mode="clip") * (documents > 0)
        return begins.astype(np.int64), self.last.take(documents).astype(np.int64)

    def between(self, first: int, end: int, kept: NDArray[np.bool_]) -> PassageRecords:
        """Those of the documents from place `first` to before `end`. kept: which terms the run of these has still."""
        if not len(self):
            return NO_PASSAGES
        here = (self.documents >= first) & (self.documents < end)
        begin = int(self.last[first - 1]) if first else 0
        last = self.last[first:end] - np.uint32(begin)
        places = np.cumsum(kept) - 1
        return entered(
            (places[self.terms[here]], self.documents[here] - np.uint16(first), self.passages[here], self.counts[here]),
            int(np.count_nonzero(kept)),
            last,
            self.lengths[begin : begin + int(last[-1])],
        )


_NONE_32, _NONE_16 = np.empty(0, np.uint32), np.empty(0, np.uint16)
NO_PASSAGES = PassageRecords(_NONE_32, _NONE_32, _NONE_32, _NONE_16, _NONE_16, _NONE_16, np.empty(0, np.uint8))
Entries = tuple[Numbers, NDArray[np.uint16], NDArray[np.uint16], NDArray[np.uint8]]
"""Terms by their places in the run, documents, passages, counts."""


def entered(entries: Entries, terms: int, last: NDArray[np.uint32], lengths: NDArray[np.uint16]) -> PassageRecords:
    """The records of entries that are ascending by document and passage within each term.

    terms: how many the run has. last, lengths: as the records have them.
    """
    if not len(lengths):
        return NO_PASSAGES
    order = np.argsort(entries[0], kind="stable")
    of_terms, documents, passages, counts = (each[order] for each in entries)
    fresh = np.ones(len(order), np.bool_)
    fresh[1:] = (of_terms[1:] != of_terms[:-1]) | (documents[1:] != documents[:-1])
    return PassageRecords(
        np.cumsum(np.bincount(of_terms, minlength=terms)).astype(np.uint32),
        np.bincount(of_terms[fresh], minlength=terms).astype(np.uint32),
        last,
        lengths,
        documents.astype(np.uint16),
        passages.astype(np.uint16),
        counts.astype(np.uint8),
    )


def joined(
    parts: Sequence[PassageRecords], sizes: Sequence[int], where: Sequence[Numbers], terms: int
) -> PassageRecords:
    """Those of runs that follow each other.

    sizes: how many documents each run has. where: the places of its terms among the `terms` of all.
    """
    if not any(map(len, parts)):
        return NO_PASSAGES
    firsts = np.cumsum([0, *sizes])
    before = np.cumsum([0, *map(len, parts)])
    entries: Entries = (
        np.concatenate([own[part.terms] for part, own in zip(parts, where, strict=True) if len(part)]),
        np.concatenate([part.documents + np.uint16(n) for part, n in zip(parts, firsts.tolist(), strict=False)]),
        np.concatenate([part.passages for part in parts]),
        np.concatenate([part.counts for part in parts]),
    )
    last = [
        (part.last if len(part) else np.zeros(size, np.uint32)) + np.uint32(n)
        for part, size, n in zip(parts, sizes, before.tolist(), strict=False)
    ]
    return entered(entries, terms, np.concatenate(last), np.concatenate([part.lengths for part in parts]))
