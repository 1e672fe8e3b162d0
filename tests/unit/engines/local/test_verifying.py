"""Verifying finds what changed and names the documents that are hit."""

from __future__ import annotations

import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from storing import block, document, new_store

from twofold.engines.local.catalogue.space_change import GROWING_ROWS
from twofold.engines.local.engine import Store
from twofold.engines.local.verifying import Verification
from twofold.errors import CollectionError
from twofold.reports import VerifyReport


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with new_store(tmp_path / "c") as store, store.writing() as writer:
        writer.commit(
            block([document("a", year=1), document("b"), document("gone")], rows=[1, 2, 3], truncated=[0, 5, 0])
        )
        writer.delete([2])
        writer.put_state("fusion", {"k": 60})
        for number in range(3):
            writer.commit(block([document(f"later {number}")]))
    return tmp_path / "c"


def verified(folder: Path) -> VerifyReport:
    with Store.open(folder) as store:
        return store.verify()


def test_a_whole_collection_is_clean_and_everything_was_read(folder: Path) -> None:
    calls: list[tuple[int, int | None]] = []
    with Store.open(folder) as store:
        report = store.verify(lambda done, total: calls.append((done, total)))
    assert report.damage == []
    assert (report.documents, report.rows, report.clean) == (6, 9, True)
    assert calls[-1] == (15, 15)


def test_an_empty_collection_is_clean(tmp_path: Path) -> None:
    new_store(tmp_path / "c").close()
    assert verified(tmp_path / "c").damage == []


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        ("UPDATE documents SET text = 'x' WHERE id = 'a'", "a"),
        ("UPDATE documents SET title = 'x' WHERE id = 'gone'", "gone"),
        ("UPDATE documents SET deleted = 1 WHERE id = 'gone'", "gone"),
        ("UPDATE documents SET added = 2 WHERE id = 'b'", "b"),
        ("UPDATE truncations SET tokens = 9", ""),
        ("DELETE FROM truncations", ""),
        ("UPDATE documents SET checksum = 1 WHERE id = 'b'", "b"),
        ("DELETE FROM documents WHERE id = 'gone'", ""),
        ("DELETE FROM documents WHERE id = 'a'", ""),
        ("UPDATE state SET value = '{\"k\":61}' WHERE key = 'user:fusion'", ""),
        ("DELETE FROM state WHERE key = 'user:fusion'", ""),
        ("UPDATE blocks SET spans = zeroblob(72)", ""),
        ("UPDATE blocks SET vectors_crc = 1", ""),
        ("DELETE FROM blocks", ""),
        ("DELETE FROM segments", ""),
        ("UPDATE segments SET id = 7", ""),
        ("INSERT INTO segments VALUES ('main', 2, 7, 9, 0)", ""),
    ],
)
def test_every_changed_or_lost_line_of_the_catalogue_is_found(folder: Path, damage: str, named: str) -> None:
    with sqlite3.connect(folder / "catalogue.sqlite") as connection:
        connection.execute(damage)
    connection.close()
    report = verified(folder)
    assert not report.clean
    if named:
        assert named in {identifier for each in report.damage for identifier in each.documents}


def test_every_changed_byte_of_the_vectors_is_found_and_its_documents_named(folder: Path) -> None:
    path = folder / "vectors" / "main" / "000001.f16"
    whole = path.read_bytes()
    for position in range(len(whole)):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0x10]) + whole[position + 1 :])
        report = verified(folder)
        assert not report.clean, f"byte {position}"
        if position >= 64:
            assert report.damage[0].documents == ("a", "b", "later 0", "later 1", "later 2")
            assert "000001.f16" in str(report.damage[0])


@pytest.mark.parametrize("size", [0, 10, 64, 100])
def test_a_segment_cut_short_is_found(folder: Path, size: int) -> None:
    path = folder / "vectors" / "main" / "000001.f16"
    path.write_bytes(path.read_bytes()[:size])
    assert any("000001.f16" in str(each) for each in verified(folder).damage)


def test_a_torn_tail_is_no_damage(folder: Path) -> None:
    path = folder / "vectors" / "main" / "000001.f16"
    path.write_bytes(path.read_bytes() + b"what a crash left")
    (folder / "vectors" / "main" / "000002.f16").write_bytes(b"and here")
    assert verified(folder).clean


def test_flipped_bytes_of_the_catalogue_are_found_or_change_nothing(folder: Path) -> None:
    path = folder / "catalogue.sqlite"
    whole = path.read_bytes()
    for position in range(0, len(whole), 211):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0x24]) + whole[position + 1 :])
        try:
            with Store.open(folder) as store:
                clean = store.verify().clean
                if clean:
                    with store.snapshot() as snapshot:
                        assert [each.id for each in snapshot.each()] == ["a", "b", "later 0", "later 1", "later 2"]
                        assert set(snapshot.find(["a", "b", "gone", "later 1"])) == {"a", "b", "later 1"}
                        assert snapshot.row_mask(None).tolist() == [True] * 3 + [False] * 3 + [True] * 3
        except CollectionError:
            continue


def test_verifying_that_is_interrupted_ends_soon_with_its_second_thread(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twofold.engines.local.verifying.BLOCKS", 1)
    read, before = list[int](), threading.active_count()
    crc = Verification._crc

    def slow(self: Verification, *arguments: Any) -> int:
        read.append(1)
        time.sleep(0.5)
        return crc(self, *arguments)

    monkeypatch.setattr(Verification, "_crc", slow)
    with Store.open(folder) as store, store.writing() as writer:
        for number in range(10):
            writer.commit(block([document(f"many {number}")], rows=GROWING_ROWS))

        def interrupts(done: int, total: int | None) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            store.verify(interrupts)
        assert len(read) <= 2
        assert threading.active_count() == before
