"""Tables of other programs: Parquet, Arrow and Excel, as records."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from twofold.errors import InputError, MissingExtraError
from twofold.readers.bad_lines import BadLines
from twofold.readers.files.archive import archive
from twofold.readers.opening import COMPRESSED, READING_ERRORS, PathLike, shown, unreadable
from twofold.rows import OF_DOCUMENTS, is_exported, rows_of_batch

Numbered = Iterator[tuple[int, dict[str, Any]]]
AT_ONCE = 1_000
"""Rows in memory at a time."""


def parquet_records(path: PathLike) -> Numbered:
    """(row number from 1, row) of a Parquet file. Raises InputError, MissingExtraError."""
    arrow = _arrow("pyarrow.parquet")
    yield from _numbered(path, lambda: _parquet_batches(arrow.ParquetFile(_plain(path))))


def arrow_records(path: PathLike) -> Numbered:
    """(row number from 1, row) of an Arrow file or stream (.arrow, .feather). Raises InputError, MissingExtraError."""
    arrow = _arrow("pyarrow")
    yield from _numbered(path, lambda: _batches(arrow, _plain(path)))


def spreadsheet_records(path: PathLike, bad: BadLines) -> Numbered:
    """(row number as the sheet counts them, row) of the first sheet that is not empty, whose first row is the header.

    Other sheets are noted in the report; rows without a value are left out. Raises InputError, MissingExtraError.
    """
    try:
        from python_calamine import CalamineError, CalamineWorkbook
    except ImportError:
        raise MissingExtraError("python-calamine", "files") from None
    place = _plain(path)
    _check_size(place)
    try:
        book = CalamineWorkbook.from_path(place)
        sheets = [book.get_sheet_by_name(name) for name in book.sheet_names]
        filled = [sheet for sheet in sheets if sheet.height]
        rows = filled[0].to_python(skip_empty_area=False) if filled else []
    except (CalamineError, OSError, ValueError) as error:
        raise InputError(f"damaged: no spreadsheet ({error})", path=shown(path)) from None
    if len(filled) > 1:
        others = ", ".join(repr(each.name) for each in filled[1:])
        bad.report.note(f"{shown(path)}: the sheet {filled[0].name!r} was read, and not {others}")
    yield from _with_header(rows, path)


def _with_header(rows: list[list[Any]], path: PathLike) -> Numbered:
    numbered = [(number, row) for number, row in enumerate(rows, start=1) if any(cell != "" for cell in row)]
    if not numbered:
        return
    line, header = numbered[0]
    names = [str(cell).strip() for cell in header]
    used = [name for name in names if name]
    if len(set(used)) != len(used):
        twice = next(name for name in used if used.count(name) > 1)
        raise InputError(f"the header has the column {twice!r} twice", path=shown(path), line=line)
    for number, row in numbered[1:]:
        yield number, {name: _cell(cell) for name, cell in zip(names, row, strict=False) if name and cell != ""}


def _cell(value: Any) -> Any:
    """A number of a sheet is a float; one that is whole is meant as such, or an id 17 would be "17.0"."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


def _check_size(path: str) -> None:
    """A sheet is unpacked by a library without a limit: what it becomes is counted before."""
    try:
        with archive(Path(path)) as parts:
            parts.count()
    except InputError as error:
        raise InputError(str(error), path=path) from None


def _plain(path: PathLike) -> str:
    name = os.fspath(path)
    if name == "-" or Path(name).suffix.lower() in COMPRESSED:
        raise InputError("a table of this kind is read from a plain file of its own", path=shown(path))
    return name


def _arrow(module: str) -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingExtraError("pyarrow", "files") from None
    return pyarrow.parquet if module == "pyarrow.parquet" else pyarrow


def _parquet_batches(file: Any) -> Iterator[Any]:
    columns = OF_DOCUMENTS if is_exported(file.schema_arrow) else None  # vectors are not read in vain
    yield from file.iter_batches(batch_size=AT_ONCE, columns=columns)


def _batches(arrow: Any, path: str) -> Iterator[Any]:
    with arrow.memory_map(path) as source:
        try:
            file = arrow.ipc.open_file(source)
        except arrow.ArrowInvalid:
            source.seek(0)
            yield from arrow.ipc.open_stream(source)
            return
        for number in range(file.num_record_batches):
            yield file.get_batch(number)


def _numbered(path: PathLike, batches: Any) -> Numbered:
    import pyarrow

    done = 0
    try:
        for batch in batches():
            for start in range(0, batch.num_rows, AT_ONCE):
                for row in rows_of_batch(batch.slice(start, AT_ONCE)):
                    done += 1
                    yield done, row
    except READING_ERRORS as error:
        raise unreadable(path, error) from None
    except (pyarrow.ArrowException, ValueError) as error:
        raise InputError(f"damaged: no table of this kind ({error})", path=shown(path)) from None
