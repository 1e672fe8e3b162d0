"""Which documents and rows pass a filter: checked for sense, evaluated by SQL, remembered for a commit."""

from __future__ import annotations

import sqlite3
import threading
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from twofold.errors import FilterError
from twofold.filters import TRUNCATED, Compare, Filter, comparisons, type_name
from twofold.scores import Mask, Numbers
from twofold.storage.conditions import Condition, types_at
from twofold.storage.living import Rows, expanded, ranges

REMEMBERED = 16
"""Filters whose answers are kept; each takes a byte a row."""
_PLURALS = {"text": "text", "number": "numbers", "boolean": "booleans", "null": "null", "list": "empty lists"}


@dataclass(frozen=True, slots=True)
class Passing:
    """What passes a filter: how many living documents, and bool (rows,), which rows."""

    documents: int
    rows: Mask


class FilterCache:
    """The answers to the last filters; threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: OrderedDict[tuple[int, str], Passing] = OrderedDict()

    def at(self, where: Filter, rows: Rows, connection: sqlite3.Connection) -> Passing:
        """What passes at the commit of `rows`, which the connection's transaction must see; raises FilterError."""
        # The text of a tree tells true from 1 and 1 from 1.0; equality of trees does not.
        key = (rows.commit, repr(where))
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
                return self._answers[key]
        answer = _passing(where, rows, connection)
        with self._lock:
            self._answers[key] = answer
            while len(self._answers) > REMEMBERED:
                self._answers.popitem(last=False)
        return answer

    def after_fork_in_child(self) -> None:
        """Makes a lock of the child's own."""
        self._lock = threading.Lock()


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
        # One comparison of each kind says what all of them would; a list of values may be long.
        for compare in {(each.field, type_name(each.value)): each for each in comparisons(where)}.values():
            _check_type(compare, connection)
    return answer


def _passing(where: Filter, rows: Rows, connection: sqlite3.Connection) -> Passing:
    documents = numbers(where, connection)
    mask = np.zeros(len(rows.documents), dtype=np.bool_)
    mask[expanded(*ranges(rows.documents, documents))[0]] = True
    mask.flags.writeable = False
    return Passing(len(documents), mask)


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
