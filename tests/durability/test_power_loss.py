"""Power lost at any moment: whatever the disk kept of what was not synced, the last acknowledged state is there.

A disk may keep any part of the writes since a file's last sync, in pages of 4 KiB, in any order, and any of the names
since the folder's last sync. SQLite's own files are taken as they were at its last commit, which it synced.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from losing import Losing, outcomes
from storing import OTHER, block, both, content, document, expected, new_store

from twofold.block import Block
from twofold.engines.local.description import Description
from twofold.engines.local.engine import Store
from twofold.engines.local.spaces import segments
from twofold.space import MAIN

BLOCKS = [
    block([document("a"), document("b")], rows=[2, 3]),
    block([document(f"many {number}") for number in range(6)], rows=100),  # more than a page, over two segments
    block([document("a", "another text")], rows=700),
    block([document("c"), document("b", "again")], rows=[1, 0]),
]


@pytest.fixture(autouse=True)
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "SEGMENT_ROWS", 500)


def written(folder: Path, blocks: list[Block], *, other: bool = False) -> Losing:
    """Writes the blocks, each one commit, and gives every moment at which power may be lost."""
    disk = Losing(folder)
    with new_store(folder, disk, other=other) as store, store.writing() as writer:
        for each in blocks:
            writer.commit(each)
    assert disk.acknowledged == len(blocks) + other
    return disk


def survives(tmp_path: Path, draws: int, *, other: bool = False) -> int:
    """Checks every outcome, goes on writing in it, and gives how many there were."""
    spaces = (MAIN, OTHER) if other else (MAIN,)
    sent = list(map(both, BLOCKS)) if other else BLOCKS
    after = block([document("after")], rows=2)
    disk, count = written(tmp_path / "c", sent, other=other), 0
    (tmp_path / "left").mkdir()
    for commits, left in outcomes(tmp_path / "left", disk, draws):
        acknowledged = commits - other  # the first began the other space
        if len(Description.read(left).spaces) < len(spaces):
            continue  # power was lost before the second space was there
        count += 1
        with Store.open(left) as store:
            rest = [*sent[acknowledged:], both(after) if other else after]
            assert store.verify().damage == []
            for space in spaces:
                assert content(store, space) == expected(sent[:acknowledged], space)
            with store.writing() as writer:
                for each in rest:
                    writer.commit(each)
            for space in spaces:
                assert content(store, space) == expected([*sent, rest[-1]], space)
            assert store.verify().damage == []
    return count


def test_whatever_a_disk_kept_the_last_acknowledged_state_is_there_and_writing_goes_on(tmp_path: Path) -> None:
    assert survives(tmp_path, 2) > 40


def test_with_two_spaces_both_hold_the_last_acknowledged_state(tmp_path: Path) -> None:
    assert survives(tmp_path, 1, other=True) > 40


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
