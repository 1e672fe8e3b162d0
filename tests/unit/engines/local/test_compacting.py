"""Compacting beside readers: what they hold back is said, nobody waits for them, and no file is taken for another."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from storing import DIMENSION, block, content, document, expected, main_of, new_store

from twofold.engines.local.disk import Disk
from twofold.engines.local.engine import Store
from twofold.engines.local.spaces import segments
from twofold.engines.local.spaces.maps import SegmentMaps
from twofold.engines.local.spaces.segments import HEADER_BYTES
from twofold.errors import CorruptionError, StorageError

LONG = "a long text " * 400
"""4,800 characters, more than a page of the catalogue."""


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
        SegmentMaps(tmp_path / "c" / "vectors" / "main", DIMENSION).pieces([old])
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
