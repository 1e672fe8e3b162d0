"""A path is a name that anybody may give to another folder: an open collection stays with its own, or says so."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from storing import block, content, document, expected, main_of, new_store

from twofold.engines.local.catalogue import connecting
from twofold.engines.local.description import Description
from twofold.engines.local.disk import Disk
from twofold.engines.local.engine import Store
from twofold.errors import CollectionError, InputError, LockedError, MovedError

FIRST = block([document("a", "of the first")])
OTHER = block([document(f"b{number}", f"of the other {number}") for number in range(50)])


def filled(path: Path, sent: Any) -> Store:
    store = new_store(path)
    with store.writing() as writer:
        writer.commit(sent)
    return store


def exchange(first: Path, second: Path) -> None:
    """Each takes the other's name."""
    aside = first.with_name("aside")
    first.rename(aside)
    second.rename(first)
    aside.rename(second)


def holds(path: Path, *sent: Any) -> bool:
    """Whether a collection is whole and holds just this."""
    with Store.open(path) as store:
        return store.verify().damage == [] and content(store) == expected(sent)


def write(store: Store) -> None:
    with store.writing() as writer:
        writer.commit(block([document("late")]))


def test_a_collection_that_appears_while_it_is_opened_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(live := tmp_path / "live", FIRST).close()
    (aside := live / "collection.json").rename(unseen := live / "unseen")
    read = Description.read

    def published(folder: Path) -> Description:
        if unseen.exists():
            unseen.rename(aside)
        return read(folder)

    monkeypatch.setattr(Description, "read", published)
    assert holds(live, FIRST)


def renamed(live: Path) -> None:
    live.rename(live.with_name("old"))


def removed(live: Path) -> None:
    shutil.rmtree(live)


def replaced(live: Path) -> None:
    renamed(live)
    live.with_name("other").rename(live)


def made_anew(live: Path) -> None:
    shutil.rmtree(live)
    filled(live, OTHER).close()


def made_anew_in_its_place(live: Path) -> None:
    for path in live.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    filled(live, OTHER).close()


def restored_in_its_place(live: Path) -> None:
    shutil.copytree(live.with_name("copy"), live, dirs_exist_ok=True, copy_function=shutil.copyfile)


def another_catalogue(live: Path) -> None:
    os.replace(live.with_name("other") / "catalogue.sqlite", live / "catalogue.sqlite")


def a_file(live: Path) -> None:
    renamed(live)
    live.write_text("no folder")


CHANGES = [
    renamed,
    removed,
    replaced,
    made_anew,
    made_anew_in_its_place,
    restored_in_its_place,
    another_catalogue,
    a_file,
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
@pytest.mark.parametrize("used", [True, False], ids=["with connections", "without connections"])
def test_whatever_comes_to_lie_at_the_path_is_not_taken_for_the_collection(
    tmp_path: Path, change: Callable[[Path], None], used: bool
) -> None:
    live = tmp_path / "live"
    filled(live, FIRST).close()
    filled(tmp_path / "other", OTHER).close()
    shutil.copytree(live, tmp_path / "copy")
    store = Store.open(live)
    if used:
        write(store)
        assert set(content(store)) == {"a", "late"}
    change(live)
    for work in (content, write, lambda store: store.verify(), lambda store: store.backup(tmp_path / "backup")):
        with pytest.raises(MovedError, match=f"{live}.*[Oo]pen the collection again"):
            work(store)
    store.close()
    if change in (replaced, made_anew, made_anew_in_its_place):
        assert holds(live, OTHER)
    if change in (renamed, replaced):
        assert holds(tmp_path / "old", FIRST, *([block([document("late")])] if used else []))
    assert not (tmp_path / "backup").exists()


def test_a_relative_path_means_what_it_meant_when_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, sent in (("a", FIRST), ("b", OTHER)):
        (tmp_path / name).mkdir()
        filled(tmp_path / name / "notes", sent).close()
    monkeypatch.chdir(tmp_path / "a")
    store = Store.open("notes")
    assert store.path == tmp_path / "a" / "notes"
    monkeypatch.chdir(tmp_path / "b")
    write(store)
    store.close()
    assert holds(tmp_path / "a" / "notes", FIRST, block([document("late")]))
    assert holds(tmp_path / "b" / "notes", OTHER)


def test_without_a_working_directory_a_relative_path_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    for work in (Store.open, new_store):
        with pytest.raises(InputError, match="working directory was removed"):
            work(Path("notes"))
    monkeypatch.chdir(tmp_path)


def test_an_older_copy_with_its_times_that_is_written_over_the_files_is_noticed(tmp_path: Path) -> None:
    filled(tmp_path / "live", FIRST).close()
    shutil.copytree(tmp_path / "live", tmp_path / "copy")
    with Store.open(tmp_path / "live") as store:
        write(store)
        assert set(content(store)) == {"a", "late"}
        shutil.copytree(tmp_path / "copy", tmp_path / "live", dirs_exist_ok=True)
        with pytest.raises(MovedError, match="is at commit 1 and was at 2 before"):
            content(store)
    assert holds(tmp_path / "live", FIRST)


def test_a_link_that_leads_elsewhere_is_another_folder(tmp_path: Path) -> None:
    filled(tmp_path / "v1", FIRST).close()
    filled(tmp_path / "v2", OTHER).close()
    (tmp_path / "live").symlink_to("v1")
    with Store.open(tmp_path / "live") as store:
        assert set(content(store)) == {"a"}
        (tmp_path / "next").symlink_to("v2")
        os.replace(tmp_path / "next", tmp_path / "live")
        for work in (content, write):
            with pytest.raises(MovedError, match="another folder"):
                work(store)
    assert holds(tmp_path / "v1", FIRST)
    assert holds(tmp_path / "live", OTHER)


def test_a_folder_that_comes_back_is_gone_on_with(tmp_path: Path) -> None:
    with filled(tmp_path / "live", FIRST) as store:
        (tmp_path / "live").rename(tmp_path / "old")
        with pytest.raises(MovedError):
            content(store)
        (tmp_path / "old").rename(tmp_path / "live")
        write(store)
    assert holds(tmp_path / "live", FIRST, block([document("late")]))


def test_a_snapshot_answers_from_its_own_folder_whatever_becomes_of_it(tmp_path: Path) -> None:
    store = filled(tmp_path / "live", FIRST)
    with store.snapshot() as snapshot:
        shutil.rmtree(tmp_path / "live")
        filled(tmp_path / "live", OTHER).close()
        assert [each.text for each in snapshot.each()] == ["of the first"]
        assert snapshot.vectors(np.asarray([0])).tolist() == main_of(FIRST).vectors.tolist()
        assert snapshot.built("indexes/main") is None
    store.close()
    assert holds(tmp_path / "live", OTHER)


class AtStep(Disk):
    """Does something when a writer has reached a step."""

    def __init__(self, step: str, work: Callable[[], object]) -> None:
        super().__init__()
        self.step, self.work = step, work

    def reached(self, step: str) -> None:
        if step == self.step:
            self.step = ""
            self.work()


@pytest.mark.parametrize("step", ["vectors written", "recorded"])
def test_a_folder_that_is_exchanged_within_a_commit_gets_no_acknowledgement_and_the_other_no_byte(
    tmp_path: Path, step: str
) -> None:
    live, other = tmp_path / "live", tmp_path / "other"
    filled(live, FIRST).close()
    filled(other, OTHER).close()
    with (
        Store.open(live, disk=AtStep(step, lambda: exchange(live, other))) as store,
        pytest.raises(MovedError, match="another folder"),
    ):
        write(store)
    assert holds(live, OTHER)
    assert holds(other, FIRST)
    with Store.open(other) as store:
        write(store)  # what the refused commit wrote behind the rows is cut off
    assert holds(other, FIRST, block([document("late")]))


@pytest.mark.parametrize("opened", ["all files", "log and shared memory"])
def test_folders_that_are_exchanged_and_back_while_sqlite_opens_its_files_are_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: str
) -> None:
    live, other = tmp_path / "live", tmp_path / "other"
    beside = filled(other, OTHER)  # its log holds the commits
    filled(live, FIRST).close()
    store, kept, real = Store.open(live), connecting.connect, sqlite3.connect

    def meanwhile(path: Path, **how: Any) -> sqlite3.Connection:
        if opened == "all files":
            exchange(live, other)
        try:
            return kept(path, **how)
        finally:
            exchange(live, other)

    def between(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = real(*arguments, **options)
        if opened != "all files":
            exchange(live, other)
        return connection

    with store.snapshot():  # so that another connection is needed
        with monkeypatch.context() as patching:
            patching.setattr(connecting, "connect", meanwhile)
            patching.setattr(sqlite3, "connect", between)
            with pytest.raises(MovedError, match="replaced while"):
                store.snapshot()
        assert set(content(store)) == {"a"}
    store.close()
    beside.close()
    assert holds(live, FIRST)
    assert holds(other, OTHER)


def test_shared_memory_that_was_opened_by_mistake_stays_locked_for_those_who_have_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live, other = tmp_path / "live", tmp_path / "other"
    filled(live, FIRST).close()
    beside, real = filled(other, OTHER), sqlite3.connect

    def between(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = real(*arguments, **options)
        exchange(live, other)
        return connection

    with beside.snapshot():
        with monkeypatch.context() as patching:
            patching.setattr(sqlite3, "connect", between)
            with pytest.raises(MovedError):
                Store.open(live)
        exchange(live, other)
        assert not free(other / "catalogue.sqlite-shm")
    beside.close()
    assert holds(other, OTHER)


def free(shared: Path) -> bool:
    """Whether another process may take SQLite's shared memory for abandoned, and cut it: byte 128 says who has it."""
    lock = "fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 128)"
    program = f"import fcntl, sys\nwith open(sys.argv[1], 'r+b') as file: {lock}"
    return subprocess.run([sys.executable, "-c", program, shared], capture_output=True).returncode == 0


def test_closing_a_collection_that_was_moved_leaves_the_log_of_the_one_in_its_place(tmp_path: Path) -> None:
    live, other = tmp_path / "live", tmp_path / "other"
    store, beside = filled(live, FIRST), filled(other, OTHER)
    log = (other / "catalogue.sqlite-wal").read_bytes()
    assert log
    exchange(live, other)
    store.close()
    assert (live / "catalogue.sqlite-wal").read_bytes() == log
    del beside
    assert holds(live, OTHER)
    assert holds(other, FIRST)


def test_a_lock_file_that_is_replaced_under_a_writer_ends_its_right_to_write(tmp_path: Path) -> None:
    with filled(tmp_path / "c", FIRST) as store, Store.open(tmp_path / "c") as second:
        with store.writing() as writer:
            (tmp_path / "c" / "lock").unlink()
            with second.writing() as other:
                with pytest.raises(LockedError, match="lock was removed or replaced"):
                    writer.commit(block([document("lost")]))
                other.commit(block([document("kept")]))
        write(store)
    assert holds(tmp_path / "c", FIRST, block([document("kept")]), block([document("late")]))


def test_who_waited_for_a_lock_file_that_was_removed_takes_the_one_that_is_there(tmp_path: Path) -> None:
    with filled(tmp_path / "c", FIRST) as store, Store.open(tmp_path / "c") as second:
        failures: list[BaseException] = []

        def wait() -> None:
            try:
                with second.writing(wait=20) as writer, Store.open(tmp_path / "c") as third:
                    with pytest.raises(LockedError), third.writing():
                        pass
                    writer.commit(block([document("late")]))
            except BaseException as error:  # noqa: BLE001
                failures.append(error)

        with store.writing():
            waiting = threading.Thread(target=wait)
            waiting.start()
            while len([name for name in map(os.path.realpath, _descriptors()) if name.endswith("/lock")]) < 2:
                time.sleep(0.001)  # until it has opened the file
            (tmp_path / "c" / "lock").unlink()
        waiting.join()
    assert failures == []
    assert holds(tmp_path / "c", FIRST, block([document("late")]))


def _descriptors() -> list[str]:
    return [f"/proc/self/fd/{number}" for number in os.listdir("/proc/self/fd")]


@pytest.mark.parametrize("how", [pickle.dumps, copy.copy, copy.deepcopy], ids=["pickle", "copy", "deepcopy"])
def test_an_open_collection_is_neither_pickled_nor_copied(tmp_path: Path, how: Callable[[Store], object]) -> None:
    with filled(tmp_path / "c", FIRST) as store, pytest.raises(TypeError, match="send its path"):
        how(store)


def test_a_collection_that_was_closed_says_so(tmp_path: Path) -> None:
    store, in_memory = filled(tmp_path / "c", FIRST), new_store(None)
    store.close()
    in_memory.close()
    for work in (content, write, lambda store: store.verify()):
        with pytest.raises(CollectionError, match="was closed: open it again"):
            work(store)
        with pytest.raises(CollectionError, match="was closed: it was in memory and is gone; make a new one"):
            work(in_memory)


def test_no_descriptor_is_left_open_by_a_collection_that_was_closed(tmp_path: Path) -> None:
    filled(tmp_path / "c", FIRST).close()
    gc.collect()  # what other tests left
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        with Store.open(tmp_path / "c") as store:
            content(store)
            write(store)
        del store
    assert len(os.listdir("/proc/self/fd")) == before
