"""Runs of records in files: one file a run, written once and never changed."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twofold.errors import CorruptionError
from twofold.files import sweep, write_aside
from twofold.lexical.engine import AGAIN
from twofold.lexical.records import Run

SUFFIX = ".run"
TERM, DOCUMENT, POSTING = 12, 4, 3
"""Bytes of each: hash and end; length; place and count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFile:
    """What a note says of a run.

    documents: numbers from `first` on. terms, postings: how many. head: CRC-32 of hashes, ends and lengths, which is
    compared when the file is opened. checksum: of the whole file.
    """

    first: int
    documents: int
    terms: int
    postings: int
    head: int
    checksum: int

    @property
    def name(self) -> str:
        """The file's: no two runs of one state or of two that follow each other have the same numbers."""
        return f"{self.first}-{self.first + self.documents}{SUFFIX}"

    @property
    def head_bytes(self) -> int:
        """Of hashes, ends and lengths."""
        return TERM * self.terms + DOCUMENT * self.documents

    @property
    def bytes(self) -> int:
        """Of the file."""
        return self.head_bytes + POSTING * self.postings


def write(folder: Path, run: Run) -> RunFile:
    """Writes and syncs a run. Raises StorageError."""
    head = b"".join(
        each.astype(each.dtype.newbyteorder("<"), copy=False).tobytes() for each in (run.hashes, run.ends, run.lengths)
    )
    postings = run.places.astype("<u2", copy=False).tobytes() + run.counts.tobytes()
    checksum = zlib.crc32(head)
    file = RunFile(
        first=run.first,
        documents=len(run.lengths),
        terms=len(run.hashes),
        postings=len(run.places),
        head=checksum,
        checksum=zlib.crc32(postings, checksum),
    )
    with write_aside(folder / file.name) as written:
        written.write(head)
        written.write(postings)
    return file


def mapped(folder: Path, file: RunFile) -> Run:
    """The run in a file, mapped; what is not of its postings is compared with its checksum. Raises CorruptionError."""
    content = _content(folder, file)
    if zlib.crc32(content[: file.head_bytes].data) != file.head:
        raise _damaged(folder / file.name)
    hashes, rest = content[: 8 * file.terms], content[8 * file.terms :]
    ends, rest = rest[: 4 * file.terms], rest[4 * file.terms :]
    lengths, rest = rest[: 4 * file.documents], rest[4 * file.documents :]
    places, counts = rest[: 2 * file.postings], rest[2 * file.postings :]
    return Run(
        file.first, lengths.view("<u4"), hashes.view("<u8"), ends.view("<u4"), places.view("<u2"), counts.view(np.uint8)
    )


def check(folder: Path, file: RunFile) -> None:
    """Reads all of a file and compares its checksum. Raises CorruptionError, naming it."""
    if zlib.crc32(_content(folder, file).data) != file.checksum:
        raise _damaged(folder / file.name)


def clean(folder: Path, files: Iterable[RunFile]) -> None:
    """Removes the runs that are none of these: they were joined, or left by a stopped writer."""
    sweep(folder, SUFFIX, {file.name for file in files})


def _content(folder: Path, file: RunFile) -> NDArray[np.uint8]:
    """uint8 (bytes,)."""
    path = folder / file.name
    try:
        if (size := os.stat(path).st_size) != file.bytes:
            raise CorruptionError(f"{path} is damaged: it has {size} bytes, not {file.bytes}. {AGAIN}.")
        return np.memmap(path, np.uint8, mode="r").view(np.ndarray)
    except OSError as error:
        raise CorruptionError(f"{path}: {error.strerror or error}. {AGAIN}.") from error


def _damaged(path: Path) -> CorruptionError:
    return CorruptionError(f"{path} is damaged: its checksum does not fit its content. {AGAIN}.")
