"""A backup holds one commit, whole, or it is not there."""

from __future__ import annotations

import os
import shutil
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from storing import DIMENSION, block, content, document, new_store

from twofold.engines.local import copying
from twofold.engines.local.catalogue import connecting
from twofold.engines.local.disk import Disk
from twofold.engines.local.engine import Store
from twofold.engines.local.spaces import segments
from twofold.errors import CorruptionError, InputError, StorageError
from twofold.files import refused


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "SEGMENT_ROWS", 8)
    monkeypatch.setattr(copying, "ROWS", 3)
    monkeypatch.setattr(copying, "PAGES", 2)


def filled(path: Path | None, disk: Disk | None = None) -> Store:
    """A store of three segments, with deletions, a replaced document, one without rows, and state."""
    store = new_store(path, disk)
    with store.writing() as writer:
        writer.commit(block([document("a", year=1), document("b"), document("gone")], rows=[3, 4, 5]))
        writer.delete([2])
        writer.commit(block([document("a", "another text"), document("empty", "")], rows=[7, 0]))
        writer.put_state("fusion", {"k": 60})
    return store


def test_a_backup_holds_what_the_collection_holds(tmp_path: Path) -> None:
    with filled(tmp_path / "c") as store:
        report = store.backup(tmp_path / "copy")
        assert sorted(os.listdir(tmp_path / "copy")) == ["catalogue.sqlite", "collection.json", "vectors"]
        with Store.open(tmp_path / "copy") as copy, copy.snapshot() as snapshot, store.snapshot() as mine:
            assert content(copy) == content(store)
            assert snapshot.head == mine.head
            assert snapshot.state("fusion") == {"k": 60}
            assert copy.description.id != store.description.id  # from now on each goes its own way
            assert replace(copy.description, id=store.description.id) == store.description
            assert copy.verify().clean
            assert (report.commit, report.documents, report.passages) == (mine.commit, 3, 11)
            sizes = {path.name: path.stat().st_size for path in (tmp_path / "copy" / "vectors" / "main").iterdir()}
            assert sizes == {f"{each.number:06d}.f16": each.size(DIMENSION) for each in mine.segments}
            assert len(sizes) == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c", "copy"]
    assert report.bytes == sum(
        path.stat().st_size for path in (tmp_path / "copy").rglob("*") if path.suffix in (".sqlite", ".f16")
    )


def test_a_backup_can_be_written_to_and_keeps_its_log_as_the_collection_does(tmp_path: Path) -> None:
    with filled(tmp_path / "c") as store:
        store.backup(tmp_path / "copy")
        with Store.open(tmp_path / "copy") as copy, copy.writing() as writer:
            writer.commit(block([document("new")], rows=2))
            assert (tmp_path / "copy" / "catalogue.sqlite-wal").exists()
            assert set(content(copy)) == {*content(store), "new"}
            assert copy.verify().clean


def test_a_backup_leaves_out_what_a_crash_left(tmp_path: Path) -> None:
    with filled(tmp_path / "c") as store:
        with (tmp_path / "c" / "vectors" / "main" / "000003.f16").open("ab") as file:
            file.write(b"torn")
        (tmp_path / "c" / "vectors" / "main" / "000004.f16").write_bytes(b"unknown")
        store.backup(tmp_path / "copy")
    assert (tmp_path / "copy" / "vectors" / "main" / "000003.f16").read_bytes()[-4:] != b"torn"
    assert not (tmp_path / "copy" / "vectors" / "main" / "000004.f16").exists()


def test_a_backup_is_of_the_commit_at_which_it_began(tmp_path: Path) -> None:
    class Writing(Disk):
        """Commits to the collection between two steps of its backup, more than once."""

        def reached(self, step: str) -> None:
            if step in ("catalogue copied", "segment copied"):
                with Store.open(tmp_path / "c") as other, other.writing() as writer:
                    writer.commit(block([document(f"after {step}")], rows=6))
                    writer.delete([0])

    filled(tmp_path / "c").close()
    with Store.open(tmp_path / "c", disk=Writing()) as store:
        before = content(store)
        store.backup(tmp_path / "copy")
        assert set(content(store)) == {*before, "after catalogue copied", "after segment copied"}
    with Store.open(tmp_path / "copy") as copy:
        assert content(copy) == before


def test_writers_between_two_pages_of_the_catalogue_do_not_get_into_the_backup(tmp_path: Path) -> None:
    with filled(tmp_path / "c") as store:
        before = content(store)
        calls: list[tuple[int, int | None]] = []

        def write_too(done: int, total: int | None) -> None:
            calls.append((done, total))
            if len(calls) < 4:
                with store.writing() as writer:
                    writer.commit(block([document(f"late {len(calls)}", "x" * 9_000)]))

        store.backup(tmp_path / "copy", write_too)
        assert len(content(store)) == len(before) + 3
    with Store.open(tmp_path / "copy") as copy:
        assert content(copy) == before
    assert [done for done, _ in calls] == sorted(done for done, _ in calls)
    assert {total for _, total in calls} == {calls[-1][0]}


def test_a_collection_in_memory_is_saved_by_its_backup(tmp_path: Path) -> None:
    with filled(None) as store:
        before = content(store)
        store.backup(tmp_path / "kept")
    with Store.open(tmp_path / "kept") as copy:
        assert content(copy) == before


def test_an_empty_collection_has_a_backup(tmp_path: Path) -> None:
    with new_store(tmp_path / "c") as store:
        store.backup(tmp_path / "copy")
    with Store.open(tmp_path / "copy") as copy:
        assert content(copy) == {}
        assert copy.verify().clean


def test_a_target_that_holds_something_or_is_inside_is_refused_untouched(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("kept")
    (tmp_path / "file").write_text("kept")
    (tmp_path / "link").symlink_to(tmp_path / "c")
    with filled(tmp_path / "c") as store:
        for target in ("full", "file", "c", "c/vectors/deep", "link/inside"):
            with pytest.raises(InputError, match=Path(target).name):
                store.backup(tmp_path / target)
    assert (tmp_path / "full" / "mine").read_text() == "kept"
    assert sorted(os.listdir(tmp_path)) == ["c", "file", "full", "link"]
    assert sorted(os.listdir(tmp_path / "c" / "vectors" / "main")) == ["000001.f16", "000002.f16", "000003.f16"]


def test_everything_is_synced_before_it_becomes_a_collection(tmp_path: Path) -> None:
    done: list[str] = []

    class Seen(Disk):
        def sync(self, descriptor: int, path: str | Path) -> None:
            super().sync(descriptor, path)
            done.append(f"sync {Path(path).name}")

        def write(self, descriptor: int, path: str | Path, data: bytes | memoryview, offset: int) -> None:
            super().write(descriptor, path, data, offset)
            done.append(f"write {Path(path).name}")

        def sync_folder(self, path: str | Path) -> None:
            super().sync_folder(path)
            done.append(f"sync_folder {Path(path).name}")

        def publish(self, path: str | Path, content: bytes) -> None:
            super().publish(path, content)
            done.append(f"publish {Path(path).name}")

        def reached(self, step: str) -> None:
            done.append(step)

    with filled(tmp_path / "c", Seen()) as store:
        done.clear()
        store.backup(tmp_path / "copy")
    names = [f"{number:06d}.f16" for number in (1, 2, 3)]
    parts = [step for name in names for step in (f"sync {name}", "segment copied")]
    assert [step for step in done if not step.startswith("write")] == [
        "sync catalogue.sqlite",
        "catalogue copied",
        *parts,
        "sync_folder main",
        "sync_folder vectors",
        "publish collection.json",
        "description copied",
        "copy verified",
    ]
    assert all(
        done.index(f"sync {name}") > max(n for n, step in enumerate(done) if step == f"write {name}") for name in names
    )


@pytest.mark.parametrize("step", ["catalogue copied", "segment copied", "description copied", "copy verified"])
def test_a_backup_that_fails_at_any_step_leaves_nothing_and_can_be_made_again(tmp_path: Path, step: str) -> None:
    class Failing(Disk):
        def reached(self, step_: str) -> None:
            if step_ == step:
                raise refused(tmp_path / "copy", OSError(28, "No space left on device"))

    filled(tmp_path / "c").close()
    with Store.open(tmp_path / "c", disk=Failing()) as store, pytest.raises(StorageError, match="No space left"):
        store.backup(tmp_path / "copy")
    assert os.listdir(tmp_path) == ["c"]
    with Store.open(tmp_path / "c") as store:
        store.backup(tmp_path / "copy")
        with Store.open(tmp_path / "copy") as copy:
            assert content(copy) == content(store)


@pytest.mark.parametrize("damage", ["flipped", "cut", "gone", "catalogue"])
def test_a_damaged_collection_gets_no_backup_and_the_error_says_where(tmp_path: Path, damage: str) -> None:
    filled(tmp_path / "c").close()
    path = tmp_path / "c" / ("catalogue.sqlite" if damage == "catalogue" else "vectors/main/000002.f16")
    whole = path.read_bytes()
    if damage == "gone":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(whole[:-1])
    else:
        where = whole.index(b"another text") if damage == "catalogue" else len(whole) - 1
        path.write_bytes(whole[:where] + bytes([whole[where] ^ 1]) + whole[where + 1 :])
    with Store.open(tmp_path / "c") as store, pytest.raises(CorruptionError, match=path.name):
        store.backup(tmp_path / "copy")
    assert os.listdir(tmp_path) == ["c"]


def test_a_moved_backup_opens_where_it_is(tmp_path: Path) -> None:
    with filled(tmp_path / "c") as store:
        before = content(store)
        store.backup(tmp_path / "copy")
    shutil.move(tmp_path / "copy", tmp_path / "elsewhere")
    shutil.rmtree(tmp_path / "c")
    with Store.open(tmp_path / "elsewhere") as copy:
        assert content(copy) == before


def test_a_backup_does_not_disturb_who_opens_another_collection_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied, opened = threading.Event(), threading.Event()

    def wait(done: int, total: int | None) -> None:
        copied.set()
        opened.wait(10)

    with filled(tmp_path / "b") as other, filled(tmp_path / "a") as store:
        other.snapshot().close()  # its connection is kept for the backup
        backup = threading.Thread(target=lambda: other.backup(tmp_path / "copy", wait))
        connected = connecting.connect

        def connect(*arguments: Any, **options: Any) -> Any:
            if not backup.ident:
                backup.start()
                assert copied.wait(10)
            return connected(*arguments, **options)

        monkeypatch.setattr(connecting, "connect", connect)
        with Store.open(tmp_path / "a") as again:
            assert content(again) == content(store)
        opened.set()
        backup.join()
    with Store.open(tmp_path / "copy") as copy:
        assert copy.verify().clean
