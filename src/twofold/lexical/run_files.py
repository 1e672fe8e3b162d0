"""Runs of records in files: one file a run, written once and never changed."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twofold.errors import CorruptionError
from twofold.files import sweep, write_aside
from twofold.lexical.engine import AGAIN
from twofold.lexical.passage_records import NO_PASSAGES, PassageRecords
from twofold.lexical.records import Run

SUFFIX = ".run"
TERM, DOCUMENT, POSTING = 12, 4, 3
"""Bytes of each: hash and end; length; place and count."""
WITHIN_TERM, WITHIN_DOCUMENT, PASSAGE, ENTRY = 8, 4, 2, 5
"""Bytes of each where documents have several passages: end and count; end; length; document, passage and count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFile:
    """What a note says of a run.

    documents: numbers from `first` on. terms, postings: how many. passages, entries: how many passages, of documents
    that have several, and terms in all of them; 0 in notes that do not name them. head: CRC-32 of what is a number a
    term or a document, which is compared when the file is opened. checksum: of the whole file.
    """

    first: int
    documents: int
    terms: int
    postings: int
    head: int
    checksum: int
    passages: int = 0
    entries: int = 0

    @property
    def name(self) -> str:
        """The file's: no two runs of one state or of two that follow each other have the same numbers."""
        return f"{self.first}-{self.first + self.documents}{SUFFIX}"

    @property
    def head_bytes(self) -> int:
        """Of hashes, ends and lengths."""
        within = WITHIN_TERM * self.terms + WITHIN_DOCUMENT * self.documents if self.passages else 0
        return TERM * self.terms + DOCUMENT * self.documents + within

    @property
    def bytes(self) -> int:
        """Of the file."""
        return self.head_bytes + POSTING * self.postings + PASSAGE * self.passages + ENTRY * self.entries


def write(folder: Path, run: Run) -> RunFile:
    """Writes and syncs a run. Raises StorageError."""
    within = run.within
    head = _bytes(run.hashes, run.ends, run.lengths, within.ends, within.having, within.last)
    postings = _bytes(run.places, within.lengths, within.documents, within.passages, run.counts, within.counts)
    checksum = zlib.crc32(head)
    file = RunFile(
        first=run.first,
        documents=len(run.lengths),
        terms=len(run.hashes),
        postings=len(run.places),
        head=checksum,
        checksum=zlib.crc32(postings, checksum),
        passages=len(within),
        entries=len(within.counts),
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
    terms, documents = (file.terms, file.documents) if file.passages else (0, 0)
    parts = [(file.terms, "<u8"), (file.terms, "<u4"), (file.documents, "<u4")]
    parts += [(terms, "<u4"), (terms, "<u4"), (documents, "<u4"), (file.postings, "<u2"), (file.passages, "<u2")]
    parts += [(file.entries, "<u2"), (file.entries, "<u2"), (file.postings, "u1"), (file.entries, "u1")]
    arrays, place = list[NDArray[Any]](), 0
    for count, kind in parts:
        end = place + count * np.dtype(kind).itemsize
        arrays.append(content[place:end].view(kind))
        place = end
    hashes, ends, lengths, of_ends, having, last, places, long, owners, passages, counts, of_counts = arrays
    within = PassageRecords(of_ends, having, last, long, owners, passages, of_counts) if file.passages else NO_PASSAGES
    return Run(file.first, lengths, hashes, ends, places, counts, within)


def check(folder: Path, file: RunFile) -> None:
    """Reads all of a file and compares its checksum. Raises CorruptionError, naming it."""
    if zlib.crc32(_content(folder, file).data) != file.checksum:
        raise _damaged(folder / file.name)


def clean(folder: Path, files: Iterable[RunFile]) -> None:
    """Removes the runs that are none of these: they were joined, or left by a stopped writer."""
    sweep(folder, SUFFIX, {file.name for file in files})


def _bytes(*arrays: NDArray[Any]) -> bytes:
    """These arrays behind each other, little-endian."""
    return b"".join(each.astype(each.dtype.newbyteorder("<"), copy=False).tobytes() for each in arrays)


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
