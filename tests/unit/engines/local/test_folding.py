"""SQLite's log is folded into the catalogue by the holder of the writer's lock, and by nobody else."""

from __future__ import annotations

import gc
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from storing import block, content, document, local, new_store

from twofold.collection.opening import create
from twofold.encoders.hashed_words import HashedWords
from twofold.engines.local.engine import Store


@pytest.fixture
def written(tmp_path: Path) -> Iterator[Store]:
    """A store that has written and is open: its commits stand in the log."""
    with new_store(tmp_path / "c") as store:
        with store.writing() as writer:
            writer.commit(block([document("a")]))
        yield store


def files(store: Store) -> tuple[bytes, bytes]:
    """The catalogue and its log."""
    return (store.path / "catalogue.sqlite").read_bytes(), (store.path / "catalogue.sqlite-wal").read_bytes()


def test_a_reader_cannot_fold_the_log_in(written: Store) -> None:
    before = files(written)
    assert before[1]
    with written.snapshot() as snapshot, snapshot.reading() as connection:
        connection.execute("COMMIT")
        with pytest.raises(sqlite3.OperationalError):
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert files(written) == before


def test_reading_info_and_verifying_leave_the_log_as_it_is(tmp_path: Path) -> None:
    with create(tmp_path / "c", HashedWords(8)) as collection:
        for number in range(3):
            collection.add([(f"{number}", "text " * 500_000)])
        store = local(collection)
        before = files(store)
        assert before[1]
        for _ in range(2):
            collection.info()
            collection.count()
            collection.verify()
            store.held_back()
        assert files(store) == before


def test_the_last_reader_to_close_leaves_the_log_and_the_writer_folds_it_in(written: Store) -> None:
    before = files(written)
    with Store.open(written.path) as reader:
        assert set(content(reader)) == {"a"}
    assert files(written) == before
    written.close()
    catalogue, log = files(written)
    assert log == b""
    assert catalogue != before[0]
    with Store.open(written.path) as store:
        assert set(content(store)) == {"a"}
        assert store.verify().damage == []


def test_who_closes_beside_a_writer_leaves_the_log_to_it(written: Store) -> None:
    with Store.open(written.path) as other, other.writing() as writer:
        before = files(written)
        written.close()
        assert files(written) == before
        writer.commit(block([document("b")]))
    assert files(written)[1] == b""
    with Store.open(written.path) as store:
        assert set(content(store)) == {"a", "b"}


def test_a_writer_that_is_forgotten_leaves_no_connection_that_folds_the_log_in(written: Store) -> None:
    with Store.open(written.path) as beside, beside.writing():
        store = Store.open(written.path)
        lease = store._writers.lease()
        before = files(written)
        written.close()
        del lease, store
        gc.collect()
        assert files(beside) == before
