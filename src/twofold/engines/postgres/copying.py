"""Lines into tables by COPY in PostgreSQL's binary format.

A line is the number of its values (16 bits) and, of each value, its length in bytes (32 bits) and its bytes, all
big-endian; the lines of one space have one length, so numpy lays out all of them at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from twofold.engines.postgres.connecting import Connection
from twofold.scores import Numbers, Vectors

_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"
_HALF_HEAD = 4
"""Bytes of a halfvec before its numbers: the dimension and 16 unused bits."""


def copy_vectors(
    connection: Connection,
    table: sql.Identifier,
    first: int,
    owners: Numbers,
    spans: NDArray[np.int32],
    vectors: NDArray[np.float16],
) -> None:
    """Appends rows to the table of a space, with numbers from `first` on.

    owners: int64 (n,), the document of each row. spans: int32 (n, 2). vectors: float16 (n, dimension).
    """
    rows, dimension = vectors.shape
    values = {"number": ">i8", "document": ">i8", "starts": ">i4", "ends": ">i4"}
    layout: list[Any] = [("count", ">i2")]
    for name, kind in values.items():
        layout += [(f"{name} bytes", ">i4"), (name, kind)]
    layout += [("vector bytes", ">i4"), ("dimension", ">i2"), ("unused", ">i2"), ("vector", ">f2", (dimension,))]
    lines = np.zeros(rows, np.dtype(layout))
    lines["count"] = len(values) + 1
    for name, kind in values.items():
        lines[f"{name} bytes"] = np.dtype(kind).itemsize
    lines["vector bytes"] = _HALF_HEAD + 2 * dimension
    lines["number"] = np.arange(first, first + rows)
    lines["document"] = owners
    lines["starts"], lines["ends"] = spans[:, 0], spans[:, 1]
    lines["dimension"], lines["vector"] = dimension, vectors
    statement = sql.SQL("COPY {} (number, document, starts, ends, vector) FROM STDIN (FORMAT BINARY)").format(table)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(_HEAD + lines.tobytes() + _END)


def halves_of(values: Sequence[bytes], dimension: int) -> NDArray[np.float16]:
    """float16 (n, dimension): vectors as halfvec_send gives each."""
    words = np.frombuffer(b"".join(values), ">u2").reshape(len(values), _HALF_HEAD // 2 + dimension)
    return np.ascontiguousarray(words[:, _HALF_HEAD // 2 :]).view(">f2").astype(np.float16)


def copy_lines(connection: Connection, table: str, columns: dict[str, str], lines: Iterable[Sequence[object]]) -> None:
    """Appends lines to a table. columns: the name of each → its type."""
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(sql.Identifier(table), names)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types([*columns.values()])
        for line in lines:
            copy.write_row(line)


def query_of(vector: Vectors) -> str:
    """A query vector as pgvector reads it, every float32 exactly."""
    return f"[{','.join(map(repr, vector.astype(np.float32).tolist()))}]"
