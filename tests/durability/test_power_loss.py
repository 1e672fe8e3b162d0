"""Power lost at any moment: whatever the disk kept of what was not synced, the last acknowledged state is there.

A disk may keep any part of the writes since a file's last sync, in pages of 4 KiB, in any order, and any of the names
since the folder's last sync. SQLite's own files are taken as they were at its last commit, which it synced.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from storing import block, content, document, expected, new_store

from twofold.storage import segments
from twofold.storage.block import Block
from twofold.storage.disk import Disk
from twofold.storage.store import Store

PAGE = 4096
DATABASE = ("catalogue.sqlite", "catalogue.sqlite-wal")
BLOCKS = [
    block([document("a"), document("b")], rows=[2, 3]),
    block([document(f"many {number}") for number in range(6)], rows=100),  # more than a page, over two segments
    block([document("a", "another text")], rows=700),
    block([document("c"), document("b", "again")], rows=[1, 0]),
]


@pytest.fixture(autouse=True)
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "SEGMENT_ROWS", 500)


def held(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


class Losing(Disk):
    """Remembers of every vector file what is surely kept, and what may be; of SQLite's files the last commit."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.kept: dict[str, bytes] = {}
        self.named: set[str] = set()
        self.pending: dict[str, list[tuple[int, bytes]]] = {}
        self.database: dict[str, bytes] = {}
        self.acknowledged = 0
        self.moments: list[dict[str, Any]] = []

    def write(self, descriptor: int, path: str | Path, data: bytes | memoryview, offset: int) -> None:
        super().write(descriptor, path, data, offset)
        if Path(path).suffix == ".f16":
            self._changed(Path(path).name, offset, bytes(memoryview(data).cast("B")))

    def sync(self, descriptor: int, path: str | Path) -> None:
        super().sync(descriptor, path)
        if Path(path).suffix == ".f16":
            self.kept[Path(path).name] = Path(path).read_bytes()
            self.pending.pop(Path(path).name, None)
        self._moment()

    def sync_folder(self, path: str | Path) -> None:
        super().sync_folder(path)
        if Path(path).name == "vectors":
            self.named = {each.name for each in Path(path).iterdir()}
        self._moment()

    def reached(self, step: str) -> None:
        if step in ("created", "committed"):
            self.database = {
                name: (self.folder / name).read_bytes() for name in DATABASE if (self.folder / name).exists()
            }
            self.acknowledged += step == "committed"
        self._moment()

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
                "pending": {name: list(writes) for name, writes in self.pending.items()},
                "database": dict(self.database),
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
    (folder / "vectors").mkdir()
    for name in {*moment["kept"], *moment["pending"]}:
        if name not in moment["named"] and draw.random() < 0.5:
            continue
        left = bytearray(moment["kept"].get(name, b""))
        share = draw.choice([0.0, 0.5, 1.0])
        for offset, data in moment["pending"].get(name, []):
            if draw.random() < share:
                left.extend(bytes(max(0, offset + len(data) - len(left))))
                left[offset : offset + len(data)] = data
        (folder / "vectors" / name).write_bytes(left)


def written(folder: Path, blocks: list[Block]) -> Losing:
    """Writes the blocks, each one commit, and gives every moment at which power may be lost."""
    disk = Losing(folder)
    with new_store(folder, disk) as store, store.writing() as writer:
        for each in blocks:
            writer.commit(each)
    assert disk.acknowledged == len(blocks)
    return disk


def outcomes(folder: Path, disk: Losing, draws: int) -> Iterator[tuple[int, Path]]:
    """(blocks acknowledged, what is left) for every moment since the creation, so many times each."""
    draw = random.Random(17)
    for number, moment in enumerate(disk.moments):
        for again in range(draws if moment["database"] else 0):
            left = folder / f"{number}-{again}"
            left.mkdir()
            shutil.copy(disk.folder / "collection.json", left)
            left_by(moment, left, draw)
            yield moment["acknowledged"], left
            shutil.rmtree(left)


def survives(tmp_path: Path, draws: int) -> int:
    """Checks every outcome, goes on writing in it, and gives how many there were."""
    disk, count = written(tmp_path / "c", BLOCKS), 0
    (tmp_path / "left").mkdir()
    for acknowledged, left in outcomes(tmp_path / "left", disk, draws):
        count += 1
        with Store.open(left) as store:
            assert store.verify().damage == []
            assert content(store) == expected(BLOCKS[:acknowledged])
            rest = [*BLOCKS[acknowledged:], block([document("after")], rows=2)]
            with store.writing() as writer:
                for each in rest:
                    writer.commit(each)
            assert content(store) == expected([*BLOCKS, rest[-1]])
            assert store.verify().damage == []
    return count


def test_whatever_a_disk_kept_the_last_acknowledged_state_is_there_and_writing_goes_on(tmp_path: Path) -> None:
    assert survives(tmp_path, 2) > 40


@pytest.mark.long
def test_thousands_of_outcomes_of_a_power_loss_hold_the_last_acknowledged_state(tmp_path: Path) -> None:
    count = survives(tmp_path, 100)
    print(f"{count} outcomes")
    assert count > 2_000


@pytest.mark.parametrize("forgotten", ["sync", "sync_folder"])
def test_a_forgotten_sync_would_be_seen(tmp_path: Path, forgotten: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a sync the disk may keep nothing, and an outcome shows it: the test above has teeth."""
    monkeypatch.setattr(Losing, forgotten, lambda *_: None)
    disk = written(tmp_path / "c", BLOCKS)
    (tmp_path / "left").mkdir()
    lost = 0
    for acknowledged, left in outcomes(tmp_path / "left", disk, 3):
        with Store.open(left) as store:
            lost += acknowledged > 0 and not store.verify().clean
    assert lost > 0
