"""The writer's lock: one writer a collection, any number of readers.

flock on the file `lock`, so that it ends with its process, however that ends; the mere file is no lock. A forked child
has none of its parent's locks: leaving an inherited block has no effect in the child.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path

from twofold import forking
from twofold.engines.local.disk import Disk
from twofold.errors import LockedError, StorageError
from twofold.files import refused
from twofold.logs import logger_of

logger = logger_of(__name__)

PAUSE = 0.02
"""Seconds between two looks at a lock that somebody else holds."""


class _Holding:
    """How one process holds a lock: by which thread, how many times, on which descriptor (-1: not at all)."""

    def __init__(self) -> None:
        self.threads = threading.RLock()
        self.depth = 0
        self.descriptor = -1


class WriterLock:
    """The lock of one collection; the thread that holds it may take it again."""

    def __init__(self, path: Path, disk: Disk) -> None:
        self._path = path
        self._disk = disk
        self._holding = _Holding()
        forking.watch(self)

    @contextmanager
    def held(self, wait: float = 0) -> Iterator[None]:
        """Holds the lock; the thread that holds it already may enter.

        wait: seconds to wait for another writer, infinity for no limit. Raises LockedError, naming the holder;
        StorageError.
        """
        deadline = time.monotonic() + wait
        holding = self._holding
        if not holding.threads.acquire(timeout=min(max(wait, 0), threading.TIMEOUT_MAX)):
            raise LockedError(
                f"another thread of this process is writing to {self._path.parent}; wait for it, or give wait=SECONDS"
            )
        try:
            if holding.depth == 0:
                self._take(holding, deadline)
            holding.depth += 1
            try:
                yield
            finally:
                holding.depth -= 1
                if holding.depth == 0:
                    _release(holding)
        finally:
            holding.threads.release()

    def check(self) -> None:
        """Raises LockedError unless this process holds the lock, on the file that others would open."""
        descriptor = self._holding.descriptor
        if descriptor < 0:
            raise LockedError(
                f"this process does not hold the lock of {self._path.parent}: it was given back, or belongs to the "
                "process before the fork; take it with writing()"
            )
        if not self._is_named(descriptor):
            raise LockedError(
                f"{self._path} was removed or replaced while this process held it, so that another may be writing; "
                "nothing was committed. Leave that file alone, and try again"
            )

    def before_fork(self) -> None:
        """Nothing: the parent's writer continues."""

    def after_fork_in_parent(self) -> None:
        """Nothing."""

    def after_fork_in_child(self) -> None:
        """Drops a lock that the parent holds; closing the copy of its descriptor does not unlock it."""
        inherited, self._holding = self._holding, _Holding()
        if inherited.descriptor >= 0:
            os.close(inherited.descriptor)
            inherited.descriptor = -1

    def _take(self, holding: _Holding, deadline: float) -> None:
        try:
            while True:
                holding.descriptor = self._opened()  # kept at once, so that a child that is forked now closes it
                self._lock(holding.descriptor, deadline)
                if self._is_named(holding.descriptor):
                    return
                _release(holding)  # somebody removed the file while it was being locked; take the one that is there
        except BaseException:
            _release(holding)
            raise

    def _is_named(self, descriptor: int) -> bool:
        """Whether the lock file is still the one that is open, not another of its name."""
        try:
            return os.path.samestat(os.stat(self._path), os.fstat(descriptor))
        except OSError:
            return False

    def _opened(self) -> int:
        try:
            return os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise refused(self._path, error) from error

    def _lock(self, descriptor: int, deadline: float) -> None:
        waiting = False
        while not self._locked(descriptor):
            if time.monotonic() >= deadline:
                raise LockedError(
                    f"{_holder(descriptor)} is writing to {self._path.parent}; "
                    "try again when it is done, or wait longer for it (--wait, or writing(wait=SECONDS))"
                )
            if not waiting:
                logger.info("%s: waiting for %s, which is writing", self._path.parent, _holder(descriptor))
                waiting = True
            time.sleep(PAUSE)
        # Who holds the lock is a courtesy; a full disk must not keep deletions from freeing disk space.
        with suppress(StorageError):
            note = _note(os.getpid())
            if self._disk.read(descriptor, self._path, len(note) + 1, 0) != note:
                self._disk.write(descriptor, self._path, note, 0)
                self._disk.cut(descriptor, self._path, len(note))

    def _locked(self, descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            raise StorageError(
                f"{self._path}: the file system refuses locks ({error.strerror or error}), without which two writers "
                "could meet; nothing was changed. Keep the collection on a disk with locks, or mount this one with them"
            ) from error
        return True


def _release(holding: _Holding) -> None:
    descriptor, holding.descriptor = holding.descriptor, -1
    if descriptor >= 0:
        # Said aloud: a child that inherited the descriptor would keep the lock otherwise.
        with suppress(OSError):  # closing it ends the lock where nobody inherited it
            fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


@lru_cache(maxsize=1)
def _note(process: int) -> bytes:
    return json.dumps({"pid": process, "host": socket.gethostname()}).encode()


def _holder(descriptor: int) -> str:
    try:
        note = json.loads(os.pread(descriptor, 1024, 0))
        return f"process {int(note['pid'])} on {note['host']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
