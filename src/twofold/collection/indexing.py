"""Which index a collection gets: kinds are built aside and measured, and only the one that was chosen is published.

What was chosen, and what it was measured to find, stands in the manifest of the index. Until that is replaced, what
stood before serves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from twofold.collection.guarding import GuardedEncoder
from twofold.collection.index_making import Making
from twofold.collection.index_report import FLAT, ROOM, About, IndexReport
from twofold.collection.measuring import Measuring, questions
from twofold.engines.local.derived.manifest import Piece
from twofold.engines.local.engine import Store
from twofold.engines.local.snapshot import StoredSnapshot
from twofold.engines.local.writer import Writer
from twofold.errors import InputError, UnfitIndexError
from twofold.indexes.kinds import KINDS
from twofold.memory import available_bytes
from twofold.progress import Progress
from twofold.scores import Vectors
from twofold.tuning.recall import Point, best

FROM_ROWS = 50_000
"""So many rows are indexed without being asked: exact search of fewer takes a few milliseconds."""
AGAIN = 2
"""Where no kind fits, all are tried again when there are so many times more rows."""
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


@dataclass(frozen=True, slots=True)
class Asked:
    """What an index is asked to be: the recall@10 promised, and the milliseconds that half of the look-ups may take.

    kind: a word of KINDS, "flat" for none, None for what fits. Raises InputError for what no index can be.
    """

    kind: str | None
    promise: float
    latency: float

    def __post_init__(self) -> None:
        if not self.latency > 0:
            raise InputError(f"a look-up takes some time: latency is above 0 milliseconds, not {self.latency!r}")
        if not 0 < self.promise <= 1:
            raise InputError(
                f"recall is a share of what exact search finds, above 0 and at most 1, not {self.promise!r}"
            )
        if self.kind not in (None, FLAT, *KINDS):
            raise InputError(f"there is no index of the kind {self.kind!r}; there are flat, {', '.join(KINDS)}")

    @property
    def kinds(self) -> list[str]:
        """The kinds to try, the smallest first."""
        return list(KINDS) if self.kind is None else [self.kind]


@dataclass(frozen=True, slots=True)
class _Choice:
    """A kind that was built and measured: its piece, and its place among the others."""

    piece: Piece
    point: Point


class Indexing:
    """One choice, by a writer that holds the lock."""

    def __init__(self, store: Store, writer: Writer, encoder: GuardedEncoder, depth: int, progress: Progress) -> None:
        self._store = store
        self._writer = writer
        self._encoder = encoder
        self._depth = depth
        self._progress = progress

    def run(self, asked: Asked, queries: Sequence[str] | Vectors | None = None) -> IndexReport:
        """Builds the index that was asked for, or the smallest that fits, and publishes it with what was measured.

        Raises InputError, StorageError; what stood before stands until another is published.
        """
        with self._store.snapshot() as snapshot:
            try:
                return self._chosen(snapshot, asked, queries)
            finally:
                self._writer.sweep(ROOM)

    def _chosen(self, snapshot: StoredSnapshot, asked: Asked, queries: Sequence[str] | Vectors | None) -> IndexReport:
        rows = snapshot.head.next_row
        if asked.kind is None and self._encoder.contract.similarity != "cosine":
            return self._flat(asked, "vectors of several lengths are compared exactly")
        if asked.kind is None and rows < FROM_ROWS:
            return self._flat(asked, f"{rows:,} passages are searched exactly in a few milliseconds")
        if rows == 0 or asked.kind == FLAT:
            return self._flat(asked, "asked for" if asked.kind == FLAT else "there are no passages", rows)
        vectors, said = questions(snapshot, self._encoder, queries)
        measuring = Measuring(snapshot, vectors, self._depth)
        try:
            return self._published(snapshot, asked, measuring, f"{len(vectors):,} {said}")
        except UnfitIndexError as error:
            if asked.kind is None:
                return self._flat(asked, str(error), rows, AGAIN * rows)
            report = self._chosen(snapshot, replace(asked, kind=None), queries)
            return replace(report, why=f"{error}; {report.why}")

    def _flat(self, asked: Asked, why: str, rows: int = 0, retry: int | None = None) -> IndexReport:
        """Search stays exact. rows, retry: what is noted, so that it is not tried at each call of `add`."""
        report = IndexReport(kind=FLAT, why=why, promise=asked.promise)
        if rows:
            self._writer.publish(ROOM, About(report=report, rows=rows, retry=retry).to_json(), ())
        else:
            self._writer.clear(ROOM)
        return report

    def _published(self, snapshot: StoredSnapshot, asked: Asked, measuring: Measuring, said: str) -> IndexReport:
        """Builds kinds, the smallest first, until one keeps the promise in time; where none does, the best is taken.

        Raises UnfitIndexError where none of them answers, InputError where the only one cannot be built.
        """
        making = Making(self._writer, snapshot, self._progress)
        tried = [measuring.recalls.measure(measuring.exact, FLAT, part=FLAT_QUESTIONS)]
        choice: _Choice | None = None
        refused = ""
        for kind in asked.kinds:
            if asked.kind is None and (without := self._without_memory(kind, snapshot.head.next_row)):
                refused += without
                break
            try:
                found, points = self._tried(making, snapshot, kind, measuring, asked.promise)
            except InputError as error:
                if asked.kind is not None and not isinstance(error, UnfitIndexError):
                    raise
                refused += f"; {kind} was passed over: {error}"
                continue
            tried += points
            choice = self._better(making, choice, found, asked.promise)
            if found.point.holds(asked.promise) and found.point.p50 <= asked.latency:
                break
        if choice is None:
            raise UnfitIndexError(refused.removeprefix("; "))
        why = ("asked for" if asked.kind is not None else _why(choice.point, asked.promise, asked.latency)) + refused
        report = IndexReport(
            kind=choice.point.kind, why=why, promise=asked.promise, latency=asked.latency, tried=tuple(tried)
        )
        report = making.evidence(replace(report, questions=said), [choice.piece], choice.point, measuring)
        if choice.point.holds(asked.promise) and not report.kept:
            report = replace(report, why=f"{report.why}; questions that choosing had not seen say that it does not")
        making.publish(report, [choice.piece], measuring)
        return report

    def _tried(
        self, making: Making, snapshot: StoredSnapshot, kind: str, measuring: Measuring, promise: float
    ) -> tuple[_Choice, list[Point]]:
        """A kind that answers all questions, built aside, and what was measured until an effort kept the promise.

        Leaves nothing where the kind is not for these vectors, and raises UnfitIndexError, or InputError where it
        cannot even be built.
        """
        piece = making.piece(kind, 0, snapshot.head.next_row)
        try:
            points = making.tried([piece], kind, measuring, EFFORTS[kind], promise)
        except InputError:
            making.discard(piece)
            raise
        return _Choice(piece, points[-1]), points

    def _better(self, making: Making, one: _Choice | None, other: _Choice, promise: float) -> _Choice:
        """The better of two; the room of the other is given back."""
        if one is None:
            return other
        chosen = one if best([one.point, other.point], promise) is one.point else other
        making.discard((other if chosen is one else one).piece)
        return chosen

    def _without_memory(self, kind: str, rows: int) -> str:
        """Why a kind is not even tried, where memory does not hold it; otherwise nothing."""
        needed, free = KINDS[kind].memory(rows, self._encoder.contract.dimension), available_bytes()
        if needed <= MEMORY_SHARE * free:
            return ""
        return f"; {kind} was not tried, it needs {needed / 1e9:,.1f} GB and {free / 1e9:,.1f} GB are left"


def _why(choice: Point, promise: float, latency: float) -> str:
    if not choice.holds(promise):
        return "none kept the promise, it finds most"
    if choice.p50 > latency:
        return f"none was found within {latency:g} ms, it is the fastest"
    return f"the smallest kind that keeps the promise within {latency:g} ms"
