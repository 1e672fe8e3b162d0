"""One field of a stretch of documents, read from the catalogue as the elements of a column."""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twofold.engines.local.catalogue.columns import (
    EXACT,
    FALSE,
    LISTED,
    NO_TEXT,
    NULL,
    NUMBER,
    OTHER,
    TEXT,
    TRUE,
    Codes,
    NoColumnError,
)
from twofold.engines.local.catalogue.conditions import JSON_TYPES, READ_EXACTLY, nameable, paths_of, reads_exactly
from twofold.filters import OWN, TRUNCATED, found_at
from twofold.values import Json

Reading = Callable[[], AbstractContextManager[sqlite3.Connection]]
"""Gives the connection of a snapshot's transaction, which others wait for meanwhile."""
Read = tuple[int, list[Json]]
"""A document's number, and what it has under the field, often one value."""
_Line = tuple[int, str | None, Any, str | None]
"""A document's number, SQLite's type of the field, its value, and all metadata where SQLite would misread them."""
_SCALARS = {name: word for word in ("text", "number", "boolean", "null") for name in JSON_TYPES[word]}


class UnfitFieldError(NoColumnError):
    """The field, or its name, is nothing that arrays can say exactly."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """The elements of some documents, and those that lack the field; see columns.Column."""

    owners: NDArray[np.int32]
    kinds: NDArray[np.int8]
    numbers: NDArray[np.float64]
    texts: NDArray[np.int32]
    missing: NDArray[np.int32]


def read(name: str, first: int, end: int, reading: Reading, codes: Codes) -> Stretch:
    """The field of the documents from `first` to before `end`, deleted ones too; `codes` learns new texts.

    Raises UnfitFieldError.
    """
    if name == TRUNCATED or not nameable(name):  # what is truncated is of a space, and known of live documents
        raise UnfitFieldError
    if name in OWN:
        whole = _at_once(_lines(f"'text', {name}, NULL", {"first": first, "end": end}, reading), codes)
        return whole or _one_by_one((), codes)
    if len(paths := paths_of(name)) > 1:
        lines = _lines("metadata", {"first": first, "end": end}, reading)
        return _one_by_one(((number, found_at(json.loads(whole), name)) for number, whole in lines), codes)
    select = (
        "json_type(metadata, :place), json_extract(metadata, :place), "
        r"CASE WHEN instr(metadata, '\u0000') THEN metadata END"  # SQLite's JSON ends a string at NUL
    )
    lines = _lines(select, {"first": first, "end": end, "place": paths[0]}, reading)
    return _at_once(lines, codes) or _one_by_one(_read(lines, name), codes)


def _lines(select: str, parameters: dict[str, object], reading: Reading) -> list[Any]:
    with reading() as connection:
        return connection.execute(
            f"SELECT number, {select} FROM documents WHERE number >= :first AND number < :end ORDER BY number",  # noqa: S608
            parameters,
        ).fetchall()


def _read(lines: Iterable[_Line], name: str) -> Iterator[Read]:
    for number, kind, value, whole in lines:
        if whole is not None:
            yield number, found_at(json.loads(whole), name)
        elif kind is None:
            yield number, []
        elif kind == "array":
            yield number, [json.loads(value)]
        elif kind in ("true", "false"):
            yield number, [kind == "true"]
        else:
            yield number, [value if kind in _SCALARS else {}]


def _at_once(lines: Sequence[_Line], codes: Codes) -> Stretch | None:
    """Fields that all hold text, or all integers, or all fractions, without a look at each; None for others."""
    documents, types, values, wholes = zip(*lines, strict=True) if lines else ((), (), (), ())
    if len(set(types)) != 1 or any(wholes):
        return None
    count = len(lines)
    numbers, texts, kind = np.full(count, np.nan), np.full(count, NO_TEXT, np.int32), NUMBER
    match types[0]:
        case "integer":
            whole = np.array(values, np.int64)
            if ((whole > EXACT) | (whole < -EXACT)).any():
                raise UnfitFieldError
            numbers = whole.astype(np.float64)
        case "real":
            numbers, (smallest, largest) = np.array(values, np.float64), READ_EXACTLY
            if not ((numbers == 0) | ((np.abs(numbers) >= smallest) & (np.abs(numbers) <= largest))).all():
                raise UnfitFieldError
        case "text":
            kind, texts = TEXT, np.array([codes[value] for value in values], np.int32)
        case _:
            return None
    none = np.empty(0, np.int32)
    return Stretch(np.array(documents, np.int32), np.full(count, kind, np.int8), numbers, texts, none)


def _one_by_one(documents: Iterable[Read], codes: Codes) -> Stretch:
    owners, texts, missing, kinds, numbers = array("i"), array("i"), array("i"), array("b"), array("d")
    for document, found in documents:
        if not found:
            missing.append(document)
        for value in found or [None]:
            listed = LISTED if isinstance(value, list) else 0
            for each in value if isinstance(value, list) else [value]:
                kind, number, text = _element(each, codes)
                owners.append(document)
                kinds.append(kind + listed)
                numbers.append(number)
                texts.append(text)
    return Stretch(np.array(owners), np.array(kinds), np.array(numbers), np.array(texts), np.array(missing))


def _element(value: Json, codes: Codes) -> tuple[int, float, int]:
    """The kind, the number and the text's code of one element: a value, or one of a list's."""
    match value:
        case None:
            return NULL, np.nan, NO_TEXT
        case bool():
            return TRUE if value else FALSE, np.nan, NO_TEXT
        case int() | float():
            if abs(value) > EXACT if isinstance(value, int) else not reads_exactly(value):
                raise UnfitFieldError
            return NUMBER, float(value), NO_TEXT
        case str():
            return TEXT, np.nan, codes[value]
    return OTHER, np.nan, NO_TEXT
