"""Which documents and rows pass a filter: answered by columns or by SQL, remembered for a commit; and whether its
fields are there at all, for who asks."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections import OrderedDict
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np

from twofold.engines.local.catalogue.columns import Columns, NoColumnError, documents_passing
from twofold.engines.local.catalogue.conditions import Condition, types_at
from twofold.engines.local.catalogue.rows import Rows
from twofold.engines.local.catalogue.schema import SpaceHead
from twofold.errors import FilterError
from twofold.filters import TRUNCATED, Compare, Exists, Filter, field_names, fields, found_at, leaves, type_name
from twofold.scores import Mask, Numbers
from twofold.values import equal

LOOKED_AT = 10_000
"""Documents whose fields are looked through for the one that may have been meant."""
REMEMBERED = 16
"""Filters whose answers are kept; each takes a byte a row."""
_WITH_TRUNCATED = """
SELECT number, id, metadata, EXISTS (
    SELECT 1 FROM truncations WHERE space = :space AND document = number
) AS truncated FROM documents WHERE deleted IS NULL
"""
_PLURALS = {"text": "text", "number": "numbers", "boolean": "booleans", "null": "null", "list": "empty lists"}


@dataclass(frozen=True, slots=True)
class Passing:
    """What passes a filter, read-only.

    rows: bool (rows,). documents: bool (document numbers,), of those that have rows.
    """

    rows: Mask
    documents: Mask


class FilterCache:
    """The answers to the last filters in one space, and the columns that answer the next ones; threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: OrderedDict[tuple[int, str], Passing] = OrderedDict()
        self._columns = Columns()

    def at(self, where: Filter, rows: Rows, head: SpaceHead, connection: sqlite3.Connection) -> Passing:
        """What passes at the commit `head`, which the connection's transaction must see."""
        # The text of a tree tells true from 1 and 1 from 1.0; equality of trees does not.
        key = (head.commit, repr(where))
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
                return self._answers[key]
        answer = self._passing(where, rows, head, connection)
        answer.rows.flags.writeable = answer.documents.flags.writeable = False
        with self._lock:
            self._answers[key] = answer
            while len(self._answers) > REMEMBERED:
                self._answers.popitem(last=False)
        return answer

    def _passing(self, where: Filter, rows: Rows, head: SpaceHead, connection: sqlite3.Connection) -> Passing:
        try:
            columns = self._columns.of(fields(where), head, connection)
            passing = documents_passing(where, columns, head.next_document)
        except NoColumnError:
            passing = np.zeros(head.next_document, np.bool_)
            passing[numbers(where, head.space, connection)] = True
        of_rows = passing[: len(rows)] if rows.owners is None else passing[rows.owners]
        return Passing(of_rows & rows.living, passing & rows.with_rows)

    def after_fork_in_child(self) -> None:
        """Makes a lock of the child's own."""
        self._lock = threading.Lock()
        self._columns.after_fork_in_child()


def numbers(where: Filter | None, space: str, connection: sqlite3.Connection) -> Numbers:
    """int64: the numbers of the living documents that pass, ascending. space: whose vectors truncate."""
    if where is None:
        found = connection.execute("SELECT number FROM documents WHERE deleted IS NULL ORDER BY number")
    else:
        found = _passing(where, space, "number", connection)
    return np.fromiter((number for (number,) in found), dtype=np.int64)


def _passing(where: Filter, space: str, columns: str, connection: sqlite3.Connection) -> sqlite3.Cursor:
    """These columns of the living documents that pass, in order of number."""
    condition = Condition(where)
    condition.prepare(connection)
    return connection.execute(
        f"SELECT {columns} FROM ({_WITH_TRUNCATED}) WHERE {condition.sql} ORDER BY number",  # noqa: S608
        {**condition.parameters, "space": space},
    )


def check_fields(where: Filter, connection: sqlite3.Connection) -> None:
    """Raises FilterError for a field that no living document has, or that never holds the type it is compared with."""
    if not connection.execute("SELECT EXISTS (SELECT 1 FROM documents WHERE deleted IS NULL)").fetchone()[0]:
        return
    # One comparison of each kind says what all of them would; a list of values may be long.
    kinds = {(leaf.field, type_name(leaf.value) if isinstance(leaf, Compare) else ""): leaf for leaf in leaves(where)}
    for leaf in kinds.values():
        if leaf.field != TRUNCATED:
            _check_field(leaf, connection)


def check_unambiguous(where: Filter, space: str, connection: sqlite3.Connection) -> None:
    """Raises FilterError, naming it, where a document that passes has several values under a name with a dot."""
    dotted = sorted(field for field in fields(where) if "." in field)
    for identifier, metadata in _passing(where, space, "id, metadata", connection) if dotted else ():
        for field in dotted:
            first, *others = found_at(json.loads(metadata), field) or [None]
            if not all(equal(first, other) for other in others):
                raise FilterError(
                    f"document {identifier!r} has several values under {field!r}, as a key and inside an object, so "
                    "the filter may mean more than was said; name the documents by their ids"
                )


def _check_field(leaf: Compare | Exists, connection: sqlite3.Connection) -> None:
    sought = type_name(leaf.value) if isinstance(leaf, Compare) and leaf.value is not None else ""
    found = set[str]()
    for types in types_at(connection, leaf.field):
        found |= types
        if not sought or sought in found or (isinstance(leaf, Compare) and isinstance(leaf.value, list | dict)):
            return
    if not found:
        raise FilterError(f"no document of this collection has the field {leaf.field!r}{_nearest(leaf, connection)}")
    held = " and ".join(_PLURALS.get(word, f"{word}s") for word in sorted(found))
    raise FilterError(
        f"the field {leaf.field!r} holds {held}, never {_PLURALS[sought]}: "
        f"{leaf.operator} {leaf.value!r} can match nothing"  # type: ignore[union-attr]  # only a comparison seeks a type
    )


def _nearest(leaf: Compare | Exists, connection: sqlite3.Connection) -> str:
    """The name of a field that may have been meant."""
    names = set[str]()
    for (metadata,) in connection.execute("SELECT metadata FROM documents WHERE deleted IS NULL LIMIT ?", (LOOKED_AT,)):
        names.update(field_names(json.loads(metadata)))
    near = get_close_matches(leaf.field, sorted(names), 1)
    return f"; did you mean {near[0]!r}?" if near else ""
