"""The writer's lock: one writer a collection, any number of readers.

Whoever wants to write takes the lock on the file `turn` first, then the one on `lock`, and gives `turn` back: while one
waits for `lock`, the holder cannot take it again before him. Threads wait as processes do. A forked child has none of
its parent's locks: leaving an inherited block has no effect in the child.
"""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from twofold import forking
from twofold.engines.local.disk import Disk
from twofold.engines.local.layout import TURN
from twofold.engines.local.lock_file import LockFile, Note
from twofold.errors import LockedError, StorageError
from twofold.logs import logger_of

logger = logger_of(__name__)

SHORTEST, LONGEST = 0.001, 0.02
"""Seconds between two looks at a lock that somebody else holds."""


class _Hold:
    """How one thread holds the lock: which one, how many times, by which file (None: not at all)."""

    def __init__(self, file: LockFile | None = None) -> None:
        self.thread = 0 if file is None else threading.get_ident()
        self.depth = 0
        self.file = file


class Patience:
    """How long a writer still waits, and how often it looks.

    The seconds begin again whenever the lock has passed to another: while writers come and go, none is refused for
    their number or for a slow machine, only for one that stays. The more went before this one, the oftener it looks.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._holder: Note | None = None
        self._end = time.monotonic() + seconds
        self.passed = 0
        self.told = False

    def left(self, holder: Note) -> float:
        """Seconds that are left while the lock has this holder."""
        now = time.monotonic()
        if holder != self._holder:
            self.passed += self._holder is not None
            self._holder, self._end = holder, now + self._seconds
        return self._end - now


class WriterLock:
    """The lock of one collection; the thread that holds it may take it again.

    path: the file `lock`; `turn` is beside it.
    """

    def __init__(self, path: Path, disk: Disk) -> None:
        self._path = path
        self._disk = disk
        self._hold = _Hold()
        self._open: set[LockFile] = set()
        forking.watch(self)

    @contextmanager
    def held(self, wait: float = 0) -> Iterator[None]:
        """Holds the lock; the thread that holds it already may enter.

        wait: seconds to wait for another writer, infinity for no limit; they begin again when the lock has passed from
        one writer to another. Raises LockedError, naming the holder; StorageError.
        """
        hold = self._hold
        if hold.thread != threading.get_ident():
            hold = self._taken(Patience(wait))
        hold.depth += 1
        try:
            yield
        finally:
            hold.depth -= 1
            if hold.depth == 0:
                self._give_back(hold)

    def check(self) -> None:
        """Raises LockedError unless this process holds the lock, on the file that others would open."""
        file = self._hold.file
        if file is None:
            raise LockedError(
                f"this process does not hold the lock of {self._path.parent}: it was given back, or belongs to the "
                "process before the fork; take it with writing()"
            )
        if not file.is_named():
            raise LockedError(
                f"{self._path} was removed or replaced while this process held it, so that another may be writing; "
                "nothing was committed. Leave that file alone, and try again"
            )

    def before_fork(self) -> None:
        """Nothing: the parent's writer continues."""

    def after_fork_in_parent(self) -> None:
        """Nothing."""

    def after_fork_in_child(self) -> None:
        """Drops what the parent's threads hold or wait for; closing the copy of a descriptor does not unlock it."""
        for file in self._open:
            file.abandon()
        self._open, self._hold = set(), _Hold()

    def _taken(self, patience: Patience) -> _Hold:
        with self._opened(self._path.with_name(TURN)) as turn:
            if not turn.locked():
                self._wait_for_turn(turn, patience)
            turn.write_note(self._disk, _writer(os.getpid()))
            while (hold := self._tried(patience)) is None:
                pass
            return hold

    def _tried(self, patience: Patience) -> _Hold | None:
        """The lock on the file of its name; None if that was removed or replaced while it was being locked."""
        with self._opened(self._path) as file:
            pause = SHORTEST
            while not file.locked():
                if (left := self._left(patience, file)) <= 0:
                    raise self._refusal(file)
                time.sleep(min(left, pause))
                pause = min(2 * pause, LONGEST)
            if not file.is_named():
                return None
            if self._hold.file is not None:
                raise StorageError(
                    f"{self._path}: the file system gave this lock to two at once, so two writers could meet; "
                    "nothing was changed. Keep the collection on a disk with locks"
                )
            file.write_note(self._disk, {**_writer(os.getpid()), "hold": secrets.token_hex(4)})
            self._hold = hold = _Hold(file)
            return hold

    def _wait_for_turn(self, turn: LockFile, patience: Patience) -> None:
        with self._opened(self._path) as file:
            while not turn.locked():
                if (left := self._left(patience, file)) <= 0:
                    # The other one holds the lock, or is about to take it.
                    raise self._refusal(turn if file.locked() else file)
                time.sleep(min(left, max(SHORTEST, LONGEST / (1 + patience.passed))))

    def _left(self, patience: Patience, file: LockFile) -> float:
        """Seconds to wait still; the log says once for whom."""
        note = file.note()
        left = patience.left(note)
        if left > 0 and not patience.told:
            patience.told = True
            logger.info("%s: waiting for %s, which is writing", self._path.parent, _named(note))
        return left

    def _refusal(self, noted: LockFile) -> LockedError:
        return LockedError(
            f"{_named(noted.note())} is writing to {self._path.parent}; "
            "try again when it is done, or wait longer for it (--wait, or writing(wait=SECONDS))"
        )

    def _give_back(self, hold: _Hold) -> None:
        if self._hold is hold:  # it is another one's as soon as the file is closed
            self._hold = _Hold()
        if hold.file is not None:
            self._close(hold.file)

    @contextmanager
    def _opened(self, path: Path) -> Iterator[LockFile]:
        """A lock file, closed at the end unless it is the one that the writer holds from then on."""
        file = LockFile(path)
        self._open.add(file)  # at once, so that a child that is forked now closes it
        try:
            yield file
        finally:
            if self._hold.file is not file:
                self._close(file)

    def _close(self, file: LockFile) -> None:
        file.close()
        self._open.discard(file)


@lru_cache(maxsize=1)
def _writer(process: int) -> Note:
    return {"pid": process, "host": socket.gethostname()}


def _named(note: Note) -> str:
    try:
        if (int(note["pid"]), note["host"]) == (os.getpid(), socket.gethostname()):
            return "another thread of this process"
        return f"process {int(note['pid'])} on {note['host']}"
    except (ValueError, KeyError, TypeError):
        return "another process"
