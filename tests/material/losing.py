"""A disk that loses power: what it surely kept, what it may have kept, and the folders that it may show afterwards."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from twofold.engines.local.disk import Disk

PAGE = 4096
DATABASE = ("catalogue.sqlite", "catalogue.sqlite-wal")


def held(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


Index = dict[str, dict[str, bytes]]
"""Manifest, or part of an index, with its space → its files."""


def indexes_of(folder: Path) -> Index:
    """All that the folders of indexes hold."""
    found: Index = {}
    for file in (folder / "indexes").glob("*/**/*"):
        if file.is_file():
            space, entry, *_ = file.relative_to(folder / "indexes").parts
            found.setdefault(f"{space}/{entry}", {})[str(file.relative_to(folder / "indexes"))] = file.read_bytes()
    return found


class Losing(Disk):
    """Remembers of every vector file what is surely kept, and what may be; of SQLite's files the last commit; of an
    index what its folder held when that was last synced, and what it holds.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.kept: dict[str, bytes] = {}
        self.named: set[str] = set()
        self.removed: set[str] = set()
        self.pending: dict[str, list[tuple[int, bytes]]] = {}
        self.database: dict[str, bytes] = {}
        self.description = held(folder / "collection.json")
        self.indexes = indexes_of(folder)
        self.acknowledged = 0
        self.moments: list[dict[str, Any]] = []

    def publish(self, path: str | Path, content: bytes) -> None:
        super().publish(path, content)
        if Path(path).name == "collection.json":
            self.description = content
        self._keep_index(Path(path).parent)
        self._moment()

    def write(self, descriptor: int, path: str | Path, data: bytes | memoryview, offset: int) -> None:
        super().write(descriptor, path, data, offset)
        if Path(path).suffix == ".f16":
            self._changed(self.key(path), offset, bytes(memoryview(data).cast("B")))

    def sync(self, descriptor: int, path: str | Path) -> None:
        super().sync(descriptor, path)
        if Path(path).suffix == ".f16":
            self.kept[self.key(path)] = Path(path).read_bytes()
            self.pending.pop(self.key(path), None)
        self._moment()

    def sync_folder(self, path: str | Path) -> None:
        super().sync_folder(path)
        if Path(path).parent.name == "vectors":
            here = {self.key(each) for each in Path(path).iterdir()}
            self.named = {name for name in self.named if Path(name).parent.name != Path(path).name} | here
        self._keep_index(Path(path))
        self._moment()

    def remove(self, path: str | Path) -> None:
        super().remove(path)
        self.removed.add(self.key(path))
        self._moment()

    def reached(self, step: str) -> None:
        if step in ("created", "committed", "compacted"):
            self.database = {
                name: (self.folder / name).read_bytes() for name in DATABASE if (self.folder / name).exists()
            }
            self.acknowledged += step == "committed"
        self._moment()

    def remove_tree(self, path: str | Path) -> None:
        super().remove_tree(path)
        self._moment()

    def rename(self, path: str | Path, target: str | Path) -> None:
        super().rename(path, target)
        self._moment()

    def _keep_index(self, home: Path) -> None:
        """Once its folder is synced, an index stays as it is then."""
        if home.parent.name == "indexes":
            others = {key: files for key, files in self.indexes.items() if not key.startswith(f"{home.name}/")}
            here = {key: files for key, files in indexes_of(self.folder).items() if key.startswith(f"{home.name}/")}
            self.indexes = {**others, **here}

    def key(self, path: str | Path) -> str:
        """The name of a vector file with the folder of its space."""
        return f"{Path(path).parent.name}/{Path(path).name}"

    def _changed(self, name: str, offset: int, data: bytes) -> None:
        """Cuts a write into the pages that may be kept one by one."""
        start = 0
        while start < len(data):
            end = min(len(data), start + PAGE - (offset + start) % PAGE)
            self.pending.setdefault(name, []).append((offset + start, data[start:end]))
            start = end
        self._moment()

    def _moment(self) -> None:
        self.moments.append(
            {
                "kept": dict(self.kept),
                "named": set(self.named),
                "removed": set(self.removed),
                "pending": {name: list(writes) for name, writes in self.pending.items()},
                "database": dict(self.database),
                "description": self.description,
                "indexes": self.indexes,
                "indexes now": indexes_of(self.folder),
                "note": held(self.folder / "acknowledged"),
                "acknowledged": self.acknowledged,
            }
        )


def left_by(moment: dict[str, Any], folder: Path, draw: random.Random) -> None:
    """One of the many folders that a disk may show after a power loss at this moment."""
    for name, whole in moment["database"].items():
        (folder / name).write_bytes(whole)
    if draw.random() < 0.8:  # it is never synced
        (folder / "acknowledged").write_bytes(moment["note"])
    (folder / "collection.json").write_bytes(moment["description"])
    for each in ("main", "other"):
        (folder / "vectors" / each).mkdir(parents=True)
    for name in {*moment["kept"], *moment["pending"]}:
        if (name not in moment["named"] or name in moment["removed"]) and draw.random() < 0.5:
            continue
        left = bytearray(moment["kept"].get(name, b""))
        share = draw.choice([0.0, 0.5, 1.0])
        for offset, data in moment["pending"].get(name, []):
            if draw.random() < share:
                left.extend(bytes(max(0, offset + len(data) - len(left))))
                left[offset : offset + len(data)] = data
        (folder / "vectors" / name).write_bytes(left)
    _left_of_indexes(moment["indexes"], moment["indexes now"], folder / "indexes", draw)


def _left_of_indexes(kept: Index, now: Index, folder: Path, draw: random.Random) -> None:
    """Each manifest and part as it was when the folder was last synced, or as it is; what is neither, in part."""
    for entry in sorted({*kept, *now}):
        source = draw.choice([kept, now])
        for name, content in source.get(entry, {}).items():
            surely = kept.get(entry) == now.get(entry)
            if surely or draw.random() < 0.7:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(content)


def outcomes(folder: Path, disk: Losing, draws: int) -> Iterator[tuple[int, Path]]:
    """(blocks acknowledged, what is left) for every moment since the creation, so many times each."""
    draw = random.Random(17)
    for number, moment in enumerate(disk.moments):
        for again in range(draws if moment["database"] else 0):
            left = folder / f"{number}-{again}"
            left.mkdir()
            left_by(moment, left, draw)
            yield moment["acknowledged"], left
            shutil.rmtree(left)
