"""Where the model of a collection's encoder is: its path as stored, also from the collection on, and found again.

A source names a model's folder and a query tower by absolute paths. What lies below the folder that the collection is
in is stored from the collection on as well (`beside`), so both may be moved or copied together.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twofold.addresses import Place, is_address

PLACES = ("name", "query_tower")
"""The fields of a source that may hold a path."""
MOVES = ("name", "url", "key_from", "batch")
"""The fields of a source that tell where an encoder is and how it is asked, and not what it computes."""
BESIDE = "beside"


def placed(source: Mapping[str, Any], home: str | Place | None) -> dict[str, Any]:
    """The source as it is stored: with the paths from the collection's folder `home` on to what is near it."""
    plain = {name: value for name, value in source.items() if name != BESIDE}
    if home is None or is_address(home):  # no model is near a server
        return plain
    folder = os.path.realpath(str(home))
    near = {
        name: os.path.relpath(plain[name], folder)
        for name in PLACES
        if _is_path(plain.get(name)) and Path(plain[name]).is_relative_to(os.path.dirname(folder))
    }
    return {**plain, BESIDE: near} if near else plain


def located(source: Mapping[str, Any], home: str | Place) -> dict[str, Any]:
    """The stored source with each path as it is now: what is found from the collection on, else what was stored."""
    if is_address(home):
        return placed(source, None)
    folder = os.path.realpath(str(home))
    near = {name: os.path.normpath(os.path.join(folder, path)) for name, path in source.get(BESIDE, {}).items()}
    there = {name: path for name, path in near.items() if os.path.exists(path)}
    return {**placed(source, None), **there}


def lost(source: Mapping[str, Any]) -> list[str]:
    """The fields of a located source whose paths lead nowhere."""
    return [name for name in PLACES if _is_path(source.get(name)) and not os.path.exists(source[name])]


def _is_path(value: object) -> bool:
    return isinstance(value, str) and os.path.isabs(value)
