"""Publishing an index: parts are written aside and synced, then one rename of the manifest publishes them.

A crash leaves the manifest that was there or the new one, whole, and folders that none of them names, which the next
writer removes. No commit of the catalogue is needed, since an index is derived data. Where a commit numbers the rows
anew, the manifest for the rows to come is published before it, under a name of its own; the other one goes after it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from twofold.engines.local.derived.manifest import (
    HEAD,
    NUMBERED,
    Manifest,
    Part,
    Piece,
    crc_of,
    file_of,
    home_of,
    homes,
    manifests,
    names,
    read,
    written,
)
from twofold.engines.local.disk import Disk
from twofold.errors import CorruptionError, FormatError, InputError, StorageError
from twofold.files import refused

UNFINISHED = ".unfinished"
_LEFT = re.compile(r"\.unfinished|\.manifest-\d+\.json\..*")
"""What only a stopped writer leaves: a part half filled, or a manifest half written."""

Fill = Callable[[Path], None]
"""Writes a part's files into an empty folder."""


class Publisher:
    """A writer's operations on the derived folders of its collection."""

    def __init__(self, folder: Path, disk: Disk) -> None:
        self._folder = folder
        self._disk = disk

    def made(self, area: str) -> Path:
        """The folder of an area, made and its name synced where it is missing. Raises InputError, StorageError."""
        home = home_of(self._folder, area)
        if not home.is_dir():
            self._disk.make_folder(home)
            self._disk.sync_folder(home.parent)
            self._disk.sync_folder(self._folder)
        return home

    def build(self, area: str, fill: Fill) -> Part:
        """Writes a new part, which is not used until a manifest names it.

        Raises what `fill` raises, InputError, StorageError.
        """
        home = self.made(area)
        aside = home / UNFINISHED
        self._disk.remove_tree(aside)
        self._disk.make_folder(aside)
        try:
            _filled(aside, fill)
            self._disk.reached("part filled")
            files = self._synced(aside)
            name = f"{max(map(int, filter(NUMBERED.fullmatch, names(home))), default=0) + 1:06d}"
            self._disk.reached("part synced")
            self._disk.rename(aside, home / name)
            self._disk.sync_folder(home)
        except BaseException:
            with suppress(StorageError):
                self._disk.remove_tree(aside)
            raise
        self._disk.reached("part named")
        return Part(folder=name, files=files)

    def publish(
        self, area: str, fields: Mapping[str, Any], pieces: Sequence[Piece], beside: Part | None
    ) -> Manifest | None:
        """Replaces the manifest of a generation, which is when the index changes, and removes what none names now.

        fields: commit, generation and about. Raises InputError, StorageError.
        """
        home = self.made(area)
        file = file_of(home, fields["generation"])
        parts = {"pieces": [each.to_json() for each in pieces], "beside": None if beside is None else beside.to_json()}
        self._disk.publish(file, written({**fields, **parts}))
        self._disk.reached("manifest published")
        self.sweep(area)
        return read(file)

    def withdraw(self, area: str, generation: int) -> None:
        """Removes the manifest of a generation, if there is one. Raises InputError, StorageError."""
        self._disk.remove_tree(file_of(home_of(self._folder, area), generation))

    def sweep(self, area: str) -> None:
        """Removes parts that no manifest names; where one cannot be read, all that is there is left."""
        self._sweep(home_of(self._folder, area))

    def discard(self, area: str, part: Part) -> None:
        """Removes a part that no manifest names. Raises InputError, StorageError."""
        self._disk.dropped(home_of(self._folder, area) / part.folder)

    def clear(self, area: str) -> None:
        """Removes an area's folder with its content. Raises InputError, StorageError."""
        home = home_of(self._folder, area)
        for file in manifests(home).values():
            self._disk.remove(file)  # first, so that it never names what is gone
        self._disk.dropped(home)
        self._disk.sync_folder(self._folder)

    def remove(self, path: Path) -> None:
        """Removes a damaged part or manifest. Raises StorageError."""
        self._disk.remove_tree(path)

    def ahead(self, generation: int) -> bool:
        """Whether there is a manifest for rows of a later generation, as a compaction leaves that did not commit."""
        return any(other > generation for home in homes(self._folder) for other in manifests(home))

    def tidy(self, generation: int) -> None:
        """Removes what a stopped writer left, and manifests of rows that were numbered otherwise."""
        for home in list(homes(self._folder)):
            for left in filter(_LEFT.fullmatch, names(home)):
                self._drop(home / left)
            for other, file in manifests(home).items():
                if other != generation:
                    self._drop(file)
            self._sweep(home)

    def _sweep(self, home: Path) -> None:
        try:
            standing = [manifest for file in manifests(home).values() if (manifest := read(file)) is not None]
        except (CorruptionError, FormatError):
            return
        kept = {part.folder for manifest in standing for part in manifest.parts}
        for name in sorted(filter(NUMBERED.fullmatch, names(home))):
            if name not in kept:
                self._drop(home / name)

    def _drop(self, path: Path) -> None:
        with suppress(StorageError):  # it is in nobody's way; the next writer tries again
            self._disk.remove_tree(path)
            self._disk.reached("leftover removed")

    def _synced(self, folder: Path) -> dict[str, tuple[int, int, int]]:
        """Syncs all that is in a folder, from the inside; gives its files as `Part` has them."""
        found: dict[str, tuple[int, int, int]] = {}
        for inner, inside in _inside(folder):
            for name in sorted(inside):
                path = inner / name
                if not path.is_file() or path.is_symlink():
                    raise InputError("an index holds plain files and folders, nothing else", path=path)
                with self._disk.opened(path, os.O_RDWR) as descriptor:
                    self._disk.sync(descriptor, path)
                found[path.relative_to(folder).as_posix()] = (path.stat().st_size, crc_of(path), crc_of(path, HEAD))
            self._disk.sync_folder(inner)
        return found


def _filled(folder: Path, fill: Fill) -> None:
    try:
        fill(folder)
    except OSError as error:
        raise refused(folder, error) from error


def _inside(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    for path, _, inside in os.walk(folder, topdown=False):
        yield folder / os.path.relpath(path, folder), inside
