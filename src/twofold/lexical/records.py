"""The forward store: which terms each document has, how often, and how long it is.

A record is one ascending run of uint64, a term each: the upper 56 bits are the term's hash, the lower 8 how often the
document has it, 255 at most. Records of consecutive document numbers lie behind each other, in files that are mapped or
in memory, with the same bits. All of this is little-endian.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from twofold.scores import Mask, Numbers

Terms = NDArray[np.uint64]
"""uint64 (n,): hashes of terms with counts in their lower 8 bits."""

BITS, MOST = 8, 255
"""Of a count."""
HASH_BYTES = 7
"""Of 56 bits: among ten million different terms the chance that any two have one hash is 1 in 1,400."""
ABSENT = 2**32 - 1
"""The length under a number of which no document was read."""
KEYS_KEPT = 1_000_000
BLOCK = 65_536
"""Values looked through at once, so that they stay in the processor's cache."""
SPARSE = 8
"""Records of fewer documents than this part of all are gathered; otherwise all are looked through."""


class _Keys(dict[str, int]):
    """term → its key, the hash in the upper 56 of 64 bits; as many as memory is meant for."""

    def __missing__(self, term: str) -> int:
        if len(self) >= KEYS_KEPT:
            self.clear()
        digest = blake2b(term.encode("utf-8", "surrogatepass"), digest_size=HASH_BYTES).digest()
        key = self[term] = int.from_bytes(digest, "little") << BITS
        return key


KEYS = _Keys()


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """The records of documents `first` to `end`, which is not among them.

    ends: int64 (n,), where each record ends, counted in `terms` from `start`. lengths: uint32 (n,), terms of each
    document with repetitions, ABSENT where no document was read.
    """

    first: int
    start: int
    ends: Numbers
    lengths: NDArray[np.uint32]
    terms: Terms

    @property
    def end(self) -> int:
        """The number after the last."""
        return self.first + len(self.ends)

    @property
    def documents(self) -> int:
        """How many documents were read."""
        return int(np.count_nonzero(self.lengths != ABSENT))

    @property
    def tokens(self) -> int:
        """The sum of their lengths."""
        return int(self.lengths[self.lengths != ABSENT].sum(dtype=np.int64))

    def between(self, first: int, end: int) -> Records:
        """The records of fewer documents, without copying."""
        ends = self.ends[first - self.first : end - self.first]
        start = self.start if first == self.first else int(self.ends[first - self.first - 1])
        last = int(ends[-1]) if len(ends) else start
        lengths = self.lengths[first - self.first : end - self.first]
        return Records(first, start, ends, lengths, self.terms[start - self.start : last - self.start])

    def followed_by(self, later: Records) -> Records:
        """These records and those of the next documents."""
        moved = later.ends - later.start + self.start + len(self.terms)
        return Records(
            self.first,
            self.start,
            np.concatenate([self.ends, moved]),
            np.concatenate([self.lengths, later.lengths]),
            np.concatenate([self.terms, later.terms]),
        )

    def having(self, hashes: Terms) -> Numbers:
        """int64 (n,): how many documents have each term; hashes: ascending, all different."""
        return np.bincount(_found(self.terms, hashes)[1], minlength=len(hashes))

    def matches(self, numbers: Numbers, hashes: Terms) -> tuple[Numbers, Numbers, NDArray[np.float64]]:
        """For each term that a document has: its place in `numbers`, the term's in `hashes`, and how often it has it.

        numbers: ascending, all different, within these records. hashes: ascending, all different. The triples of a
        document stand in the order of its record, whichever others are asked for.
        """
        if len(numbers) * SPARSE > len(self.ends):
            places, which = _found(self.terms, hashes)
            among = np.full(len(self.ends), -1)
            among[numbers - self.first] = np.arange(len(numbers))
            owners = among[np.searchsorted(self.ends, places + self.start, side="right")]
            asked = np.flatnonzero(owners >= 0)
            places, which, owners = places[asked], which[asked], owners[asked]
            return owners, which, (self.terms[places] & np.uint64(MOST)).astype(np.float64)
        gathered, owners = self._gathered(numbers)
        places, which = _found(gathered, hashes)
        return owners[places], which, (gathered[places] & np.uint64(MOST)).astype(np.float64)

    def lengths_of(self, numbers: Numbers) -> NDArray[np.uint32]:
        """uint32 (n,): the lengths of these documents."""
        return self.lengths[numbers - self.first]

    def _gathered(self, numbers: Numbers) -> tuple[Terms, Numbers]:
        """The records of these documents behind each other, and for each value the place of its document."""
        positions = numbers - self.first
        ends = self.ends[positions] - self.start
        starts = np.where(positions > 0, self.ends[positions - 1], self.start) - self.start
        sizes = ends - starts
        owners = np.repeat(np.arange(len(numbers)), sizes)
        places = np.arange(len(owners)) + np.repeat(starts - np.cumsum(sizes) + sizes, sizes)
        return self.terms[places], owners


NOTHING = np.empty(0, np.int64)


def _found(terms: Terms, hashes: Terms) -> tuple[Numbers, Numbers]:
    """Where values of these hashes stand, ascending, and which of the hashes each has."""
    if not len(hashes) or not len(terms):
        return NOTHING, NOTHING
    likely: Mask = np.zeros(2**16, np.bool_)
    likely[((hashes >> np.uint64(16 - BITS)) & np.uint64(0xFFFF)).astype(np.intp)] = True
    places, which = [], []
    for start in range(0, len(terms), BLOCK):
        block = np.ascontiguousarray(terms[start : start + BLOCK], "<u8")
        near = np.flatnonzero(likely[block.view("<u2")[1::4]])  # the second 16 bits of each value
        values = block[near] >> np.uint64(BITS)
        found = np.minimum(np.searchsorted(hashes, values), len(hashes) - 1)
        same = hashes[found] == values
        places.append(near[same] + start)
        which.append(found[same])
    return np.concatenate(places), np.concatenate(which)


class Recorder:
    """Makes records of documents, by ascending numbers from `first` on."""

    def __init__(self, first: int, start: int = 0) -> None:
        self._first, self._start = first, start
        self._ends, self._lengths, self._terms = array("q"), array("I"), array("Q")

    @property
    def end(self) -> int:
        """The number after the last document."""
        return self._first + len(self._ends)

    def add(self, number: int, keys: Sequence[int]) -> None:
        """A document by the keys of its terms, repeated as they are; numbers that are left out have no document."""
        self.skip_to(number)
        self._terms.extend(sorted([key | min(count, MOST) for key, count in Counter(keys).items()]))
        self._ends.append(self._start + len(self._terms))
        self._lengths.append(len(keys))

    def skip_to(self, number: int) -> None:
        """No document was read under the numbers before this one."""
        if (gap := number - self.end) > 0:
            self._ends.extend(array("q", [self._start + len(self._terms)]) * gap)
            self._lengths.extend(array("I", [ABSENT]) * gap)

    def records(self) -> Records:
        """What was added so far."""
        return Records(
            self._first,
            self._start,
            np.array(self._ends, np.int64),
            np.array(self._lengths, np.uint32),
            np.array(self._terms, np.uint64),
        )
