"""A collection on a disk that cannot be written: readable, and a clear error for who wants to write."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

import pytest
from mounting import remounted, small_disk
from storing import block, content, document, expected, new_store

import twofold
from twofold.engines.local.engine import Store
from twofold.errors import StorageError


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
        with (
            pytest.raises(StorageError, match=r"Read-only file system.*free disk space or fix permissions"),
            store.writing(),
        ):
            pass
    with pytest.raises(StorageError, match="Read-only file system"):
        new_store(disk / "d")


def test_words_are_searched_on_a_read_only_disk(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "4m") as disk:
        with twofold.create(disk / "c", twofold.HashedWords(16)) as collection:
            collection.add([("a", "a storm on mars"), ("b", "a calm sea")])
            collection.tune()
            before = collection.search("storm", mode="lexical")
        remounted(disk, "ro")
        with twofold.open(disk / "c") as collection:
            assert collection.search("storm", mode="lexical") == before
            assert [hit.id for hit in collection.search("sea", mode="hybrid", k=1)] == ["b"]
            links = {path for path in Path(gettempdir()).glob("twofold-links-*") if (path / "meta.json").exists()}
        del collection
        gc.collect()
        assert not any(path.exists() for path in links)


def test_a_full_disk_loses_nothing_and_goes_on_once_there_is_space(disk: Path) -> None:
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


def as_another_user(work: Callable[[], None]) -> None:
    """Does the work in a child without root's rights; what it raises is told by the exit status."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            if os.getuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            work()
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_who_may_not_write_beside_the_catalogue_reads_what_was_opened_before_or_is_told_what_to_do() -> None:
    sent = block([document("a"), document("b")], rows=2)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "c"
        with new_store(path) as store, store.writing() as writer:
            writer.commit(sent)
            store.backup(Path(folder) / "never opened")
        os.chmod(folder, 0o755)
        for each in Path(folder).iterdir():
            os.chmod(each, 0o555)

        def is_told() -> None:
            with pytest.raises(StorageError, match=r"may not write to .*twofold backup"):
                Store.open(Path(folder) / "never opened")

        def reads() -> None:
            with Store.open(path) as store:
                assert content(store) == expected([sent])
                assert store.held_back() == 0
                with pytest.raises(StorageError, match="Permission denied"), store.writing():
                    pass

        try:
            as_another_user(is_told)
            as_another_user(reads)
            if os.getuid() == 0:  # a writer keeps SQLite's shared file in place
                with Store.open(path) as store, store.writing() as writer:
                    writer.put_state("any", 1)
                    as_another_user(reads)
        finally:
            os.chmod(path, 0o755)
