"""A disk that refuses: nothing acknowledged is lost, the writer goes on once there is space, and order is kept."""

from __future__ import annotations

import errno
import os
import resource
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from storing import block, content, document, expected, new_store

from twofold.engines.local.disk import Disk
from twofold.engines.local.engine import Store
from twofold.engines.local.spaces import segments
from twofold.errors import StorageError
from twofold.files import refused

EFFECTS = ("make_folder", "write", "sync", "cut", "remove", "sync_folder", "publish")
BLOCKS = [
    block([document("a"), document("b")], rows=[2, 1]),
    block([document("a", "another"), document("c")], rows=4),
    block([document("d")], rows=3),
]


class Recorder(Disk):
    """Writes down every effect and step, and refuses the nth effect."""

    def __init__(self, refuse: int | None = None) -> None:
        super().__init__()
        self.done: list[str] = []
        self.refuse = refuse

    def reached(self, step: str) -> None:
        self.done.append(f"reached {step}")


def _recording(name: str) -> Callable[..., None]:
    def effect(self: Recorder, *arguments: Any) -> None:
        path = next(each for each in arguments if isinstance(each, str | Path))
        if self.refuse == 0:
            self.refuse = None
            raise refused(path, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
        self.refuse = None if self.refuse is None else self.refuse - 1
        getattr(Disk, name)(self, *arguments)
        self.done.append(f"{name} {Path(path).name}")

    return effect


for _name in EFFECTS:
    setattr(Recorder, _name, _recording(_name))


@pytest.fixture(autouse=True)
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "SEGMENT_ROWS", 8)


def test_a_commit_is_two_syncs_and_the_vectors_come_first(tmp_path: Path) -> None:
    disk = Recorder()
    with new_store(tmp_path / "c", disk) as store, store.writing() as writer:
        writer.commit(BLOCKS[0])
        disk.done.clear()
        writer.commit(block([document("x")]))
        # The second sync is SQLite's own, inside COMMIT.
        assert disk.done == [
            "write 000001.f16",
            "reached vectors written",
            "sync 000001.f16",
            "reached recorded",
            "reached committed",
        ]
        disk.done.clear()
        writer.delete([0])
        assert disk.done == ["reached recorded", "reached committed"]


def test_a_new_segment_costs_the_sync_of_its_name_and_a_full_one_is_synced_before(tmp_path: Path) -> None:
    disk = Recorder()
    with new_store(tmp_path / "c", disk) as store, store.writing() as writer:
        writer.commit(BLOCKS[0])
        disk.done.clear()
        writer.commit(block([document("x")], rows=9))
    assert [each for each in disk.done if each.startswith("sync")] == [
        "sync 000001.f16",
        "sync 000002.f16",
        "sync_folder main",
    ]


def test_folding_the_log_is_bounded_by_what_is_written(tmp_path: Path) -> None:
    """Each folding costs two syncs more; a hundred blocks of a hundred kilobytes need one at most."""
    with new_store(tmp_path / "c") as store, store.writing() as writer:
        resets = set()
        for number in range(100):
            writer.commit(block([document(f"{number}-{each}", "x" * 10_000) for each in range(10)]))
            with (tmp_path / "c" / "catalogue.sqlite-wal").open("rb") as log:
                resets.add(log.read(16)[12:])  # SQLite counts the resets of its log in its header
        assert len(resets) <= 2


def test_whatever_effect_is_refused_the_last_acknowledged_state_stays_and_the_writer_goes_on(tmp_path: Path) -> None:
    refusals, number = 0, 0
    while True:
        folder = tmp_path / str(number)
        new_store(folder).close()
        disk = Recorder(refuse=number)
        with Store.open(folder, disk=disk) as store:
            refusals += _add_all(store)
        with Store.open(folder) as again:
            assert content(again) == expected(BLOCKS)
            assert again.verify().clean
        if disk.refuse is not None:
            break
        number += 1
    assert refusals == number - disk.done.count("write lock") >= 9  # the note of the holder may be missing


def _add_all(store: Store) -> int:
    """Commits the blocks one by one, each again until it succeeds; gives how often the disk refused."""
    refusals, done = 0, 0
    while done < len(BLOCKS):
        message = ""
        try:
            with store.writing() as writer:
                while done < len(BLOCKS):
                    writer.commit(BLOCKS[done])
                    done += 1
        except StorageError as error:
            message = str(error)
        if message:
            refusals += 1
            assert "No space left on device" in message
            assert "run again" in message
            assert content(store) == expected(BLOCKS[:done])
            with Store.open(store.path) as other:
                assert content(other) == expected(BLOCKS[:done])
    return refusals


def test_the_same_writer_may_try_again(tmp_path: Path) -> None:
    disk = Recorder()
    with new_store(tmp_path / "c", disk) as store, store.writing() as writer:
        writer.commit(BLOCKS[0])
        disk.refuse = 1
        with pytest.raises(StorageError):
            writer.commit(BLOCKS[1])
        writer.commit(BLOCKS[2])
        writer.commit(BLOCKS[1])
        assert content(store) == expected([BLOCKS[0], BLOCKS[2], BLOCKS[1]])
        assert store.verify().clean


def test_a_transaction_in_doubt_is_overwritten_before_anything_else(tmp_path: Path) -> None:
    class RefusesToRecord(Disk):
        refuse = False

        def reached(self, step: str) -> None:
            if self.refuse and step == "recorded":
                self.refuse = False
                raise StorageError("in doubt")

    disk = RefusesToRecord()
    with new_store(tmp_path / "c", disk) as store, store.writing() as writer:
        writer.commit(BLOCKS[0])
        disk.refuse = True
        with pytest.raises(StorageError, match="in doubt"):
            writer.commit(BLOCKS[1])
        with store.snapshot() as snapshot:
            assert snapshot.commit == 1
        writer.commit(BLOCKS[2])
        with store.snapshot() as snapshot:
            assert snapshot.commit == 3  # an empty commit came between
        assert content(store) == expected([BLOCKS[0], BLOCKS[2]])


def test_a_creation_refused_at_any_effect_can_be_made_again(tmp_path: Path) -> None:
    number = 0
    while True:
        disk = Recorder(refuse=number)
        try:
            new_store(tmp_path / str(number), disk).close()
        except StorageError:
            new_store(tmp_path / str(number)).close()
        with Store.open(tmp_path / str(number)) as store, store.writing() as writer:
            writer.commit(BLOCKS[0])
        if disk.refuse is not None:
            break
        number += 1
    assert number >= 5


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """The kernel refuses every byte beyond `size` in any file, SQLite's too."""
    kept = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, kept[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, kept)


@pytest.mark.parametrize("size", [0, 30_000, 60_000, 90_000, 130_000, 200_000])
def test_a_limit_that_the_kernel_holds_loses_nothing(tmp_path: Path, size: int) -> None:
    sent = [block([document(f"{number}", "x" * 5_000)]) for number in range(60)]
    with new_store(tmp_path / "c") as store:
        with store.writing() as writer:
            acknowledged = []

            def fill() -> None:
                for each in sent:
                    writer.commit(each)
                    acknowledged.append(each)

            with files_no_larger_than(size), pytest.raises(StorageError, match="Nothing that was acknowledged is lost"):
                fill()
            assert content(store) == expected(acknowledged)
            for each in sent[len(acknowledged) :]:
                writer.commit(each)
        assert content(store) == expected(sent)
        assert store.verify().clean


def test_a_transaction_that_failed_while_it_was_synced_never_comes_to_life_over_other_vectors(tmp_path: Path) -> None:
    """SQLite's log may hold a whole transaction that nobody acknowledged, and whose vectors the next writer cuts off.

    The log of a twin collection, one commit ahead, stands for it: its bytes are put behind those that count.
    """
    new = tmp_path / "c"
    with new_store(new) as store, store.writing() as writer:
        writer.commit(block([document("a")]))
        twin = tmp_path / "twin"
        shutil.copytree(new, twin, ignore=shutil.ignore_patterns("*-shm"))
        with Store.open(twin) as other, other.writing() as ahead:
            ahead.commit(block([document("failed")]))
            copied = {name: (twin / name).read_bytes() for name in ("catalogue.sqlite-wal", "vectors/main/000001.f16")}
    crash = tmp_path / "crash"

    class CrashesBeforeRecording(Disk):
        def reached(self, step: str) -> None:
            if step == "vectors written" and not crash.exists():
                shutil.copytree(new, crash, ignore=shutil.ignore_patterns("*-shm"))

    with Store.open(new, disk=CrashesBeforeRecording()) as store:
        held = store.snapshot()  # keeps SQLite's log and its idea of the end
        for name, whole in copied.items():
            with (new / name).open("r+b") as file:
                own = file.read()
                assert whole.startswith(own) or name.startswith("catalogue")
                file.seek(0)
                file.write(whole)
        with store.writing() as writer:
            writer.commit(block([document("next")]))
        held.close()
        assert list(content(store)) == ["a", "next"]
    with Store.open(crash) as store:
        assert store.verify().damage == []
        assert list(content(store)) == ["a"]
