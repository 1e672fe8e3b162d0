"""JSON files with a version and a checksum: what was written is read, anything else is damaged or newer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from twofold.checked_json import checked_json, parse_checked_json
from twofold.errors import CorruptionError, FormatError

FIELDS = {"name": "größe", "numbers": [1, 2.5, None], "inside": {"b": 1, "a": True}}


def parsed(content: bytes, version: int = 1) -> dict[str, Any]:
    return parse_checked_json(content, version, path=Path("file.json"))


def test_what_was_written_is_read() -> None:
    found = parsed(checked_json(FIELDS, 3), 3)
    checksum = found.pop("checksum")
    assert (found, len(checksum)) == (FIELDS, 32)


def test_every_changed_byte_but_white_space_is_damage() -> None:
    whole = checked_json(FIELDS, 1)
    for place, byte in enumerate(whole):
        if chr(byte).isspace():
            continue
        with pytest.raises(CorruptionError, match=r"file\.json is damaged"):
            parsed(whole[:place] + bytes([byte ^ 1]) + whole[place + 1 :])


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"format": "1"}', b'{"name": 1}', b"\xff"])
def test_what_is_no_such_file_is_damage(content: bytes) -> None:
    with pytest.raises(CorruptionError, match=r"file\.json is damaged"):
        parsed(content)


def test_another_version_is_named_with_what_to_do() -> None:
    with pytest.raises(FormatError, match=r"has format 99, this Twofold reads format 1\. Install a newer version"):
        parsed(checked_json(FIELDS, 99))
