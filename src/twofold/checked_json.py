"""JSON files with a version and a checksum, by which a damaged file and a newer one are detected.

The checksum is over all other fields: hexadecimal BLAKE2b (16 bytes) of their canonical JSON (sorted keys, no spaces,
not escaped to ASCII). Later versions keep this rule, so a file with a wrong checksum is damaged, whatever its version.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

from twofold.errors import CorruptionError, FormatError


def checked_json(fields: Mapping[str, Any], version: int) -> bytes:
    """The content of a file with these fields, its version as `format`, and its `checksum`."""
    named = {**fields, "format": version}
    text = json.dumps({**named, "checksum": _checksum(named)}, ensure_ascii=False, indent=1, sort_keys=True)
    return text.encode() + b"\n"


def parse_checked_json(content: bytes, version: int, *, path: Path) -> dict[str, Any]:
    """All fields of a file's content but `format`, with its `checksum`.

    Raises, naming the path, CorruptionError if the content is not what was written, FormatError for another version.
    """
    try:
        fields = json.loads(content)
    except ValueError as error:
        raise CorruptionError(f"{path} is damaged: it is no JSON ({error})") from None
    if not isinstance(fields, dict) or not isinstance(fields.get("format"), int):
        raise CorruptionError(f"{path} is damaged: it names no format")
    checksum = fields.pop("checksum", None)
    if checksum != _checksum(fields):
        raise CorruptionError(f"{path} is damaged: its checksum does not fit its content")
    if (found := fields.pop("format")) != version:
        raise FormatError(
            f"{path} has format {found}, this Twofold reads format {version}. "
            "Install a newer version: pip install -U twofold"
        )
    return {**fields, "checksum": checksum}


def _checksum(fields: Mapping[str, Any]) -> str:
    canonical = json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return blake2b(canonical.encode(), digest_size=16).hexdigest()
