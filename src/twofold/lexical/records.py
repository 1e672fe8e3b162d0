"""Which documents have each term, how often, and how long each document is: what scores are made of.

A run holds this of documents with consecutive numbers. Records are runs behind each other, in files that are mapped or
in memory, with the same bits. Two runs are joined where that makes none too large, as in an LSM tree.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twofold.lexical.passage_records import NO_PASSAGES, PassageRecords, joined
from twofold.scores import Numbers

Hashes = NDArray[np.uint64]
"""uint64 (n,): hashes of terms (vocabulary.py)."""
Places = NDArray[np.uint16]

LARGEST = 2**16
"""Document numbers of a run, so that a place fits into 16 bits."""
MOST = 255
"""A document has no term more often, as far as counts tell."""
ABSENT = 2**32 - 1
"""The length under a number of which no document was read."""
GROWTH = 2
"""A run is joined with the later ones that are together half as long."""
NOTHING, NO_PLACES, NO_COUNTS = np.empty(0, np.int64), np.empty(0, np.uint16), np.empty(0, np.uint8)
NO_LENGTHS = NO_PLACES


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """Documents with the numbers `first` to `end`, which is not among them.

    lengths: uint32 (n,), terms of each document with repetitions, ABSENT where no document was read. hashes: uint64
    (terms,), ascending, all different. places, counts: uint16 and uint8; for one term after the other, the numbers less
    `first` of the documents that have it, ascending, and how often each has it. ends: uint32 (terms,), where those of
    each term end. within: the passages of those documents that have several.
    """

    first: int
    lengths: NDArray[np.uint32]
    hashes: Hashes
    ends: NDArray[np.uint32]
    places: Places
    counts: NDArray[np.uint8]
    within: PassageRecords = NO_PASSAGES

    @property
    def end(self) -> int:
        """The number after the last."""
        return self.first + len(self.lengths)

    @property
    def sizes(self) -> Numbers:
        """int64 (terms,): how many documents have each term."""
        ends = self.ends.astype(np.int64)
        sizes: Numbers = np.concatenate([ends[:1], ends[1:] - ends[:-1]])
        return sizes

    def spans(self, hashes: Hashes) -> tuple[Numbers, Numbers]:
        """int64 (n,) twice: where the documents of each of these terms begin and end; equal where none has it."""
        if not len(self.hashes):
            return np.zeros(len(hashes), np.int64), np.zeros(len(hashes), np.int64)
        found = self.hashes.searchsorted(hashes)
        there = self.hashes.take(found, mode="clip") == hashes
        ends = self.ends.take(found, mode="clip") * there
        return (self.ends.take(found - 1, mode="clip") * (there & (found > 0))).astype(np.int64), ends.astype(np.int64)

    def within_spans(self, hashes: Hashes) -> tuple[Numbers, Numbers, Numbers]:
        """int64 (n,) three times: where the entries of each of these terms begin and end in `within`, and how many
        documents with several passages have it."""
        if not len(self.hashes) or not len(self.within):
            return np.zeros(len(hashes), np.int64), np.zeros(len(hashes), np.int64), np.zeros(len(hashes), np.int64)
        found = self.hashes.searchsorted(hashes)
        there = self.hashes.take(found, mode="clip") == hashes
        ends, having = (each.take(found, mode="clip") * there for each in (self.within.ends, self.within.having))
        starts = self.within.ends.take(found - 1, mode="clip") * (there & (found > 0))
        return starts.astype(np.int64), ends.astype(np.int64), having.astype(np.int64)

    def having(self, hashes: Hashes) -> tuple[Places, Numbers, Numbers]:
        """The places of the documents that have these terms, one term after the other.

        With them, of each term: where its places end, and how far it is from there to the run's own.
        """
        starts, ends = self.spans(hashes)
        places = [self.places[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
        together = np.cumsum(ends - starts)
        return np.concatenate([NO_PLACES, *places]), together, ends - together

    def between(self, first: int, end: int) -> Run:
        """The run of fewer documents."""
        if first <= self.first and end >= self.end:
            return self
        first, end = max(first, self.first) - self.first, min(end, self.end) - self.first
        kept = np.flatnonzero((self.places >= first) & (self.places < end))
        sizes = np.bincount(np.repeat(np.arange(len(self.hashes)), self.sizes)[kept], minlength=len(self.hashes))
        having = sizes > 0
        return Run(
            self.first + first,
            self.lengths[first:end],
            self.hashes[having],
            np.cumsum(sizes[having]).astype(np.uint32),
            (self.places[kept] - first).astype(np.uint16),
            self.counts[kept],
            self.within.between(first, end, having),
        )


@dataclass(frozen=True, slots=True, eq=False)
class PassageMatches:
    """Terms in the passages of some documents.

    many: int64 (documents,), how many passages each has; 0 for one. lengths: uint16 (passages,), one document's after
    the other's. passages, terms, counts: a passage among all of them, a term that it has, and how often it has it;
    those of a passage stand in the order of the terms.
    """

    many: Numbers
    lengths: NDArray[np.uint16]
    passages: Numbers
    terms: Numbers
    counts: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """The records of documents `first` to `end`, which is not among them; runs: of them all, in their order."""

    first: int
    runs: tuple[Run, ...] = ()

    @property
    def end(self) -> int:
        """The number after the last."""
        return self.runs[-1].end if self.runs else self.first

    @property
    def documents(self) -> int:
        """How many documents were read."""
        return sum(int(np.count_nonzero(run.lengths != ABSENT)) for run in self.runs)

    @property
    def tokens(self) -> int:
        """The sum of their lengths."""
        return sum(int(run.lengths[run.lengths != ABSENT].sum(dtype=np.int64)) for run in self.runs)

    @property
    def passages(self) -> tuple[int, int]:
        """How many passages were read, and the sum of their lengths; a document that has not several counts as one."""
        count, tokens = self.documents, self.tokens
        for run in (each for each in self.runs if len(each.within)):
            several = run.within.several
            count += len(run.within) - int(np.count_nonzero(several))
            tokens += int(run.within.lengths.sum(dtype=np.int64)) - int(run.lengths[several].sum(dtype=np.int64))
        return count, tokens

    def between(self, first: int, end: int) -> Records:
        """The records of fewer documents."""
        runs = (run.between(first, end) for run in self.runs if run.first < end and run.end > first)
        return Records(first, tuple(runs))

    def followed_by(self, later: Sequence[Run]) -> Records:
        """These records and those of the next documents."""
        return Records(self.first, settled((*self.runs, *later)))

    def having(self, hashes: Hashes) -> Numbers:
        """int64 (n,): how many documents have each of these terms."""
        counts = np.zeros(len(hashes), np.int64)
        for run in self.runs:
            starts, ends = run.spans(hashes)
            counts += ends - starts
        return counts

    def passages_having(self, hashes: Hashes) -> Numbers:
        """int64 (n,): how many passages have each of these terms, counted as `passages` counts."""
        counts = self.having(hashes)
        for run in (each for each in self.runs if len(each.within)):
            starts, ends, there = run.within_spans(hashes)
            counts += ends - starts - there
        return counts

    def matches(self, numbers: Numbers, hashes: Hashes) -> tuple[Numbers, Numbers, NDArray[np.float64]]:
        """For each term that a document has: its place in `numbers`, the term's in `hashes`, and how often it has it.

        numbers: ascending, all different, within these records. hashes: ascending, all different. The triples of a
        document stand in the order of the hashes, whichever others are asked for.
        """
        found = [(NOTHING, NOTHING, NO_COUNTS)]
        table = np.full(LARGEST, -1, np.int32)
        for run, (start, end) in self._divided(numbers):
            asked = numbers[start:end] - run.first
            table[asked] = np.arange(start, end)
            places, ends, moved = run.having(hashes)
            owners = table[places]
            table[asked] = -1
            kept = np.flatnonzero(owners >= 0)
            terms = np.searchsorted(ends, kept, side="right")
            found.append((owners[kept].astype(np.int64), terms, run.counts[kept + moved[terms]]))
        of_all, terms_of_all, counts = (np.concatenate(each) for each in zip(*found, strict=True))
        return of_all, terms_of_all, counts.astype(np.float64)

    def passage_matches(self, numbers: Numbers, hashes: Hashes) -> PassageMatches:
        """What `matches` says of documents, of the passages of those of these documents that have several.

        numbers: ascending, all different, within these records. hashes: ascending, all different.
        """
        many, lengths = np.zeros(len(numbers), np.int64), [NO_LENGTHS]
        found = [(NOTHING, NOTHING, NO_COUNTS)]
        for run, (start, end) in self._divided(numbers):
            places = numbers[start:end] - run.first
            begins, finishes = run.within.spans(places)
            many[start:end] = finishes - begins
            before = sum(map(len, lengths)) + np.cumsum(many[start:end]) - many[start:end]
            lengths.append(run.within.lengths[_ranges(begins, finishes)[0]])
            if not len(lengths[-1]):
                continue
            starts, ends, _ = run.within_spans(hashes)
            asked = places.astype(np.uint16)
            for term, (first, last) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
                documents = run.within.documents[first:last]
                lows, highs = (documents.searchsorted(asked, side=side) + first for side in ("left", "right"))
                entries, owners = _ranges(lows, highs)
                passages = before[owners] + run.within.passages[entries]
                found.append((passages, np.full(len(entries), term), run.within.counts[entries]))
        of_passages, terms, counts = (np.concatenate(each) for each in zip(*found, strict=True))
        return PassageMatches(many, np.concatenate(lengths), of_passages, terms, counts.astype(np.float64))

    def with_any(self, hashes: Hashes) -> Numbers:
        """int64, ascending: the documents that have one of these terms."""
        found = [NOTHING]
        for run in self.runs:
            there = np.zeros(LARGEST, np.bool_)
            there[run.having(hashes)[0]] = True
            found.append(np.flatnonzero(there) + run.first)
        return np.concatenate(found)

    def lengths_of(self, numbers: Numbers) -> NDArray[np.uint32]:
        """uint32 (n,): the lengths of these documents, which are ascending."""
        parts = [run.lengths[numbers[start:end] - run.first] for run, (start, end) in self._divided(numbers)]
        return np.concatenate([np.empty(0, np.uint32), *parts])

    def _divided(self, numbers: Numbers) -> Iterator[tuple[Run, tuple[int, int]]]:
        """The runs that have some of these documents, and which of them: from one place in `numbers` to another."""
        ends = np.searchsorted(numbers, [run.end for run in self.runs]).tolist()
        for run, start, end in zip(self.runs, [0, *ends], ends, strict=False):
            if start < end:
                yield run, (start, end)


def settled(runs: tuple[Run, ...]) -> tuple[Run, ...]:
    """The runs, the last ones joined where they should be, so that there are few and each is seldom written again."""
    start, length = len(runs) - 1, len(runs[-1].lengths) if runs else 0
    while start > 0:
        before = len(runs[start - 1].lengths)
        if before > GROWTH * length or before + length > LARGEST:
            break
        start, length = start - 1, length + before
    return (*runs[:start], _joined(runs[start:])) if start < len(runs) - 1 else runs


def _joined(runs: Sequence[Run]) -> Run:
    """One run of the documents of several, at most LARGEST in all."""
    hashes = np.unique(np.concatenate([run.hashes for run in runs]))
    where = [np.searchsorted(hashes, run.hashes) for run in runs]
    totals = np.zeros(len(hashes), np.int64)
    for run, terms in zip(runs, where, strict=True):
        totals[terms] += run.sizes
    ends = np.cumsum(totals)
    following, count = ends - totals, int(totals.sum())
    places, counts = np.empty(count, np.uint16), np.empty(count, np.uint8)
    for run, terms in zip(runs, where, strict=True):
        sizes = run.sizes
        targets = np.repeat(following[terms] - (run.ends - sizes), sizes) + np.arange(len(run.places))
        places[targets] = run.places + np.uint16(run.first - runs[0].first)
        counts[targets] = run.counts
        following[terms] += sizes
    lengths = np.concatenate([run.lengths for run in runs])
    within = joined([run.within for run in runs], [len(run.lengths) for run in runs], where, len(hashes))
    return Run(runs[0].first, lengths, hashes, ends.astype(np.uint32), places, counts, within)


def _ranges(starts: Numbers, ends: Numbers) -> tuple[Numbers, Numbers]:
    """All numbers of these ranges, one range after the other, and the range of each."""
    lengths = ends - starts
    owners = np.repeat(np.arange(len(starts)), lengths)
    return np.arange(len(owners)) + np.repeat(starts - (np.cumsum(lengths) - lengths), lengths), owners
