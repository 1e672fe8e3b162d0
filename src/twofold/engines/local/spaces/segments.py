"""Segment files: a header of 64 bytes, then rows of 16-bit words, appended and never changed.

`Segment` is the catalogue's line about one; `header` gives its first bytes; `place` says where new rows go. A file says
nothing of which rows of the space it holds, so that a compaction can keep it. It may be longer than the catalogue says:
those bytes are what a crash left, and the next writer cuts them off.
"""

from __future__ import annotations

import os
import secrets
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twofold.engines.local.catalogue import checksums
from twofold.engines.local.disk import Disk
from twofold.errors import CorruptionError, FormatError

Halves = NDArray[Any]
"""(n, words): rows as they are stored, float16 vectors, or uint16 words of codes."""
Shape = tuple[int, np.dtype[Any]]
"""Words a row, and their type."""

SEGMENT_ROWS = 262_144
"""Rows after which a new file is begun: 192 MiB at 384 dimensions."""
BYTES = np.dtype(np.float16).itemsize
HEADER_BYTES = 64
MAGIC = b"TWOFOLDV"
VERSION = 1
KINDS = {np.dtype(np.float16): 1, np.dtype(np.uint16): 2}
"""The type of a row's words → the number that stands for it in the header."""
_HEADER = struct.Struct("<8sIIIIq28xI")


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment file.

    number: as in its name. id: 64 random bits, by which it is told from any other file of its number. first_row: the
    number of its first row. rows: how many of its rows count.
    """

    number: int
    id: int
    first_row: int
    rows: int

    @classmethod
    def new(cls, number: int, first_row: int) -> Segment:
        """A file that is still to be made."""
        return cls(number, int.from_bytes(secrets.token_bytes(8), "little", signed=True), first_row, 0)

    def line(self, space: str) -> tuple[str, int, int, int, int]:
        """Its line in the catalogue, the checksum last."""
        columns = (space, self.number, self.id, self.first_row)
        return (*columns, checksums.of_row(*columns))

    @property
    def end(self) -> int:
        """The row after the last that counts."""
        return self.first_row + self.rows

    def size(self, words: int) -> int:
        """Bytes of the file that count."""
        return HEADER_BYTES + self.rows * words * BYTES


def path_of(home: Path, number: int) -> Path:
    """The file of a segment in the folder of its space."""
    return home / f"{number:06d}.f16"


def header(segment: Segment, shape: Shape) -> bytes:
    """The first 64 bytes of a segment's file."""
    words, dtype = shape
    fields = _HEADER.pack(MAGIC, VERSION, KINDS[dtype], words, segment.number, segment.id, 0)
    return fields[:-4] + zlib.crc32(fields[:-4]).to_bytes(4, "little")


def check_header(found: bytes, segment: Segment, shape: Shape, path: Path) -> None:
    """Raises CorruptionError, or FormatError for a newer one, unless the file begins as it should."""
    if found == header(segment, shape):
        return
    if len(found) == HEADER_BYTES and found[:8] == MAGIC:
        version = _HEADER.unpack(found)[1]
        if version > VERSION and zlib.crc32(found[:-4]) == _HEADER.unpack(found)[-1]:
            raise FormatError(f"{path} has version {version}, this Twofold reads up to {VERSION}: install a newer one")
    raise CorruptionError(f"{path} is damaged: its header is not the one that was written")


def raw(vectors: Halves) -> memoryview:
    """The bytes of rows as they stand in the file."""
    return np.ascontiguousarray(vectors).data.cast("B")


def longest(vectors: Halves) -> float:
    """The largest Euclidean length of these rows, never less than the true one; 0 for codes, which have none."""
    if not len(vectors) or vectors.dtype != np.float16:
        return 0.0
    whole = vectors.astype(np.float32)
    squares = np.einsum("ij,ij->i", whole, whole)
    # A sum of n float32 squares is off by less than n/2^23 of itself.
    return float(np.sqrt(float(squares.max()) * (1 + vectors.shape[1] * 2.0**-23)))


def new_numbers(home: Path, segments: Sequence[Segment]) -> Iterator[int]:
    """The numbers of the next files beside these, ascending; no file that is there has one, recorded or not."""
    # Looked up when the first one is asked for: what could not be removed may be mapped, and is not written over.
    yield from count(max((*(segment.number for segment in segments), *_numbers(home)), default=0) + 1)


def place(vectors: Halves, segment: Segment, numbers: Iterator[int]) -> Iterator[tuple[Segment, Halves]]:
    """Where new rows go, from a segment on: (a segment before the append, its share of the rows), in order.

    numbers: of the files that are begun where one is full.
    """
    while len(vectors):
        if segment.rows >= SEGMENT_ROWS:
            segment = Segment.new(next(numbers), segment.end)
        share = vectors[: SEGMENT_ROWS - segment.rows]
        yield segment, share
        segment, vectors = after(segment, share), vectors[len(share) :]


def after(segment: Segment, vectors: Halves) -> Segment:
    """The segment once these rows count."""
    return replace(segment, rows=segment.rows + len(vectors))


def append(disk: Disk, home: Path, segment: Segment, vectors: Halves) -> None:
    """Writes rows behind those that count, and syncs them; a new file gets its header and its name synced too."""
    path = path_of(home, segment.number)
    words = vectors.shape[1]
    with disk.opened(path, os.O_RDWR | os.O_CREAT) as descriptor:
        if segment.rows == 0:
            disk.write(descriptor, path, header(segment, (words, vectors.dtype)), 0)
        disk.write(descriptor, path, raw(vectors), segment.size(words))
        disk.reached("vectors written")
        disk.sync(descriptor, path)
    if segment.rows == 0:
        disk.sync_folder(path.parent)
        disk.reached("segment created")


def leftovers(home: Path, segments: Sequence[Segment], words: int) -> list[tuple[Path, int]]:
    """What a crash left: files that are longer than the catalogue says, with the size to cut them to.

    A file that the catalogue does not know is cut to nothing. Raises CorruptionError where recorded bytes are gone,
    since appending would hide that.

    segments: those that count, ascending by their rows; the next rows go to the last one.
    """
    found: list[tuple[Path, int]] = []
    for last in segments[-1:]:
        path, size = path_of(home, last.number), last.size(words)
        held = 0
        with suppress(FileNotFoundError):
            held = path.stat().st_size
        if held < size:
            raise CorruptionError(f"{path} has {held} bytes, {size} were written. Restore a backup.")
        if held > size:
            found.append((path, size))
    known = {segment.number for segment in segments}
    return [*found, *((path_of(home, each), 0) for each in _numbers(home) if each not in known)]


def _numbers(home: Path) -> list[int]:
    """The numbers of all segment files that are there; a power loss that keeps some changes may leave gaps."""
    try:
        found = [name.partition(".") for name in os.listdir(home)]
    except FileNotFoundError:
        return []
    return sorted(int(stem) for stem, _, kind in found if kind == "f16" and stem.isdecimal())
