"""One commit of a collection: a transaction that sees what was committed when it began. Implements
engine.EngineSnapshot."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from twofold import filter_checks
from twofold.documents import Document
from twofold.engine import Counts, Passages, SpaceCounts
from twofold.engines.postgres.connecting import Session
from twofold.engines.postgres.dense import PostgresDense
from twofold.engines.postgres.fields import NUL
from twofold.engines.postgres.lexical import LexicalShared, PostgresLexical
from twofold.engines.postgres.schema import Head, LexicalHead, read_state
from twofold.engines.postgres.selecting import Chosen, Selecting
from twofold.errors import DocumentError, InputError, QueryError
from twofold.facets import Facet, values_held
from twofold.filters import OWN, Filter, elements, found_at, type_name
from twofold.index_report import IndexReport
from twofold.scores import Numbers
from twofold.space import Space
from twofold.values import Json, Scalar

BATCH = 256
"""Documents read at a time while iterating."""
READ = 4_096
"""Metadata read at a time."""
_LONE = re.compile("[\ud800-\udfff]")
_DOCUMENT = "SELECT d.number, d.id, d.text, d.title, d.metadata FROM documents AS d "
_WANTED = "SELECT {} FROM unnest(%(numbers)s::bigint[]) WITH ORDINALITY AS w(number, place) JOIN "


class PostgresSnapshot:
    """One commit; close it, or use it as a context manager. ended: gives the connection back."""

    def __init__(self, session: Session, head: Head, lexical: LexicalShared, ended: Callable[[Session], None]) -> None:
        self._session = session
        self.head = head
        self._lexical = lexical
        self._ended = ended
        self._selecting = Selecting(session, head.of().number)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Lets the commit go; twice does nothing."""
        if self._session.end():
            self._ended(self._session)

    @property
    def session(self) -> Session:
        """Its connection, for the engine only."""
        return self._session

    @property
    def commit(self) -> int:
        """The commit's number."""
        return self.head.commit

    @property
    def counts(self) -> Counts:
        """The commit's counts."""
        space = self.head.of()
        return Counts(
            documents=self.head.documents,
            passages=space.rows,
            truncated=space.truncated,
            tokens_cut=space.tokens_cut,
        )

    @property
    def space(self) -> Space:
        """The default space, which is searched."""
        return self.head.description.space()

    @property
    def spaces(self) -> tuple[Space, ...]:
        """All spaces, in the order in which they were made."""
        return self.head.description.spaces

    def counted(self, space: str) -> SpaceCounts:
        """The commit's counts in a space. Raises InputError for an unknown name."""
        head, documents = self.head.of(space), self.head.documents
        lacking = self._session.row("SELECT count(*) FROM documents WHERE number >= %s", (head.filled,))[0]
        return SpaceCounts(documents=documents - lacking, passages=head.rows, complete=self.head.is_complete(space))

    def lacking(self, space: str, count: int) -> Numbers:
        """int64, ascending: the first documents, at most `count`, that are not in a space."""
        query = "SELECT number FROM documents WHERE number >= %s ORDER BY number LIMIT %s"
        return _numbers(self._session.rows(query, (self.head.of(space).filled, count)))

    def dense(self, space: str | None = None, *, exact: bool = False) -> PostgresDense:  # noqa: ARG002 - it always is
        """Dense search in a space, by default in the default one; it is exact."""
        described, head = self.head.description.space(space), self.head.of(space)
        return PostgresDense(self._session, described, head, Selecting(self._session, head.number), self.ids)

    def lexical(self, *, query_language: bool = False, anyway: bool = False) -> PostgresLexical | None:  # noqa: ARG002
        """Lexical search; None if there is no lexical index. Raises QueryError for the query language."""
        return None if self.head.lexical is None else self.lexical_of(self.head.lexical, query_language=query_language)

    def lexical_of(self, index: LexicalHead, *, query_language: bool = False) -> PostgresLexical:
        """Lexical search by an index that may not be published yet."""
        if query_language:
            raise QueryError("the query language is not available for a collection in PostgreSQL; search by plain text")
        return PostgresLexical(self._session, self.head, index, self._selecting, self._lexical)

    def check_fields(self, where: Filter) -> None:
        """Raises FilterError if no document has a field of the filter, or none has it with the compared type."""
        if self.head.documents:
            filter_checks.check_fields(where, self._types_at, self._first_metadata)

    def check_unambiguous(self, where: Filter) -> None:
        """Raises FilterError if a matching document has several values under a name."""
        if filter_checks.ambiguous(where):
            chosen = self._selecting.matching(where)
            filter_checks.check_unambiguous(where, self._columns("d.id, d.title, d.metadata", chosen))

    def without_passages(self) -> int:
        """The number of documents without a passage."""
        query = (
            "SELECT count(*) FROM documents AS d WHERE NOT EXISTS (SELECT 1 FROM {} AS v WHERE v.document = d.number)"
        )
        return int(self._session.row(sql.SQL(query).format(self.head.of().table))[0])

    def select(self, where: Filter | None = None) -> Numbers:
        """int64, ascending: the documents that match the filter."""
        chosen = self._selecting.matching(where)
        query = sql.SQL("SELECT d.number FROM documents AS d WHERE {} ORDER BY d.number").format(chosen.sql)
        return _numbers(self._session.rows(query, chosen.parameters))

    def count(self, where: Filter | None = None) -> int:
        """The number of documents that match the filter."""
        if where is None:
            return self.head.documents
        chosen = self._selecting.matching(where)
        query = sql.SQL("SELECT count(*) FROM documents AS d WHERE {}").format(chosen.sql)
        return int(self._session.row(query, chosen.parameters)[0])

    def facets(self, field: str, where: Filter | None = None) -> list[Facet]:
        """The values of a field, each with its number of matching documents."""
        counts = Counter[tuple[str, Scalar]]()
        column = f"d.{field}" if field in OWN else "d.metadata"
        for (content,) in self._columns(column, self._selecting.matching(where)):
            counts.update(values_held([content] if field in OWN else found_at(json.loads(content), field)))
        return [(value, count) for (_, value), count in counts.items()]

    def has_text(self) -> bool:
        """Whether any document has a text or a title; own vectors may have none."""
        return bool(self._session.row("SELECT EXISTS (SELECT 1 FROM documents WHERE text <> '' OR title <> '')")[0])

    def find(self, ids: Sequence[str]) -> dict[str, int]:
        """id → handle of the documents with these ids; unknown ids are left out. Raises DocumentError."""
        query = "SELECT id, number FROM documents WHERE id = ANY(%s::text[])"
        return dict(self._session.rows(query, (possible(ids),)))

    def ids(self, documents: Numbers) -> list[str]:
        """The ids of these documents, in their order."""
        query = sql.SQL(_WANTED + "documents AS d USING (number) ORDER BY place").format(sql.SQL("d.id"))
        found = [identifier for (identifier,) in self._session.rows(query, {"numbers": documents.tolist()})]
        return self._all_of(documents, found)

    def text_hashes(self, documents: Numbers) -> list[bytes]:
        """What decides their vectors, as it was given with these documents, in their order."""
        query = sql.SQL(_WANTED + "documents AS d USING (number) ORDER BY place").format(sql.SQL("d.text_hash"))
        found = [bytes(given) for (given,) in self._session.rows(query, {"numbers": documents.tolist()})]
        return self._all_of(documents, found)

    def documents(self, documents: Numbers) -> list[Document]:
        """These documents, in their order."""
        query = sql.SQL(_WANTED + "documents AS d USING (number) ORDER BY place").format(
            sql.SQL("d.number, d.id, d.text, d.title, d.metadata")
        )
        return self._all_of(documents, list(map(_document, self._session.rows(query, {"numbers": documents.tolist()}))))

    def each(self) -> Iterator[Document]:
        """All documents in the order in which they were added, with at most one batch in memory."""
        last, query = -1, _DOCUMENT + "WHERE d.number > %s ORDER BY d.number LIMIT %s"
        while lines := self._session.rows(query, (last, BATCH)):
            yield from map(_document, lines)
            last = lines[-1][0]

    def passages(self, documents: Numbers, space: str | None = None) -> Passages:
        """All passages of these documents in a space, by default the default one."""
        query = sql.SQL(
            "SELECT v.number, w.place - 1, v.starts, v.ends FROM "
            "unnest(%s::bigint[]) WITH ORDINALITY AS w(document, place) JOIN {} AS v USING (document) "
            "ORDER BY w.place, v.number"
        ).format(self.head.of(space).table)
        found = np.array(self._session.rows(query, (documents.tolist(),)), np.int64).reshape(-1, 4)
        return Passages(found[:, 0].copy(), found[:, 1].copy(), found[:, 2:].astype(np.int32))

    def codes(self, rows: Numbers, space: str) -> NDArray[np.uint16]:  # noqa: ARG002 - there are none
        """Raises InputError: no vectors of tokens are kept here."""
        raise InputError(
            f"a collection in PostgreSQL keeps no vectors of tokens, so there is no space {space!r} of them"
        )

    def spans(self, passages: Numbers) -> NDArray[np.int32]:
        """int32 (n, 2): start and end of each passage of the default space in characters of its document's text."""
        query = sql.SQL(_WANTED + "{} AS v USING (number) ORDER BY place").format(
            sql.SQL("v.starts, v.ends"), self.head.of().table
        )
        found = self._all_of(passages, self._session.rows(query, {"numbers": passages.tolist()}))
        return np.array(found, np.int32).reshape(-1, 2)

    def state(self, key: str) -> Any:
        """The JSON value stored under a key, or None."""
        return read_state(self._session.rows("SELECT value FROM states WHERE key = %s", (key,)))

    def index(self) -> IndexReport | None:
        """None: search is exact."""
        return None

    def _columns(self, columns: str, chosen: Chosen) -> Iterator[Any]:
        """Columns of the chosen documents, in their order."""
        query = sql.SQL(
            "SELECT d.number, {} FROM documents AS d WHERE d.number > %(last)s AND {} ORDER BY d.number LIMIT %(count)s"
        ).format(sql.SQL(columns), chosen.sql)
        last = -1
        while lines := self._session.rows(query, {**chosen.parameters, "last": last, "count": READ}):
            yield from (line[1:] for line in lines)
            last = lines[-1][0]

    def _types_at(self, field: str) -> Iterator[set[str]]:
        if field in OWN:
            yield {"text"}
            return
        for metadata in self._first_metadata(None):
            values: dict[str, Json] = json.loads(metadata)
            if there := found_at(values, field):
                yield {type_name(value) for value in elements(there)} or {"list"}

    def _first_metadata(self, count: int | None) -> Iterable[str]:
        found = self._columns("d.metadata", self._selecting.matching(None))
        return (metadata for (metadata,), _ in zip(found, range(count or self.head.documents), strict=False))

    def _all_of(self, numbers: Numbers, found: list[Any]) -> list[Any]:
        if len(found) != len(numbers):
            raise InputError(f"{self._session.address}: a handle is valid in the snapshot that gave it, and no other")
        return found


def possible(ids: Iterable[str]) -> list[str]:
    """The ids that a document here may have. Raises DocumentError for one that is no text."""
    wanted = list(ids)
    for identifier in wanted:
        if not isinstance(identifier, str):
            raise DocumentError(f"an id is a text, not {identifier!r}")
    return [identifier for identifier in wanted if NUL not in identifier and not _LONE.search(identifier)]


def _document(line: Sequence[Any]) -> Document:
    _, identifier, text, title, metadata = line
    return Document(identifier, text, title, json.loads(metadata) if metadata != "{}" else {})


def _numbers(lines: list[tuple[int]]) -> Numbers:
    return np.fromiter((number for (number,) in lines), np.int64, len(lines))
