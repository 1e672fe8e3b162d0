"""The door of the engine: a collection at a server, made or opened, read through snapshots, changed by one writer."""

from __future__ import annotations

import shlex
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from twofold import forking
from twofold.addresses import Address
from twofold.description import Described
from twofold.engine import Facts, Questions
from twofold.engines.postgres.connecting import Connections, Session, connected, speaking
from twofold.engines.postgres.indexing import Indexing
from twofold.engines.postgres.lexical import LexicalShared
from twofold.engines.postgres.locking import Turn
from twofold.engines.postgres.making import made
from twofold.engines.postgres.recording import Recording
from twofold.engines.postgres.schema import FORMAT, Head
from twofold.engines.postgres.snapshot import PostgresSnapshot
from twofold.engines.postgres.verifying import Verification
from twofold.engines.postgres.writer import EXACT, PostgresWriter
from twofold.errors import CollectionError, InputError, MovedError, NotACollectionError
from twofold.index_report import RecallReport
from twofold.progress import Progress, silent
from twofold.reports import BackupReport, VerifyReport
from twofold.space import Space

_SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_BYTES = """
SELECT CASE WHEN relname LIKE 'vectors\\_%%' THEN 'vectors' WHEN relname LIKE 'lexical\\_%%' THEN 'lexical'
WHEN relname = 'documents' THEN 'documents' ELSE 'other' END AS part, sum(pg_total_relation_size(c.oid))::bigint
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace WHERE nspname = %s AND relkind = 'r' GROUP BY part
"""


class PostgresEngine:
    """One collection at a server; threads may share it, and a forked child may use it.

    wait: seconds that writing waits for another writer, by default.
    """

    def __init__(self, address: Address, description: Described, wait: float) -> None:
        self._address = address
        self._wait = wait
        self._description = description
        self._connections = Connections(address)
        self._lexical = LexicalShared()
        self._indexing = Indexing(address, self.snapshot)
        self._turn = Turn()
        self._writer: PostgresWriter | None = None
        self._end = weakref.finalize(self, self._connections.close)
        forking.watch(self)

    @classmethod
    def create(
        cls, address: Address, *, space: Space, settings: Mapping[str, Any], wait: float = 0.0
    ) -> PostgresEngine:
        """A new, empty collection: a schema of its name. space: its first, the default one. settings: JSON of the
        packages above. Raises InputError, NotACollectionError, CollectionError, StorageError."""
        return cls(address, made(address, space, settings).description, wait)

    @classmethod
    def open(cls, address: Address, *, wait: float = 0.0) -> PostgresEngine:
        """The collection at an address; takes no lock. Raises NotACollectionError, FormatError, StorageError."""
        connection = connected(address)
        try:
            with speaking(address):
                head = Head.read(connection, address)
        except NotACollectionError:
            raise NotACollectionError(
                f"there is no collection {address.name!r} at {address}; make one there: "
                f"`twofold index DATA --to {shlex.quote(str(address))}` (in Python: twofold.create)"
            ) from None
        finally:
            connection.close()
        return cls(address, head.description, wait)

    @property
    def path(self) -> Address:
        """Its address, without the password in print."""
        return self._address

    @property
    def settings(self) -> Mapping[str, Any]:
        """JSON of the packages above, as it was created."""
        return self._description.settings

    @property
    def space(self) -> Space:
        """The default space, as known without a snapshot."""
        return self._description.space()

    def __enter__(self) -> PostgresEngine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes idle connections; open snapshots stay valid until they are closed."""
        self._end()

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError(f"an open collection cannot be pickled or copied; send its address, {self._address}")

    def snapshot(self) -> PostgresSnapshot:
        """A snapshot of the latest commit, until it is closed. Raises MovedError, StorageError."""
        self._check_open()
        connection = self._connections.taken()
        try:
            with speaking(self._address):
                connection.execute(_SNAPSHOT)
                head = Head.read(connection, self._address, self._description)
            self._check_same(head)
        except BaseException:
            connection.close()
            raise
        self._description = head.description
        return PostgresSnapshot(Session(self._address, connection), head, self._lexical, self._ended)

    @contextmanager
    def writing(self, wait: float | None = None) -> Iterator[PostgresWriter]:
        """The writer, with the lock; the thread that holds it may enter again and gets the same one.

        wait: seconds to wait for one writer, by default the engine's. Raises LockedError naming the holder, MovedError,
        StorageError.
        """
        self._check_open()
        wait, turn = self._wait if wait is None else wait, self._turn
        turn.taken(wait, str(self._address))
        try:
            if self._writer is not None:
                yield self._writer
                return
            recording = Recording(self._address, self._description, wait, self._told)
            try:
                self._check_same(recording.head())
                self._writer = PostgresWriter(recording, self._indexing, self.snapshot)
                yield self._writer
            finally:
                self._writer = None
                recording.release()
        finally:
            turn.given_back()

    def facts(self) -> Facts:
        """Facts beside the documents."""
        with self.snapshot() as snapshot:
            sizes = dict(snapshot.session.rows(_BYTES, (self._address.name,)))
            parts = {part: sizes.get(part, 0) for part in ("documents", "vectors", "lexical", "other")}
            created = snapshot.head.description.created
        return Facts(format=FORMAT, created=created, bytes=parts, log_held_back=0)

    def recall(self, questions: Questions) -> RecallReport:  # noqa: ARG002
        """Raises InputError: there is no approximate index."""
        raise InputError(f"there is no approximate index to measure: {EXACT}", path=str(self._address))

    def verify(self, progress: Progress = silent) -> VerifyReport:
        """Compares what the tables hold with what the last commit says; reports damage."""
        with self.snapshot() as snapshot:
            return Verification(snapshot.session, snapshot, progress).run()

    def check_outside(self, path: str | Path) -> None:
        """Nothing: no folder is inside a server."""

    def backup(self, path: str | Path, progress: Progress = silent) -> BackupReport:  # noqa: ARG002
        """Raises CollectionError: the server's own tools copy it."""
        raise CollectionError(
            f"{self._address} is backed up by the server's own tools: pg_dump --schema={self._address.name}. "
            "`twofold export COLLECTION --to FOLDER` writes documents and vectors into a folder"
        )

    def before_fork(self) -> None:
        """Nothing: connections have their own methods."""

    def after_fork_in_parent(self) -> None:
        """Nothing."""

    def after_fork_in_child(self) -> None:
        """Makes new locks, in case a thread held one; there is no writer."""
        self._turn, self._writer = Turn(), None
        self._lexical.after_fork_in_child()

    def _ended(self, session: Session) -> None:
        self._connections.give_back(session.connection)

    def _told(self, description: Described) -> None:
        self._description = description

    def _check_open(self) -> None:
        if not self._end.alive:
            raise CollectionError(f"{self._address} was closed: open it again")

    def _check_same(self, head: Head) -> None:
        if head.description.id != self._description.id:
            raise MovedError(f"another collection is at {self._address} now; open it again")
