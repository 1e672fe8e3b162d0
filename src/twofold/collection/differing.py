"""How two collections differ: counts, ids, documents, vectors, and the rankings of questions.

They may be of two engines. What is compared is what is stored and exact rankings, so an index changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twofold.collection.ranking_differences import Questions, RankingDifference
from twofold.documents import Document
from twofold.engine import EngineSnapshot
from twofold.errors import brief
from twofold.progress import Progress
from twofold.scores import Numbers
from twofold.space import Space

AT_ONCE = 1_000
"""Documents that are compared at a time."""
SAMPLE = 10_000
"""Documents whose content is compared, unless it is said otherwise; the ids of all are."""
CLOSE = 1e-5
"""Numbers of vectors that differ by no more are the same."""
SHOWN = 5
"""Differences of each kind that are named."""
SEED = 0


@dataclass(slots=True, kw_only=True)
class Differences:
    """How another collection differs from this one.

    documents, passages: of both, this one first. only_here, only_there: ids that one of them lacks. compared: documents
    of which the content was compared; changed: those with another title, text or metadata; moved: with other passages
    or vectors. vector: the largest difference of two numbers. rankings: by mode. named: the first differences of each
    kind. notes: what was not compared, and why.
    """

    documents: tuple[int, int] = (0, 0)
    passages: tuple[int, int] = (0, 0)
    only_here: int = 0
    only_there: int = 0
    compared: int = 0
    changed: int = 0
    moved: int = 0
    vector: float = 0.0
    rankings: list[RankingDifference] = field(default_factory=list)
    named: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def same(self) -> bool:
        """Whether there is no difference."""
        return not self.named

    def to_json(self) -> dict[str, Any]:
        """The figures by name."""
        return {"same": self.same, **asdict(self)}

    def name(self, said: str, count: int) -> None:
        """Names a difference, if few of its kind (count, this one included) were named."""
        if count <= SHOWN:
            self.named.append(said)

    def rank(self, ranking: RankingDifference, places: Sequence[int], questions: Questions) -> None:
        """Takes the comparison of a mode. places: of the questions whose rankings differ."""
        self.rankings.append(ranking)
        for count, place in enumerate(places, start=1):
            named = questions.texts[place] if ranking.mode != "dense" or questions.paired else f"stored vector {place}"
            self.name(f"{ranking.mode}: the first ten of {brief(named)!r} differ", count)


class Differing:
    """One comparison of two snapshots. sample: documents whose content is compared."""

    def __init__(self, here: EngineSnapshot, there: EngineSnapshot, sample: int, progress: Progress) -> None:
        self._here = here
        self._there = there
        self._sample = sample
        self._progress = progress
        self.found = Differences(
            documents=(here.counts.documents, there.counts.documents),
            passages=(here.counts.passages, there.counts.passages),
        )

    def run(self) -> Numbers:
        """Compares counts, ids and contents; gives the documents here whose content was compared, int64, ascending."""
        found = self.found
        if found.documents[0] != found.documents[1]:
            found.named.append(f"{found.documents[0]:,} documents here, {found.documents[1]:,} there")
        if found.passages[0] != found.passages[1]:
            found.named.append(f"{found.passages[0]:,} passages here, {found.passages[1]:,} there")
        both = self._shared()
        found.only_there = sum(self._only(self._there, self._here, "there"))
        drawn = np.sort(np.random.default_rng(SEED).permutation(both)[: self._sample])
        spaces = self._spaces()
        for start in range(0, len(drawn), AT_ONCE):
            self._compare(drawn[start : start + AT_ONCE], spaces)
            self._progress(min(start + AT_ONCE, len(drawn)), len(drawn))
        return drawn

    def _shared(self) -> Numbers:
        """int64, ascending: the documents here that are there too; counts those that are not."""
        numbers, shared = self._here.select(), []
        for start in range(0, len(numbers), AT_ONCE):
            part = numbers[start : start + AT_ONCE]
            known = self._there.find(ids := self._here.ids(part))
            shared.append(part[[identifier in known for identifier in ids]])
            for identifier in (each for each in ids if each not in known):
                self.found.only_here += 1
                self.found.name(f"document {identifier!r} is here only", self.found.only_here)
        return np.concatenate([np.empty(0, np.int64), *shared])

    def _only(self, one: EngineSnapshot, other: EngineSnapshot, where: str) -> Iterator[int]:
        """1 for each document that one has and the other has not."""
        numbers, count = one.select(), 0
        for start in range(0, len(numbers), AT_ONCE):
            known = other.find(ids := one.ids(numbers[start : start + AT_ONCE]))
            for identifier in (each for each in ids if each not in known):
                count += 1
                self.found.name(f"document {identifier!r} is {where} only", count)
                yield 1

    def _spaces(self) -> list[tuple[Space, Space]]:
        """The spaces that both have, here and there: the default ones as a pair, whatever their names."""
        here, there = self._here.space, self._there.space
        pairs = [(here, there)]
        others = {each.name: each for each in self._there.spaces if each.name != there.name}
        for each in (each for each in self._here.spaces if each.name != here.name):
            if each.name in others:
                pairs.append((each, others.pop(each.name)))
            else:
                self.found.notes.append(f"the space {each.name} is here only, and was not compared")
        self.found.notes += [f"the space {name} is there only, and was not compared" for name in others]
        return [pair for pair in pairs if self._alike(*pair)]

    def _alike(self, here: Space, there: Space) -> bool:
        if (here.words, here.unit, here.numbers) == (there.words, there.unit, there.numbers):
            return True
        self.found.named.append(
            f"the space {here.name} holds vectors of {here.dimension} {here.numbers} numbers here, "
            f"{there.dimension} {there.numbers} there"
        )
        return False

    def _compare(self, numbers: Numbers, spaces: list[tuple[Space, Space]]) -> None:
        found = self.found
        documents = self._here.documents(numbers)
        handles = self._there.find([each.id for each in documents])
        # Handles ascend, as passages are asked for.
        order = sorted(range(len(documents)), key=lambda place: handles[documents[place].id])
        theirs = np.array([handles[documents[place].id] for place in order], np.int64)
        others = dict(zip(order, self._there.documents(theirs), strict=True))
        found.compared += len(documents)
        for place, document in enumerate(documents):
            if said := _difference(document, others[place]):
                found.changed += 1
                found.name(f"document {document.id!r} has another {said}", found.changed)
        moved: dict[int, str] = {}
        for here, there in spaces:
            ours = _rows(self._here, numbers, here)
            self._compare_rows(ours, _rows(self._there, theirs, there), order, moved)
        for place, said in moved.items():
            found.moved += 1
            found.name(f"document {documents[place].id!r} has {said}", found.moved)

    def _compare_rows(
        self,
        ours: list[tuple[NDArray[Any], NDArray[Any]]],
        theirs: list[tuple[NDArray[Any], NDArray[Any]]],
        order: list[int],
        moved: dict[int, str],
    ) -> None:
        """Of each document its spans and rows; `order` says which of ours each of theirs belongs to."""
        for place, (spans, rows) in zip(order, theirs, strict=True):
            own_spans, own_rows = ours[place]
            if not np.array_equal(own_spans, spans):
                moved.setdefault(place, "other passages")
                continue
            apart = float(np.abs(own_rows.astype(np.float32) - rows.astype(np.float32)).max(initial=0))
            self.found.vector = max(self.found.vector, apart)
            if apart > CLOSE or (own_rows.dtype == np.uint16 and apart):
                moved.setdefault(place, f"another vector, by up to {apart:.3g}")


def _rows(snapshot: EngineSnapshot, numbers: Numbers, space: Space) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    """Of each of these documents (ascending) the spans and the rows in a space."""
    passages = snapshot.passages(numbers, space.name)
    rows: NDArray[Any]
    if space.bits:
        rows = snapshot.codes(passages.handles, space.name)
    elif len(passages.handles):
        rows = snapshot.dense(space.name, exact=True).vectors(passages.handles)
    else:
        rows = np.empty((0, space.dimension), np.float32)
    ends = np.searchsorted(passages.owners, np.arange(len(numbers) + 1))
    return [(passages.spans[a:b], rows[a:b]) for a, b in pairwise(ends)]


def _difference(document: Document, other: Document) -> str:
    """The first field in which two documents differ; empty where there is none."""
    if document.title != other.title:
        return "title"
    if document.text != other.text:
        return "text"
    return "" if document.metadata_json() == other.metadata_json() else "metadata"
