"""The opened lexical index of a collection, shared by its snapshots."""

from __future__ import annotations

import threading

from twofold.engines.local.folder import Folder
from twofold.engines.local.snapshot import StoredSnapshot
from twofold.errors import CorruptionError, InputError, MovedError
from twofold.lexical.index import LexicalIndex
from twofold.lexical.reading import LexicalReader

ROOM, STATE = "lexical", "fusion"


class Words:
    """What was opened last."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._index: LexicalIndex | None = None
        self._lock = threading.Lock()

    def after_fork_in_child(self) -> None:
        """Opens for itself."""
        self._index, self._lock = None, threading.Lock()

    def reader(self, snapshot: StoredSnapshot) -> LexicalReader | None:
        """The lexical index as it is on disk; None where there is none, or it is damaged."""
        if snapshot.state(STATE) is None:
            return None
        with self._lock:
            for _ in range(2):
                try:
                    if self._index is None:
                        self._index = LexicalIndex.open(self._folder.of_engine(ROOM))
                    else:
                        self._index.reload()
                except (CorruptionError, InputError):
                    self._index = None
                else:
                    return self._found(self._index)
        return None

    def _found(self, index: LexicalIndex) -> LexicalReader:
        """The reader, unless it may have been read from another folder that is at the path now."""
        try:
            self._folder.check()
        except MovedError:
            self._index = None
            raise
        return index.reader
