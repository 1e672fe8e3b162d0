"""Tables of figures as data: columns with units, rows with intervals, and the header that says where they come from.

Measuring functions return a Report, which prints as text, Markdown, HTML or JSON. A value that is missing is None and
shows as a dash; it is never a zero.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from html import escape
from typing import Any

MISSING = "–"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and the interval it lies in; the table's notes say which kind of interval."""

    value: float
    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.value <= self.high:
            raise ValueError(f"{self.value} does not lie in its interval [{self.low}, {self.high}]")


Cell = None | str | int | float | Estimate


@dataclass(frozen=True, slots=True)
class Column:
    """What one column holds: its name, its unit ("" for none), and the digits after the point of its numbers."""

    name: str
    unit: str = ""
    digits: int = 0

    @property
    def heading(self) -> str:
        """The name, and the unit in brackets."""
        return f"{self.name} ({self.unit})" if self.unit else self.name

    def shown(self, cell: Cell) -> str:
        """A cell as text."""
        match cell:
            case None:
                return MISSING
            case str():
                return cell
            case Estimate(value, low, high):
                return f"{self.shown(value)} [{self.shown(low)}, {self.shown(high)}]"
            case _:
                return f"{cell:,.{self.digits}f}"


@dataclass(frozen=True, slots=True)
class Table:
    """One table; ValueError for a row longer or shorter than the columns, and for a number that is not finite."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"a row of {self.title!r} has {len(row)} cells, its columns are {len(self.columns)}")
            if not all(math.isfinite(number) for cell in row for number in _numbers(cell)):
                raise ValueError(f"a row of {self.title!r} holds a number that is not finite: {row}")

    def shown(self) -> list[list[str]]:
        """The headings and every row as text."""
        body = [[column.shown(cell) for column, cell in zip(self.columns, row, strict=True)] for row in self.rows]
        return [[column.heading for column in self.columns], *body]

    def to_text(self) -> str:
        """Columns side by side, numbers to the right, notes below."""
        lines = self.shown()
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        right = [self._is_numeric(place) for place in range(len(self.columns))]
        laid = [
            "  ".join(
                cell.rjust(width) if aligned else cell.ljust(width)
                for cell, width, aligned in zip(line, widths, right, strict=True)
            ).rstrip()
            for line in lines
        ]
        rule = "─" * (sum(widths) + 2 * (len(widths) - 1))
        return "\n".join([self.title, rule, laid[0], rule, *laid[1:], rule, *self.notes])

    def to_markdown(self) -> str:
        """A Markdown table under its title in bold."""
        lines = [[cell.replace("|", "\\|").replace("\n", " ") for cell in line] for line in self.shown()]
        marks = ["---:" if self._is_numeric(place) else "---" for place in range(len(self.columns))]
        laid = [f"| {' | '.join(line)} |" for line in (lines[0], marks, *lines[1:])]
        return "\n".join([f"**{self.title}**", "", *laid, *(line for note in self.notes for line in ("", note))])

    def to_html(self) -> str:
        """A `<table>` with a caption, followed by its notes."""
        head, *body = [[escape(cell) for cell in line] for line in self.shown()]
        laid = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in line)}</tr>" for line in body)
        headings = "".join(f"<th>{heading}</th>" for heading in head)
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        caption = f"<caption>{escape(self.title)}</caption>"
        return f"<table>{caption}<thead><tr>{headings}</tr></thead><tbody>{laid}</tbody></table>{notes}"

    def _repr_html_(self) -> str:
        return self.to_html()

    def to_json(self) -> dict[str, Any]:
        """Title, columns, rows and notes; an interval is an object with value, low and high."""
        return {
            "title": self.title,
            "columns": [{"name": column.name, "unit": column.unit} for column in self.columns],
            "rows": [[asdict(cell) if isinstance(cell, Estimate) else cell for cell in row] for row in self.rows],
            "notes": list(self.notes),
        }

    def _is_numeric(self, place: int) -> bool:
        return all(not isinstance(row[place], str) for row in self.rows)


def facts_as_html(title: str, facts: Mapping[str, str]) -> str:
    """Names and values under each other, as a `<table>` with a caption."""
    left = ' style="text-align: left"'
    lines = "".join(
        f"<tr><th{left}>{escape(name)}</th><td{left}>{escape(value)}</td></tr>" for name, value in facts.items()
    )
    return f"<table><caption>{escape(title)}</caption><tbody>{lines}</tbody></table>"


def count_of(number: int, what: str) -> str:
    """A number and its noun: "1 document", "1,200 documents"."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class Header:
    """Where figures come from: the machine, the commit (None outside a checkout), library versions, the command.

    memory: bytes, None if unknown.
    """

    cpu: str
    cores: int
    memory: int | None
    commit: str | None
    versions: Mapping[str, str] = field(default_factory=dict)
    command: str = ""

    def lines(self) -> list[str]:
        """The header as lines of text, what is unknown left out."""
        memory = f", {self.memory / 2**30:.0f} GiB" if self.memory else ""
        cores = f"{self.cores} core{'s' if self.cores != 1 else ''}"
        versions = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        named = {"machine": f"{self.cpu}, {cores}{memory}", "commit": self.commit, "versions": versions}
        return [f"{name}: {value}" for name, value in {**named, "command": self.command}.items() if value]

    def to_json(self) -> dict[str, Any]:
        """The header's fields by name."""
        return {**asdict(self), "versions": dict(self.versions)}


@dataclass(frozen=True, slots=True)
class Report:
    """Tables under the header that says where they come from."""

    header: Header
    tables: Sequence[Table]

    def to_text(self) -> str:
        """The header's lines, then each table."""
        return "\n\n".join(["\n".join(self.header.lines()), *(table.to_text() for table in self.tables)])

    def to_markdown(self) -> str:
        """The header as a list, then each table."""
        listed = "\n".join(f"- {line}" for line in self.header.lines())
        return "\n\n".join([listed, *(table.to_markdown() for table in self.tables)])

    def to_html(self) -> str:
        """The header as a list, then each table; a fragment, not a page."""
        listed = "".join(f"<li>{escape(line)}</li>" for line in self.header.lines())
        return "\n".join([f"<ul>{listed}</ul>", *(table.to_html() for table in self.tables)])

    def _repr_html_(self) -> str:
        return self.to_html()

    def to_json(self) -> dict[str, Any]:
        """Header and tables as JSON values."""
        return {"header": self.header.to_json(), "tables": [table.to_json() for table in self.tables]}


def _numbers(cell: Cell) -> tuple[float, ...]:
    match cell:
        case None | str():
            return ()
        case Estimate(value, low, high):
            return (value, low, high)
        case _:
            return (cell,)
