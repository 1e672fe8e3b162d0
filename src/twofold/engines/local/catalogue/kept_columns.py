"""The cached columns of one collection: which fields have one, and how they grow as documents are added."""

from __future__ import annotations

import threading
from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

from twofold.engines.local.catalogue.column_reading import Reading, Stretch, UnfitFieldError, read
from twofold.engines.local.catalogue.columns import FilterColumn, NoColumnError
from twofold.engines.local.catalogue.growing import Growing
from twofold.engines.local.catalogue.schema import SpaceHead

TEXTS = 2**18
"""Different texts of one field that are kept; a field with more is compared by SQL."""
REMEMBERED = 1000
"""Names of fields that were asked about once."""
FIELDS = 8
"""Columns that are kept: 4 to 17 bytes an element each, and some for whose it is where documents have several."""
STRETCH = 16_384
"""Documents that are read at a time; in between, others may have the snapshot's connection."""


class Columns:
    """The columns of one collection's fields; threads may share them, and wait only for the columns that they need.

    A field gets its column when it is used a second time: a single use is cheaper in SQL.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: set[str] = set()
        self._refused: set[str] = set()
        self._columns: OrderedDict[str, GrowingColumn] = OrderedDict()

    def of(self, names: set[str], head: SpaceHead, reading: Reading, *, begin: bool = True) -> dict[str, FilterColumn]:
        """The columns of these fields, with every document of the commit `head`, or more.

        reading: the transaction of that commit. begin: whether a field that is used again gets its column. Raises
        NoColumnError if a field has none.
        """
        with self._lock:
            kept = {name: self._kept(name) for name in names} if self._may_be_kept(names, begin=begin) else None
        if kept is None:
            raise NoColumnError
        return {name: self._at(name, column, head, reading) for name, column in kept.items()}

    def after_fork_in_child(self) -> None:
        """Makes locks of the child's own."""
        self._lock = threading.Lock()
        for column in self._columns.values():
            column.after_fork_in_child()

    def _may_be_kept(self, names: set[str], *, begin: bool) -> bool:
        if not begin:
            return names <= self._columns.keys()
        if names & self._refused:
            return False
        known = names <= self._asked
        if not known:
            self._asked = (self._asked | names) if len(self._asked) < REMEMBERED else names
        return known

    def _kept(self, name: str) -> GrowingColumn:
        column = self._columns.setdefault(name, GrowingColumn(name))
        self._columns.move_to_end(name)
        while len(self._columns) > FIELDS:
            self._columns.popitem(last=False)
        return column

    def _at(self, name: str, column: GrowingColumn, head: SpaceHead, reading: Reading) -> FilterColumn:
        try:
            return column.at(head, reading)
        except UnfitFieldError:
            with self._lock:
                self._refused.add(name)
                self._columns.pop(name, None)
            raise


class GrowingColumn:
    """The column of one field, which reads later documents when they are needed; threads may share it."""

    def __init__(self, name: str) -> None:
        self._lock = threading.Lock()
        self._name = name
        self._column = FilterColumn()
        self._owners, self._missing = Growing[NDArray[np.int32]](), Growing[NDArray[np.int32]]()
        self._kinds = Growing[NDArray[np.int8]](uniform=True)
        self._numbers = Growing[NDArray[np.float64]](uniform=True)
        self._texts = Growing[NDArray[np.int32]](uniform=True)

    def at(self, head: SpaceHead, reading: Reading) -> FilterColumn:
        """The column of all documents of the commit `head`, or of more. Raises NoColumnError."""
        column = self._fitting(head)
        if column.end < head.next_document:
            with self._lock:
                while (column := self._fitting(head)).end < head.next_document:
                    self._column = self._read_on(column, head, reading)
        return column

    def after_fork_in_child(self) -> None:
        """Makes a lock of the child's own."""
        self._lock = threading.Lock()

    def _fitting(self, head: SpaceHead) -> FilterColumn:
        column = self._column
        if column.generation > head.generation and column.end > 0:
            raise NoColumnError  # read when documents of this older snapshot were gone
        return column

    def _read_on(self, column: FilterColumn, head: SpaceHead, reading: Reading) -> FilterColumn:
        """With the next stretch of documents. Raises UnfitFieldError."""
        end = min(column.end + STRETCH, head.next_document)
        fresh = read(self._name, column.end, end, reading, column.codes)
        if len(column.codes) > TEXTS:
            raise UnfitFieldError
        return FilterColumn(
            end,
            head.generation,
            self._owners_with(column, fresh, end),
            self._kinds.put(column.kinds, fresh.kinds, head.next_document),
            self._numbers.put(column.numbers, fresh.numbers, head.next_document),
            self._texts.put(column.texts, fresh.texts, head.next_document),
            self._missing.put(column.missing, fresh.missing),
            column.codes,
        )

    def _owners_with(self, column: FilterColumn, fresh: Stretch, end: int) -> NDArray[np.int32] | None:
        if column.owners is not None:
            return self._owners.put(column.owners, fresh.owners)
        if np.array_equal(fresh.owners, np.arange(column.end, end)):
            return None
        return self._owners.put(np.arange(column.end, dtype=np.int32), fresh.owners)
