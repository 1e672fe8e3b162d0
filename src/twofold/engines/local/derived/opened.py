"""The opened index of a collection, shared by its snapshots."""

from __future__ import annotations

import threading

from twofold.engines.local.derived.builds import Built
from twofold.engines.local.snapshot import StoredSnapshot
from twofold.engines.local.spaces.exact import ExactSearch
from twofold.engines.local.spaces.indexed import IndexedSearch
from twofold.engines.local.spaces.nearest import NearestSearch
from twofold.errors import CorruptionError, InputError
from twofold.indexes.flat import FlatIndex
from twofold.indexes.kinds import KINDS, IndexSettings, load
from twofold.protocols import VectorIndex

ROOM, STATE = "indexes", "index"


class Indexes:
    """The opened index of a collection, shared by its snapshots and opened anew when another one was published."""

    def __init__(self) -> None:
        self._opened: tuple[str, int, VectorIndex | None] | None = None
        self._lock = threading.Lock()

    def after_fork_in_child(self) -> None:
        """Makes a lock of the child's own; what is open is read alike by both."""
        self._opened, self._lock = None, threading.Lock()

    def search(self, snapshot: StoredSnapshot, *, exact: bool) -> NearestSearch:
        """How a snapshot is searched: by the index that fits it, or exactly where there is none or that is asked."""
        all_rows = ExactSearch(snapshot, FlatIndex(snapshot))
        built = None if exact else snapshot.built(ROOM)
        if built is None:
            return all_rows
        state = snapshot.state(STATE)
        effort = 0 if state is None else int(state["reached"]["effort"])
        with self._lock:
            if self._opened is None or self._opened[:2] != (built.checksum, effort):
                self._opened = (built.checksum, effort, _opened(built, effort))
            index = self._opened[2]
        return all_rows if index is None else beside(snapshot, index, built.about["kind"], effort, all_rows)


def beside(snapshot: StoredSnapshot, index: VectorIndex, kind: str, effort: int, exact: NearestSearch) -> IndexedSearch:
    """A search by an index, with the rows that it lacks searched exactly."""
    covers_all = index.rows >= snapshot.head.next_row
    tail = None if covers_all else FlatIndex(snapshot, first=index.rows)
    candidates = effort if KINDS[kind].scores_more else 0
    return IndexedSearch(snapshot, index, tail=tail, exact=exact, candidates=candidates)


def _opened(built: Built, effort: int) -> VectorIndex | None:
    """The index of a build; None for one that is damaged: search is exact then, and `verify` names it."""
    try:
        built.check()
        return load(IndexSettings(kind=built.about["kind"], effort=effort), built.path)
    except (CorruptionError, InputError, KeyError):
        return None
