"""The documents of a space's rows, from the catalogue's blocks."""

from __future__ import annotations

import sqlite3

import numpy as np

from twofold.scores import Numbers

_BLOCKS = """
SELECT first_row, first_document, documents FROM blocks WHERE space = :space AND first_row > :after AND first_row >=
    coalesce((SELECT first_row FROM blocks WHERE space = :space AND first_document < :wanted
              ORDER BY first_document DESC, first_row DESC LIMIT 1), 0)
ORDER BY first_row
"""


def count_rows(connection: sqlite3.Connection, space: str, documents: Numbers) -> int:
    """How many rows these documents have in a space. documents: int64 (n,), ascending."""
    found, after = 0, -1
    while len(documents):
        wanted = {"space": space, "after": after, "wanted": int(documents[0])}
        before = after
        for after, first, offsets in connection.execute(_BLOCKS, wanted):  # noqa: B007 - it says where to go on
            owners = np.frombuffer(offsets, "<u4").astype(np.int64) + first
            counts = np.searchsorted(owners, documents, side="right") - np.searchsorted(owners, documents, side="left")
            found += int(counts.sum())
            # The last document of a block may go on in the next one.
            documents = documents[np.searchsorted(documents, owners[-1]) :]
            if not len(documents) or documents[0] > owners[-1]:
                break
        if after == before:
            break
    return found
