"""The manifest of an index: its folders, the rows from which they were built, and the measurements.

An index is derived data: it can be rebuilt from catalogue and vectors. It consists of pieces, each a folder that covers
a stretch of rows and is never changed; a manifest beside them lists the pieces in use; other folders are ignored. A
piece that is damaged, or was made from other vectors, is not used, nor are those after it; their rows are searched
exactly.

The name of a manifest says of which generation its rows are. So a compaction, which numbers rows anew, writes the next
manifest before its commit, and a reader finds its own, whichever commit it sees.
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
MANIFEST = re.compile(r"manifest-(\d+)\.json")
"""The name of a manifest; its number is the generation."""
INDEXES = "indexes"
"""The area whose folders have manifests; the others belong to engines that keep their own files."""
PART = 2**20
"""Bytes of a file that are read at a time."""
HEAD = 4_096
"""Bytes of a file that are checked before it is opened: a library trusts the counts at its beginning, and a wrong one
may end the process."""
NUMBERED = re.compile(r"\d{6}")
Stamp = tuple[int, int, int, int]


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
class Translation(Part):
    """A part that says what became of the rows of a piece: of the `rows` that its files have numbers for, which are
    left, and as which of the piece's rows.
    """

    rows: int

    def to_json(self) -> dict[str, Any]:
        """The translation as JSON values."""
        return {**super(Translation, self).to_json(), "rows": self.rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece(Part):
    """A part that covers `rows` rows from `first` on. vectors: the fingerprint of exactly these.

    translation: None where its files have a number for each of these rows, and for no other.
    """

    first: int
    rows: int
    vectors: str
    translation: Translation | None = None

    @property
    def end(self) -> int:
        """The first row behind it."""
        return self.first + self.rows

    @property
    def gone(self) -> int:
        """Rows that its files have numbers for and that a compaction dropped."""
        return 0 if self.translation is None else self.translation.rows - self.rows

    @property
    def parts(self) -> list[Part]:
        """What it consists of."""
        return [self] if self.translation is None else [self, self.translation]

    def to_json(self) -> dict[str, Any]:
        """The piece as JSON values."""
        translation = None if self.translation is None else self.translation.to_json()
        rest = {"first": self.first, "rows": self.rows, "vectors": self.vectors, "translation": translation}
        return {**super(Piece, self).to_json(), **rest}


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
        return sum(part.bytes for piece in self.pieces for part in piece.parts)

    @property
    def parts(self) -> list[Part]:
        """All parts in it."""
        of_pieces = [part for piece in (*self.pieces, *self.lost) for part in piece.parts]
        return [*of_pieces, *([] if self.beside is None else [self.beside])]

    @property
    def file(self) -> Path:
        """Where it stands."""
        return file_of(self.home, self.generation)

    def path(self, part: Part) -> Path:
        """Where a part of it lies."""
        return self.home / part.folder

    def whole_at_sight(self, piece: Piece) -> bool:
        """Whether nothing is wrong with a piece as far as sizes and beginnings of its files tell."""
        return all(wrong_at_sight(self.home, part) is None for part in piece.parts)

    def limited(self, usable: Callable[[Piece], bool]) -> Manifest:
        """The same with its first pieces, as far as they can be used."""
        kept = tuple(takewhile(usable, self.pieces))
        return self if len(kept) == len(self.pieces) else replace(self, pieces=kept, lost=self.pieces[len(kept) :])


class Manifests:
    """The manifests of a collection's indexes, read again only after they were replaced."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Stamp, Manifest | None]] = {}

    def at(self, home: Path, generation: int) -> Manifest | None:
        """The index in a folder over the rows of a generation; None where there is none, or nothing that can be read.

        It has its first pieces, as far as sizes and first bytes of their files are right.
        """
        file = file_of(home, generation)
        try:
            found = os.stat(file)
        except OSError:
            return None
        stamp = generation, found.st_mtime_ns, found.st_ino, found.st_size
        known = self._known.get(str(home))
        if known is None or known[0] != stamp:
            known = self._known[str(home)] = stamp, _sound(file)
        return known[1]


def _sound(file: Path) -> Manifest | None:
    try:
        manifest = read(file)
    except (CorruptionError, FormatError):
        return None
    return None if manifest is None else manifest.limited(manifest.whole_at_sight)


def written(fields: Mapping[str, Any]) -> bytes:
    """The content of a manifest."""
    return checked_json(fields, FORMAT)


def read(path: Path) -> Manifest | None:
    """A manifest as it was published; None where there is none. path: as `file_of` or `manifests` gives it.

    Raises CorruptionError; FormatError for one that a newer Twofold made.
    """
    try:
        fields = parse_checked_json(path.read_bytes(), FORMAT, path=path)
        pieces = tuple(map(_piece, fields.pop("pieces")))
        beside = fields.pop("beside")
        beside = None if beside is None else Part(**_with_files(beside))
        manifest = Manifest(home=path.parent, pieces=pieces, beside=beside, **fields)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CorruptionError(f"{path}: {error.strerror or error}") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise CorruptionError(f"{path} is damaged: {error}") from error
    if not _consecutive(pieces) or not all(NUMBERED.fullmatch(part.folder) for part in manifest.parts):
        raise CorruptionError(f"{path} is damaged: its pieces do not follow one another")
    if manifest.file.name != path.name:
        raise CorruptionError(f"{path} is damaged: it says that it is of generation {manifest.generation}")
    return manifest


def _piece(fields: Mapping[str, Any]) -> Piece:
    translation = fields["translation"]
    translation = None if translation is None else Translation(**_with_files(translation))
    return Piece(**{**_with_files(fields), "translation": translation})


def _with_files(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {**fields, "files": {name: (size, crc, head) for name, (size, crc, head) in fields["files"].items()}}


def _consecutive(pieces: tuple[Piece, ...]) -> bool:
    ends = [0, *(piece.end for piece in pieces)]
    return all(
        piece.rows > 0 and piece.gone >= 0 and piece.first == end for piece, end in zip(pieces, ends, strict=False)
    )


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


def file_of(home: Path, generation: int) -> Path:
    """The manifest in the folder of an index, for the rows of a generation."""
    return home / f"manifest-{generation}.json"


def manifests(home: Path) -> dict[int, Path]:
    """The manifests in the folder of an index by their generations, ascending: one, while nobody compacts."""
    found = {int(match[1]): home / match[0] for match in map(MANIFEST.fullmatch, names(home)) if match}
    return dict(sorted(found.items()))


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
