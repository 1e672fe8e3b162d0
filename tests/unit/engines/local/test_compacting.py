"""Compacting beside readers: what they hold back is said, nobody waits for them, and no file is taken for another."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

import pytest
from storing import DIMENSION, OTHER, block, both, content, document, expected, main_of, new_store

from twofold.engines.local.disk import Disk
from twofold.engines.local.engine import Store
from twofold.engines.local.spaces import segments
from twofold.engines.local.spaces.maps import SegmentMaps
from twofold.engines.local.spaces.segments import HEADER_BYTES
from twofold.errors import CorruptionError, StorageError
from twofold.space import MAIN, Space

SPACE = Space(dimension=DIMENSION, contract={}, source={})

LONG = "a long text " * 400
"""4,800 characters, more than a page of the catalogue."""
GONE = {9, 10, 17, *range(24, 32)}


def filled(path: Path) -> Store:
    """A collection whose catalogue is larger than the log may always grow to."""
    store = new_store(path)
    with store.writing() as writer:
        for part in range(5):
            writer.commit(block([document(f"{part}-{number}", LONG) for number in range(1000)], rows=0))
    return store


def test_what_a_snapshot_holds_back_of_the_log_is_said_and_given_back(tmp_path: Path) -> None:
    with filled(tmp_path / "c") as store, store.writing() as writer:
        size = store.bytes()["catalogue"]
        assert store.held_back() == 0
        with store.snapshot() as held:
            writer.delete(range(4900))
            begun = time.monotonic()
            report = writer.compact()
            assert time.monotonic() - begun < 5  # nobody waits for a reader
            assert report.documents == 4900
            assert report.bytes > size // 2
            log = store.bytes()["log"]
            assert log // 2 < store.held_back() <= log
            assert held.count() == 5000
        writer.put_state("any", 1)  # the first commit folds it in, the second begins the log anew
        writer.put_state("any", 2)
        assert store.held_back() == 0
        assert store.bytes()["catalogue"] < size // 10
        assert store.bytes()["log"] < log
        assert store.verify().damage == []


def test_free_pages_that_a_stopped_compaction_left_are_given_back_by_the_next(tmp_path: Path) -> None:
    with filled(tmp_path / "c") as store, store.writing() as writer:
        writer.delete(range(4900))
        size = store.bytes()["catalogue"]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("twofold.engines.local.compacting.shrink", lambda _: 0)
            assert writer.compact().documents == 4900
        again = writer.compact()
        assert (again.documents, again.rows) == (0, 0)
        assert again.bytes > size // 2
        assert store.bytes()["catalogue"] < size // 10
        assert writer.compact().bytes == 0


def test_a_segment_is_told_from_another_of_its_number(tmp_path: Path) -> None:
    fresh = block([document("fresh")], rows=4)
    with new_store(tmp_path / "c") as store, store.writing() as writer:
        writer.commit(block([document("old")], rows=4))
        with store.snapshot() as snapshot:
            (old,) = snapshot.segments
        writer.delete([0])
        writer.compact()
        assert list((tmp_path / "c" / "vectors" / "main").iterdir()) == []
        writer.commit(fresh)
        assert content(store) == expected([fresh])
        with store.snapshot() as snapshot:
            (new,) = snapshot.segments
    assert (new.number, new.rows) == (old.number, old.rows)
    with pytest.raises(CorruptionError, match="header"):
        SegmentMaps(tmp_path / "c" / "vectors" / "main", SPACE).pieces([old])
    with Store.open(tmp_path / "c") as store:
        assert content(store) == expected([fresh])
        assert store.verify().clean


def test_files_that_could_not_be_removed_are_never_written_over(tmp_path: Path) -> None:
    """Else a snapshot that has mapped them would see other vectors."""

    class Refusing(Disk):
        refuses = False

        def remove(self, path: str | Path) -> None:
            if self.refuses:
                raise StorageError("refused. Nothing that was acknowledged is lost")
            super().remove(path)

    disk, old = Refusing(), block([document("old")], rows=4)
    with new_store(tmp_path / "c", disk) as store, store.writing() as writer:
        writer.commit(old)
        held = store.snapshot()
        writer.delete([0])
        disk.refuses = True
        with pytest.raises(StorageError):
            writer.compact()
        with pytest.raises(StorageError):
            writer.commit(block([document("fresh")], rows=4))
        disk.refuses = False
        writer.commit(block([document("fresh")], rows=4))
        assert list(content(store)) == ["fresh"]
        assert held.vectors(held.rows_of(held.document_numbers())[0]).tolist() == main_of(old).vectors.tolist()
        held.close()
        assert store.verify().damage == []


def test_small_and_sparse_segments_become_full_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "SEGMENT_ROWS", 8)
    with new_store(tmp_path / "c") as store, store.writing() as writer:
        writer.commit(block([document(str(number)) for number in range(64)]))
        writer.delete([number for number in range(64) if number % 8 > 1])
        before = content(store)
        report = writer.compact()
        assert (report.documents, report.rows) == (48, 48)
        assert report.bytes == 48 * DIMENSION * 2 + 6 * HEADER_BYTES  # what is left of eight files are two
        assert content(store) == before
        with store.snapshot() as snapshot:
            assert [(each.number, each.rows) for each in snapshot.segments] == [(9, 8), (10, 8)]
            assert snapshot.document_numbers().tolist() == [n for n in range(64) if n % 8 <= 1]
        assert writer.commit(block([document("next")])).tolist() == [64]


def test_only_files_that_hold_deleted_rows_are_written_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "SEGMENT_ROWS", 8)
    with new_store(tmp_path / "c", other=True) as store, store.writing() as writer:
        writer.commit(both(block([document(str(number)) for number in range(44)])))
        before = {space: content(store, space) for space in (MAIN, OTHER)}
        with store.snapshot() as snapshot:
            old = {each.number: each for each in snapshot.segments}
            mapped = {first: vectors.ctypes.data for first, vectors in snapshot.blocks()}
        home = tmp_path / "c" / "vectors" / "main"
        stood = {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in home.iterdir()}
        writer.delete(sorted(GONE))
        report = writer.compact()
        assert (report.documents, report.rewritten) == (11, (6 + 7) + 2 * (2 + 3))
        for space in (MAIN, OTHER):
            kept = {identifier: each for identifier, each in before[space].items() if int(identifier) not in GONE}
            assert content(store, space) == kept
        with store.snapshot() as snapshot:
            # 2 and 3 share new files, 4 had nothing left, 1, 5 and 6 stay.
            assert [(each.number, each.first_row, each.rows) for each in snapshot.segments] == [
                (1, 0, 8), (7, 8, 8), (8, 16, 5), (5, 21, 8), (6, 29, 4),
            ]  # fmt: skip
            now = {first: vectors.ctypes.data for first, vectors in snapshot.blocks()}
            assert (now[0], now[21], now[29]) == (mapped[0], mapped[32], mapped[40])  # nothing was mapped again
            assert {each.id for each in snapshot.segments if each.number in old} == {old[n].id for n in (1, 5, 6)}
        for name in ("000001.f16", "000005.f16", "000006.f16"):
            assert ((home / name).stat().st_ino, (home / name).stat().st_mtime_ns) == stood[name]
        assert len(os.listdir(home)) == 5
        writer.commit(both(block([document(f"more {number}") for number in range(6)])))
        with store.snapshot() as snapshot:
            assert [(each.number, each.rows) for each in snapshot.segments[-2:]] == [(6, 8), (9, 2)]
        assert store.verify().damage == []
    with Store.open(tmp_path / "c") as store, store.writing() as writer:
        writer.commit(both(block([document("again")])))
        assert len(content(store)) == 33 + 6 + 1
        assert store.verify().damage == []


def test_a_damaged_line_of_a_file_that_stays_stops_a_compaction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "SEGMENT_ROWS", 8)
    with new_store(tmp_path / "c") as store, store.writing() as writer:
        writer.commit(block([document(str(number)) for number in range(16)]))
        writer.delete([3])
    with sqlite3.connect(tmp_path / "c" / "catalogue.sqlite") as connection:
        connection.execute("UPDATE blocks SET vectors_crc = 1 WHERE first_row = 8")
    connection.close()
    store = Store.open(tmp_path / "c")
    with store, store.writing() as writer, pytest.raises(CorruptionError, match="block of rows from 8"):
        writer.compact()


def test_a_number_is_not_given_twice_while_a_file_of_it_may_be_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "SEGMENT_ROWS", 8)
    with new_store(tmp_path / "c") as store, store.writing() as writer:
        writer.commit(block([document(str(number)) for number in range(24)]))
        writer.delete([20])
        writer.compact()  # 3 becomes 4
        writer.delete([2])
        writer.compact()  # 1 becomes 5, which comes first
        writer.commit(block([document(f"more {number}") for number in range(8)]))
        with store.snapshot() as snapshot:
            assert [each.number for each in snapshot.segments] == [5, 2, 4, 6]
            assert [each.first_row for each in snapshot.segments] == [0, 7, 15, 23]
        assert store.verify().damage == []
