"""Where the demo keeps its collection, by the custom of each system."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from twofold.cli.demo_collection import cache_folder


@pytest.mark.parametrize(
    ("system", "name", "value", "folder"),
    [
        ("linux", "XDG_CACHE_HOME", "/caches", "/caches/twofold"),
        ("linux", "XDG_CACHE_HOME", "", "/home/me/.cache/twofold"),
        ("darwin", "XDG_CACHE_HOME", "/caches", "/home/me/Library/Caches/twofold"),
        ("win32", "LOCALAPPDATA", "/local", "/local/twofold"),
        ("win32", "LOCALAPPDATA", "", "/home/me/AppData/Local/twofold"),
    ],
)
def test_caches_lie_where_the_system_keeps_them(
    system: str, name: str, value: str, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(Path, "home", lambda: Path("/home/me"))
    monkeypatch.setenv(name, value)
    assert cache_folder() == Path(folder)
