"""The writer: every call is one commit of the server. Implements engine.EngineWriter."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
from psycopg import sql

from twofold.block import Block, Known, Part
from twofold.engine import Ask
from twofold.engines.postgres.connecting import Connection
from twofold.engines.postgres.copying import copy_lines, copy_vectors
from twofold.engines.postgres.fields import NUL, exact, has_nul
from twofold.engines.postgres.indexing import Aside, Indexing
from twofold.engines.postgres.recording import Change, Recording
from twofold.engines.postgres.schema import SpaceHead, make_table, put_state, read_state
from twofold.engines.postgres.snapshot import PostgresSnapshot, possible
from twofold.errors import DocumentError, InputError
from twofold.index_report import FLAT, IndexReport, IndexRequest
from twofold.logs import logger_of
from twofold.progress import Progress, silent
from twofold.reports import CompactReport, OptimizeReport, VerifyReport
from twofold.scores import Numbers
from twofold.space import Space

logger = logger_of(__name__)

EXACT = "search in PostgreSQL is exact: the server scans all vectors"
DOCUMENT_COLUMNS = {
    "number": "int8",
    "id": "text",
    "title": "text",
    "text_hash": "bytea",
    "metadata": "text",
    "fields": "jsonb",
    "text": "text",
}


class PostgresWriter:
    """Changes a collection while it holds the writer's lock. latest: gives the latest commit."""

    def __init__(self, recording: Recording, indexing: Indexing, latest: Callable[[], PostgresSnapshot]) -> None:
        self._recording = recording
        self._indexing = indexing
        self._latest = latest

    def known(self, ids: Sequence[str]) -> dict[str, Known]:
        """What is stored of the live documents with these ids; unknown ids are left out."""
        query = "SELECT id, number, text_hash, metadata FROM documents WHERE id = ANY(%s::text[])"
        with self._recording.connection() as connection:
            found = connection.execute(query, (possible(ids),)).fetchall()
        return {
            identifier: Known(number, bytes(text_hash), metadata) for identifier, number, text_hash, metadata in found
        }

    def spaces(self) -> tuple[Space, ...]:
        """The complete spaces, into which every added document goes, the default one first."""
        head = self._recording.head()
        complete = [space for space in head.description.spaces if head.is_complete(space.name)]
        return tuple(sorted(complete, key=lambda space: space.name != head.description.default))

    def commit(self, block: Block) -> Numbers:
        """Adds documents, replacing live ones with the same ids; gives their numbers, int64 (documents,).

        Raises VectorError and DocumentError before anything is written; InputError, StorageError.
        """
        spaces, names = self.spaces(), [document.id for document in block.documents]
        if set(block.parts) != {space.name for space in spaces}:
            raise InputError(
                f"documents were encoded for the spaces {', '.join(sorted(block.parts))}, and are added to "
                f"{', '.join(sorted(space.name for space in spaces))}; run it again"
            )
        halves = {space.name: block.parts[space.name].halves(space, names) for space in spaces}
        lines = list(map(_line_of, block.documents, block.text_hashes))
        if not lines:
            return np.empty(0, np.int64)

        def work(change: Change) -> Numbers:
            replaced = change.connection.execute("SELECT number FROM documents WHERE id = ANY(%s::text[])", (names,))
            _remove(change, [number for (number,) in replaced.fetchall()])
            first = change.head.next_document
            numbers = np.arange(first, first + len(lines))
            numbered = ((number, *line) for number, line in zip(numbers.tolist(), lines, strict=True))
            copy_lines(change.connection, "documents", DOCUMENT_COLUMNS, numbered)
            end = first + len(lines)
            change.head = replace(change.head, documents=change.head.documents + len(lines), next_document=end)
            for name, vectors in halves.items():
                _fill(change, name, numbers, block.parts[name], vectors)
                change.head = _with(change, replace(change.head.of(name), filled=end))
            self._indexing.add(change, numbers, block)
            return numbers

        numbers = self._recording.recorded(work)
        logger.debug("%s: added %d documents", self._indexing.address, len(lines))
        return numbers

    def add_space(self, space: Space) -> None:
        """Begins a space; it is complete if there are no documents. Raises InputError."""
        if space.unit != "passage":
            raise InputError(
                "a collection in PostgreSQL keeps no vectors of tokens; keep them in a collection in a folder"
            )

        def work(change: Change) -> None:
            change.head = change.head.with_space(space)
            make_table(change.connection, space, change.head.of(space.name).number)

        self._recording.recorded(work)

    def fill_space(self, name: str, documents: Numbers, part: Part) -> bool:
        """Adds existing documents to a space; returns whether it is complete.

        Raises InputError if one is skipped, VectorError.
        """
        space = self._recording.head().description.space(name)
        vectors = part.halves(space, documents.tolist())

        def work(change: Change) -> bool:
            head = change.head.of(name)
            end = int(documents[-1]) + 1 if len(documents) else head.filled
            between = "SELECT number FROM documents WHERE number >= %s AND number < %s"
            live = [number for (number,) in change.connection.execute(between, (head.filled, end)).fetchall()]
            kept = np.isin(documents, live)
            if int(kept.sum()) != len(live):
                raise InputError(f"the space {name!r} is filled in the order of the documents, and some were left out")
            chosen = part.of(kept)
            _fill(change, name, documents[kept], chosen, vectors[np.repeat(kept, part.counts)])
            later = "SELECT min(number) FROM documents WHERE number >= %s"
            ((following,),) = change.connection.execute(later, (max(end, head.filled),)).fetchall()
            filled = change.head.next_document if following is None else following
            change.head = _with(change, replace(change.head.of(name), filled=filled))
            return bool(filled == change.head.next_document)

        return self._recording.recorded(work)

    def index(self, space: Space, ask: Ask, progress: Progress = silent) -> IndexReport | None:  # noqa: ARG002
        """None: search is exact."""
        return None

    def make_default(self, name: str) -> None:
        """Makes a complete space the one that is searched. Raises InputError."""

        def work(change: Change) -> None:
            described = change.head.description.with_default(name)
            if not change.head.is_complete(name):
                raise InputError(
                    f"the space {name!r} lacks documents still; fill it first: "
                    "`twofold migrate COLLECTION --encoder NAME`"
                )
            change.head = replace(change.head, description=described)

        self._recording.recorded(work)

    def put_source(self, name: str, source: Mapping[str, Any]) -> None:
        """Replaces that from which the encoder of a space is loaded. Raises InputError."""

        def work(change: Change) -> None:
            change.head = replace(change.head, description=change.head.description.with_source(name, source))

        self._recording.recorded(work)

    def drop_space(self, name: str) -> None:
        """Deletes a space that is not the default one, with its vectors. Raises InputError.

        Its empty table stays: to drop it would wait for every snapshot that has read it.
        """

        def work(change: Change) -> None:
            described, head = change.head.description.without(name), change.head.of(name)
            change.connection.execute(sql.SQL("DELETE FROM {}").format(head.table))
            change.connection.execute("DELETE FROM truncations WHERE space = %s", (head.number,))
            change.connection.execute("DELETE FROM spaces WHERE name = %s", (name,))
            left = {each: counts for each, counts in change.head.spaces.items() if each != name}
            change.head = replace(change.head, description=described, spaces=left)

        self._recording.recorded(work)

    def delete(self, documents: Numbers) -> int:
        """Deletes documents by handles of the latest commit; returns how many of them were live."""
        deleted = self._recording.recorded(lambda change: _remove(change, documents.tolist()))
        logger.debug("%s: deleted %d documents", self._indexing.address, deleted)
        return deleted

    def put_state(self, key: str, value: Any) -> None:
        """Stores a JSON value under a key; None removes it."""
        self._recording.recorded(lambda change: put_state(change.connection, key, value))

    def state(self, key: str) -> Any:
        """The JSON value under a key, or None."""
        with self._recording.connection() as connection:
            return read_state(connection.execute("SELECT value FROM states WHERE key = %s", (key,)).fetchall())

    @contextmanager
    def lexical_aside(self, settings: Mapping[str, Any], progress: Progress = silent) -> Iterator[Aside]:
        """Builds a lexical index of the existing documents; the existing one serves until the new is published."""
        built = self._indexing.built(settings, self._recording, progress)
        with self._latest() as snapshot:
            yield Aside(snapshot, built, self._recording)

    def optimize(self, request: IndexRequest, ask: Ask, progress: Progress = silent) -> OptimizeReport:  # noqa: ARG002
        """Builds the lexical index again without deleted documents, and lets the server free their space.

        Raises InputError for a kind of index, StorageError.
        """
        if request.kind not in (None, FLAT):
            raise InputError(f"no index of the kind {request.kind!r} is built here: {EXACT}")
        self._indexing.renew(self._recording, progress)
        spaces = [head.table for head in self._recording.head().spaces.values()]
        others = list(map(sql.Identifier, ("truncations", "lexical_runs", "lexical_terms")))
        with self._recording.connection() as connection:
            size = _bytes(connection)
            documents = _freed(connection, [sql.Identifier("documents")])
            rows = _freed(connection, spaces)
            _freed(connection, others)
            compact = CompactReport(documents=documents, rows=rows, bytes=max(0, size - _bytes(connection)))
        return OptimizeReport(compact, IndexReport(kind=FLAT, why=EXACT))

    def follow(self, ask: Ask, progress: Progress = silent) -> IndexReport | None:  # noqa: ARG002
        """Builds the lexical index again where another space is searched now."""
        self._indexing.follow(self._recording, progress)
        return None

    def maintain(self, seconds: float, ask: Ask, progress: Progress = silent) -> bool:  # noqa: ARG002
        """The same; says whether there was anything to do."""
        return self._indexing.follow(self._recording, progress)

    def repair(self, report: VerifyReport, ask: Ask, progress: Progress = silent) -> None:  # noqa: ARG002
        """Builds the lexical index again where a verification found it damaged."""
        if any(damage.derived for damage in report.damage):
            self._indexing.renew(self._recording, progress, anyway=True)
            report.damage[:] = [replace(each, repaired=each.derived) for each in report.damage]


def _freed(connection: Connection, tables: Sequence[sql.Identifier]) -> int:
    """Lets the server use the space of removed lines again; gives how many there were by its statistics."""
    removed = 0
    for table in tables:
        name = table.as_string(connection)
        found = connection.execute("SELECT pg_stat_get_dead_tuples(%s::regclass)", (name,)).fetchone()
        removed += int(found[0]) if found else 0
        connection.execute(sql.SQL("VACUUM (ANALYZE) {}").format(table))
    return removed


def _bytes(connection: Connection) -> int:
    """The size of the collection's tables."""
    found = connection.execute(
        "SELECT sum(pg_total_relation_size(c.oid))::bigint FROM pg_class AS c "
        "WHERE c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'twofold'::regclass) AND relkind = 'r'"
    ).fetchone()
    return int(found[0]) if found else 0


def _line_of(document: Any, text_hash: bytes) -> tuple[object, ...]:
    """What `documents` keeps of a document. Raises DocumentError for a NUL, which PostgreSQL stores in no text."""
    metadata = document.metadata_json()
    if NUL in document.text or NUL in document.title or has_nul(dict(document.metadata)):
        raise DocumentError(
            "its text, title or metadata have the character NUL (U+0000), which PostgreSQL cannot store; take it out",
            document_id=document.id,
        )
    return document.id, document.title, text_hash, metadata, exact(dict(document.metadata)), document.text


def _remove(change: Change, numbers: list[int]) -> int:
    """Deletes documents with their vectors; gives how many were live."""
    if not numbers:
        return 0
    removed = change.connection.execute("DELETE FROM documents WHERE number = ANY(%s::bigint[])", (numbers,)).rowcount
    for head in change.head.spaces.values():
        rows = change.connection.execute(
            sql.SQL("DELETE FROM {} WHERE document = ANY(%s::bigint[])").format(head.table), (numbers,)
        ).rowcount
        cut = change.connection.execute(
            "DELETE FROM truncations WHERE space = %s AND document = ANY(%s::bigint[]) RETURNING tokens",
            (head.number, numbers),
        ).fetchall()
        tokens = sum(count for (count,) in cut)
        less = {
            "rows": head.rows - rows,
            "truncated": head.truncated - len(cut),
            "tokens_cut": head.tokens_cut - tokens,
        }
        change.head = _with(change, replace(head, **less))
    change.head = replace(change.head, documents=change.head.documents - removed)
    return removed


def _fill(change: Change, name: str, numbers: Numbers, part: Part, vectors: Any) -> None:
    """Adds the rows of documents to a space."""
    head = change.head.of(name)
    owners = np.repeat(numbers, part.counts)
    copy_vectors(change.connection, head.table, head.next_row, owners, part.spans, vectors)
    cut = [(head.number, n, tokens) for n, tokens in zip(numbers.tolist(), part.truncated, strict=True) if tokens]
    copy_lines(change.connection, "truncations", {"space": "int4", "document": "int8", "tokens": "int8"}, cut)
    exact = vectors.astype(np.float64)
    longest = float(np.sqrt(np.einsum("ij,ij->i", exact, exact)).max(initial=0.0))
    change.head = _with(
        change,
        replace(
            head,
            next_row=head.next_row + len(owners),
            rows=head.rows + len(owners),
            truncated=head.truncated + len(cut),
            tokens_cut=head.tokens_cut + sum(tokens for _, _, tokens in cut),
            longest=max(head.longest, longest),
        ),
    )


def _with(change: Change, head: SpaceHead) -> Any:
    return replace(change.head, spaces={**change.head.spaces, head.name: head})
