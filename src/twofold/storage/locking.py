"""The writer's lock: one writer a collection, any number of readers.

flock on the file `lock`, so that it dies with its process, however that ends; a lock file that lies about is no lock.
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

from twofold.errors import LockedError, StorageError
from twofold.files import refused
from twofold.storage import forking
from twofold.storage.disk import Disk

PAUSE = 0.02
"""Seconds between two looks at a lock that somebody else holds."""


class WriterLock:
    """The lock of one collection; the thread that holds it may take it again."""

    def __init__(self, path: Path, disk: Disk) -> None:
        self._path = path
        self._disk = disk
        self._threads = threading.RLock()
        self._depth = 0
        self._descriptor = -1
        forking.watch(self)

    @contextmanager
    def held(self, wait: float = 0) -> Iterator[None]:
        """Holds the lock; the thread that has it already goes on.

        wait: seconds to wait for another writer, infinity for as long as it takes. Raises LockedError, naming the
        holder; StorageError.
        """
        deadline = time.monotonic() + wait
        if not self._threads.acquire(timeout=min(max(wait, 0), threading.TIMEOUT_MAX)):
            raise LockedError(
                f"another thread of this process is writing to {self._path.parent}; wait for it, or give wait=SECONDS"
            )
        try:
            if self._depth == 0:
                self._descriptor = self._taken(deadline)
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if self._depth == 0:
                    self._release()
        finally:
            self._threads.release()

    def before_fork(self) -> None:
        """Nothing: whoever writes goes on writing in the parent."""

    def after_fork_in_parent(self) -> None:
        """Nothing."""

    def after_fork_in_child(self) -> None:
        """Forgets a lock that the parent holds; closing the copy of its descriptor does not unlock it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor, self._depth, self._threads = -1, 0, threading.RLock()

    def _taken(self, deadline: float) -> int:
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise refused(self._path, error) from error
        try:
            while not self._locked(descriptor):
                if time.monotonic() >= deadline:
                    raise LockedError(
                        f"{_holder(descriptor)} is writing to {self._path.parent}; "
                        "try again when it is done, or wait for it (--wait, or writing(wait=SECONDS))"
                    )
                time.sleep(PAUSE)
            # Who holds the lock is a courtesy; a full disk must not keep deletions from making room.
            with suppress(StorageError):
                note = _note(os.getpid())
                if self._disk.read(descriptor, self._path, len(note) + 1, 0) != note:
                    self._disk.write(descriptor, self._path, note, 0)
                    self._disk.cut(descriptor, self._path, len(note))
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

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

    def _release(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
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
