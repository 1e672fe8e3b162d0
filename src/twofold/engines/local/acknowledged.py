"""The number of the last acknowledged commit, noted beside SQLite's own files.

SQLite reads its log up to the first frame that does not add up and takes no notice of the rest. A byte that changes in
the log of a killed writer would so take acknowledged commits back, and nobody would know. The note is written when
COMMIT has returned, so it never knows of more than what is durable. It is not synced: after a power loss it may
know of less, which does no harm. docs/formats.md says its bytes.
"""

from __future__ import annotations

import os
import struct
import zlib
from contextlib import suppress
from pathlib import Path

from twofold.engines.local.layout import ACKNOWLEDGED, CATALOGUE

_NOTE = struct.Struct("<8sIQI")
_MAGIC = b"TWOFOLDA"
_VERSION = 1


class Note:
    """The note of one writer, who keeps the file open."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / ACKNOWLEDGED
        self._descriptor = -1

    def write(self, commit: int) -> None:
        """Notes a commit; a disk that refuses keeps the older note, and what was committed is no less so."""
        fields = _NOTE.pack(_MAGIC, _VERSION, commit, 0)[:-4]
        with suppress(OSError):
            if self._descriptor < 0:
                self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o666)
            os.pwrite(self._descriptor, fields + zlib.crc32(fields).to_bytes(4, "little"), 0)

    def close(self) -> None:
        """Lets the file go."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def noted(folder: Path) -> int:
    """The commit that the note speaks of; 0 where there is none or it is not whole."""
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
    """What is to be said where a collection at `commit` has forgotten commits that were noted before; else None."""
    if noted_before <= commit:
        return None
    return (
        f"{folder} has lost its commits {commit + 1} to {noted_before}, which were acknowledged: the log beside "
        f"{CATALOGUE} was changed or removed. Restore a backup; to go on with what is left, delete "
        f"{folder / ACKNOWLEDGED}"
    )
