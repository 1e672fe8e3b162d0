"""The number of the last acknowledged commit, noted beside SQLite's own files.

SQLite reads its log up to the first invalid frame and ignores the rest, so a changed byte in the log of a killed writer
would silently undo acknowledged commits. The number is written after COMMIT has returned, so it is never ahead of what
is durable. It is not synced: after a power loss it may be behind, which does no harm. docs/formats.md describes its
bytes.
"""

from __future__ import annotations

import os
import struct
import zlib
from contextlib import suppress
from pathlib import Path

from twofold.engines.local.layout import ACKNOWLEDGED, CATALOGUE
from twofold.files import descriptor_of, write_at

_NOTE = struct.Struct("<8sIQI")
_MAGIC = b"TWOFOLDA"
_VERSION = 1


class Note:
    """The file `acknowledged`, kept open by the writer."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / ACKNOWLEDGED
        self._descriptor = -1

    def write(self, commit: int) -> None:
        """Writes the number of a commit; if the disk cannot be written, the older number stays, which does not affect
        the commit.
        """
        fields = _NOTE.pack(_MAGIC, _VERSION, commit, 0)[:-4]
        with suppress(OSError):
            if self._descriptor < 0:
                self._descriptor = descriptor_of(self._path, os.O_WRONLY | os.O_CREAT)
            write_at(self._descriptor, fields + zlib.crc32(fields).to_bytes(4, "little"), 0)

    def close(self) -> None:
        """Closes the file."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def noted(folder: Path) -> int:
    """The commit in the file; 0 if it is missing or invalid."""
    try:
        with open(folder / ACKNOWLEDGED, "rb", buffering=0) as file:
            found = file.read(_NOTE.size + 1)
    except OSError:
        return 0
    if len(found) != _NOTE.size or found[:8] != _MAGIC:
        return 0
    _, version, commit, crc = _NOTE.unpack(found)
    return int(commit) if version == _VERSION and crc == zlib.crc32(found[:-4]) else 0


def lost(folder: Path, noted_before: int, commit: int) -> str | None:
    """The message if a collection at `commit` has lost commits that were acknowledged; else None."""
    if noted_before <= commit:
        return None
    return (
        f"{folder} has lost its commits {commit + 1} to {noted_before}, which were acknowledged: the log beside "
        f"{CATALOGUE} was changed or removed. Restore a backup; to go on with what is left, delete "
        f"{folder / ACKNOWLEDGED}"
    )
