"""A table of LanceDB, read by the package lancedb."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from twofold.errors import InputError, MissingExtraError
from twofold.readers.fields import Fields
from twofold.stores.chroma import chosen
from twofold.stores.entries import AT_ONCE, Description, Entry, Metric, as_vector

ENDING = ".lance"
"""With which the folder of a table ends."""
METRICS: dict[str, Metric] = {"cosine": "cosine", "dot": "dot", "l2": "l2"}


class LanceTable:
    """One table of a database. name: where there are several. vector: the column of vectors, where there are several.

    fields: the columns of id, title and text; all others are metadata.
    """

    def __init__(self, folder: Path, name: str | None, fields: Fields, vector: str | None) -> None:
        try:
            import lancedb
        except ImportError:
            raise MissingExtraError("lancedb", "import") from None
        self._folder = folder
        self._fields = fields
        try:
            database = lancedb.connect(str(folder))
            names = list(_names(database))
            table = chosen(names, name, folder, "table")
            self._table = database.open_table(table)
            schema = self._table.schema
            held = self._table.count_rows()
        except (ValueError, RuntimeError, OSError) as error:
            raise InputError(f"LanceDB cannot read this: {error}", path=folder) from None
        self._vector, dimension, left_out = _column(schema, vector, folder)
        fields.check_columns([each for each in schema.names if each != self._vector], ids_alone=True)
        self._columns = [each for each in schema.names if each not in left_out]
        self.about = Description("LanceDB", table, held, dimension, self._metric())
        if others := [each for each in names if each != table]:
            self.about.notes.append(f"other tables were not read: {', '.join(others)} (--table names one)")
        self.about.notes += [
            f"the column {each} did not come along: one vector an entry is kept, that of {self._vector}"
            for each in left_out
        ]

    def _metric(self) -> Metric:
        """That of the index of the column; without an index LanceDB compares by l2, unless a search says otherwise."""
        for index in self._table.list_indices():
            if self._vector in index.columns:
                stats = self._table.index_stats(index.name)
                return METRICS.get(getattr(stats, "distance_type", None) or "l2", "l2")
        return "l2"

    def blocks(self) -> Iterator[list[Entry]]:
        """See ForeignStore."""
        try:
            for batch in self._table.search().select(self._columns).to_batches(batch_size=AT_ONCE):
                yield [self._entry(row) for row in batch.to_pylist()]
        except (ValueError, RuntimeError, OSError) as error:
            raise InputError(f"LanceDB cannot read this: {error}", path=self._folder) from None

    def _entry(self, row: dict[str, Any]) -> Entry:
        vector = as_vector(row.pop(self._vector))
        identifier, text, title, metadata = self._fields.split(row)
        return Entry("" if identifier is None else str(identifier), text, title, metadata, vector)


def _names(database: Any) -> Iterator[str]:
    token = None
    while True:
        page = database.list_tables(page_token=token)
        yield from page.tables
        token = page.page_token
        if not token:
            return


def _column(schema: Any, wanted: str | None, folder: Path) -> tuple[str, int, list[str]]:
    """The column of vectors, numbers a vector, and the other columns of vectors. Raises InputError.

    Vectors are lists of one length of floating-point numbers; every other list is metadata.
    """
    found = {each.name: each.type.list_size for each in schema if _is_vector(each.type)}
    listed = ", ".join(f"{name} ({size} numbers)" for name, size in found.items()) or "none"
    if wanted is not None and wanted not in found:
        raise InputError(f"the column {wanted!r} holds no vectors; those with vectors: {listed}", path=folder)
    if wanted is None and len(found) != 1:
        said = "name one with --vector-column (Python: vector=…)" if found else "nothing can be imported"
        raise InputError(f"columns that hold vectors: {listed}; {said}", path=folder)
    name = wanted or next(iter(found))
    return name, found[name], [each for each in found if each != name]


def _is_vector(kind: Any) -> bool:
    import pyarrow

    fixed = pyarrow.types.is_fixed_size_list(kind)
    return bool(fixed and pyarrow.types.is_floating(kind.value_type))
