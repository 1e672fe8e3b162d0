"""The manifest of an index: its folders, the rows from which they were built, and the measurements.

An index is derived data: it can be rebuilt from catalogue and vectors. It consists of pieces, each a folder that covers
a stretch of rows and is never changed; `manifest.json` beside them lists the pieces in use; other folders are ignored.
A piece that is damaged, or was made from other vectors, is not used, nor are those after it; their rows are searched
exactly.
"""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path, PurePosixPath
from typing import Any

from twofold.checked_json import checked_json, parse_checked_json
from twofold.engines.local.layout import DERIVED
from twofold.errors import CorruptionError, FormatError, InputError

FORMAT = 1
"""The version of a manifest."""
MANIFEST = "manifest.json"
INDEXES = "indexes"
"""The area whose folders have manifests; the others belong to engines that keep their own files."""
PART = 2**20
"""Bytes of a file that are read at a time."""
HEAD = 4_096
"""Bytes of a file that are checked before it is opened: a library trusts the counts at its beginning, and a wrong one
may end the process."""
NUMBERED = re.compile(r"\d{6}")
Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A folder beside the manifest, filled once, synced and never changed.

    files: name → (bytes, CRC-32, CRC-32 of its first HEAD bytes).
    """

    folder: str
    files: Mapping[str, tuple[int, int, int]]

    @property
    def bytes(self) -> int:
        """Bytes of its files."""
        return sum(size for size, *_ in self.files.values())

    def to_json(self) -> dict[str, Any]:
        """The part as JSON values."""
        return {"folder": self.folder, "files": {name: list(self.files[name]) for name in sorted(self.files)}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece(Part):
    """A part that covers `rows` rows from `first` on. vectors: the fingerprint of exactly these."""

    first: int
    rows: int
    vectors: str

    @property
    def end(self) -> int:
        """The first row behind it."""
        return self.first + self.rows

    def to_json(self) -> dict[str, Any]:
        """The piece as JSON values."""
        return {"folder": self.folder, "first": self.first, "rows": self.rows, "vectors": self.vectors} | {
            "files": {name: list(self.files[name]) for name in sorted(self.files)}
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """An index as it was published.

    home: its folder. commit, generation: at which it was made. about: JSON of the package above. pieces: cover the rows
    from 0 on without a gap. beside: a part that covers no rows. lost: pieces that it names and that cannot be used.
    checksum: the manifest's own, which identifies the index.
    """

    home: Path
    commit: int
    generation: int
    about: Mapping[str, Any]
    pieces: tuple[Piece, ...]
    beside: Part | None
    checksum: str
    lost: tuple[Piece, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows it covers, from 0 on."""
        return self.pieces[-1].end if self.pieces else 0

    @property
    def bytes(self) -> int:
        """Bytes of the files of its pieces."""
        return sum(piece.bytes for piece in self.pieces)

    @property
    def parts(self) -> list[Part]:
        """All parts in it."""
        return [*self.pieces, *self.lost, *([] if self.beside is None else [self.beside])]

    def path(self, part: Part) -> Path:
        """Where a part of it lies."""
        return self.home / part.folder

    def limited(self, usable: Callable[[Piece], bool]) -> Manifest:
        """The same with its first pieces, as far as they can be used."""
        kept = tuple(takewhile(usable, self.pieces))
        return self if len(kept) == len(self.pieces) else replace(self, pieces=kept, lost=self.pieces[len(kept) :])


class Manifests:
    """The manifests of a collection's indexes, read again only after they were replaced."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Stamp, Manifest | None]] = {}

    def at(self, home: Path) -> Manifest | None:
        """The index in a folder with its first pieces, as far as sizes and first bytes of their files are right; None
        for none.
        """
        try:
            found = os.stat(home / MANIFEST)
        except OSError:
            return None
        stamp = found.st_mtime_ns, found.st_ino, found.st_size
        known = self._known.get(str(home))
        if known is None or known[0] != stamp:
            known = self._known[str(home)] = stamp, _sound(home)
        return known[1]


def _sound(home: Path) -> Manifest | None:
    try:
        manifest = read(home)
    except (CorruptionError, FormatError):
        return None
    return None if manifest is None else manifest.limited(lambda piece: wrong_at_sight(home, piece) is None)


def written(fields: Mapping[str, Any]) -> bytes:
    """The content of a manifest."""
    return checked_json(fields, FORMAT)


def read(home: Path) -> Manifest | None:
    """The manifest in a folder, as it was published; None where there is none.

    Raises CorruptionError; FormatError for one that a newer Twofold made.
    """
    path = home / MANIFEST
    try:
        fields = parse_checked_json(path.read_bytes(), FORMAT, path=path)
        pieces = tuple(Piece(**{**each, "files": _files(each)}) for each in fields.pop("pieces"))
        beside = fields.pop("beside")
        beside = None if beside is None else Part(folder=beside["folder"], files=_files(beside))
        manifest = Manifest(home=home, pieces=pieces, beside=beside, **fields)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CorruptionError(f"{path}: {error.strerror or error}") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise CorruptionError(f"{path} is damaged: {error}") from error
    if not _consecutive(pieces) or not all(NUMBERED.fullmatch(part.folder) for part in manifest.parts):
        raise CorruptionError(f"{path} is damaged: its pieces do not follow one another")
    return manifest


def _files(fields: Mapping[str, Any]) -> dict[str, tuple[int, int, int]]:
    return {name: (size, crc, head) for name, (size, crc, head) in fields["files"].items()}


def _consecutive(pieces: tuple[Piece, ...]) -> bool:
    ends = [0, *(piece.end for piece in pieces)]
    return all(piece.rows > 0 and piece.first == end for piece, end in zip(pieces, ends, strict=False))


def wrong_at_sight(home: Path, part: Part) -> str | None:
    """What is wrong with a part by the sizes and first bytes of its files; None if nothing is."""
    for name, (size, _, head) in part.files.items():
        path = home / part.folder / name
        try:
            if (held := os.stat(path).st_size) != size:
                return f"{path} has {held} bytes, {size} were written"
            if crc_of(path, HEAD) != head:
                return f"{path} is damaged: its checksum does not fit its content"
        except OSError as error:
            return f"{path}: {error.strerror or error}"
        except CorruptionError as error:
            return str(error)
    return None


def wrong_content(home: Path, part: Part) -> str | None:
    """What is wrong with a part after reading all of it; None where nothing is."""
    if said := wrong_at_sight(home, part):
        return said
    for name, (_, crc, _) in part.files.items():
        path = home / part.folder / name
        try:
            if crc_of(path) != crc:
                return f"{path} is damaged: its checksum does not fit its content"
        except CorruptionError as error:
            return str(error)
    return None


def crc_of(path: Path, most: int | None = None) -> int:
    """The CRC-32 of a file's content, or of its first bytes; raises CorruptionError where it cannot be read."""
    crc = 0
    try:
        with open(path, "rb", buffering=0) as file:
            while part := file.read(PART if most is None else most):
                crc = zlib.crc32(part, crc)
                if most is not None:
                    break
    except OSError as error:
        raise CorruptionError(f"{path}: {error.strerror or error}") from error
    return crc


def home_of(folder: Path, area: str) -> Path:
    """The folder of an area's derived files, "lexical", or "indexes/" and the name of a space.

    Raises InputError for an area that has none.
    """
    top, *below = PurePosixPath(area).parts or [""]
    if top not in DERIVED or any(name.startswith(".") or NUMBERED.fullmatch(name) for name in below):
        raise InputError(f"{area!r} is no area of derived data; there are {', '.join(sorted(DERIVED))}")
    return folder / area


def homes(folder: Path) -> Iterator[Path]:
    """The folders of a collection's indexes, one a space."""
    home = folder / INDEXES
    for name in sorted(names(home)):
        if not name.startswith(".") and (home / name).is_dir():
            yield home / name


def names(home: str | Path) -> list[str]:
    """What is in a folder; nothing where none was made yet."""
    try:
        return os.listdir(home)
    except OSError:
        return []
