"""A collection on a disk that cannot be written: readable, and a clear error for who wants to write."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from mounting import remounted, small_disk
from storing import block, content, document, expected, new_store

from twofold.errors import StorageError
from twofold.storage.store import Store


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", "400k") as folder:
        yield folder


def test_a_read_only_disk_can_be_read_and_says_so_to_a_writer(disk: Path) -> None:
    sent = block([document("a"), document("b")], rows=2)
    with new_store(disk / "c") as store, store.writing() as writer:
        writer.commit(sent)
    remounted(disk, "ro")
    with Store.open(disk / "c") as store:
        assert content(store) == expected([sent])
        assert store.verify().clean
        with pytest.raises(StorageError, match=r"Read-only file system.*make room or rights"), store.writing():
            pass
    with pytest.raises(StorageError, match="Read-only file system"):
        new_store(disk / "d")


def test_a_full_disk_loses_nothing_and_goes_on_once_there_is_room(disk: Path) -> None:
    sent = [block([document(f"{number}", "x" * 3_000)]) for number in range(200)]
    done = 0
    with new_store(disk / "c") as store:

        def fill() -> None:
            nonlocal done
            with store.writing() as writer:
                for each in sent[done:]:
                    writer.commit(each)
                    done += 1

        with pytest.raises(StorageError, match="Nothing that was acknowledged is lost"):
            fill()
        assert 0 < done < len(sent)
        assert content(store) == expected(sent[:done])
        remounted(disk, "size=8m")
        fill()
        assert content(store) == expected(sent)
        assert store.verify().clean
