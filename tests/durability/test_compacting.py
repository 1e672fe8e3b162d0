"""Compacting that is killed, refused, beside readers, or ends with a power loss: the old state or the new, whole."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from faults import dies, kill_at_step, killing, refusing, watched
from generations import beside_processes, beside_threads, write
from losing import Losing, outcomes
from storing import OTHER, block, both, content, document, expected, new_store

from twofold.collection.collection import Collection
from twofold.engines.local.derived.translating import mapped
from twofold.engines.local.engine import Store
from twofold.engines.local.snapshot import StoredSnapshot
from twofold.engines.local.spaces import segments
from twofold.engines.local.writer import Writer
from twofold.errors import StorageError
from twofold.space import MAIN

STEPS = [
    "vectors written",
    "segment created",
    "rows copied",
    "part filled",
    "part synced",
    "part named",
    "manifest published",
    "indexes kept",
    "recorded",
    "committed",
    "old segment removed",
    "leftover removed",
    "compacted",
]
BLOCKS = [
    block([document(f"a{n}") for n in range(6)], rows=[1, 2, 0, 3, 1, 2]),
    block([document("a1", "another"), *(document(f"b{n}") for n in range(4))], rows=[2, 1, 1, 2, 3]),
    block([document("a0", "a third"), document("c")], rows=5),
]
GONE = ["a3", "b1", "c"]
Whole = dict[str, dict[str, tuple[str, dict[str, Any], list[list[float]]]]]
"""Space → what it holds."""


@pytest.fixture(autouse=True)
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "SEGMENT_ROWS", 8)


def fill(snapshot: StoredSnapshot, first: int, end: int) -> Callable[[Path], None]:
    """A piece of an index whose file is the vectors of its rows, so that a test can tell what they were."""

    def filled(folder: Path) -> None:
        np.save(folder / "vectors.npy", snapshot.vectors(np.arange(first, end)))

    return filled


def index(store: Store, writer: Writer, space: str, *ends: int) -> None:
    """Publishes an index in pieces over the rows of a space."""
    area = f"indexes/{space}"
    with store.snapshot() as whole:
        snapshot = whole.in_space(space)
        pieces = [
            writer.build(area, fill(snapshot, first, end), first, end)
            for first, end in zip((0, *ends), (*ends, snapshot.head.next_row), strict=True)
        ]
        writer.publish(area, {"space": space}, pieces)


def made(folder: Path) -> Whole:
    """A collection of two spaces, each with an index, that has much to shed; gives what it holds.

    It was compacted once, so a piece has a translation, and another one will get its first.
    """
    with new_store(folder, other=True) as store:
        with store.writing() as writer:
            writer.commit(both(BLOCKS[0]))
            writer.commit(both(block([document(f"first {n}") for n in range(4)], rows=2)))
            index(store, writer, MAIN, 2, 12)
            index(store, writer, OTHER, 7)
            delete(store, writer, "first 1", "a5")
            writer.compact()
            for each in BLOCKS[1:]:
                writer.commit(both(each))
            delete(store, writer, *GONE, "first 2")
        whole = {space: content(store, space) for space in (MAIN, OTHER)}
        check_index(store)
    sent = [BLOCKS[0], block([document(f"first {n}") for n in (0, 3)], rows=2), *BLOCKS[1:]]
    right = expected(list(map(both, sent)))
    assert whole[MAIN] == {identifier: right[identifier] for identifier in right if identifier not in (*GONE, "a5")}
    return whole


def delete(store: Store, writer: Writer, *ids: str) -> None:
    with store.snapshot() as snapshot:
        writer.delete(list(snapshot.find(list(ids)).values()))


def compact(folder: Path) -> None:
    with Store.open(folder) as store, store.writing() as writer:
        writer.compact()


def check_index(store: Store) -> None:
    """That each space has its index, whole, and that each piece of it leads to the rows that it was built from."""
    with store.snapshot() as whole:
        for space in (MAIN, OTHER):
            snapshot = whole.in_space(space)
            built = snapshot.built(f"indexes/{space}")
            assert built is not None
            assert built.about == {"space": space}
            assert built.pieces
            assert built.lost == ()
            for piece in built.pieces:
                held = np.load(built.path(piece) / "vectors.npy")
                left = np.arange(len(held))
                if piece.translation is not None:
                    left = mapped(built.home, piece.translation).astype(np.int64)
                rows = piece.first + left[left >= 0]
                assert rows.tolist() == list(range(piece.first, piece.end))
                assert snapshot.vectors(rows).tolist() == held[left >= 0].tolist()


def check(folder: Path, whole: Whole) -> None:
    """That nothing changed for a reader, that a writer clears away what was left, and that compacting ends the job."""
    with Store.open(folder) as store:
        assert store.verify().damage == []
        assert {space: content(store, space) for space in (MAIN, OTHER)} == whole
        check_index(store)
        with store.writing() as writer:
            check_index(store)
            check_files(store)
            writer.compact()
            assert {space: content(store, space) for space in (MAIN, OTHER)} == whole
            check_index(store)
            check_files(store)
            with store.snapshot() as snapshot:
                for space in (MAIN, OTHER):
                    head = snapshot.in_space(space).head
                    assert head.next_row == head.rows
            after = both(block([document("after")], rows=3))
            writer.commit(after)
        for space in (MAIN, OTHER):
            assert content(store, space) == {**whole[space], **expected([after], space)}
        assert store.verify().damage == []


def check_files(store: Store) -> None:
    """That there are the files that the last commit knows, and what their indexes name, and no others."""
    with store.snapshot() as snapshot:
        for space in (MAIN, OTHER):
            seen = snapshot.in_space(space)
            sizes = {f"{each.number:06d}.f16": each.size(seen.space.dimension) for each in seen.segments}
            home = store.path / "vectors" / space
            assert {path.name: path.stat().st_size for path in home.iterdir()} == sizes
            built = seen.built(f"indexes/{space}")
            assert built is not None
            names = {built.file.name, *(part.folder for part in built.parts)}
            assert {path.name for path in built.home.iterdir()} == names


def test_compacting_killed_before_any_effect_leaves_the_old_state_or_the_new(tmp_path: Path) -> None:
    whole, effect = made(tmp_path / "made"), 0

    def compact_until_killed() -> None:
        with watched(killing(effect)):
            compact(tmp_path / "c")

    while True:
        shutil.rmtree(tmp_path / "c", ignore_errors=True)
        shutil.copytree(tmp_path / "made", tmp_path / "c")
        died = dies(compact_until_killed)
        check(tmp_path / "c", whole)
        if not died:
            break
        effect += 1
    assert effect >= 10


@pytest.mark.parametrize("step", STEPS)
def test_compacting_killed_at_a_named_step_leaves_the_old_state_or_the_new(tmp_path: Path, step: str) -> None:
    whole = made(tmp_path / "c")

    def compact_until() -> None:
        kill_at_step(step, 1)
        compact(tmp_path / "c")

    assert dies(compact_until)
    check(tmp_path / "c", whole)


@pytest.mark.parametrize(("error", "stays"), [(errno.ENOSPC, True), (errno.EIO, False)])
def test_compacting_that_is_refused_anywhere_loses_nothing(tmp_path: Path, error: int, stays: bool) -> None:
    whole, number, refusals = made(tmp_path / "made"), 0, 0
    while True:
        shutil.rmtree(tmp_path / "c", ignore_errors=True)
        shutil.copytree(tmp_path / "made", tmp_path / "c")
        refused = ""
        with watched(refusing(number, error, stays=stays)) as done:
            try:
                compact(tmp_path / "c")
            except StorageError as said:
                refused = str(said)
                assert "Nothing that was acknowledged is lost" in refused
        check(tmp_path / "c", whole)
        refusals += bool(refused)
        if not refused and len(done) <= number:
            break
        number += 1
    assert refusals >= 5


def test_a_snapshot_that_is_held_goes_on_through_compactions(tmp_path: Path) -> None:
    whole = made(tmp_path / "c")
    with Store.open(tmp_path / "c") as store:
        held = store.snapshot()
        numbers = held.document_numbers()
        with store.writing() as writer:
            writer.compact()
            writer.delete(numbers.tolist())
            writer.compact()
        assert content(store) == {}
        found = {each.id: held.vectors(held.rows_of(numbers[position : position + 1])[0]).tolist()
                 for position, each in enumerate(held.each())}  # fmt: skip
        assert found == {identifier: each[2] for identifier, each in whole[MAIN].items()}
        held.close()


def write_and_compact(collection: Collection, number: int) -> None:
    write(collection, number)
    if number % 3 == 0:
        with collection.writing(wait=60) as writer:
            writer.compact()


def test_readers_beside_compactions_see_one_commit_each(tmp_path: Path) -> None:
    assert beside_processes(tmp_path / "processes", ["fork", "spawn"], 40, write_and_compact) > 0
    assert beside_threads(tmp_path / "threads", 3, 40, write_and_compact) > 3


def survives(tmp_path: Path, draws: int) -> int:
    """Checks every outcome of a power loss while compacting, and gives how many there were."""
    whole = made(tmp_path / "c")
    disk = Losing(tmp_path / "c")
    for path in (tmp_path / "c" / "vectors").glob("*/*.f16"):
        disk.kept[disk.key(path)] = path.read_bytes()
        disk.named.add(disk.key(path))
    disk.reached("created")
    with Store.open(tmp_path / "c", disk=disk) as store, store.writing() as writer:
        writer.compact()
    (tmp_path / "left").mkdir()
    count = 0
    for _, left in outcomes(tmp_path / "left", disk, draws):
        check(left, whole)
        count += 1
    return count


def test_power_lost_while_compacting_leaves_the_old_state_or_the_new(tmp_path: Path) -> None:
    assert survives(tmp_path, 1) > 40


@pytest.mark.long
def test_a_thousand_outcomes_of_a_power_loss_while_compacting(tmp_path: Path) -> None:
    count = survives(tmp_path, 20)
    print(f"{count} outcomes")
    assert count > 1_000


@pytest.mark.long
def test_many_readers_beside_compactions_see_one_commit_each(tmp_path: Path) -> None:
    processes = beside_processes(tmp_path / "processes", ["fork", "spawn", "fork", "spawn"], 600, write_and_compact)
    threads = beside_threads(tmp_path / "threads", 6, 400, write_and_compact)
    print(f"processes saw generation {processes} of 600, threads saw {threads} generations of 400")
    assert processes > 50
    assert threads > 20
