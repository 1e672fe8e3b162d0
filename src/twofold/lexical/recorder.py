"""Documents, read one by one, become runs of records."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from twofold.lexical.records import ABSENT, LARGEST, MOST, Run
from twofold.lexical.vocabulary import NONE, Vocabulary

GATHERED = 2**21
"""Terms that are counted at once, 8 bytes each."""
PLACE_BITS = np.uint64(16)


class Recorder:
    """Makes runs of documents, by ascending numbers from `first` on; `made` are those to be taken away."""

    def __init__(self, first: int, vocabulary: Vocabulary) -> None:
        self.made: list[Run] = []
        self._vocabulary = vocabulary
        self._first = first
        self._sizes, self._ids = array("I"), array("I")

    def add(self, number: int, ids: Sequence[int]) -> None:
        """A document by the ids of its terms, repeated as they are; numbers that are left out have no document."""
        self.skip_to(number)
        self._sizes.append(len(ids))
        self._ids.extend(ids)
        if len(self._sizes) == LARGEST or len(self._ids) >= GATHERED:
            self.close()

    def skip_to(self, number: int) -> None:
        """No document was read under the numbers before this one."""
        while (gap := number - self._first - len(self._sizes)) > 0:
            self._sizes.extend(array("I", [ABSENT]) * min(gap, LARGEST - len(self._sizes)))
            if len(self._sizes) == LARGEST:
                self.close()

    def close(self) -> None:
        """Ends the run that is being made, if there is one."""
        if self._sizes:
            sizes, ids = np.frombuffer(self._sizes, np.uint32), np.frombuffer(self._ids, np.uint32)
            self.made.append(_run(self._first, sizes, ids, np.frombuffer(self._vocabulary.hashes, np.uint64)))
            self._first += len(sizes)
            self._sizes, self._ids = array("I"), array("I")
        self._vocabulary.trim()


def _run(first: int, sizes: NDArray[np.uint32], ids: NDArray[np.uint32], hashes: NDArray[np.uint64]) -> Run:
    """sizes: how many of the ids each document has, ABSENT where there is none. hashes: of every id."""
    absent = sizes == ABSENT
    places = np.repeat(np.arange(len(sizes), dtype=np.uint64), np.where(absent, 0, sizes))
    named = ids != NONE
    lengths = np.bincount(places[named].astype(np.int64), minlength=len(sizes)).astype(np.uint32)
    lengths[absent] = ABSENT
    ordered = (ids[named].astype(np.uint64) << PLACE_BITS) | places[named]
    ordered.sort(kind="stable")
    ordered, counts = _counted(ordered)
    terms, sizes_of_terms = _counted(ordered >> PLACE_BITS)
    # The ids are in the order in which this process met the terms; records go by the hashes.
    found = hashes[terms]
    order = np.argsort(found, kind="stable")
    if len(same := np.flatnonzero(found[order][1:] == found[order][:-1])):  # two terms with one hash count as one
        kept, other = terms[order[same[0]]], terms[order[same[0] + 1]]
        return _run(first, sizes, np.where(ids == other, kept, ids).astype(np.uint32), hashes)
    ends = np.cumsum(sizes_of_terms[order])
    begins = np.cumsum(sizes_of_terms) - sizes_of_terms
    moved = np.repeat(begins[order] - (ends - sizes_of_terms[order]), sizes_of_terms[order]) + np.arange(len(ordered))
    return Run(
        first,
        lengths,
        found[order],
        ends.astype(np.uint32),
        ordered[moved].astype(np.uint16),
        np.minimum(counts, MOST)[moved].astype(np.uint8),
    )


def _counted(ascending: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """The different values, and how often each is there."""
    begins = np.flatnonzero(np.diff(ascending, prepend=~ascending[:1]))
    return ascending[begins], np.diff(begins, append=len(ascending))
