"""Documents, read one by one, become runs of records."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from twofold.lexical.passage_records import LONGEST, MOST_PASSAGES, NO_PASSAGES, PassageRecords, entered
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
        self._begin()

    def _begin(self) -> None:
        self._sizes, self._ids = array("I"), array("I")
        self._many, self._passage_sizes, self._passage_ids = array("I"), array("I"), array("I")

    def add(self, number: int, ids: Sequence[int], passages: Sequence[Sequence[int]] = ()) -> None:
        """A document by the ids of its terms, repeated as they are; numbers that are left out have no document.

        passages: the ids of each of its passages, where it has several.
        """
        self.skip_to(number)
        self._sizes.append(len(ids))
        self._ids.extend(ids)
        if 1 < len(passages) <= MOST_PASSAGES:
            self._many.extend(array("I", [0]) * (len(self._sizes) - 1 - len(self._many)))
            self._many.append(len(passages))
            for each in passages:
                self._passage_sizes.append(len(each))
                self._passage_ids.extend(each)
        if len(self._sizes) == LARGEST or len(self._ids) + len(self._passage_ids) >= GATHERED:
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
            self._many.extend(array("I", [0]) * (len(self._sizes) - len(self._many)))
            passages = _Passages(
                *(np.frombuffer(each, np.uint32) for each in (self._many, self._passage_sizes, self._passage_ids))
            )
            self.made.append(_run(self._first, sizes, ids, passages, np.frombuffer(self._vocabulary.hashes, np.uint64)))
            self._first += len(sizes)
            self._begin()
        self._vocabulary.trim()


@dataclass(frozen=True, slots=True, eq=False)
class _Passages:
    """Passages as they were gathered: of each document how many, 0 for one; of each passage how many ids; the ids."""

    many: NDArray[np.uint32]
    sizes: NDArray[np.uint32]
    ids: NDArray[np.uint32]

    def records(self, pairs: NDArray[np.uint64], places: NDArray[np.int64]) -> PassageRecords:
        """Their records. pairs: the terms of each document (id, then its place), ascending; only these count, since a
        boundary may cut a word. places: of the term of each pair in the run."""
        if not len(self.sizes):
            return NO_PASSAGES
        many = self.many.astype(np.int64)
        last = np.cumsum(many)
        among = np.arange(len(self.sizes)) - np.repeat(last - many, many)
        owners = np.repeat(np.arange(len(many)), many)
        passages = np.repeat(np.arange(len(self.sizes)), self.sizes)[self.ids != NONE]
        ids = self.ids[self.ids != NONE].astype(np.uint64)
        place = ((owners << 16) | among).astype(np.uint64)
        entries, counts = _counted(np.sort((ids << np.uint64(32)) | place[passages]))
        found = np.searchsorted(pairs, entries >> PLACE_BITS)
        kept = pairs.take(found, mode="clip") == entries >> PLACE_BITS
        entries = entries[kept]
        lengths = np.minimum(np.bincount(passages, minlength=len(self.sizes)), LONGEST).astype(np.uint16)
        return entered(
            (
                places[found[kept]],
                (entries >> PLACE_BITS).astype(np.uint16),
                entries.astype(np.uint16),
                np.minimum(counts[kept], MOST).astype(np.uint8),
            ),
            int(places.max(initial=-1)) + 1,
            last.astype(np.uint32),
            lengths,
        )


def _run(
    first: int,
    sizes: NDArray[np.uint32],
    ids: NDArray[np.uint32],
    passages: _Passages,
    hashes: NDArray[np.uint64],
) -> Run:
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
        ids, within = (np.where(each == other, kept, each).astype(np.uint32) for each in (ids, passages.ids))
        return _run(first, sizes, ids, replace(passages, ids=within), hashes)
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
        passages.records(ordered, np.repeat(np.argsort(order), sizes_of_terms)),
    )


def _counted(ascending: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """The different values, and how often each is there."""
    begins = np.flatnonzero(np.diff(ascending, prepend=~ascending[:1]))
    return ascending[begins], np.diff(begins, append=len(ascending))
