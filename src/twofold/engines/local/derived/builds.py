"""Derived folders: what can be made again from catalogue and vectors, such as an index; never the truth.

A build is a folder such as indexes/000003 that came to its name whole. Its manifest says which vectors it was made
from, and the size and checksum of each of its files. Whatever else is found there (half a build, one of other vectors,
an earlier copy, damage) is passed over: nothing is lost, and the search is exact instead.
"""

from __future__ import annotations

import json
import os
import re
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path
from sqlite3 import Connection
from typing import Any

from twofold.engines.local.layout import DERIVED, canonical_checksum
from twofold.engines.local.spaces.maps import Piece
from twofold.engines.local.spaces.segments import raw
from twofold.errors import CorruptionError, FormatError, InputError

FORMAT = 1
"""The version of a build's manifest."""
MANIFEST = "manifest.json"
PART = 2**20
"""Bytes of a file that are read at a time."""
_NAME = re.compile(r"\d{6}")
_BLOCK = struct.Struct("<QQI")


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """The rows that a build was made from: the first `rows` of a generation, as they were at a commit.

    vectors: the fingerprint of exactly these rows.
    """

    commit: int
    generation: int
    rows: int
    vectors: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A build that is there, with all of its files in their right sizes.

    path: its folder. about: JSON of the room above. files: name → (bytes, CRC-32). checksum: the manifest's own, by
    which a build is told from every other.
    """

    path: Path
    covered: Covered
    about: Mapping[str, Any]
    files: Mapping[str, tuple[int, int]]
    checksum: str

    @property
    def rows(self) -> int:
        """How many rows it covers, from 0 on."""
        return self.covered.rows

    @property
    def commit(self) -> int:
        """The commit that it was made at."""
        return self.covered.commit

    @property
    def bytes(self) -> int:
        """Bytes of its files."""
        return sum(size for size, _ in self.files.values())

    def check(self) -> None:
        """Reads every file and raises CorruptionError, naming the file, where one is not what was written.

        A writer that has published a newer build may take this one away at any time; what was opened by then stays.
        """
        for name, (_, crc) in self.files.items():
            if crc_of(self.path / name) != crc:
                raise CorruptionError(f"{self.path / name} is damaged: its checksum does not fit its content")


def written(covered: Covered, about: Mapping[str, Any], files: Mapping[str, tuple[int, int]]) -> bytes:
    """The content of a manifest."""
    fields = {
        "format": FORMAT,
        **asdict(covered),
        "about": about,
        "files": {name: files[name] for name in sorted(files)},
    }
    text = json.dumps({**fields, "checksum": canonical_checksum(fields)}, ensure_ascii=False, indent=1, sort_keys=True)
    return text.encode() + b"\n"


def read(path: Path) -> Built:
    """The build in a folder, whose manifest must be whole, and every file have its size.

    Raises CorruptionError; FormatError for one that a newer Twofold made.
    """
    place = path / MANIFEST
    try:
        fields = json.loads(place.read_bytes())
        checksum = fields.pop("checksum")
        if checksum != canonical_checksum(fields):
            raise CorruptionError(f"{path / MANIFEST} is damaged: its checksum does not fit its content")
        if (version := fields.pop("format")) != FORMAT:
            raise FormatError(f"{path} has format {version}, this Twofold reads format {FORMAT}")
        about, files = fields.pop("about"), {name: (size, crc) for name, (size, crc) in fields.pop("files").items()}
        built = Built(path=path, covered=Covered(**fields), about=about, files=files, checksum=checksum)
        for name, (size, _) in files.items():
            place = path / name
            if (held := place.stat().st_size) != size:
                raise CorruptionError(f"{place} has {held} bytes, {size} were written")
    except OSError as error:
        raise CorruptionError(f"{place}: {error.strerror or error}") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise CorruptionError(f"{path / MANIFEST} is damaged: {error}") from error
    return built


def home_of(folder: Path, room: str) -> Path:
    """The folder of a room's derived files; raises InputError for a room that has none."""
    if room not in DERIVED:
        raise InputError(f"{room!r} keeps nothing that is derived; rooms that do: {', '.join(sorted(DERIVED))}")
    return folder / room


def folders(home: Path) -> list[Path]:
    """The folders that are named as builds are, the newest first."""
    return [home / name for name in sorted(names(home), reverse=True) if _NAME.fullmatch(name)]


def names(home: str | Path) -> list[str]:
    """What is in a room's folder; nothing where none was made yet."""
    try:
        return os.listdir(home)
    except OSError:
        return []


def whole(home: Path) -> Iterator[Built]:
    """The builds of a room as far as their manifests and sizes go, the newest first; all else is passed over."""
    for path in folders(home):
        try:
            yield read(path)
        except (CorruptionError, FormatError):
            continue


def crc_of(path: Path) -> int:
    """The CRC-32 of a file's content; raises CorruptionError where it cannot be read."""
    crc = 0
    try:
        with open(path, "rb", buffering=0) as file:
            while part := file.read(PART):
                crc = zlib.crc32(part, crc)
    except OSError as error:
        raise CorruptionError(f"{path}: {error.strerror or error}") from error
    return crc


def fingerprint(connection: Connection, space: str, pieces: Sequence[Piece], rows: int) -> str:
    """Tells the first rows of a generation from all others, by the checksums that the blocks' lines keep.

    Later commits change neither: the last of these blocks may have grown since, and is computed as it was.
    """
    hashed = blake2b(digest_size=16)
    for first_row, count, crc in connection.execute(
        "SELECT first_row, rows, vectors_crc FROM blocks WHERE space = ? AND first_row < ? ORDER BY first_row",
        (space, rows),
    ):
        if first_row + count > rows:
            count, crc = rows - first_row, _crc_of_rows(pieces, first_row, rows)
        hashed.update(_BLOCK.pack(first_row, count, crc))
    return hashed.hexdigest()


def _crc_of_rows(pieces: Sequence[Piece], start: int, end: int) -> int:
    crc = 0
    for first, vectors in pieces:
        if len(part := vectors[max(start - first, 0) : max(end - first, 0)]):
            crc = zlib.crc32(raw(part), crc)
    return crc
