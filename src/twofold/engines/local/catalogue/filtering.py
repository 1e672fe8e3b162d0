"""The documents and rows that match a filter, from columns or SQL, cached for a commit; and checks of its fields."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterator
from contextlib import suppress
from functools import partial
from typing import TypeVar

import numpy as np

from twofold import filter_checks
from twofold.engines.local.catalogue.answers import Answer, FilterMasks
from twofold.engines.local.catalogue.column_reading import Reading
from twofold.engines.local.catalogue.columns import NoColumnError, matching_documents
from twofold.engines.local.catalogue.conditions import Condition, ids_named, types_at
from twofold.engines.local.catalogue.faceting import facets_by_column, facets_by_reading
from twofold.engines.local.catalogue.kept_columns import Columns
from twofold.engines.local.catalogue.rows import Rows
from twofold.engines.local.catalogue.schema import SpaceHead
from twofold.facets import Facet
from twofold.filters import Filter, fields
from twofold.scores import Mask, Numbers
from twofold.values import INT64

REMEMBERED = 16
"""Filters whose answers are kept; each takes two to three bytes a row."""
STRETCH = 65_536
"""Documents that SQL looks through at a time; in between, others may have the snapshot's connection."""
_WITH_TRUNCATED = """
SELECT number, documents.id, title, metadata, EXISTS (
    SELECT 1 FROM truncations WHERE space = :space AND document = number
) AS truncated FROM {tables} WHERE number >= :first AND number < :end AND deleted IS NULL
"""
_ALL = "documents"
_NAMED = "json_each(:ids) AS named CROSS JOIN documents ON documents.id = named.value"
"""The documents of some ids, looked up in the index of ids."""
_Key = TypeVar("_Key", bound=Hashable)
_Value = TypeVar("_Value")


class FilterCache:
    """The answers to the last filters in one space, and the columns that answer the next ones; threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: OrderedDict[tuple[int, str], FilterMasks] = OrderedDict()
        self._growing: OrderedDict[str, Answer] = OrderedDict()
        self._columns = Columns()

    def at(self, where: Filter, rows: Rows, head: SpaceHead, reading: Reading) -> FilterMasks:
        """The masks at the commit `head`. reading: its transaction, used only if it is needed."""
        # The text of a tree tells true from 1 and 1 from 1.0; equality of trees does not.
        key = repr(where)
        with self._lock:
            if (known := self._answers.get((head.commit, key))) is not None:
                self._answers.move_to_end((head.commit, key))
                return known
            answer = _kept(self._growing, key, self._growing.get(key) or Answer())
        masks = answer.at(head, rows, partial(self._evaluated, where, head, reading))
        with self._lock:
            return _kept(self._answers, (head.commit, key), masks)

    def facets(self, field: str, chosen: Mask, head: SpaceHead, reading: Reading) -> list[Facet]:
        """The values of a field, each with the count of chosen documents that hold it, at the commit `head`.

        chosen: bool (document numbers,), of live documents.
        """
        try:
            column = self._columns.of({field}, head, reading)[field]
        except NoColumnError:
            return facets_by_reading(field, chosen, reading)
        return facets_by_column(column.part(0, head.next_document), chosen)

    def after_fork_in_child(self) -> None:
        """Makes locks of the child's own."""
        self._lock = threading.Lock()
        self._columns.after_fork_in_child()
        for answer in self._growing.values():
            answer.after_fork_in_child()

    def _evaluated(self, where: Filter, head: SpaceHead, reading: Reading, first: int) -> Mask:
        """Which documents from number `first` on match, possibly including deleted ones."""
        count = head.next_document - first
        if ids_named(where) is None:  # otherwise SQL looks up a few documents
            with suppress(NoColumnError):
                # For documents that were added to others, a column is read on but not begun.
                columns = self._columns.of(fields(where), head, reading, begin=not first)
                parts = {name: column.part(first, head.next_document) for name, column in columns.items()}
                return matching_documents(where, parts, count)
        mask = np.zeros(count, np.bool_)
        mask[_numbers(where, head, first, reading) - first] = True
        return mask


def _kept(remembered: OrderedDict[_Key, _Value], key: _Key, value: _Value) -> _Value:
    """The value, cached as the latest of a few."""
    remembered[key] = value
    remembered.move_to_end(key)
    while len(remembered) > REMEMBERED:
        remembered.popitem(last=False)
    return value


def _numbers(where: Filter, head: SpaceHead, first: int, reading: Reading) -> Numbers:
    """int64: the numbers of the live documents that match by SQL, from `first` on, ascending."""
    condition, found, end = Condition(where), list[Numbers](), head.next_document
    stretch = STRETCH if condition.ids is None else max(1, end)
    for start in range(first, end, stretch):
        with reading() as connection:  # others may have it in between
            lines = _matching(condition, head.space, "number", connection, start, min(start + stretch, end))
            found.append(np.fromiter((number for (number,) in lines), np.int64))
    return np.concatenate(found) if found else np.empty(0, np.int64)


def _matching(
    condition: Condition,
    space: str,
    columns: str,
    connection: sqlite3.Connection,
    first: int = 0,
    end: int = INT64[-1],
) -> sqlite3.Cursor:
    """These columns of the live documents from `first` to before `end` that match, in order of number.

    space: whose vectors truncate.
    """
    condition.prepare(connection)
    parameters = condition.parameters | {"first": first, "end": end, "space": space}
    if condition.ids is not None:
        parameters["ids"] = json.dumps(sorted(condition.ids))
    documents = _WITH_TRUNCATED.format(tables=_ALL if condition.ids is None else _NAMED)
    return connection.execute(f"SELECT {columns} FROM ({documents}) WHERE {condition.sql} ORDER BY number", parameters)  # noqa: S608


def check_fields(where: Filter, connection: sqlite3.Connection) -> None:
    """Raises FilterError for a field that no live document has, or that never holds the type it is compared with."""
    if connection.execute("SELECT EXISTS (SELECT 1 FROM documents WHERE deleted IS NULL)").fetchone()[0]:
        filter_checks.check_fields(where, partial(types_at, connection), partial(_first_metadata, connection))


def check_unambiguous(where: Filter, space: str, connection: sqlite3.Connection) -> None:
    """Raises FilterError, naming it, where a matching document has several values under a name: one with a dot, or
    that of its id or title in its metadata."""
    if filter_checks.ambiguous(where):
        filter_checks.check_unambiguous(where, _matching(Condition(where), space, "id, title, metadata", connection))


def _first_metadata(connection: sqlite3.Connection, count: int) -> Iterator[str]:
    """The metadata of some live documents, as JSON."""
    found = connection.execute("SELECT metadata FROM documents WHERE deleted IS NULL LIMIT ?", (count,))
    return (metadata for (metadata,) in found)
