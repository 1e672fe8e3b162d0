"""Keeping an index through a compaction: its pieces are unchanged, and a translation maps them to the remaining rows.

The files of a piece number its rows from 0. A piece that has lost some of them gets an array with an int32 for each of
these numbers: its present row, counted from the first one of the piece, or -1 for a deleted row.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twofold.engines.local.derived.manifest import Manifest, Piece, Translation, wrong_content
from twofold.engines.local.derived.publishing import Publisher
from twofold.files import write_aside
from twofold.scores import Mask

FILE = "rows.i32"
"""The file of a translation."""
NUMBERS = np.dtype("<i4")
GONE = -1
AT_ONCE = 2**20
"""Numbers that are translated at a time: 4 MiB."""


def mapped(home: Path, translation: Translation) -> NDArray[np.int32]:
    """int32 (rows,): the array of a translation, mapped into memory. Raises OSError, ValueError."""
    path = os.fspath(home / translation.folder / FILE)
    return np.asarray(np.memmap(path, NUMBERS, mode="r", shape=(translation.rows,)))


def kept_pieces(publisher: Publisher, area: str, manifest: Manifest, live: Mask) -> Iterator[Piece]:
    """The pieces of an index for the rows that a compaction keeps; a piece without rows is left out.

    manifest: the present index, with the pieces that can be used. live: bool (rows,), the rows that are kept.
    Fingerprints are of the old rows. Where the translation of a piece is damaged, the pieces end before it. Raises
    StorageError.
    """
    first = 0
    for piece in manifest.pieces:
        stays = live[piece.first : piece.end]
        rows, translation = int(np.count_nonzero(stays)), piece.translation
        if rows and rows < piece.rows:
            if translation is not None and wrong_content(manifest.home, translation):
                return
            translation = _translated(publisher, area, manifest.home, piece, stays)
        if rows:
            yield replace(piece, first=first, rows=rows, translation=translation)
        first += rows


def _translated(publisher: Publisher, area: str, home: Path, piece: Piece, stays: Mask) -> Translation:
    """A new part with the translation of a piece. stays: bool (rows,) of the piece."""

    def fill(folder: Path) -> None:
        with write_aside(folder / FILE) as file:
            for part in _numbers(home, piece, stays):
                file.write(part.astype(NUMBERS, copy=False).tobytes())

    part = publisher.build(area, fill)
    held = piece.rows if piece.translation is None else piece.translation.rows
    return Translation(folder=part.folder, files=part.files, rows=held)


def _numbers(home: Path, piece: Piece, stays: Mask) -> Iterator[NDArray[np.int32]]:
    """The new row of each number in the piece's files, some at a time."""
    fresh = np.cumsum(stays, dtype=np.int32) - np.int32(1)
    fresh[~stays] = GONE
    if piece.translation is None:
        yield fresh
        return
    before = mapped(home, piece.translation)
    for start in range(0, len(before), AT_ONCE):
        part = before[start : start + AT_ONCE]
        yield np.where(part == GONE, np.int32(GONE), fresh[part])
