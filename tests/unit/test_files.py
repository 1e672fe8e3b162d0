"""Files and folders are written aside: the old one or the new one, never half of one."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

import pytest

from twofold import files
from twofold.errors import InputError, StorageError
from twofold.files import check_writable, copy_aside, folder_aside, refused, sync_folder, write_aside


def test_the_name_keeps_what_it_had_until_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    with write_aside(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_after_an_error_nothing_is_left_behind_and_the_old_one_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")

    def interrupted() -> None:
        with write_aside(path) as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_what_cannot_become_a_file_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    fifo, link, kept = tmp_path / "fifo", tmp_path / "link", tmp_path / "kept"
    os.mkfifo(fifo)
    link.symlink_to(tmp_path)
    kept.write_text("as it was")
    for path, said in ((tmp_path, "a folder"), (link, "a folder"), (fifo, "no regular file"), (Path("."), "a folder")):
        with pytest.raises(InputError, match=said):
            check_writable(path)
        with pytest.raises(InputError, match=said), write_aside(path):
            pytest.fail("something was written")
    for path in (tmp_path / "none" / "a", tmp_path / ("x" * 256), kept / "a"):
        with pytest.raises(StorageError, match=re.escape(f"{path}: ")):
            check_writable(path)
    check_writable(kept)
    check_writable(tmp_path / "new")
    assert sorted(os.listdir(tmp_path)) == ["fifo", "kept", "link"]
    assert kept.read_text() == "as it was"


def test_the_bytes_are_synced_before_the_name_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    fsync, replace = os.fsync, os.replace

    def seen_fsync(descriptor: int) -> None:
        calls.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def seen_replace(source: str, target: Path) -> None:
        calls.append("rename")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", seen_fsync)
    monkeypatch.setattr(os, "replace", seen_replace)
    with write_aside(tmp_path / "a") as file:
        file.write(b"x")
    assert calls == ["file", "rename", "folder"]


def test_a_new_file_has_the_rights_that_any_new_file_has(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"")
    with write_aside(tmp_path / "aside") as file:
        file.write(b"")
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("plain", "aside")}
    assert len(modes) == 1


def test_a_folder_that_is_not_there_is_a_storage_error_naming_the_path(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "a"
    with pytest.raises(StorageError, match=r"missing/a: No such file or directory") as caught, write_aside(path):
        pass
    assert isinstance(caught.value.__cause__, FileNotFoundError)


def test_a_disk_that_refuses_while_writing_is_a_storage_error_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="No space left on device"), write_aside(tmp_path / "a"):
        raise OSError(28, "No space left on device")
    assert os.listdir(tmp_path) == []


def test_syncing_a_folder_that_is_not_there_fails(tmp_path: Path) -> None:
    sync_folder(tmp_path)
    with pytest.raises(FileNotFoundError):
        sync_folder(tmp_path / "missing")


def test_a_refusal_says_path_and_reason() -> None:
    assert str(refused("/x/y", OSError(30, "Read-only file system"))).startswith("/x/y: Read-only file system. ")


def test_a_folder_has_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "folder"
    with folder_aside(path) as aside:
        (aside / "a").write_text("x")
        assert not path.exists()
        assert aside.parent == path.parent
        assert aside.name.startswith(".folder.")
    assert os.listdir(path.parent) == ["folder"]
    assert (path / "a").read_text() == "x"


def test_an_empty_folder_is_taken_and_anything_else_is_left_as_it_is(tmp_path: Path) -> None:
    for name in ("empty", "full"):
        (tmp_path / name).mkdir()
    for name in ("full/a", "file"):
        (tmp_path / name).write_text("kept")
    with folder_aside(tmp_path / "empty") as aside:
        (aside / "a").write_text("new")
    assert (tmp_path / "empty" / "a").read_text() == "new"
    for name in ("full", "file"):
        with pytest.raises(InputError, match=f"{name}: there is something here already"), folder_aside(tmp_path / name):
            pass
    assert sorted(os.listdir(tmp_path)) == ["empty", "file", "full"]
    assert (tmp_path / "full" / "a").read_text() == (tmp_path / "file").read_text() == "kept"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_a_folder_that_was_not_filled_leaves_nothing(tmp_path: Path, error: BaseException) -> None:
    expected = StorageError if isinstance(error, OSError) else type(error)

    def fill() -> None:
        with folder_aside(tmp_path / "a") as aside:
            (aside / "half").write_text("x")
            raise error

    with pytest.raises(expected):
        fill()
    assert os.listdir(tmp_path) == []


def test_a_folder_that_somebody_fills_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    def fill() -> None:
        with folder_aside(tmp_path / "a"):
            (tmp_path / "a").mkdir()
            (tmp_path / "a" / "theirs").write_text("kept")

    with pytest.raises(StorageError, match="not empty"):
        fill()
    assert (tmp_path / "a" / "theirs").read_text() == "kept"
    assert os.listdir(tmp_path) == ["a"]


def test_the_folder_is_synced_before_its_name_and_its_name_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    rename = os.rename

    def seen_rename(source: Path, target: Path) -> None:
        calls.append("rename")
        rename(source, target)

    monkeypatch.setattr(os, "rename", seen_rename)
    monkeypatch.setattr(files, "sync_folder", lambda folder: calls.append(Path(folder).name))
    with folder_aside(tmp_path / "new" / "deep" / "a") as aside:
        name = aside.name
    assert sorted(calls[:2]) == sorted([tmp_path.name, "new"])
    assert calls[2:] == [name, "rename", "deep"]


def test_a_copy_makes_the_folder_that_is_missing(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")
    copy_aside(tmp_path / "a", tmp_path / "new" / "b")
    assert (tmp_path / "new" / "b").read_bytes() == b"content"
    with pytest.raises(FileNotFoundError):
        copy_aside(tmp_path / "missing", tmp_path / "new" / "c")
    assert os.listdir(tmp_path / "new") == ["b"]
