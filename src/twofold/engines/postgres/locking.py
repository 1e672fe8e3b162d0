"""The writer's lock of a collection: an advisory lock of the server, held by the connection that writes.

It ends with its connection, whatever ends that, so a killed writer leaves nothing behind. Commits go over the same
connection: who has lost the lock cannot commit.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from twofold.addresses import Address
from twofold.engines.postgres.connecting import Connection, speaking
from twofold.errors import LockedError
from twofold.logs import logger_of

logger = logger_of(__name__)

PAUSE = 0.05
"""Seconds between tries."""
_HOLDER = """
SELECT l.pid, a.application_name FROM pg_locks AS l LEFT JOIN pg_stat_activity AS a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
AND l.classid::bigint = %(high)s AND l.objid::bigint = %(low)s
"""


class Turn:
    """The turn of the threads of one process: one writes at a time, and may enter again."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self.passed = 0
        """How often it has been taken, by which a waiting thread sees that another follows."""

    def taken(self, wait: float, place: str) -> None:
        """Takes it. Raises LockedError after so many seconds behind one other thread."""
        if not waited(wait, lambda: self._lock.acquire(blocking=False), lambda: self.passed):
            raise LockedError(
                f"another thread of this process is writing to {place}; try again when it is done, or wait longer for "
                "it (writing(wait=SECONDS))"
            )
        self.passed += 1

    def given_back(self) -> None:
        """Gives it back."""
        self._lock.release()


def lock(connection: Connection, address: Address, identity: str, wait: float) -> None:
    """Takes the writer's lock for a connection; it is given back by `unlock`, or by the end of the connection.

    identity: the collection's id. wait: seconds to wait for one writer; they begin again when another follows. Raises
    LockedError, naming the holder; StorageError.
    """
    key = _key(identity)

    def holder() -> str:
        parts = {"high": (key >> 32) & 0xFFFFFFFF, "low": key & 0xFFFFFFFF}
        found = connection.execute(_HOLDER, parts).fetchone()
        return "another process" if found is None else f"{found[1] or 'a session'} (server process {found[0]})"

    def tried() -> bool:
        found = connection.execute("SELECT pg_try_advisory_lock(%s)", (key,)).fetchone()
        return found is not None and bool(found[0])

    with speaking(address):
        if not waited(wait, tried, holder):
            raise LockedError(
                f"{holder()} is writing to {address}; try again when it is done, or wait longer for it "
                "(--wait, or writing(wait=SECONDS))"
            )


def unlock(connection: Connection, address: Address, identity: str) -> None:
    """Gives the lock back. Raises StorageError."""
    with speaking(address):
        connection.execute("SELECT pg_advisory_unlock(%s)", (_key(identity),))


def waited(wait: float, tried: Callable[[], bool], holder: Callable[[], object]) -> bool:
    """Tries until it succeeds, at most so many seconds behind one holder; says whether it did."""
    if tried():
        return True
    seen, deadline = holder(), time.monotonic() + wait
    while time.monotonic() < deadline:
        time.sleep(min(PAUSE, max(0.0, deadline - time.monotonic())))
        if tried():
            return True
        if (now := holder()) != seen:
            seen, deadline = now, time.monotonic() + wait
    return False


def _key(identity: str) -> int:
    """64 bits of the collection's id, signed as PostgreSQL has them."""
    return int.from_bytes(bytes.fromhex(identity[:16]), "big", signed=True)
