"""Approximate indexes of a collection: which one is built, how it is opened, and what it promises.

An index covers the rows that were there when it was built; later ones are searched exactly beside it. What was chosen,
and what it was measured to find, stands in the collection's state.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from twofold.collection.guarding import GuardedEncoder
from twofold.collection.measuring import Measuring, questions
from twofold.contract import Contract
from twofold.errors import CorruptionError, InputError
from twofold.indexes.flat import FlatIndex
from twofold.indexes.kinds import KINDS, IndexSettings, build, load
from twofold.progress import Progress
from twofold.protocols import VectorIndex
from twofold.scores import Vectors
from twofold.searching.exact import ExactSearch
from twofold.searching.indexed import IndexedSearch
from twofold.searching.nearest import NearestSearch
from twofold.storage.builds import Built
from twofold.storage.compacting import CompactReport
from twofold.storage.reading import StoredSnapshot
from twofold.storage.store import Store
from twofold.storage.writing import Writer
from twofold.tuning.recall import SECOND_HALF, Point, choose_effort

ROOM, STATE = "indexes", "index"
FROM_ROWS = 50_000
"""So many rows are indexed without being asked: exact search of fewer takes a few milliseconds."""
PROMISE = 0.98
EFFORTS = {"scan": (0,), "ivf": (128, 256, 512, 1024, 2048), "graph": (200, 300, 400, 500, 600, 800, 1200)}


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexReport:
    """What a collection's index is and what it was measured to find.

    kind: "flat" where search is exact and nothing is built. why: the choice in a sentence. rows: covered by the index.
    bytes: of its files. promise: the recall@10 asked for. reached: on questions that choosing had not seen; None for
    flat. filtered: the same behind random filters, by the share of passages that they let through. tried: what was
    measured while choosing. questions: where they came from.
    """

    kind: str
    why: str
    rows: int = 0
    bytes: int = 0
    promise: float = PROMISE
    reached: Point | None = None
    filtered: tuple[tuple[float, Point], ...] = ()
    tried: tuple[Point, ...] = ()
    questions: str = ""

    @property
    def kept(self) -> bool:
        """Whether the promise held where it was checked."""
        return self.reached is None or self.reached.holds(self.promise)

    def to_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        return {
            "kind": self.kind,
            "why": self.why,
            "rows": self.rows,
            "bytes": self.bytes,
            "promise": self.promise,
            "kept": self.kept,
            "reached": None if self.reached is None else self.reached.to_json(),
            "filtered": [[share, point.to_json()] for share, point in self.filtered],
            "tried": [point.to_json() for point in self.tried],
            "questions": self.questions,
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> IndexReport:
        """The report that `to_json` wrote."""
        fields = {name: value for name, value in values.items() if name != "kept"}
        reached, tried, filtered = fields.pop("reached"), fields.pop("tried"), fields.pop("filtered", [])
        return cls(
            **fields,
            reached=None if reached is None else Point(**reached),
            filtered=tuple((share, Point(**point)) for share, point in filtered),
            tried=tuple(Point(**point) for point in tried),
        )


@dataclass(frozen=True, slots=True)
class OptimizeReport:
    """What optimizing gave back, and the index that stands now."""

    compact: CompactReport
    index: IndexReport

    def to_json(self) -> dict[str, Any]:
        """Both as JSON values."""
        return {**self.compact.to_json(), "index": self.index.to_json()}


def wanted(snapshot: StoredSnapshot, contract: Contract) -> bool:
    """Whether a collection is large enough for an index, and what stands leaves too many rows to be scanned."""
    built = snapshot.built(ROOM)
    lacking = snapshot.head.next_row - (0 if built is None else built.rows)
    return contract.similarity == "cosine" and lacking >= FROM_ROWS


class Indexes:
    """The opened index of a collection, shared by its searchers and opened anew when another one was built.

    One thread at a time (pinning.py holds the lock).
    """

    def __init__(self) -> None:
        self._opened: tuple[str, int, VectorIndex | None] | None = None

    def search(self, snapshot: StoredSnapshot, *, exact: bool) -> NearestSearch:
        """How a snapshot is searched: by the index that fits it, or exactly where there is none or that is asked."""
        all_rows = ExactSearch(snapshot, FlatIndex(snapshot))
        index = None if exact else self._of(snapshot)
        return all_rows if index is None else beside(snapshot, index, all_rows)

    def _of(self, snapshot: StoredSnapshot) -> VectorIndex | None:
        built = snapshot.built(ROOM)
        if built is None:
            return None
        state = snapshot.state(STATE)
        effort = 0 if state is None else int(state["reached"]["effort"])
        if self._opened is None or self._opened[:2] != (built.checksum, effort):
            self._opened = (built.checksum, effort, _opened(built, effort))
        return self._opened[2]


def beside(snapshot: StoredSnapshot, index: VectorIndex, exact: NearestSearch) -> IndexedSearch:
    """A search by an index, with the rows that it lacks searched exactly."""
    covers_all = index.rows >= snapshot.head.next_row
    return IndexedSearch(
        snapshot, index, tail=None if covers_all else FlatIndex(snapshot, first=index.rows), exact=exact
    )


def _opened(built: Built, effort: int) -> VectorIndex | None:
    """The index of a build; None for one that is damaged: search is exact then, and `verify` names it."""
    try:
        built.check()
        return load(IndexSettings(kind=built.about["kind"], effort=effort), built.path)
    except (CorruptionError, InputError, KeyError):
        return None


class Indexing:
    """One choice and one build, by a writer that holds the lock."""

    def __init__(self, store: Store, writer: Writer, encoder: GuardedEncoder, depth: int, progress: Progress) -> None:
        self._store = store
        self._writer = writer
        self._encoder = encoder
        self._depth = depth
        self._progress = progress

    def run(self, kind: str | None, promise: float, queries: Sequence[str] | Vectors | None) -> IndexReport:
        """Builds the index that was asked for, or the one that fits; measures it and keeps what was found.

        kind: a word of KINDS, "flat" for none, None for what fits. Raises InputError, StorageError.
        """
        with self._store.snapshot() as snapshot:
            report = self._chosen(snapshot, kind, promise, queries)
        state = None if report.kind == "flat" else report.to_json()
        if state != self._writer.state(STATE):
            self._writer.put_state(STATE, state)
        return report

    def again(self) -> None:
        """Builds the index that the state speaks of from all rows, as when it was damaged; it is not measured anew."""
        state = self._writer.state(STATE)
        if state is None:
            return
        report = IndexReport.from_json(state)
        with self._store.snapshot() as snapshot:
            built = self._published(snapshot, report.kind)
        self._writer.put_state(STATE, replace(report, rows=built.rows, bytes=built.bytes).to_json())

    def _chosen(
        self, snapshot: StoredSnapshot, kind: str | None, promise: float, queries: Sequence[str] | Vectors | None
    ) -> IndexReport:
        rows = snapshot.head.next_row
        if kind not in (None, "flat", *KINDS):
            raise InputError(f"there is no index of the kind {kind!r}; there are flat, {', '.join(KINDS)}")
        if kind is None and self._encoder.contract.similarity != "cosine":
            return self._flat(promise, "vectors of several lengths are compared exactly")
        if kind is None and rows < FROM_ROWS:
            return self._flat(promise, f"{rows:,} passages are searched exactly in a few milliseconds")
        if kind == "flat" or rows == 0:
            return self._flat(promise, "asked for" if kind == "flat" else "there are no passages")
        chosen = kind or "scan"
        why = "asked for" if kind else "one bit a dimension: small, quick to build, and filters go into the scan"
        return self._built(snapshot, chosen, why, promise, queries)

    def _flat(self, promise: float, why: str) -> IndexReport:
        self._writer.clear(ROOM)
        return IndexReport(kind="flat", why=why, promise=promise)

    def _built(
        self, snapshot: StoredSnapshot, kind: str, why: str, promise: float, queries: Sequence[str] | Vectors | None
    ) -> IndexReport:
        built = self._published(snapshot, kind)
        vectors, said = questions(snapshot, self._encoder, queries)
        measuring = Measuring(snapshot, vectors, self._depth)

        def search_with(effort: int) -> NearestSearch:
            return beside(snapshot, load(IndexSettings(kind=kind, effort=effort), built.path), measuring.exact)

        reached, tried = choose_effort(measuring.recalls, search_with, EFFORTS[kind], promise)
        return IndexReport(
            kind=kind,
            why=why,
            rows=built.rows,
            bytes=built.bytes,
            promise=promise,
            reached=reached,
            filtered=measuring.filtered(search_with(reached.effort), reached.effort, SECOND_HALF),
            tried=tuple(tried),
            questions=f"{len(vectors):,} {said}",
        )

    def _published(self, snapshot: StoredSnapshot, kind: str) -> Built:
        def fill(folder: Path) -> None:
            build(IndexSettings(kind=kind), snapshot, folder, threads=os.cpu_count() or 1, progress=self._progress)

        return self._writer.publish(ROOM, fill, {"kind": kind})
