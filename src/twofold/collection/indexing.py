"""Approximate indexes of a collection: which one is built, how it is opened, and what it promises.

An index covers the rows that were there when it was built; later ones are searched exactly beside it. What was chosen,
and what it was measured to find, stands in the collection's state.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from twofold.collection.guarding import GuardedEncoder
from twofold.collection.measuring import Measuring, Unanswered, questions
from twofold.contract import Contract
from twofold.engines.local.compacting import CompactReport
from twofold.engines.local.derived.builds import Built
from twofold.engines.local.derived.opened import ROOM, STATE, beside
from twofold.engines.local.engine import Store
from twofold.engines.local.snapshot import StoredSnapshot
from twofold.engines.local.spaces.nearest import NearestSearch
from twofold.engines.local.writer import Writer
from twofold.errors import InputError, UnfitIndexError
from twofold.indexes.kinds import KINDS, IndexSettings, build, load
from twofold.memory import available_bytes
from twofold.progress import Progress
from twofold.scores import Vectors
from twofold.tuning.recall import SECOND_HALF, Point, best, least_effort

FROM_ROWS = 50_000
"""So many rows are indexed without being asked: exact search of fewer takes a few milliseconds."""
PROMISE = 0.98
LATENCY = 20.0
"""Milliseconds that half of the look-ups may take at most, unless a call says otherwise."""
MEMORY_SHARE = 0.8
"""Of the memory that is left, what building an index may take."""
FLAT_QUESTIONS = slice(0, 40, 2)
"""Exact search is timed by fewer: it is the slowest, and finds everything."""
EFFORTS = {
    "scan": (0, 400, 800, 1600),
    "ivf": (128, 256, 512, 1024, 2048),
    "hnsw": (100, 200, 300, 400, 600, 800, 1200),
    "graph": (200, 300, 400, 500, 600, 800, 1200),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexReport:
    """What a collection's index is and what it was measured to find.

    kind: "flat" where search is exact and nothing is built. why: the choice in a sentence. rows: covered by the index.
    bytes: of its files. promise: the recall@10 asked for. latency: milliseconds that the median look-up should stay
    below, where the kind was chosen by measuring. reached: on questions that choosing had not seen; None for
    flat. filtered: the same behind random filters, by the share of passages that they let through. tried: what was
    measured while choosing, exact search first. questions: where they came from.
    """

    kind: str
    why: str
    rows: int = 0
    bytes: int = 0
    promise: float = PROMISE
    latency: float = LATENCY
    reached: Point | None = None
    filtered: tuple[tuple[float, Point], ...] = ()
    tried: tuple[Point, ...] = ()
    questions: str = ""

    @property
    def kept(self) -> bool:
        """Whether the promise held on the questions that choosing had not seen, whole and behind every filter."""
        checked = [] if self.reached is None else [self.reached, *(point for _, point in self.filtered)]
        return all(point.holds(self.promise) for point in checked)

    def to_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        return {
            "kind": self.kind,
            "why": self.why,
            "rows": self.rows,
            "bytes": self.bytes,
            "promise": self.promise,
            "latency": self.latency,
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
        unless = {"kind": values["kind"]}  # earlier reports spoke of one kind alone
        return cls(
            **fields,
            reached=None if reached is None else Point(**unless | reached),
            filtered=tuple((share, Point(**unless | point)) for share, point in filtered),
            tried=tuple(Point(**unless | point) for point in tried),
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


class Indexing:
    """One choice and one build, by a writer that holds the lock."""

    def __init__(self, store: Store, writer: Writer, encoder: GuardedEncoder, depth: int, progress: Progress) -> None:
        self._store = store
        self._writer = writer
        self._encoder = encoder
        self._depth = depth
        self._progress = progress

    def run(
        self, kind: str | None, promise: float, latency: float, queries: Sequence[str] | Vectors | None
    ) -> IndexReport:
        """Builds the index that was asked for, or the one that fits; measures it and keeps what was found.

        kind: a word of KINDS, "flat" for none, None for what fits: the smallest whose median look-up takes at most
        `latency` milliseconds. Raises InputError, StorageError.
        """
        if not latency > 0:
            raise InputError(f"a look-up takes some time: latency is above 0 milliseconds, not {latency!r}")
        if not 0 < promise <= 1:
            raise InputError(f"recall is a share of what exact search finds, above 0 and at most 1, not {promise!r}")
        with self._store.snapshot() as snapshot:
            report = self._chosen(snapshot, kind, promise, latency, queries)
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
        try:
            with self._store.snapshot() as snapshot:
                built = self._published(snapshot, report.kind)
        except InputError:  # it cannot be built any more: search is exact until `optimize` finds another kind
            self._writer.clear(ROOM)
            self._writer.put_state(STATE, None)
            return
        self._writer.put_state(STATE, replace(report, rows=built.rows, bytes=built.bytes).to_json())

    def _chosen(
        self,
        snapshot: StoredSnapshot,
        kind: str | None,
        promise: float,
        latency: float,
        queries: Sequence[str] | Vectors | None,
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
        vectors, said = questions(snapshot, self._encoder, queries)
        measuring = Measuring(snapshot, vectors, self._depth)
        try:
            report = self._built(snapshot, [kind] if kind else list(KINDS), measuring, promise, latency)
        except UnfitIndexError as error:
            if kind is None:
                return self._flat(promise, str(error))
            report = self._chosen(snapshot, None, promise, latency, queries)
            return replace(report, why=f"{error}; {report.why}")
        return replace(report, questions=f"{len(vectors):,} {said}")

    def _flat(self, promise: float, why: str) -> IndexReport:
        self._writer.clear(ROOM)
        return IndexReport(kind="flat", why=why, promise=promise)

    def _built(
        self, snapshot: StoredSnapshot, kinds: list[str], measuring: Measuring, promise: float, latency: float
    ) -> IndexReport:
        """Builds kinds, the smallest first, until one keeps the promise in time; where none does, the best stays.

        Raises UnfitIndexError where none of them answers, InputError where the only one cannot be built.
        """
        tried = [measuring.recalls.measure(measuring.exact, "flat", part=FLAT_QUESTIONS)]
        choices: list[Point] = []
        refused = ""
        for kind in kinds:
            if len(kinds) > 1 and (without := self._without_memory(kind, snapshot.head.next_row)):
                refused += without
                break
            try:
                built, points = self._tried(snapshot, kind, measuring, promise)
            except InputError as error:
                if len(kinds) == 1 and not isinstance(error, UnfitIndexError):
                    raise
                refused += f"; {kind} was passed over: {error}"
                continue
            tried += points
            choices.append(points[-1])
            if points[-1].holds(promise) and points[-1].p50 <= latency:
                break
        if not choices:
            raise UnfitIndexError(refused.removeprefix("; "))
        choice = best(choices, promise)
        if choice.kind != choices[-1].kind:
            built = self._published(snapshot, choice.kind)
        search = _search_with(snapshot, built.path, measuring.exact, choice.kind, choice.effort)
        report = IndexReport(
            kind=choice.kind,
            why=("asked for" if len(kinds) == 1 else _why(choice, promise, latency)) + refused,
            rows=built.rows,
            bytes=built.bytes,
            promise=promise,
            latency=latency,
            reached=measuring.recalls.measure(search, choice.kind, choice.effort, SECOND_HALF),
            filtered=measuring.filtered(search, choice.kind, choice.effort, SECOND_HALF),
            tried=tuple(tried),
        )
        if choice.holds(promise) and not report.kept:
            return replace(report, why=f"{report.why}; questions that choosing had not seen say that it does not")
        return report

    def _tried(
        self, snapshot: StoredSnapshot, kind: str, measuring: Measuring, promise: float
    ) -> tuple[Built, list[Point]]:
        """A kind that answers all questions, published, and what was measured until an effort kept the promise.

        Publishes nothing where the kind is not for these vectors, and raises UnfitIndexError, or InputError where it
        cannot even be built.
        """
        points: list[Point] = []

        def measured(folder: Path) -> None:
            search_with = partial(_search_with, snapshot, folder, Unanswered(), kind)
            points.extend(least_effort(measuring.recalls, kind, search_with, EFFORTS[kind], promise))
            measuring.recalls.measure(search_with(points[-1].effort), kind, part=SECOND_HALF)

        return self._published(snapshot, kind, measured), points

    def _without_memory(self, kind: str, rows: int) -> str:
        """Why a kind is not even tried, where memory does not hold it; otherwise nothing."""
        needed, free = KINDS[kind].memory(rows, self._encoder.contract.dimension), available_bytes()
        if needed <= MEMORY_SHARE * free:
            return ""
        return f"; {kind} was not tried, it needs {needed / 1e9:,.1f} GB and {free / 1e9:,.1f} GB are left"

    def _published(
        self, snapshot: StoredSnapshot, kind: str, measured: Callable[[Path], None] = lambda _folder: None
    ) -> Built:
        """Builds a kind and publishes it. measured: looks at what was built before others may see it."""

        def fill(folder: Path) -> None:
            build(IndexSettings(kind=kind), snapshot, folder, threads=os.cpu_count() or 1, progress=self._progress)
            measured(folder)

        return self._writer.publish(ROOM, fill, {"kind": kind})


def _search_with(snapshot: StoredSnapshot, folder: Path, exact: NearestSearch, kind: str, effort: int) -> NearestSearch:
    index = load(IndexSettings(kind=kind, effort=effort), folder)
    return beside(snapshot, index, kind, effort, exact)


def _why(choice: Point, promise: float, latency: float) -> str:
    if not choice.holds(promise):
        return "none kept the promise, it finds most"
    if choice.p50 > latency:
        return f"none was found within {latency:g} ms, it is the fastest"
    return f"the smallest kind that keeps the promise within {latency:g} ms"
