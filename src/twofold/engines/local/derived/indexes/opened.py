"""Searching with a collection's index: its pieces opened, beside exact search of the rows that they lack."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from twofold.engines.local.derived.indexes.about import area_of, standing
from twofold.engines.local.derived.manifest import Manifest, Piece
from twofold.engines.local.derived.translating import mapped
from twofold.engines.local.snapshot import StoredSnapshot
from twofold.engines.local.spaces.exact import ExactSearch
from twofold.engines.local.spaces.indexed import IndexedSearch
from twofold.engines.local.spaces.nearest import NearestSearch
from twofold.errors import CorruptionError, InputError
from twofold.indexes.flat import FlatIndex
from twofold.indexes.kinds import KINDS, IndexSettings, load
from twofold.indexes.pieces import PiecewiseIndex
from twofold.indexes.translated import TranslatedIndex
from twofold.protocols import VectorIndex

Key = tuple[str, tuple[tuple[str, str, int, int, int], ...], IndexSettings]


class Indexes:
    """The opened index of a collection, shared by its searchers; two threads may open the same piece at once.

    A piece that was opened is kept for as long as the index names it; one that could not be opened is not tried again
    until the index is replaced.
    """

    def __init__(self) -> None:
        self._opened: dict[Key, VectorIndex] = {}
        self._damaged: set[tuple[str, str]] = set()

    def search(self, snapshot: StoredSnapshot, *, exact: bool) -> NearestSearch:
        """The search of a snapshot: by its index, or exactly if there is none or `exact` is set."""
        all_rows = ExactSearch(snapshot, FlatIndex(snapshot))
        while not exact and (found := standing(snapshot)) is not None:
            built, about = found
            if about.is_flat or not built.pieces:
                break
            pieces = self._usable(built, about.settings)
            if len(pieces) == len(built.pieces) or not _replaced(snapshot, built):
                return beside(snapshot, pieces, about.settings, all_rows) if pieces else all_rows
        return all_rows

    def _usable(self, built: Manifest, settings: IndexSettings) -> list[VectorIndex]:
        """The first pieces, as far as they can be opened: a damaged one is not used, and `verify` reports it."""
        opened: dict[Key, VectorIndex] = {}
        for piece in built.pieces:
            key = _key(piece, settings)
            index = self._opened.get(key)
            if index is None and (built.checksum, piece.folder) not in self._damaged:
                index = _opened(built.home, piece, settings)
            if index is None or index.rows != piece.rows:
                self._damaged = {(built.checksum, piece.folder)}
                break
            opened[key] = index
        self._opened = opened
        return list(opened.values())


def beside(
    snapshot: StoredSnapshot, pieces: Sequence[VectorIndex], settings: IndexSettings, exact: NearestSearch
) -> IndexedSearch:
    """A search by an index of these pieces, with the rows that they lack searched exactly."""
    index = PiecewiseIndex(pieces)
    covers_all = index.rows >= snapshot.head.next_row
    tail = None if covers_all else FlatIndex(snapshot, first=index.rows)
    candidates = settings.effort if KINDS[settings.kind].scores_more else 0
    return IndexedSearch(snapshot, index, tail=tail, exact=exact, candidates=candidates)


def open_piece(home: Path, piece: Piece, settings: IndexSettings) -> VectorIndex:
    """A piece of an index, whose bytes were checked; home: the folder of the index. Raises CorruptionError."""
    index = load(settings, home / piece.folder)
    if piece.translation is None:
        return index
    try:
        return TranslatedIndex(index, mapped(home, piece.translation), piece.rows)
    except (OSError, ValueError) as error:
        raise CorruptionError(
            f"{home / piece.translation.folder} does not fit {home / piece.folder}: {error}"
        ) from error


def _key(piece: Piece, settings: IndexSettings) -> Key:
    """Identifies an opened piece: a folder's number may be reused."""
    files = ((part.folder, name, *part.files[name]) for part in piece.parts for name in sorted(part.files))
    return piece.folder, tuple(files), settings


def _opened(home: Path, piece: Piece, settings: IndexSettings) -> VectorIndex | None:
    try:
        return open_piece(home, piece, settings)
    except (CorruptionError, InputError):
        return None


def _replaced(snapshot: StoredSnapshot, built: Manifest) -> bool:
    """Whether a writer has published another index, and so removed what could not be opened."""
    now = snapshot.built(area_of(snapshot))
    return now is not None and now.checksum != built.checksum
