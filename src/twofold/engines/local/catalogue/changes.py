"""What happened since a commit, for whoever keeps something derived up to date, such as an index of words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from twofold.documents import Document
from twofold.scores import Numbers

DELETED_AFTER = "SELECT number FROM documents WHERE deleted > ? AND added <= ?"
"""In no order: asked for one, SQLite goes through all documents in it (a million in 130 ms), not the deletions."""


@dataclass(frozen=True, slots=True)
class Changes:
    """The difference between two commits of one generation.

    deleted: int64, ascending, the documents that were living at the first and are not at the second. added: the ones
    that only the second has, as (number, document) in batches, ascending, read as they are asked for, once.

    A compaction drops the lines of deleted documents, and `deleted` then lacks them: who keeps something derived
    remembers the head's generation too, and begins anew when it has changed.
    """

    deleted: Numbers
    added: Iterator[list[tuple[int, Document]]]


def deleted_after(connection: sqlite3.Connection, since: int) -> Numbers:
    """int64, ascending: documents that were living at the commit `since` and were deleted after it."""
    found = connection.execute(DELETED_AFTER, (since, since))
    return np.sort(np.fromiter((number for (number,) in found), dtype=np.int64))


def first_after(connection: sqlite3.Connection, since: int, end: int) -> int:
    """The number of the first document that was added after the commit `since`, at most `end`; some 20 look-ups.

    Numbers are given in the order of commits, so halving finds it without an index.
    """
    start = 0
    while start < end:
        middle = (start + end) // 2
        found = connection.execute(
            "SELECT number, added FROM documents WHERE number >= ? ORDER BY number LIMIT 1", (middle,)
        ).fetchone()
        if found is None or found[1] > since:
            end = middle
        else:
            start = found[0] + 1
    return start
