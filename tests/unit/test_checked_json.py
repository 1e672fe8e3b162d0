"""JSON files with a version and a checksum: what was written is read, anything else is damaged or newer."""

from __future__ import annotations

from pathlib import Path

import pytest

from twofold.checked_json import checked_json, read_checked_json
from twofold.errors import CorruptionError, FormatError

FIELDS = {"name": "größe", "numbers": [1, 2.5, None], "inside": {"b": 1, "a": True}}


def written(folder: Path, content: bytes) -> Path:
    path = folder / "file.json"
    path.write_bytes(content)
    return path


def test_what_was_written_is_read(tmp_path: Path) -> None:
    found = read_checked_json(written(tmp_path, checked_json(FIELDS, 3)), 3)
    checksum = found.pop("checksum")
    assert (found, len(checksum)) == (FIELDS, 32)


def test_every_changed_byte_but_white_space_is_damage(tmp_path: Path) -> None:
    whole = checked_json(FIELDS, 1)
    for place, byte in enumerate(whole):
        if chr(byte).isspace():
            continue
        path = written(tmp_path, whole[:place] + bytes([byte ^ 1]) + whole[place + 1 :])
        with pytest.raises(CorruptionError, match=r"file\.json is damaged"):
            read_checked_json(path, 1)


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"format": "1"}', b'{"name": 1}', b"\xff"])
def test_what_is_no_such_file_is_damage(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(CorruptionError, match=r"file\.json is damaged"):
        read_checked_json(written(tmp_path, content), 1)


def test_another_version_is_named_with_what_to_do(tmp_path: Path) -> None:
    path = written(tmp_path, checked_json(FIELDS, 99))
    with pytest.raises(FormatError, match=r"has format 99, this Twofold reads format 1\. Install a newer version"):
        read_checked_json(path, 1)


def test_a_missing_file_is_the_callers_to_explain(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_checked_json(tmp_path / "none.json", 1)
