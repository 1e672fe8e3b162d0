"""Syncing a folder: changed files are read, unchanged ones not opened, what is gone is deleted."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import readable_files as made

from twofold.collection.collection import Collection
from twofold.collection.opening import create
from twofold.encoders.hashed_words import HashedWords
from twofold.errors import InputError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four files."""
    root = tmp_path / "notes"
    (root / "deep").mkdir(parents=True)
    for name in ("a.md", "b.html", "deep/a.md", "deep/c.txt"):
        (root / name).write_text(f"text of {name}")
    return root


@pytest.fixture
def collection(tmp_path: Path) -> Iterator[Collection]:
    with create(tmp_path / "c.twofold", HashedWords(32)) as made_here:
        yield made_here


def texts(collection: Collection) -> dict[str, str]:
    return {document.id: document.text for document in collection.get()}


def test_new_changed_and_removed_files_are_followed(folder: Path, collection: Collection) -> None:
    assert collection.sync(folder).changed == 4
    (folder / "a.md").write_text("other words")
    (folder / "new.txt").write_text("new")
    (folder / "b.html").unlink()
    report = collection.sync(folder)
    assert (report.changed, report.unchanged, report.gone, report.deleted) == (2, 2, 1, 1)
    assert texts(collection) == {
        "notes/a.md": "other words",
        "notes/new.txt": "new",
        "notes/deep/a.md": "text of deep/a.md",
        "notes/deep/c.txt": "text of deep/c.txt",
    }


def test_an_unchanged_file_is_not_opened(folder: Path, collection: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    collection.sync(folder)
    commit = collection.info().commit
    monkeypatch.setattr("twofold.collection.syncing.documents_of", lambda *_, **__: pytest.fail("a file was opened"))
    report = collection.sync(folder)
    assert (report.changed, report.unchanged, report.added) == (0, 4, None)
    assert collection.info().commit == commit


def test_a_file_of_the_same_size_and_time_that_was_replaced_is_read(folder: Path, collection: Collection) -> None:
    collection.sync(folder)
    before = (folder / "a.md").stat()
    (folder / "other").write_text("TEXT of a.md")
    os.replace(folder / "other", folder / "a.md")
    os.utime(folder / "a.md", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert collection.sync(folder).changed == 1
    assert texts(collection)["notes/a.md"] == "TEXT of a.md"


def test_a_file_that_fails_keeps_its_last_good_state_and_is_named_until_it_is_well(
    folder: Path, collection: Collection
) -> None:
    (folder / "p.pdf").write_bytes(made.pdf([["good"]]))
    collection.sync(folder)
    (folder / "p.pdf").write_bytes(b"broken")
    for _ in range(2):
        report = collection.sync(folder)
        assert list(report.reading.unread) == [str(folder / "p.pdf")]
        assert texts(collection)["notes/p.pdf"].strip() == "good"
    (folder / "p.pdf").write_bytes(made.pdf([["better"]]))
    assert collection.sync(folder).changed == 1
    assert texts(collection)["notes/p.pdf"].strip() == "better"


def test_a_folder_that_cannot_be_read_now_has_not_lost_its_files(
    folder: Path, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection.sync(folder)
    scan = os.scandir

    def refused(path: str) -> object:
        if str(path).endswith("deep"):
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr("twofold.readers.walking.os.scandir", refused)
    report = collection.sync(folder)
    assert (report.gone, report.deleted) == (0, 0)
    assert str(folder / "deep") in report.reading.unread
    assert len(texts(collection)) == 4


def test_more_than_half_is_deleted_only_by_force_and_less_only_if_agreed(folder: Path, collection: Collection) -> None:
    collection.sync(folder)
    (folder / "a.md").unlink()
    assert collection.sync(folder, agreed=lambda files, documents: (files, documents) != (1, 1)).kept == 1
    assert "notes/a.md" in texts(collection)
    for name in ("b.html", "deep/a.md"):
        (folder / name).unlink()
    with pytest.raises(InputError, match="3 of 4 files that were read before are not in it now"):
        collection.sync(folder)
    assert len(texts(collection)) == 4
    assert collection.sync(folder, force=True).deleted == 3
    assert list(texts(collection)) == ["notes/deep/c.txt"]


def test_a_message_that_left_its_mailbox_is_deleted(folder: Path, collection: Collection) -> None:
    messages = [b"From x\n" + made.message(f"text {number}", identifier=f"<{number}@x>") + b"\n" for number in (1, 2)]
    (folder / "m.mbox").write_bytes(b"".join(messages))
    collection.sync(folder)
    (folder / "m.mbox").write_bytes(messages[1])
    assert collection.sync(folder).deleted == 1
    assert [each for each in texts(collection) if "mbox" in each] == ["notes/m.mbox#2@x"]


def test_documents_from_elsewhere_are_left_alone(folder: Path, collection: Collection) -> None:
    collection.add([("notes/other", "not a file"), ("x", "y")])
    collection.sync(folder)
    for path in sorted(folder.rglob("*.*")):
        path.unlink()
    collection.sync(folder, force=True)
    assert set(texts(collection)) == {"notes/other", "x"}


def test_another_folder_of_the_same_name_is_refused(folder: Path, collection: Collection, tmp_path: Path) -> None:
    collection.sync(folder)
    other = tmp_path / "elsewhere" / "notes"
    other.mkdir(parents=True)
    with pytest.raises(InputError, match="holds the files of another folder of this name"):
        collection.sync(other)
    folder.rename(tmp_path / "moved")
    (tmp_path / "moved").rename(tmp_path / "gone")
    assert collection.sync(other, force=True).gone == 4


def test_a_folder_that_is_not_there_deletes_nothing(folder: Path, collection: Collection) -> None:
    collection.sync(folder)
    with pytest.raises(InputError, match="no such folder"):
        collection.sync(folder / "gone")
    assert len(texts(collection)) == 4
