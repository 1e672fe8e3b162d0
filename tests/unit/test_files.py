"""Files are written aside: the old one or the new one, never half of one."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from twofold.errors import StorageError
from twofold.files import refused, sync_folder, write_aside


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
