"""Fingerprints: they identify a range of rows by the checksums in the blocks' lines."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from hashlib import blake2b
from sqlite3 import Connection

from twofold.engines.local.spaces.maps import Piece
from twofold.engines.local.spaces.segments import raw

_BLOCK = struct.Struct("<QQI")


def fingerprint(connection: Connection, space: str, vectors: Sequence[Piece], stretch: tuple[int, int]) -> str:
    """Identifies a range of a space's rows; later commits of the generation do not change it.

    stretch: the first row, and the one after the last. Only the rows of a block that are in the range count.
    """
    hashed, (first, end) = blake2b(digest_size=16), stretch
    for start, count, crc in connection.execute(
        "SELECT first_row, rows, vectors_crc FROM blocks "
        "WHERE space = ? AND first_row < ? AND first_row + rows > ? ORDER BY first_row",
        (space, end, first),
    ):
        inside = max(start, first), min(start + count, end)
        if inside != (start, start + count):
            crc = _crc_of_rows(vectors, *inside)
        hashed.update(_BLOCK.pack(inside[0], inside[1] - inside[0], crc))
    return hashed.hexdigest()


def _crc_of_rows(vectors: Sequence[Piece], start: int, end: int) -> int:
    crc = 0
    for first, piece in vectors:
        if len(part := piece[max(start - first, 0) : max(end - first, 0)]):
            crc = zlib.crc32(raw(part), crc)
    return crc
