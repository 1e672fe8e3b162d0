"""Compacting that is killed, refused, beside readers, or ends with a power loss: the old state or the new, whole."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

import pytest
from faults import dies, kill_at_step, killing, refusing, watched
from generations import beside_processes, beside_threads, write
from losing import Losing, outcomes
from storing import DIMENSION, block, content, document, expected, new_store

from twofold.collection.collection import Collection
from twofold.engines.local.engine import Store
from twofold.engines.local.spaces import segments
from twofold.errors import StorageError

STEPS = [
    "vectors written",
    "segment created",
    "rows copied",
    "recorded",
    "committed",
    "old segment removed",
    "compacted",
]
BLOCKS = [
    block([document(f"a{n}") for n in range(6)], rows=[1, 2, 0, 3, 1, 2]),
    block([document("a1", "another"), *(document(f"b{n}") for n in range(4))], rows=[2, 1, 1, 2, 3]),
    block([document("a0", "a third"), document("c")], rows=5),
]
GONE = ["a3", "b1", "c"]


@pytest.fixture(autouse=True)
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "SEGMENT_ROWS", 8)


def made(folder: Path) -> dict[str, object]:
    """A collection that has much to shed; gives what it holds."""
    with new_store(folder) as store:
        with store.writing() as writer:
            for each in BLOCKS:
                writer.commit(each)
            with store.snapshot() as snapshot:
                writer.delete(list(snapshot.find(GONE).values()))
        whole = content(store)
    right = expected(BLOCKS)
    assert whole == {identifier: each for identifier, each in right.items() if identifier not in GONE}
    return dict(whole)


def compact(folder: Path) -> None:
    with Store.open(folder) as store, store.writing() as writer:
        writer.compact()


def check(folder: Path, whole: dict[str, object]) -> None:
    """That nothing changed for a reader, that a writer clears away what was left, and that compacting ends the job."""
    with Store.open(folder) as store:
        assert store.verify().damage == []
        assert content(store) == whole
        with store.writing() as writer:
            writer.compact()
            assert content(store) == whole
            with store.snapshot() as snapshot:
                assert snapshot.head.next_row == snapshot.head.rows
                sizes = {f"{each.number:06d}.f16": each.size(DIMENSION) for each in snapshot.segments}
            assert {path.name: path.stat().st_size for path in (folder / "vectors" / "main").iterdir()} == sizes
            writer.commit(block([document("after")], rows=3))
        assert content(store) == {**whole, **expected([block([document("after")], rows=3)])}
        assert store.verify().damage == []


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
        assert found == {identifier: each[2] for identifier, each in whole.items()}  # type: ignore[index]
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
    for path in (tmp_path / "c" / "vectors" / "main").iterdir():
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
    assert survives(tmp_path, 2) > 20


@pytest.mark.long
def test_a_thousand_outcomes_of_a_power_loss_while_compacting(tmp_path: Path) -> None:
    count = survives(tmp_path, 100)
    print(f"{count} outcomes")
    assert count > 1_000


@pytest.mark.long
def test_many_readers_beside_compactions_see_one_commit_each(tmp_path: Path) -> None:
    processes = beside_processes(tmp_path / "processes", ["fork", "spawn", "fork", "spawn"], 600, write_and_compact)
    threads = beside_threads(tmp_path / "threads", 6, 400, write_and_compact)
    print(f"processes saw generation {processes} of 600, threads saw {threads} generations of 400")
    assert processes > 50
    assert threads > 20
