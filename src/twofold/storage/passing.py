"""Which documents and rows pass a filter: checked for sense, answered by columns or by SQL, remembered for a commit."""

from __future__ import annotations

import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Iterable

import numpy as np

from twofold.errors import FilterError
from twofold.filters import TRUNCATED, Compare, Filter, comparisons, type_name
from twofold.scores import Mask, Numbers
from twofold.storage.columns import Column, Columns, NoColumnError, documents_passing, fields
from twofold.storage.conditions import Condition, types_at
from twofold.storage.living import Rows, expanded
from twofold.storage.schema import Head

LOOKED_AT = 1000
"""Documents that are tried before SQL is asked whether a field ever has a type."""
REMEMBERED = 16
"""Filters whose answers are kept; each takes a byte a row."""
_PLURALS = {"text": "text", "number": "numbers", "boolean": "booleans", "null": "null", "list": "empty lists"}


class FilterCache:
    """The answers to the last filters, and the columns that answer the next ones; threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: OrderedDict[tuple[int, str], Mask] = OrderedDict()
        self._columns = Columns()

    def at(self, where: Filter, rows: Rows, head: Head, connection: sqlite3.Connection) -> Mask:
        """bool (rows,), read-only: what passes at the commit `head`, which the connection's transaction must see.

        Raises FilterError.
        """
        # The text of a tree tells true from 1 and 1 from 1.0; equality of trees does not.
        key = (head.commit, repr(where))
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
                return self._answers[key]
        answer = self._passing(where, rows, head, connection)
        answer.flags.writeable = False
        with self._lock:
            self._answers[key] = answer
            while len(self._answers) > REMEMBERED:
                self._answers.popitem(last=False)
        return answer

    def _passing(self, where: Filter, rows: Rows, head: Head, connection: sqlite3.Connection) -> Mask:
        try:
            columns = self._columns.of(fields(where), head, connection)
            passing = documents_passing(where, columns, head.next_document)
        except NoColumnError:
            answer = np.zeros(len(rows), np.bool_)
            answer[expanded(*rows.ranges(numbers(where, connection)))[0]] = True
            return answer
        for compare in _kinds_of_comparisons(where):
            if not _holds(columns[compare.field], compare, rows):
                _check_type(compare, connection)
        of_rows = passing[: len(rows)] if rows.owners is None else passing[rows.owners]
        return of_rows & rows.living

    def after_fork_in_child(self) -> None:
        """Makes a lock of the child's own."""
        self._lock = threading.Lock()
        self._columns.after_fork_in_child()


def numbers(where: Filter | None, connection: sqlite3.Connection) -> Numbers:
    """int64: the numbers of the living documents that pass, ascending. Raises FilterError."""
    if where is None:
        found = connection.execute("SELECT number FROM documents WHERE deleted IS NULL ORDER BY number")
    else:
        condition = Condition(where)
        condition.prepare(connection)
        found = connection.execute(
            f"SELECT number FROM documents WHERE deleted IS NULL AND {condition.sql} ORDER BY number",  # noqa: S608
            condition.parameters,
        )
    answer = np.fromiter((number for (number,) in found), dtype=np.int64)
    if where is not None:
        for compare in _kinds_of_comparisons(where):
            _check_type(compare, connection)
    return answer


def _kinds_of_comparisons(where: Filter) -> Iterable[Compare]:
    """One comparison of each kind says what all of them would; a list of values may be long."""
    return {(each.field, type_name(each.value)): each for each in comparisons(where)}.values()


def _holds(column: Column, compare: Compare, rows: Rows) -> bool:
    """Whether a living document is at hand that has the operand's type in the field."""
    if compare.value is None or compare.field == TRUNCATED:
        return True
    first, last = rows.ranges(column.owners_of(type_name(compare.value), LOOKED_AT))
    return bool(rows.living[first[first < last]].any())


def _check_type(compare: Compare, connection: sqlite3.Connection) -> None:
    """Raises FilterError where no living document has the operand's type in the field: a typo is a typo."""
    if compare.value is None or compare.field == TRUNCATED:
        return
    sought, found = type_name(compare.value), set[str]()
    for types in types_at(connection, compare.field):
        if sought in types:
            return
        found |= types
    if found:
        held = " and ".join(_PLURALS.get(word, f"{word}s") for word in sorted(found))
        raise FilterError(
            f"the field {compare.field!r} holds {held}, never {_PLURALS[sought]}: "
            f"{compare.operator} {compare.value!r} can match nothing"
        )
    if connection.execute("SELECT EXISTS (SELECT 1 FROM documents WHERE deleted IS NULL)").fetchone()[0]:
        raise FilterError(f"no document of this collection has the field {compare.field!r}")
