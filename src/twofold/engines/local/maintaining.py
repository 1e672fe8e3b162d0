"""The writer with what it does to derived data. Implements engine.EngineWriter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from twofold.engine import Ask, Questions
from twofold.engines.local.catalogue.connections import Lease
from twofold.engines.local.derived.indexes.about import reported
from twofold.engines.local.derived.indexes.choosing import Indexing
from twofold.engines.local.derived.indexes.making import Work
from twofold.engines.local.derived.indexes.measuring import Measuring
from twofold.engines.local.derived.indexes.opened import Indexes
from twofold.engines.local.derived.indexes.upkeep import Upkeep
from twofold.engines.local.disk import Disk
from twofold.engines.local.folder import Folder
from twofold.engines.local.locking import WriterLock
from twofold.engines.local.reader import LocalSnapshot
from twofold.engines.local.snapshot import StoredSnapshot
from twofold.engines.local.verifying import damaged_indexes
from twofold.engines.local.writer import Writer
from twofold.errors import InputError
from twofold.index_report import FLAT, IndexReport, IndexRequest, RecallReport
from twofold.progress import Progress, silent
from twofold.reports import OptimizeReport, VerifyReport

Latest = Callable[[], LocalSnapshot]


class LocalWriter(Writer):
    """Changes documents and vectors, and keeps up what is derived from them. latest: gives the latest commit."""

    def __init__(self, folder: Folder, latest: Latest, lock: WriterLock, lease: Lease, disk: Disk) -> None:
        super().__init__(folder, lock, lease, disk)
        self._latest = latest

    def optimize(self, request: IndexRequest, ask: Ask, progress: Progress = silent) -> OptimizeReport:
        """Gives back the room of deleted documents, and makes the index that is asked for; see engine.EngineWriter."""
        compact = self.compact(progress)
        return OptimizeReport(compact, Indexing(self._work(ask, progress)).run(request))

    def follow(self, ask: Ask, progress: Progress = silent) -> IndexReport | None:
        """What is due beside an addition, bounded by what was added; None: no index was due."""
        return Upkeep(self._work(ask, progress)).beside_add()

    def maintain(self, seconds: float, ask: Ask, progress: Progress = silent) -> bool:
        """What is due of all that is derived, as far as it fits into the time; says whether it did anything."""
        return Upkeep(self._work(ask, progress)).maintain(seconds)

    def repair(self, report: VerifyReport, ask: Ask, progress: Progress = silent) -> None:
        """Makes again what a verification found damaged and what is derived; marks it in the report."""
        if any(damage.derived for damage in report.damage):
            self.take_away(report)
            Upkeep(self._work(ask, progress)).repair()

    def take_away(self, report: VerifyReport) -> None:
        """Removes derived files that are still damaged: another writer may have replaced them; marks them as repaired.

        Raises StorageError.
        """
        self._recording.check()
        with self._latest() as snapshot:
            for place in sorted({each.place for each in damaged_indexes(self._folder, snapshot)}):
                self._publisher.remove(self._folder / place)
        report.damage[:] = [replace(each, repaired=each.derived) for each in report.damage]

    def _work(self, ask: Ask, progress: Progress) -> Work:
        space = self._recording.description.space()
        cosine = space.contract.get("similarity", "cosine") == "cosine"
        return Work(self, self._latest, space.dimension, cosine, ask, progress)


def recall(snapshot: StoredSnapshot, questions: Questions, path: Path) -> RecallReport:
    """What searches of a snapshot find of what exact search finds. Raises InputError where there is nothing to find."""
    if not snapshot.head.rows:
        raise InputError("there are no passages, so there is nothing to find", path=path)
    measuring = Measuring(snapshot, questions.vectors, questions.depth)
    built = reported(snapshot) or IndexReport(kind=FLAT, why="")
    search, effort = Indexes().search(snapshot, exact=False), 0 if built.reached is None else built.reached.effort
    return RecallReport(
        kind=built.kind,
        promise=built.promise,
        whole=measuring.recalls.measure(search, built.kind, effort),
        filtered=measuring.filtered(search, built.kind, effort),
        questions=f"{len(questions.vectors):,} {questions.origin}",
    )
