"""Keeps the lexical index of a collection up with its commits, for a writer that holds the lock.

The index is derived. Searches need none of this: what it has not read yet they read themselves (words.py), with the
same scores. So it is brought along when it has fallen behind by many documents, not by each one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from twofold.engine import LEXICAL
from twofold.engines.local.derived.lexical.known import AREA, Known
from twofold.engines.local.derived.lexical.texts import division, texts
from twofold.engines.local.folder import Folder
from twofold.engines.local.snapshot import StoredSnapshot
from twofold.engines.local.writer import Writer
from twofold.errors import CorruptionError
from twofold.lexical.analysing import Analysis, LexicalSettings
from twofold.lexical.index import LexicalIndex
from twofold.logs import logger_of
from twofold.progress import Progress, silent
from twofold.reports import Damage

logger = logger_of(__name__)

BEHIND = 1_000
"""Documents that a search may have to read by itself."""


class Met:
    """The words that a writer has met so far, so that each update of the index need not analyse them again."""

    def __init__(self) -> None:
        self.analysis: Analysis | None = None


class Following:
    """The upkeep of one lexical index; does nothing for a collection that has no lexical index."""

    def __init__(
        self,
        folder: Folder,
        latest: Callable[[], StoredSnapshot],
        writer: Writer,
        met: Met,
        progress: Progress = silent,
    ) -> None:
        self._folder = folder.of_engine(AREA)
        self._latest = latest
        self._writer = writer
        self._met = met
        self._progress = progress

    def follow(self, behind: int = 1) -> bool:
        """Brings the index to the latest commit where it lacks so many documents; makes it anew where it is damaged.

        Says whether there was anything to do.
        """
        with self._latest() as snapshot:
            known = Known.of(snapshot)
            if known is None:
                return False
            folder = self._folder / known.folder
            try:
                if snapshot.head.next_document - LexicalIndex.noted_end(folder) < behind:
                    return False
                if known.passages in (None, division(snapshot)):
                    self._extended(snapshot, known)
                    return True
                logger.info("%s: rebuilt, since another space is searched now", folder)
            except CorruptionError as error:
                logger.warning("%s: rebuilt, since it is damaged: %s", folder, error)
            made = self._made(snapshot, known.about)
        self.publish(made[0])
        return True

    def renew(self) -> None:
        """Brings the index to the latest commit; makes it anew where it has documents that were deleted."""
        with self._latest() as snapshot:
            known = Known.of(snapshot)
            made = None if known is None else self.current(snapshot, known.about)[0]
        if made is not None and made != known:
            self.publish(made)

    def make_anew(self) -> None:
        """Makes the index anew, as when it was damaged."""
        with self._latest() as snapshot:
            known = Known.of(snapshot)
            made = None if known is None else self._made(snapshot, known.about)[0]
        if made is not None:
            self.publish(made)

    def current(self, snapshot: StoredSnapshot, about: Mapping[str, Any]) -> tuple[Known, LexicalIndex]:
        """An index of a snapshot's live documents and no others, with their passages: the one there, or one made anew.

        Who searches sees nothing of it until it is published.
        """
        known, settings = Known.of(snapshot), LexicalSettings.from_json(about["lexical"])
        if known is not None and known.settings == settings and known.passages == division(snapshot):
            try:
                index = self._extended(snapshot, known)
            except CorruptionError as error:
                logger.warning("%s: rebuilt, since it is damaged: %s", self._folder / known.folder, error)
                return self._made(snapshot, about)
            if index.corpus.documents == snapshot.head.documents:
                return replace(known, about=about), index
        return self._made(snapshot, about)

    def publish(self, known: Known) -> None:
        """From this commit on searches use what is known now; then the index that was there is removed."""
        if self._writer.state(LEXICAL) != (state := known.to_json()):
            self._writer.put_state(LEXICAL, state)
        self._writer.keep(AREA, known.folder)

    def _extended(self, snapshot: StoredSnapshot, known: Known) -> LexicalIndex:
        self._writer.keep(AREA, known.folder)
        index, end = LexicalIndex.open(self._folder / known.folder, self._met.analysis), snapshot.head.next_document
        self._met.analysis = index.analysis
        if index.end == end:
            return index
        read = texts(snapshot, index.end, known.since, passages=known.passages is not None)
        return index.extended(read, end, self._progress)

    def _made(self, snapshot: StoredSnapshot, about: Mapping[str, Any]) -> tuple[Known, LexicalIndex]:
        start, settings = time.monotonic(), LexicalSettings.from_json(about["lexical"])
        index = LexicalIndex.create(self._writer.fresh(AREA), settings)
        read = texts(snapshot, 0, snapshot.commit, passages=True)
        index = index.extended(read, snapshot.head.next_document, self._progress)
        logger.info(
            "%s: built for %d documents, analyser %s, in %.1f s",
            index.folder,
            index.corpus.documents,
            settings.analyser,
            time.monotonic() - start,
        )
        return Known(about, index.folder.name, snapshot.commit, division(snapshot)), index


def damage(folder: Folder, snapshot: StoredSnapshot) -> Damage | None:
    """What is wrong with the lexical index of a snapshot; one that lags is whole, and one that is missing is made
    again by the next writer."""
    known = Known.of(snapshot)
    if known is None or not (place := folder.of_engine(AREA) / known.folder).exists():
        return None
    try:
        LexicalIndex.check(place)
    except CorruptionError as error:
        return Damage(AREA, str(error), derived=True)
    return None
