"""Choosing an index: kinds are built aside and measured, and only the chosen one is published.

The manifest of the index records the choice and the measurements. Until it is replaced, the predecessor serves.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from twofold.engines.local.derived.indexes.about import About, area_of
from twofold.engines.local.derived.indexes.making import Making, Work
from twofold.engines.local.derived.indexes.measuring import Measuring
from twofold.engines.local.derived.indexes.recall import best
from twofold.engines.local.derived.manifest import Piece
from twofold.engines.local.snapshot import StoredSnapshot
from twofold.errors import InputError, UnfitIndexError
from twofold.index_report import FLAT, IndexReport, IndexRequest, OperatingPoint
from twofold.indexes.kinds import KINDS
from twofold.memory import available_bytes

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
}


def efforts_from(kind: str, least: int) -> list[int]:
    """The efforts of a kind from one on, which is among them."""
    return [least, *(each for each in EFFORTS[kind] if each > least)]


@dataclass(frozen=True, slots=True)
class _Choice:
    """A kind that was built and measured: its piece, and its place among the others."""

    piece: Piece
    point: OperatingPoint


class Indexing:
    """One choice, by a writer that holds the lock.

    quick: leaves out the kinds that are slow to build, for a choice that nobody asked for.
    """

    def __init__(self, work: Work, *, quick: bool = False) -> None:
        self._work = work
        self._writer = work.writer
        self._kinds = [name for name, kind in KINDS.items() if not (quick and kind.slow)]
        self._left_out = ", ".join(name for name in KINDS if name not in self._kinds)

    def run(self, asked: IndexRequest) -> IndexReport:
        """Builds the index that was asked for, or the smallest that fits, and publishes it with what was measured.

        Raises InputError, StorageError; the predecessor stays until another is published.
        """
        if asked.kind not in (None, FLAT, *KINDS):
            raise InputError(f"there is no index of the kind {asked.kind!r}; there are flat, {', '.join(KINDS)}")
        with self._work.latest() as snapshot:
            try:
                return self._chosen(snapshot, asked)
            finally:
                self._writer.sweep(area_of(snapshot))

    def _chosen(self, snapshot: StoredSnapshot, asked: IndexRequest) -> IndexReport:
        rows = snapshot.head.next_row
        if asked.kind is None and not self._work.cosine:
            return self._flat(snapshot, asked, "vectors of several lengths are compared exactly")
        if asked.kind is None and rows < FROM_ROWS:
            return self._flat(snapshot, asked, f"{rows:,} passages are searched exactly in a few milliseconds")
        if rows == 0 or asked.kind == FLAT:
            return self._flat(snapshot, asked, "asked for" if asked.kind == FLAT else "there are no passages", rows)
        questions = self._work.ask()
        measuring = Measuring(snapshot, questions.vectors, questions.depth)
        try:
            return self._published(snapshot, asked, measuring, f"{len(questions.vectors):,} {questions.origin}")
        except UnfitIndexError as error:
            if asked.kind is None:
                return self._flat(snapshot, asked, str(error), rows, AGAIN * rows)
            report = self._chosen(snapshot, replace(asked, kind=None))
            return replace(report, why=f"{error}; {report.why}")

    def _flat(
        self, snapshot: StoredSnapshot, asked: IndexRequest, why: str, rows: int = 0, retry: int | None = None
    ) -> IndexReport:
        """Records that search stays exact. rows, retry: stored, so that it is not tried at each call of `add`."""
        report = IndexReport(kind=FLAT, why=why, promise=asked.promise)
        if rows:
            self._writer.publish(area_of(snapshot), About(report=report, rows=rows, retry=retry).to_json(), ())
        else:
            self._writer.clear(area_of(snapshot))
        return report

    def _published(self, snapshot: StoredSnapshot, asked: IndexRequest, measuring: Measuring, said: str) -> IndexReport:
        """Builds kinds, the smallest first, until one reaches the promised recall in time; if none does, the best is
        taken.

        Raises UnfitIndexError where none of them answers, InputError where the only one cannot be built.
        """
        making = Making(self._work, snapshot)
        tried = [measuring.recalls.measure(measuring.exact, FLAT, part=FLAT_QUESTIONS)]
        choice: _Choice | None = None
        refused = ""
        for kind in self._kinds if asked.kind is None else [asked.kind]:
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
        fits = choice.point.holds(asked.promise) and choice.point.p50 <= asked.latency
        if self._left_out and not fits:
            refused += f"; optimize tries {self._left_out} too, which takes longer to build"
        why = ("asked for" if asked.kind is not None else _why(choice.point, asked.promise, asked.latency)) + refused
        report = IndexReport(
            kind=choice.point.kind, why=why, promise=asked.promise, latency=asked.latency, tried=tuple(tried)
        )
        efforts = efforts_from(choice.point.kind, choice.point.effort)
        report = making.evidence(replace(report, questions=said), [choice.piece], efforts, measuring)
        if choice.point.holds(asked.promise) and not report.kept:
            report = replace(report, why=f"{report.why}; questions that choosing had not seen say that it does not")
        making.publish(report, [choice.piece], measuring)
        return report

    def _tried(
        self, making: Making, snapshot: StoredSnapshot, kind: str, measuring: Measuring, promise: float
    ) -> tuple[_Choice, list[OperatingPoint]]:
        """A kind that answers all questions, built aside, and what was measured until an effort reached the promised
        recall.

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
        """The better of two; the files of the other are removed."""
        if one is None:
            return other
        chosen = one if best([one.point, other.point], promise) is one.point else other
        making.discard((other if chosen is one else one).piece)
        return chosen

    def _without_memory(self, kind: str, rows: int) -> str:
        """Why a kind is not tried, if memory is too small for it; otherwise empty."""
        needed, free = KINDS[kind].memory(rows, self._work.dimension), available_bytes()
        if needed <= MEMORY_SHARE * free:
            return ""
        return f"; {kind} was not tried, it needs {needed / 1e9:,.1f} GB and {free / 1e9:,.1f} GB are left"


def _why(choice: OperatingPoint, promise: float, latency: float) -> str:
    if not choice.holds(promise):
        return "none kept the promise, it finds most"
    if choice.p50 > latency:
        return f"none was found within {latency:g} ms, it is the fastest"
    return f"the smallest kind that keeps the promise within {latency:g} ms"
