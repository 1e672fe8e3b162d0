"""Publishing a build: filled aside, every file synced and described, renamed; then the older ones go.

A crash leaves the build that was there or the new one, whole, and folders with names of their own that the next writer
removes. No commit of the catalogue is needed: nothing in a build is the truth.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from twofold.engines.local.derived.builds import (
    MANIFEST,
    Built,
    Covered,
    crc_of,
    folders,
    home_of,
    names,
    read,
    whole,
    written,
)
from twofold.engines.local.disk import Disk
from twofold.engines.local.layout import DERIVED
from twofold.errors import InputError, StorageError
from twofold.files import refused

UNFINISHED = ".unfinished"
_LEFT = re.compile(r"\.unfinished|\.\d{6}")
"""Folders that only a stopped writer leaves: a build half filled, or one that was being removed."""

Fill = Callable[[Path], None]
"""Writes a build's files into an empty folder."""


class Publisher:
    """What a writer may do to the derived folders of its collection."""

    def __init__(self, folder: Path, disk: Disk) -> None:
        self._folder = folder
        self._disk = disk

    def made(self, room: str) -> Path:
        """The folder of a room, made and its name synced where it is missing. Raises InputError, StorageError."""
        home = home_of(self._folder, room)
        if not home.is_dir():
            self._disk.make_folder(home)
            self._disk.sync_folder(self._folder)
        return home

    def publish(self, room: str, fill: Fill, about: Mapping[str, Any], covered: Covered) -> Built:
        """Makes a build of these rows; raises what `fill` raises, InputError, StorageError."""
        home = self.made(room)
        aside = home / UNFINISHED
        self._disk.remove_tree(aside)
        self._disk.make_folder(aside)
        try:
            _filled(aside, fill)
            self._disk.reached("build filled")
            self._disk.publish(aside / MANIFEST, written(covered, about, self._synced(aside)))
            before = folders(home)
            target = home / f"{int(before[0].name) + 1 if before else 1:06d}"
            self._disk.reached("build synced")
            self._disk.rename(aside, target)
            self._disk.sync_folder(home)
        except BaseException:
            with suppress(StorageError):
                self._disk.remove_tree(aside)
            raise
        self._disk.reached("build published")
        for older in before:
            self._drop(older)
        return read(target)

    def clear(self, room: str) -> None:
        """Throws a room's folder away with all that is in it. Raises InputError, StorageError."""
        self._disk.remove_tree(home_of(self._folder, room))
        self._disk.sync_folder(self._folder)

    def remove(self, path: Path) -> None:
        """Takes one build away: out of its name first, so that no half of it ever stands under it."""
        aside = path.with_name(f".{path.name}")
        self._disk.remove_tree(aside)
        self._disk.rename(path, aside)
        self._disk.remove_tree(aside)

    def tidy(self, generation: int) -> None:
        """Removes what a stopped writer left, and builds that a newer one or a newer generation has replaced."""
        for room in sorted(DERIVED):
            found = names(self._folder / room)
            for left in filter(_LEFT.fullmatch, found):
                with suppress(StorageError):  # it is in nobody's way; the next writer tries again
                    self._disk.remove_tree(self._folder / room / left)
            replaced = False
            for each in whole(self._folder / room) if found else ():
                if replaced or each.covered.generation < generation:
                    self._drop(each.path)
                replaced = replaced or each.covered.generation == generation

    def _drop(self, path: Path) -> None:
        with suppress(StorageError):  # as above
            self.remove(path)
            self._disk.reached("older build removed")

    def _synced(self, folder: Path) -> dict[str, tuple[int, int]]:
        """Syncs all that is in a folder, from the inside; gives name → (bytes, CRC-32) of its files."""
        found: dict[str, tuple[int, int]] = {}
        for inner, inside in _inside(folder):
            for name in sorted(inside):
                path = inner / name
                if not path.is_file() or path.is_symlink():
                    raise InputError("a build holds plain files and folders, nothing else", path=path)
                with self._disk.opened(path, os.O_RDWR) as descriptor:
                    self._disk.sync(descriptor, path)
                found[path.relative_to(folder).as_posix()] = (path.stat().st_size, crc_of(path))
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
