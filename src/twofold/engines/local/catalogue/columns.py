"""Columns: one metadata field of all documents as arrays, so that a filter takes a pass over numbers and not over JSON.

A document's metadata never changes under its number, so columns only grow, and every snapshot may read a longer one.
What arrays cannot say exactly (integers beyond 2^53, numbers that SQLite's JSON may misread, too many different texts,
fields that it cannot name) has no column, and SQL answers.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from array import array
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from twofold.engines.local.catalogue.conditions import JSON_TYPES, nameable, paths_of, reads_exactly
from twofold.engines.local.catalogue.schema import SpaceHead
from twofold.filters import COMPARISONS, TRUNCATED, All, Compare, Exists, Filter, Not, Some, elements, found_at
from twofold.scores import Mask
from twofold.values import Json

EXACT = 2**53
"""Integers up to here are float64 without loss."""
TEXTS = 2**18
"""Different texts of one field that are kept; a field with more is compared by SQL."""
REMEMBERED = 1000
"""Names of fields that were asked about once."""
FIELDS = 8
"""Columns that are kept: some 20 bytes a document each."""
_NULL, _FALSE, _TRUE, _NUMBER, _TEXT, _OTHER = range(6)
_NO_TEXT = -1
_SCALARS = {name: word for word in ("text", "number", "boolean", "null") for name in JSON_TYPES[word]}


class NoColumnError(Exception):
    """The field cannot be kept as arrays."""


class _Elements:
    """Elements while they are read: their documents, kinds, numbers and texts' codes, packed."""

    def __init__(self, codes: dict[str, int]) -> None:
        self.codes = codes
        self.owners, self.missing, self.texts = array("i"), array("i"), array("i")
        self.kinds, self.numbers = array("b"), array("d")

    def add(self, owner: int, value: Json) -> None:
        """One element: a value, or one of a list's."""
        kind, number, text = _OTHER, np.nan, _NO_TEXT
        match value:
            case None:
                kind = _NULL
            case bool():
                kind = _TRUE if value else _FALSE
            case int() | float():
                if abs(value) > EXACT if isinstance(value, int) else not reads_exactly(value):
                    raise NoColumnError
                kind, number = _NUMBER, float(value)
            case str():
                kind, text = _TEXT, self.codes.setdefault(value, len(self.codes))
                if len(self.codes) > TEXTS:
                    raise NoColumnError
        self.owners.append(owner)
        self.kinds.append(kind)
        self.numbers.append(number)
        self.texts.append(text)


@dataclass(frozen=True, slots=True)
class Column:
    """One field of the documents with numbers below `end`, read at a generation.

    owners: int32 (elements,), whose each element is, never falling; kinds: int8; numbers: float64, NaN where the
    element is none; texts: int32, its code in `codes`. missing: int32, documents that lack the field, which has one
    null element for each. aligned: whether element i is document i's, one each.
    """

    name: str
    end: int
    generation: int
    owners: NDArray[np.int32]
    kinds: NDArray[np.int8]
    numbers: NDArray[np.float64]
    texts: NDArray[np.int32]
    missing: NDArray[np.int32]
    codes: dict[str, int]
    aligned: bool

    @classmethod
    def empty(cls, name: str) -> Column:
        """Of no document yet."""
        none = np.empty(0, np.int32)
        return cls(name, 0, 0, none, np.empty(0, np.int8), np.empty(0), none, none, {}, True)

    def extended(self, connection: sqlite3.Connection, end: int, generation: int) -> Column:
        """With the documents that were added since; raises NoColumnError."""
        fresh = _Elements(dict(self.codes))
        for number, there, values in _values(connection, self.name, self.end):
            if not there:
                fresh.missing.append(number)
            for value in values:
                fresh.add(number, value)
        owners = np.concatenate([self.owners, np.array(fresh.owners)])
        return Column(
            self.name,
            end,
            generation,
            owners,
            np.concatenate([self.kinds, np.array(fresh.kinds)]),
            np.concatenate([self.numbers, np.array(fresh.numbers)]),
            np.concatenate([self.texts, np.array(fresh.texts)]),
            np.concatenate([self.missing, np.array(fresh.missing)]),
            fresh.codes,
            len(owners) == end and bool((np.diff(owners) == 1).all()),
        )

    def comparing(self, compare: Compare) -> Mask:
        """bool (end,): the documents of which an element compares so. Raises NoColumnError."""
        return self._documents(self._elements(compare))

    def among(self, values: Sequence[object]) -> Mask:
        """bool (end,): the documents of which an element equals one of these numbers or texts."""
        numbers = np.array([float(value) for value in values if isinstance(value, int | float)], np.float64)
        codes = [self.codes[value] for value in values if isinstance(value, str) and value in self.codes]
        return self._documents(np.isin(self.numbers, numbers) | np.isin(self.texts, np.array(codes, np.int32)))

    def existing(self) -> Mask:
        """bool (end,): the documents that have the field."""
        there = np.ones(self.end, np.bool_)
        there[self.missing] = False
        return there

    def _elements(self, compare: Compare) -> Mask:
        compares, value = COMPARISONS[compare.operator], compare.value
        match value:
            case None:
                return cast(Mask, self.kinds == _NULL)
            case bool():
                return cast(Mask, self.kinds == (_TRUE if value else _FALSE))
            case int() | float():
                if isinstance(value, int) and abs(value) > EXACT:
                    raise NoColumnError
                return cast(Mask, compares(self.numbers, float(value)))
            case str() if compare.operator == "$eq":
                code = self.codes.get(value)
                return np.zeros(len(self.texts), np.bool_) if code is None else cast(Mask, self.texts == code)
            case list() | dict():
                raise NoColumnError
            case str():
                # The last place answers for the code of "no text".
                table = np.array([*(compares(text, value) for text in self.codes), False], np.bool_)
                return table[self.texts]

    def _documents(self, elements: Mask) -> Mask:
        if self.aligned:
            return elements
        mask = np.zeros(self.end, np.bool_)
        mask[self.owners[elements]] = True
        return mask


class Columns:
    """The columns of one collection's fields; threads may share them.

    A field gets its column when it is asked about again: one question costs less in SQL.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: set[str] = set()
        self._refused: set[str] = set()
        self._columns: OrderedDict[str, Column] = OrderedDict()

    def of(self, names: set[str], head: SpaceHead, connection: sqlite3.Connection) -> dict[str, Column]:
        """The columns of these fields, with every document of the commit `head`, which the connection must see.

        Raises NoColumnError where a field has none, or none yet.
        """
        with self._lock:
            if names & self._refused or not names <= self._asked:
                self._asked = (self._asked | names) if len(self._asked) < REMEMBERED else names
                raise NoColumnError
            return {name: self._column(name, head, connection) for name in names}

    def _column(self, name: str, head: SpaceHead, connection: sqlite3.Connection) -> Column:
        column = self._columns.get(name) or Column.empty(name)
        if column.generation > head.generation and column.end > 0:
            raise NoColumnError  # read when documents of this older snapshot were gone
        if column.end < head.next_document:
            try:
                column = column.extended(connection, head.next_document, head.generation)
            except NoColumnError:
                self._refused.add(name)
                self._columns.pop(name, None)
                raise
        self._columns[name] = column
        self._columns.move_to_end(name)
        while len(self._columns) > FIELDS:
            self._columns.popitem(last=False)
        return column

    def after_fork_in_child(self) -> None:
        """Makes a lock of the child's own."""
        self._lock = threading.Lock()


def documents_passing(where: Filter, columns: dict[str, Column], end: int) -> Mask:
    """bool (end,): the documents below `end` that pass, deleted ones among them. Raises NoColumnError."""
    match where:
        case Compare():
            return columns[where.field].comparing(where)[:end]
        case Exists(name):
            if name == TRUNCATED:
                raise NoColumnError
            return columns[name].existing()[:end]
        case Not(inner):
            return ~documents_passing(inner, columns, end)
        case All(parts):
            passing = np.ones(end, np.bool_)
            for part in parts:
                passing &= documents_passing(part, columns, end)
            return passing
        case Some(parts):
            passing = np.zeros(end, np.bool_)
            for mask in _either(parts, columns, end):
                passing |= mask
            return passing


def _either(parts: Sequence[Filter], columns: dict[str, Column], end: int) -> Iterator[Mask]:
    """The masks of alternatives; equalities on one field are looked up together."""
    among: dict[str, list[object]] = {}
    for part in parts:
        match part:
            case Compare(name, "$eq", str() | int() | float() as value) if (
                not isinstance(value, bool) and name != TRUNCATED
            ):
                if isinstance(value, int) and abs(value) > EXACT:
                    raise NoColumnError
                among.setdefault(name, []).append(value)
            case _:
                yield documents_passing(part, columns, end)
    for name, values in among.items():
        yield columns[name].among(values)[:end]


def _values(connection: sqlite3.Connection, name: str, first: int) -> Iterator[tuple[int, bool, Sequence[Json]]]:
    """(document's number, whether the field is there, its elements) from a number on, deleted documents too."""
    if name == TRUNCATED or not nameable(name):  # what is truncated is of a space, and a deleted document is not
        raise NoColumnError
    if len(paths := paths_of(name)) > 1:
        for number, whole in connection.execute(
            "SELECT number, metadata FROM documents WHERE number >= ? ORDER BY number", (first,)
        ):
            yield (number, *_by_definition(whole, name))
        return
    found = connection.execute(
        "SELECT number, json_type(metadata, :place), json_extract(metadata, :place), "
        r"CASE WHEN instr(metadata, '\u0000') THEN metadata END "
        "FROM documents WHERE number >= :first ORDER BY number",
        {"place": paths[0], "first": first},
    )
    for number, kind, value, whole in found:
        if whole is not None:  # SQLite's JSON ends a string at NUL
            yield (number, *_by_definition(whole, name))
        elif kind is None:
            yield number, False, [None]
        elif kind == "array":
            yield number, True, json.loads(value)
        elif kind in ("true", "false"):
            yield number, True, [kind == "true"]
        else:
            yield number, True, [value if kind in _SCALARS else {}]


def _by_definition(metadata: str, name: str) -> tuple[bool, Sequence[Json]]:
    """Whether a document has the field, and its elements."""
    found = found_at(json.loads(metadata), name)
    return bool(found), elements(found)
