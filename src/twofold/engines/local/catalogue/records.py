"""Reading lines of the catalogue, each verified by its checksum."""

from __future__ import annotations

import json
import sqlite3
import struct
from collections.abc import Sequence
from typing import Any

from twofold.documents import Document
from twofold.engines.local.catalogue import checksums
from twofold.engines.local.catalogue.schema import SpaceHead
from twofold.engines.local.spaces.segments import Segment
from twofold.errors import CorruptionError

USER = "user:"
"""What the keys of other packages begin with, in the table `state`."""
# Texts come as bytes: the checksum is over bytes, and damaged bytes may be no UTF-8.
DOCUMENT_COLUMNS = (
    "SELECT number, added, deleted, checksum, CAST(id AS BLOB), CAST(title AS BLOB), "
    "CAST(metadata AS BLOB), CAST(text AS BLOB), text_hash"
)
ID_COLUMNS = "SELECT number, CAST(id AS BLOB)"

Line = tuple[Any, ...]


def is_whole(line: Line) -> bool:
    """Whether a line of DOCUMENT_COLUMNS is what was written."""
    try:
        expected = checksums.of_document(line[:2], line[4:])
        if line[2] is not None:
            expected = checksums.wrapped(expected + checksums.of_deletion(line[0], line[2]))
    except (TypeError, struct.error):  # a flipped bit can make a number of text, and anything NULL
        return False
    return bool(expected == line[3])


def as_document(line: Line) -> Document:
    """The document of a line of DOCUMENT_COLUMNS; raises CorruptionError naming the id if it can be read."""
    check_whole(line)
    identifier, title, metadata, text = (content.decode() for content in line[4:8])
    return Document(identifier, text, title, json.loads(metadata) if metadata != "{}" else {})


def as_texts(line: Line) -> tuple[str, str]:
    """Title and text of a line of DOCUMENT_COLUMNS; raises CorruptionError."""
    check_whole(line)
    return line[5].decode(), line[7].decode()


def check_whole(line: Line) -> None:
    """Raises CorruptionError where a line of DOCUMENT_COLUMNS is not what was written."""
    if not is_whole(line):
        raise CorruptionError(
            f"document {name_of(line)!r} is damaged: its content is not what was written. "
            "Add it again, or restore a backup."
        )


def name_of(line: Line) -> str:
    """The id in a line of DOCUMENT_COLUMNS that may be damaged."""
    return bytes(line[4] or b"?").decode("utf-8", "replace")


def last_number(lines: Sequence[Line], before: int) -> int:
    """The number of the last of these lines, which were asked for in ascending order, all behind `before`.

    Each line begins with its number. Raises CorruptionError where they are not: a damaged B-tree may make SQLite, and a
    listing, loop forever.
    """
    for number, *_ in lines:
        if not isinstance(number, int) or number <= before:
            raise CorruptionError(
                f"the catalogue is damaged: after number {before} it leads to {number}. "
                "Run `twofold verify COLLECTION`, or restore a backup."
            )
        before = number
    return before


def read_segments(connection: sqlite3.Connection, head: SpaceHead) -> list[Segment]:
    """All segments of a space, ascending, together all rows; CorruptionError where a line is damaged or lost."""
    segments: list[Segment] = []
    end = head.next_row
    for number, identifier, first_row, checksum in connection.execute(
        "SELECT number, id, first_row, checksum FROM segments WHERE space = ? ORDER BY first_row DESC", (head.space,)
    ):
        segment = Segment(number, identifier, first_row, end - first_row)
        if segment.line(head.space)[-1] != checksum or segment.rows <= 0:
            raise CorruptionError(f"the catalogue is damaged: its entry of segment {number} is not what was written")
        segments.insert(0, segment)
        end = first_row
    if end:
        raise CorruptionError(f"the catalogue has lost the segments of its first {end} rows; restore a backup")
    return segments


def read_state(connection: sqlite3.Connection, key: str) -> Any:
    """The JSON value under a key of another package, or None; raises CorruptionError where it is damaged."""
    found = connection.execute("SELECT value, checksum FROM state WHERE key = ?", (USER + key,)).fetchone()
    if found is None:
        return None
    if checksums.of_row(USER + key, found[0]) != found[1]:
        raise CorruptionError(f"the catalogue is damaged: its entry {key!r} is not what was written")
    return json.loads(found[0])
