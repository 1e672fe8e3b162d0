"""Which documents of a snapshot may be found: a filter and a selection as SQL, or as numbers that we have found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from twofold.engine import Selection
from twofold.engines.postgres.conditions import TRUE, Condition
from twofold.engines.postgres.connecting import Session
from twofold.errors import QueryError
from twofold.filters import Filter, matches

BATCH = 4_096
"""Documents that are read at a time where only the definition can tell."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Documents, as a condition over `documents AS d`, with what it binds."""

    sql: sql.Composable
    parameters: dict[str, object]

    @property
    def is_everything(self) -> bool:
        """Whether it holds for every document."""
        return self.sql is TRUE


class Selecting:
    """Answers filters and selections on one snapshot. space: the number of the one that `$truncated` speaks of."""

    def __init__(self, session: Session, space: int) -> None:
        self._session = session
        self._truncated = sql.SQL(
            "EXISTS (SELECT 1 FROM truncations AS t WHERE t.space = {} AND t.document = d.number)"
        ).format(sql.Literal(space))

    def matching(self, where: Filter | None) -> Chosen:
        """The documents that match a filter."""
        if where is None:
            return Chosen(TRUE, {})
        condition = Condition(where, self._truncated)
        if condition.sql is not None:
            return Chosen(condition.sql, condition.parameters)
        numbers = [line[0] for line in self._documents() if _passes(where, line)]
        return Chosen(sql.SQL("(d.number = ANY(%(numbers)s::bigint[]))"), {"numbers": numbers})

    def selected(self, selection: Selection) -> Chosen:
        """The documents of a selection. Raises QueryError for the query language."""
        if selection.said is not None:
            raise QueryError("the query language is not available for a collection in PostgreSQL; search by plain text")
        chosen = self.matching(selection.where)
        if not selection.without:
            return chosen
        without = sql.SQL("({} AND NOT d.id = ANY(%(without)s::text[]))").format(chosen.sql)
        return Chosen(without, {**chosen.parameters, "without": list(selection.without)})

    def _documents(self) -> Iterator[tuple[Any, ...]]:
        """(number, id, title, metadata, truncated) of all documents, ascending."""
        query = sql.SQL(
            "SELECT d.number, d.id, d.title, d.metadata, {} FROM documents AS d "
            "WHERE d.number > %(last)s ORDER BY d.number LIMIT %(count)s"
        ).format(self._truncated)
        last = -1
        while lines := self._session.rows(query, {"last": last, "count": BATCH}):
            yield from lines
            last = lines[-1][0]


def _passes(where: Filter, line: tuple[Any, ...]) -> bool:
    _, identifier, title, metadata, truncated = line
    return matches(where, json.loads(metadata), identifier=identifier, title=title, truncated=truncated)
