"""One commit pinned by a catalogue transaction, with the segment files of all its spaces mapped; views share it."""

from __future__ import annotations

import sqlite3
import weakref

from twofold.engines.local.catalogue.connections import Lease
from twofold.engines.local.catalogue.filtering import FilterCache
from twofold.engines.local.catalogue.live import LiveDocuments
from twofold.engines.local.catalogue.records import read_segments
from twofold.engines.local.catalogue.rows import RowsCache
from twofold.engines.local.catalogue.schema import Head, SpaceHead
from twofold.engines.local.derived.manifest import Manifests
from twofold.engines.local.description import Description
from twofold.engines.local.folder import AGAIN, Folder
from twofold.engines.local.layout import home_of_space
from twofold.engines.local.spaces.maps import Piece, SegmentMaps
from twofold.engines.local.spaces.segments import Segment
from twofold.errors import CorruptionError, MovedError
from twofold.space import Space


class Kept:
    """What is kept of a space from one commit to the next."""

    def __init__(self) -> None:
        self.rows = RowsCache()
        self.live = LiveDocuments()
        self.filters = FilterCache()

    def after_fork_in_child(self) -> None:
        """Makes locks of the child's own."""
        for each in (self.rows, self.live, self.filters):
            each.after_fork_in_child()


class DerivedSpace:
    """What all snapshots share of one space: arrays, maps and answers that were derived from the catalogue."""

    def __init__(self, folder: Folder, space: Space) -> None:
        self.maps = SegmentMaps(home_of_space(folder.inside, space.name), space)
        self.kept = Kept()
        self.manifests = Manifests()
        self.fingerprints: dict[tuple[int, int, int], str] = {}
        """(generation, first row, end) → the fingerprint of these rows, which never changes."""

    def after_fork_in_child(self) -> None:
        """Makes locks of the child's own."""
        self.maps.after_fork_in_child()
        self.kept.after_fork_in_child()


class Derived:
    """What all snapshots of a collection share."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder  # its descriptor stays open for as long as a snapshot needs it
        self._spaces: dict[tuple[str, int], DerivedSpace] = {}
        self.latest = 0
        """No snapshot from now on is of an earlier commit."""

    def of(self, space: Space, begun: int) -> DerivedSpace:
        """What is shared of the space of this name that was begun in a commit; earlier ones of the name are let go."""
        key = (space.name, begun)
        if key not in self._spaces:
            kept = {other: value for other, value in list(self._spaces.items()) if other[0] != space.name}
            self._spaces = {**kept, key: DerivedSpace(self.folder, space)}
        return self._spaces[key]

    def keep(self, names: frozenset[str]) -> None:
        """Lets go of spaces that are no more."""
        if any(name not in names for name, _ in self._spaces):
            self._spaces = {key: value for key, value in list(self._spaces.items()) if key[0] in names}

    def seen(self, commit: int, before: int) -> None:
        """Notes the commit of a snapshot that was begun when `latest` was `before`.

        Raises MovedError where it is earlier: an older copy was written over the files.
        """
        if commit < before:
            raise MovedError(
                f"{self.folder.path} is at commit {commit} and was at {before} before: an older copy was written over "
                f"it after it was opened. {AGAIN}"
            )
        self.latest = max(self.latest, commit)

    def after_fork_in_child(self) -> None:
        """Makes locks of the child's own."""
        for each in self._spaces.values():
            each.after_fork_in_child()


class Pinned:
    """One commit. description: what collection.json said before it was pinned. head: what the commit left."""

    def __init__(self, lease: Lease, derived: Derived, description: Description) -> None:
        self.lease = lease
        self.derived = derived
        self.description = description
        self._heads: dict[str, SpaceHead] = {}
        self._segments: dict[str, list[Segment]] = {}
        self._pieces: dict[str, list[Piece]] = {}
        latest = derived.latest
        with lease.held() as connection:
            self.head = _begun(connection)
            while not self._mapped():
                connection.execute("ROLLBACK")
                before, self.head = self.head, _begun(connection)
                if self.head.generation == before.generation:
                    break  # it is damage, and whoever needs the vectors will hear of it
        derived.seen(self.head.commit, latest)
        self._end = weakref.finalize(self, lease.close)

    def close(self) -> None:
        """Lets the commit go; twice does nothing."""
        self._end()

    def of(self, name: str) -> SpaceHead:
        """The commit as one space has it."""
        if name not in self._heads:
            self._heads[name] = self.head.of(name)
        return self._heads[name]

    def shared(self, name: str) -> DerivedSpace:
        """What snapshots share of a space."""
        return self.derived.of(self.description.space(name), self.of(name).begun)

    def segments(self, name: str) -> list[Segment]:
        """The segment files of a space, as the commit knows them."""
        with self.lease.held() as connection:
            if not self._segments.get(name):
                self._segments[name] = read_segments(connection, self.of(name))
            return self._segments[name]

    def pieces(self, name: str) -> list[Piece]:
        """The rows of a space, ascending, no gaps."""
        if name not in self._pieces:
            self._pieces[name] = self.shared(name).maps.pieces(self.segments(name))
        return self._pieces[name]

    def _mapped(self) -> bool:
        """Maps the vectors while their files are there: a compaction may remove them once the snapshot is made."""
        self._heads, self._segments, self._pieces = {}, {}, {}
        try:
            for space in self.description.spaces:
                self.pieces(space.name)
        except CorruptionError:
            return False
        return True


def _begun(connection: sqlite3.Connection) -> Head:
    connection.execute("BEGIN")
    return Head.read(connection)
