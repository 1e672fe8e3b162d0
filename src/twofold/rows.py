"""Documents out of what people hold: tables of other libraries row by row, and rows that are no dicts.

Everything is told by what it can do, so no library is imported for it but pyarrow, where only Arrow's C interface is
offered.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from twofold.errors import DocumentError, MissingExtraError

AT_ONCE = 1_000
"""Rows of a table that are made into Python objects at a time."""
EXPORTED = b"twofold"
"""In the metadata of the schema of a table of Arrow: that `to_arrow` or `export` made it, and what is in it (JSON)."""
OF_DOCUMENTS = ("id", "title", "text", "metadata")
"""The columns of such a table that are documents; beside them are passages and their vectors."""
SHOWN = 'add([{"id": "a", "text": "…"}])'


def rows_of(documents: Any) -> Iterable[Any]:
    """What there is to add, one after the other: the rows of a table as dicts, anything else as it comes.

    Tables are DataFrames of pandas and polars, Arrow tables, batches and readers, and whatever offers Arrow's C stream.
    A named index of pandas counts as columns. A dict is one document. Raises DocumentError, with the right call, for
    what holds no documents.
    """
    kind = type(documents).__name__
    if isinstance(documents, Mapping):
        return [documents]
    if isinstance(documents, str | bytes):
        raise DocumentError(f"add takes a list of documents, and a {kind} was given; write {SHOWN}")
    if hasattr(documents, "to_frame") and not hasattr(documents, "columns"):
        raise DocumentError(f"a {kind} is one column, and a document needs an id and a text; give the whole table")
    if hasattr(documents, "itertuples") and hasattr(documents, "iloc"):
        return _of_pandas(documents)
    if hasattr(documents, "iter_rows") and hasattr(documents, "columns"):
        return _of_polars(documents)
    if hasattr(documents, "to_batches") or hasattr(documents, "to_pylist"):
        return _of_arrow(documents)
    if hasattr(documents, "__arrow_c_stream__"):
        return _of_stream(documents)
    if hasattr(documents, "with_format"):
        return _without_format(documents)
    if hasattr(documents, "collect") and hasattr(documents, "lazy"):
        raise DocumentError(f"a {kind} has not been computed yet; add({kind.lower()}.collect())")
    if not isinstance(documents, Iterable):
        raise DocumentError(f"add takes a list of documents or a table, not a {kind}; write {SHOWN}")
    return documents


def row_of(item: Any) -> Any:
    """A row that is no dict as one: of sqlite3 (with sqlite3.Row), SQLAlchemy, a named tuple; others as they are."""
    if isinstance(item, Mapping) or is_table(item):
        return item
    if hasattr(item, "_mapping"):
        return dict(item._mapping)
    if isinstance(item, tuple) and hasattr(item, "_asdict"):
        return item._asdict()
    if isinstance(item, Iterable) and hasattr(item, "keys"):
        names: Any = item.keys()
        return dict(zip(names, item, strict=True))
    return item


def no_document(item: Any, position: int) -> DocumentError:
    """Says that an item is no document, and how it would be one."""
    kind = type(item).__name__
    if is_table(item):
        return DocumentError(f"item {position} is a {kind}, a table of its own; give the table itself: add(table)")
    if isinstance(item, str):
        return DocumentError(
            f'item {position} is a text without an id; give (id, text) pairs: add([("a", "…")]), or {SHOWN}'
        )
    return DocumentError(
        f"item {position} is a {kind}; documents are Document objects, dicts with an id and a text, rows of a table, "
        "or (id, text) pairs"
    )


def is_table(item: Any) -> bool:
    """Whether this is a table of pandas, polars or Arrow, or one column of such."""
    return any(hasattr(item, name) for name in ("iloc", "iter_rows", "to_batches", "to_pylist", "__arrow_c_stream__"))


def _of_pandas(frame: Any) -> Iterator[dict[str, Any]]:
    levels = [name for name in frame.index.names if name is not None and name not in frame.columns]
    if levels:
        frame = frame.reset_index(level=levels)
    names = list(frame.columns)
    _check_names(names)
    for first in range(0, len(frame), AT_ONCE):
        part = frame.iloc[first : first + AT_ONCE]
        columns = [part.iloc[:, place].tolist() for place in range(len(names))]
        for values in zip(*columns, strict=True):
            yield dict(zip(names, values, strict=True))


def _of_polars(frame: Any) -> Iterator[dict[str, Any]]:
    yield from frame.iter_rows(named=True, buffer_size=AT_ONCE)


def _of_arrow(table: Any) -> Iterator[dict[str, Any]]:
    if not hasattr(table, "schema"):
        raise DocumentError(f"a {type(table).__name__} is one column; give the whole table")
    for batch in table.to_batches() if hasattr(table, "to_batches") else [table]:
        _check_names(batch.schema.names)
        yield from _sliced(batch)


def _without_format(dataset: Any) -> Iterable[Any]:
    """A dataset whose rows are dicts of Python values, not of arrays; a transform of the user's own stays."""
    given = getattr(dataset, "format", None)
    own = isinstance(given, Mapping) and given.get("type") == "custom"
    plain: Iterable[Any] = dataset if own else dataset.with_format(None)
    return plain


def _of_stream(holder: Any) -> Iterator[dict[str, Any]]:
    try:
        import pyarrow as pa
    except ImportError:
        raise MissingExtraError("pyarrow", "tables") from None
    for batch in pa.RecordBatchReader.from_stream(holder):
        _check_names(batch.schema.names)
        yield from _sliced(batch)


def _sliced(batch: Any) -> Iterator[dict[str, Any]]:
    for first in range(0, len(batch), AT_ONCE):
        yield from rows_of_batch(batch.slice(first, AT_ONCE))


def rows_of_batch(batch: Any) -> list[dict[str, Any]]:
    """The rows of a batch of Arrow; of one that `to_arrow` or `export` made, the documents as they were stored."""
    if not is_exported(batch.schema):
        rows: list[dict[str, Any]] = batch.to_pylist()
        return rows
    documents = batch.select(OF_DOCUMENTS).to_pylist()
    return [{**document, "metadata": json.loads(document["metadata"])} for document in documents]


def is_exported(schema: Any) -> bool:
    """Whether a schema of Arrow is that of a table which `to_arrow` or `export` made, with its columns unchanged."""
    return EXPORTED in (schema.metadata or {}) and set(OF_DOCUMENTS) <= set(schema.names)


def _check_names(names: list[Any]) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DocumentError(f"the table has the column {twice[0]!r} twice; rename one of them")
