"""Readers, threads and forked children beside a writer: each sees whole commits, and holds its own."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sqlite3
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from storing import block, content, document, new_store, vectors_of

from twofold.engines.local.engine import Store
from twofold.errors import CollectionError

PAIRS = 5


def together(number: int) -> list[str]:
    """Documents that every commit replaces together."""
    return [f"version {number} of {position}" for position in range(PAIRS)]


def write(store: Store, number: int) -> None:
    with store.writing(wait=60) as writer:
        writer.commit(
            block([*(document(str(position), text) for position, text in enumerate(together(number))),
                   document(f"more {number}")])
        )  # fmt: skip


def whole(store: Store) -> int:
    """Reads one snapshot in every way and checks that it is one commit; gives which."""
    with store.snapshot() as snapshot:
        documents = {each.id: each.text for each in snapshot.each()}
        number = int(documents["0"].split()[1])
        assert [documents[str(position)] for position in range(PAIRS)] == together(number)
        assert len(documents) == snapshot.count() == PAIRS + number + 1
        rows = np.flatnonzero(snapshot.row_mask(None))
        assert len(rows) == PAIRS + number + 1
        ids = snapshot.ids(snapshot.documents_of(rows))
        assert sorted(ids) == sorted(documents)
        vectors = snapshot.vectors(rows)
        for identifier, vector in zip(ids, vectors, strict=True):
            assert vector.tolist() == vectors_of(documents[identifier], 1)[0].tolist()
        return number


def test_readers_in_threads_see_whole_commits_only(tmp_path: Path) -> None:
    store = new_store(tmp_path / "c")
    write(store, 0)
    stop, seen, failures = threading.Event(), set[int](), list[BaseException]()

    def read() -> None:
        try:
            while not stop.is_set():
                seen.add(whole(store))
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(1, 60):
        write(store, number)
    stop.set()
    for reader in readers:
        reader.join()
    assert failures == []
    assert len(seen) > 3
    assert whole(store) == 59


def test_threads_may_share_one_snapshot(tmp_path: Path) -> None:
    store = new_store(tmp_path / "c")
    write(store, 0)
    failures: list[BaseException] = []
    with store.snapshot() as snapshot:

        def read() -> None:
            try:
                for _ in range(50):
                    assert [each.text for each in snapshot.documents(np.arange(PAIRS))] == together(0)
                    assert len(list(snapshot.each())) == PAIRS + 1
                    assert snapshot.row_mask(None).all()
            except BaseException as error:  # noqa: BLE001
                failures.append(error)

        readers = [threading.Thread(target=read) for _ in range(4)]
        for reader in readers:
            reader.start()
        for number in range(1, 20):
            write(store, number)
        for reader in readers:
            reader.join()
    assert failures == []


def _read_until_told(
    folder: Path, ready: multiprocessing.synchronize.Event, stop: multiprocessing.synchronize.Event
) -> None:
    with Store.open(folder) as store:
        whole(store)
        ready.set()
        while not stop.is_set():
            whole(store)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_readers_in_other_processes_see_whole_commits_only(tmp_path: Path, method: str) -> None:
    context: Any = multiprocessing.get_context(method)
    store = new_store(tmp_path / "c")
    write(store, 0)
    ready, stop = context.Event(), context.Event()
    reader = context.Process(target=_read_until_told, args=(tmp_path / "c", ready, stop))
    reader.start()
    assert ready.wait(60)
    for number in range(1, 60):
        write(store, number)
    stop.set()
    reader.join(60)
    assert reader.exitcode == 0


def in_child(work: object) -> int:
    """Forks, does the work in the child, gives its exit status: 0 done, 1 it raised."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            assert callable(work)
            work()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_forked_child_goes_on_with_the_same_store(tmp_path: Path) -> None:
    store = new_store(tmp_path / "c")
    write(store, 0)
    assert whole(store) == 0
    pinned = store.snapshot()

    def child() -> None:
        assert whole(store) == 0
        write(store, 1)
        assert whole(store) == 1
        with pytest.raises(CollectionError, match="before the fork"):
            pinned.documents(np.asarray([0]))
        pinned.close()
        store.close()

    assert in_child(child) == 0
    assert [each.text for each in pinned.documents(np.arange(PAIRS))] == together(0)
    assert len(list(pinned.each())) == PAIRS + 1
    pinned.close()
    assert whole(store) == 1
    assert store.verify().clean


def test_the_snapshot_of_a_forked_child_outlives_its_parent_and_a_folded_log(tmp_path: Path) -> None:
    """A child that went on with inherited connections would believe in locks that only its parent holds."""
    store = new_store(tmp_path / "c")
    write(store, 0)
    pinned = store.snapshot()
    told, tell = os.pipe()
    reply, answer = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            with store.snapshot() as own:
                os.write(answer, b".")
                os.read(told, 1)
                assert [each.text for each in own.each()][:PAIRS] == together(0)
                assert len(own.row_mask(None)) == PAIRS + 1
            assert whole(store) == 20
            status = 0
        finally:
            os._exit(status)
    os.read(reply, 1)
    pinned.close()
    store.close()
    del store, pinned
    gc.collect()
    with Store.open(tmp_path / "c") as other:
        for number in range(1, 21):
            write(other, number)
    # No connection of this process is open: the last to close would have folded the log away beneath the child.
    connection = sqlite3.connect(tmp_path / "c" / "catalogue.sqlite", timeout=0.1)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.execute("VACUUM")
    connection.close()
    os.write(tell, b".")
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    for descriptor in (told, tell, reply, answer):
        os.close(descriptor)
    assert status == 0


def test_a_collection_in_memory_outlives_its_forked_children() -> None:
    store = new_store(None)
    write(store, 0)
    assert in_child(store.close) == 0
    child = os.fork()
    if child == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert whole(store) == 0
    assert len(content(store)) == PAIRS + 1
    store.close()


def test_a_forgotten_snapshot_lets_its_commit_go(tmp_path: Path) -> None:
    store = new_store(tmp_path / "c")
    write(store, 0)
    forgotten = store.snapshot()
    write(store, 1)
    with sqlite3.connect(tmp_path / "c" / "catalogue.sqlite", timeout=0) as connection:
        assert connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 1  # held back
    del forgotten
    gc.collect()
    assert connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    connection.close()
