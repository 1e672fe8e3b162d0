"""Checksums of the catalogue's rows: 64 bits over all columns, and their sum over all rows.

A changed row fails its own checksum; a lost or doubled row shows in the sum, which the head keeps.
"""

from __future__ import annotations

import struct
from hashlib import blake2b

_SIGN, _WRAP = 1 << 63, 1 << 64
_DOCUMENT = struct.Struct("<7q")
_PAIR = struct.Struct("<2q")


def wrapped(value: int) -> int:
    """`value` modulo 2^64 as the signed integer that SQLite keeps."""
    value &= _WRAP - 1
    return value - _WRAP if value & _SIGN else value


def of_bytes(content: bytes) -> int:
    """The checksum of a string of bytes: the first 64 bits of BLAKE2b, signed."""
    return int.from_bytes(blake2b(content, digest_size=8).digest(), "little", signed=True)


def of_row(*columns: int | float | str | bytes | None) -> int:
    """The checksum of a row of any table but documents: each column with its type and length."""
    parts: list[bytes] = []
    for column in columns:
        kind, content = _encoded(column)
        parts += (kind, len(content).to_bytes(8, "little"), content)
    return of_bytes(b"".join(parts))


def of_document(numbers: tuple[int, ...], contents: tuple[bytes, ...]) -> int:
    """The checksum of a live document's row.

    numbers: number, added. contents: id, title, metadata, text (UTF-8) and the hash of the text.
    """
    identifier, title, metadata, text, text_hash = contents
    lengths = _DOCUMENT.pack(*numbers, len(identifier), len(title), len(metadata), len(text), len(text_hash))
    return int.from_bytes(blake2b(b"".join((lengths, *contents)), digest_size=8).digest(), "little", signed=True)


def of_deletion(number: int, deleted: int) -> int:
    """What the mark "deleted in this commit" adds to a document's checksum."""
    return of_bytes(_PAIR.pack(number, deleted))


def _encoded(column: int | float | str | bytes | None) -> tuple[bytes, bytes]:
    match column:
        case int():
            return b"i", column.to_bytes(8, "little", signed=True)
        case float():
            return b"f", struct.pack("<d", column)
        case str():
            return b"t", column.encode()
        case bytes():
            return b"b", column
        case None:  # only in a damaged row
            return b"n", b""
