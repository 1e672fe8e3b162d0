"""Which documents are live, those without rows among them."""

from __future__ import annotations

import threading

import numpy as np

from twofold.engines.local.catalogue.column_reading import Reading
from twofold.engines.local.catalogue.rows import Rows
from twofold.engines.local.catalogue.schema import NO_HEAD, SpaceHead
from twofold.scores import Mask, Numbers

_NONE = np.empty(0, np.int64)


class LiveDocuments:
    """The live documents of the latest commit that was used; threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._head, self._bare = NO_HEAD, _NONE

    def at(self, head: SpaceHead, rows: Rows, reading: Reading) -> Mask:
        """bool (document numbers,): the live documents of the commit `head`, read-only; `rows.with_rows` itself where
        each has a row."""
        if int(np.count_nonzero(rows.with_rows)) == head.documents:
            return rows.with_rows
        live = rows.with_rows.copy()
        live[self._without_rows(head, rows, reading)] = True
        live.flags.writeable = False
        return live

    def after_fork_in_child(self) -> None:
        """Makes a lock of the child's own."""
        self._lock = threading.Lock()

    def _without_rows(self, head: SpaceHead, rows: Rows, reading: Reading) -> Numbers:
        """int64: live documents that have no row; only lines of documents added since are read."""
        with self._lock:
            if head.generation != self._head.generation and head.commit > self._head.commit:
                self._head, self._bare = NO_HEAD, _NONE  # lines of deleted documents are gone
            if head.commit > self._head.commit:
                self._bare = _still_without_rows(self._bare, self._head, rows, reading)
                self._head = head
            if head.commit == self._head.commit:
                return self._bare
        return _still_without_rows(_NONE, NO_HEAD, rows, reading)  # an older snapshot is on its own


def _still_without_rows(before: Numbers, since: SpaceHead, rows: Rows, reading: Reading) -> Numbers:
    with reading() as connection:
        gone = connection.execute("SELECT number FROM documents WHERE deleted > ?", (since.commit,)).fetchall()
        more = connection.execute(
            "SELECT number FROM documents WHERE number >= ? AND deleted IS NULL", (since.next_document,)
        ).fetchall()
    added = np.array(more, np.int64).reshape(-1)
    left = before[~np.isin(before, np.array(gone, np.int64))]
    return np.concatenate([left, added[~rows.with_rows[added]]])
