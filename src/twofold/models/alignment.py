"""The file in a query tower's folder that names the space for which it was fitted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from twofold.errors import ModelError
from twofold.files import write_aside

FILE = "query_tower.json"


def write_alignment(folder: Path, aligned_to: str, about: Mapping[str, str]) -> None:
    """Writes the file. aligned_to: the space (`Contract.space`); about: what the tower was fitted on, in words."""
    with write_aside(folder / FILE) as file:
        file.write(json.dumps({"aligned_to": aligned_to, "about": dict(about)}, indent=1, sort_keys=True).encode())


def read_alignment(folder: Path) -> str:
    """The space that a tower belongs to. Raises ModelError for a folder that is no query tower."""
    try:
        return str(json.loads((folder / FILE).read_bytes())["aligned_to"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"{folder} is no query tower, for it lacks a {FILE} that says which space it belongs to: {error}"
        ) from error
