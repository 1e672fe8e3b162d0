"""Columns: one field of all documents as arrays, so that a filter takes a pass over numbers and not over JSON.

A document's metadata, id and title never change under its number, so columns only grow, and every snapshot may read a
longer one. What arrays cannot say exactly (integers beyond 2^53, numbers that SQLite's JSON may misread, too many
different texts, fields that it cannot name) has no column, and SQL answers.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from twofold.filters import COMPARISONS, CONTAINS, TRUNCATED, All, Among, Compare, Exists, Filter, Not, Some
from twofold.scores import Mask
from twofold.values import Json, Scalar

EXACT = 2**53
"""Integers up to here are float64 without loss."""
TABLE = 2**20
"""Whole numbers that lie so close together are looked up in a table."""
AT_ONCE = 65_536
"""Elements that are looked up at a time: what is made of them stays in the processor's cache."""
NULL, FALSE, TRUE, NUMBER, TEXT, OTHER = range(6)
"""Kinds of elements."""
LISTED = 8
"""Added to the kind of an element that is one of a list's."""
NO_TEXT, UNKNOWN = -1, -2
"""Codes of no text: of an element that is none, and of a text that no element is."""


class NoColumnError(Exception):
    """The field cannot be stored as arrays, or has no column."""


class Codes(dict[str, int]):
    """Texts → codes, which count up; `codes[text]` gives a new text the next one, `get` does not."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        """The text of each code."""

    def __missing__(self, text: str) -> int:
        # In this order: who reads a code beside this finds its text.
        self.texts.append(text)
        code = self[text] = len(self.texts) - 1
        return code


@dataclass(frozen=True, slots=True)
class FilterColumn:
    """One field of the first `end` documents, read at a generation, or of a part of them.

    owners: int32 (elements,), the document of each element, never decreasing; None where element i is document i's, one
    each. kinds: int8, with LISTED or without; numbers: float64, NaN where the element is none; texts: int32, its code
    in `codes`, which may hold more. missing: int32, documents that lack the field, which has one null element for each.
    """

    end: int = 0
    generation: int = 0
    owners: NDArray[np.int32] | None = None
    kinds: NDArray[np.int8] = field(default_factory=lambda: np.empty(0, np.int8))
    numbers: NDArray[np.float64] = field(default_factory=lambda: np.empty(0, np.float64))
    texts: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    missing: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    codes: Codes = field(default_factory=Codes)

    def part(self, first: int, end: int) -> FilterColumn:
        """The documents from `first` to before `end`, numbered from 0."""
        if (first, end) == (0, self.end):
            return self
        if self.owners is None:
            place, owners = slice(first, end), None
        else:
            place = slice(*np.searchsorted(self.owners, [first, end]).tolist())
            owners = self.owners[place] - np.int32(first)
        lacking = slice(*np.searchsorted(self.missing, [first, end]).tolist())
        return replace(
            self,
            end=end - first,
            owners=owners,
            kinds=self.kinds[place],
            numbers=self.numbers[place],
            texts=self.texts[place],
            missing=self.missing[lacking] - np.int32(first),
        )

    def comparing(self, compare: Compare) -> Mask:
        """bool (end,): the documents of which an element compares so. Raises NoColumnError."""
        return self._documents(self._elements(compare))

    def among(self, values: Sequence[Scalar]) -> Mask:
        """bool (end,): the documents of which an element equals one of the values. Raises NoColumnError."""
        numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
        codes = [code for value in values if isinstance(value, str) and (code := self.codes.get(value)) is not None]
        found = np.zeros(len(self.kinds), np.bool_)
        if numbers:
            found |= _among(self.numbers, np.unique(np.array([_exactly(number) for number in numbers], np.float64)))
        if codes:
            # The last place answers for the code of "no text".
            table = np.zeros(len(self.codes.texts) + 1, np.bool_)
            table[codes] = True
            found |= table[self.texts]
        for kind in {_kind_of(value) for value in values} - {NUMBER, TEXT}:
            found |= self._of_kind(kind)
        return self._documents(found)

    def existing(self) -> Mask:
        """bool (end,): the documents that have the field."""
        there = np.ones(self.end, np.bool_)
        there[self.missing] = False
        return there

    def _elements(self, compare: Compare) -> Mask:
        if compare.operator == CONTAINS:
            return self._containing(compare.value)
        compares, value = COMPARISONS[compare.operator], compare.value
        match value:
            case None | bool():
                return self._of_kind(_kind_of(value))
            case int() | float():
                return cast(Mask, compares(self.numbers, _exactly(value)))
            case str() if compare.operator == "$eq":
                return cast(Mask, self.texts == self.codes.get(value, UNKNOWN))
            case str():
                return self._ordered(compares, value)
            case list() | dict():
                raise NoColumnError

    def _containing(self, value: Json) -> Mask:
        """bool (elements,): those of lists that equal the value, and texts alone that have it inside."""
        listed = self.kinds >= LISTED
        equal = listed & self._elements(Compare("", "$eq", value))
        return equal | ~listed & self._ordered(operator.contains, value) if isinstance(value, str) else equal

    def _of_kind(self, kind: int) -> Mask:
        return cast(Mask, self.kinds & ~LISTED == kind)

    def _ordered(self, compares: Callable[[Any, Any], bool], value: str) -> Mask:
        """bool (elements,): the texts that compare so with a text, also by what stands in them."""
        texts = self.codes.texts
        if len(self.texts) < len(texts):
            answers = (code != NO_TEXT and compares(texts[code], value) for code in self.texts.tolist())
            return np.fromiter(answers, np.bool_, len(self.texts))
        # The last place answers for the code of "no text".
        table = np.array([*(compares(text, value) for text in texts), False], np.bool_)
        return table[self.texts]

    def _documents(self, elements: Mask) -> Mask:
        if self.owners is None:
            return elements
        mask = np.zeros(self.end, np.bool_)
        mask[self.owners[elements]] = True
        return mask


def matching_documents(where: Filter, columns: Mapping[str, FilterColumn], end: int) -> Mask:
    """bool (end,): the documents that match, including deleted ones. columns: of `end` documents.

    Raises NoColumnError.
    """
    match where:
        case Compare(name):
            return columns[name].comparing(where)
        case Among(name, values):
            return columns[name].among(values)
        case Exists(name):
            if name == TRUNCATED:
                raise NoColumnError
            return columns[name].existing()
        case Not(inner):
            return ~matching_documents(inner, columns, end)
        case All(parts):
            mask = np.ones(end, np.bool_)
            for part in parts:
                mask &= matching_documents(part, columns, end)
            return mask
        case Some(parts):
            mask = np.zeros(end, np.bool_)
            for part in parts:
                mask |= matching_documents(part, columns, end)
            return mask


def _kind_of(value: Scalar) -> int:
    match value:
        case None:
            return NULL
        case bool():
            return TRUE if value else FALSE
        case str():
            return TEXT
    return NUMBER


def _exactly(number: float) -> float:
    if isinstance(number, int) and abs(number) > EXACT:
        raise NoColumnError
    return float(number)


def _among(numbers: NDArray[np.float64], sought: NDArray[np.float64]) -> Mask:
    """bool (n,): which numbers are among those sought, which ascend; NaN is not."""
    found = np.empty(len(numbers), np.bool_)
    look_up = _by_table(sought) if _close_together(sought) else _by_search(sought)
    for start in range(0, len(numbers), AT_ONCE):
        found[start : start + AT_ONCE] = look_up(numbers[start : start + AT_ONCE])
    return found


def _close_together(sought: NDArray[np.float64]) -> bool:
    lowest, highest = float(sought[0]), float(sought[-1])
    return math.isfinite(lowest) and highest - lowest < TABLE and bool((sought == np.floor(sought)).all())


def _by_table(sought: NDArray[np.float64]) -> Callable[[NDArray[np.float64]], Mask]:
    low, high = sought[0], sought[-1]
    table = np.zeros(int(high - low) + 1, np.bool_)
    table[(sought - low).astype(np.int64)] = True

    def look_up(numbers: NDArray[np.float64]) -> Mask:
        places = (np.fmin(np.fmax(numbers, low), high) - low).astype(np.int32)
        return cast(Mask, table[places] & (places + low == numbers))

    return look_up


def _by_search(sought: NDArray[np.float64]) -> Callable[[NDArray[np.float64]], Mask]:
    def look_up(numbers: NDArray[np.float64]) -> Mask:
        return cast(Mask, sought.take(np.searchsorted(sought, numbers), mode="clip") == numbers)

    return look_up
