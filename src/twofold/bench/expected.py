"""The reproduction book as data: tables of expected figures, read from TOML and checked before anything runs."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

from twofold.errors import InputError
from twofold.passages.sizes import NamedMode


@dataclass(frozen=True, slots=True)
class Expected:
    """One figure: what gives it, what it should be, and how far off it may be."""

    data: str
    method: str
    measure: str
    expected: float
    tolerance: float
    split: str = "test"
    passages: NamedMode = "none"

    def __post_init__(self) -> None:
        for name in ("data", "method", "measure", "split", "passages"):
            if not isinstance(getattr(self, name), str):
                raise InputError(f"{name} is a text, not {getattr(self, name)!r}")
        for name in ("expected", "tolerance"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
                raise InputError(f"{name} is a number from 0 on, not {value!r}")
        if self.passages not in ("none", "auto"):
            raise InputError(f"passages is none or auto, not {self.passages!r}")

    def verdict(self, found: float) -> str:
        """ "pass", or by how much the figure is off."""
        off = found - self.expected
        return "pass" if abs(off) <= self.tolerance else f"{off:+.4f}"


@dataclass(frozen=True, slots=True)
class ExpectedTable:
    """Figures that belong together: their title, where they come from, the command that gives one of them."""

    what: str
    source: str
    command: str
    rows: tuple[Expected, ...]


def read_book(path: Path) -> list[ExpectedTable]:
    """The tables of a book (benchmarks/expected.toml says what it holds).

    What a [[table]] says holds for its rows unless they say it themselves. Raises InputError, naming file, table and
    row, for a file that is no TOML, a key that is not known, and a value that is missing or is invalid.
    """
    try:
        book = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError("no such file", path=path) from None
    except ValueError as error:
        raise InputError(f"no TOML ({error})", path=path) from None
    tables = book.get("table")
    if book.keys() != {"table"} or not isinstance(tables, list) or not tables:
        raise InputError("a book holds [[table]] and nothing else", path=path)
    return [_table(path, number, table) for number, table in enumerate(tables, start=1)]


def _table(path: Path, number: int, table: Mapping[str, Any]) -> ExpectedTable:
    shared = dict(table)
    said = {name: shared.pop(name, None) for name in ("what", "source", "command")}
    rows = shared.pop("rows", None)
    place = f"table {number} ({said['what']})"
    missing = [name for name, value in {**said, "rows": rows}.items() if not value]
    if missing or not isinstance(rows, list):
        raise InputError(f"{place} lacks {', '.join(missing) or 'a list of rows'}", path=path)
    made = []
    for position, row in enumerate(rows, start=1):
        try:
            made.append(_row({**shared, **row}))
        except InputError as error:
            raise InputError(f"{place}, row {position}: {error}", path=path) from None
    return ExpectedTable(str(said["what"]), str(said["source"]), str(said["command"]), tuple(made))


def _row(values: Mapping[str, Any]) -> Expected:
    known = {field.name: field.default is MISSING for field in fields(Expected)}
    unknown = sorted(values.keys() - known.keys())
    missing = sorted(name for name, needed in known.items() if needed and name not in values)
    if unknown or missing:
        raise InputError("; ".join([*(f"unknown key {name}" for name in unknown), *(f"no {name}" for name in missing)]))
    return Expected(**values)
