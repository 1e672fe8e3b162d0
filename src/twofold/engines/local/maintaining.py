"""The writer, with the maintenance of derived data. Implements engine.EngineWriter."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from twofold.block import Block
from twofold.engine import Ask, Questions
from twofold.engines.local.catalogue.connections import Lease
from twofold.engines.local.derived.indexes.about import reported
from twofold.engines.local.derived.indexes.choosing import Indexing
from twofold.engines.local.derived.indexes.making import Work
from twofold.engines.local.derived.indexes.measuring import Measuring
from twofold.engines.local.derived.indexes.opened import Indexes
from twofold.engines.local.derived.indexes.upkeep import Upkeep
from twofold.engines.local.derived.lexical.following import BEHIND, Following, Met
from twofold.engines.local.derived.lexical.known import AREA, Known
from twofold.engines.local.derived.lexical.scored import LocalLexical
from twofold.engines.local.disk import Disk
from twofold.engines.local.folder import Folder
from twofold.engines.local.locking import WriterLock
from twofold.engines.local.reader import LocalSnapshot
from twofold.engines.local.selecting import Selecting
from twofold.engines.local.snapshot import StoredSnapshot
from twofold.engines.local.verifying import damaged_indexes
from twofold.engines.local.writer import Writer
from twofold.errors import InputError
from twofold.index_report import FLAT, IndexReport, IndexRequest, RecallReport
from twofold.lexical.index import LexicalIndex
from twofold.progress import Progress, silent
from twofold.reports import OptimizeReport, VerifyReport
from twofold.scores import Numbers
from twofold.space import Space

Latest = Callable[[], LocalSnapshot]


class Aside:
    """A lexical index that nobody else sees yet. Implements engine.LexicalAside."""

    def __init__(self, snapshot: LocalSnapshot, known: Known, index: LexicalIndex, following: Following) -> None:
        self.snapshot = snapshot
        self._known = known
        self._following = following
        self.lexical = LocalLexical(index.reader(passages=True), Selecting(snapshot, language=lambda: None))

    def publish(self, about: Mapping[str, Any]) -> None:
        """Searches use it from this commit on."""
        self._following.publish(replace(self._known, about=about))


class LocalWriter(Writer):
    """Changes documents and vectors, and keeps up what is derived from them. latest: gives the latest commit."""

    def __init__(self, folder: Folder, latest: Latest, lock: WriterLock, lease: Lease, disk: Disk) -> None:
        super().__init__(folder, lock, lease, disk)
        self._latest = latest
        self._met = Met()
        self._unread = 0

    def commit(self, block: Block) -> Numbers:
        """Adds documents; see Writer. Within a long addition the lexical index is brought along now and then."""
        numbers = super().commit(block)
        self._unread += len(numbers)
        if self._unread >= BEHIND:
            self._unread = 0
            self._following(silent).follow(BEHIND)
        return numbers

    @contextmanager
    def lexical_aside(self, settings: Mapping[str, Any], progress: Progress = silent) -> Iterator[Aside]:
        """The lexical side of the documents that are there, made or brought along; see engine.EngineWriter."""
        with self._latest() as snapshot:
            following = self._following(progress)
            known, index = following.current(snapshot, {"lexical": settings})
            yield Aside(snapshot, known, index, following)

    def optimize(self, request: IndexRequest, ask: Ask, progress: Progress = silent) -> OptimizeReport:
        """Frees the disk space of deleted documents, and makes the index that is asked for; see engine.EngineWriter."""
        following = self._following(progress)
        following.follow()  # what is to be dropped counts in the statistics until the lexical index is made anew
        report = OptimizeReport(self.compact(progress), Indexing(self._work(ask, progress)).run(request))
        following.renew()
        return report

    def follow(self, ask: Ask, progress: Progress = silent) -> IndexReport | None:
        """What is due beside an addition, bounded by what was added; None: no index was due."""
        self._following(progress).follow(BEHIND)
        return Upkeep(self._work(ask, progress)).beside_add()

    def index(self, space: Space, ask: Ask, progress: Progress = silent) -> IndexReport | None:
        """The index that a space should have before it is made the default one; None: none was due."""
        return Upkeep(self._work(ask, progress, space)).beside_add()

    def maintain(self, seconds: float, ask: Ask, progress: Progress = silent) -> bool:
        """What is due of all that is derived, as far as it fits into the time; says whether it did anything."""
        deadline = time.monotonic() + seconds
        followed = self._following(progress).follow()
        return Upkeep(self._work(ask, progress)).maintain(deadline - time.monotonic()) or followed

    def repair(self, report: VerifyReport, ask: Ask, progress: Progress = silent) -> None:
        """Makes again what a verification found damaged and what is derived; marks it in the report."""
        if any(damage.place == AREA for damage in report.damage):
            self._following(progress).make_anew()
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

    def _release(self) -> None:
        self._latest().close()  # what snapshots share has the files of the latest one

    def _following(self, progress: Progress) -> Following:
        return Following(self._held, self._latest, self, self._met, progress)

    def _work(self, ask: Ask, progress: Progress, space: Space | None = None) -> Work:
        space = space or self._recording.description.space()
        cosine = space.contract.get("similarity", "cosine") == "cosine"
        latest = partial(self._latest_in, space.name)
        return Work(self, latest, space.dimension, cosine, ask, progress)

    def _latest_in(self, space: str) -> LocalSnapshot:
        return self._latest().in_space(space)


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
