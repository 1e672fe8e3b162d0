"""`twofold sync` as people run it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

Twofold = Callable[..., Any]


def test_a_folder_is_followed_and_nothing_is_deleted_without_being_agreed_to(tmp_path: Path, twofold: Twofold) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    for name in ("a", "b", "c"):
        (notes / f"{name}.md").write_text(f"words about {name}")

    def synced(*more: str) -> Any:
        return twofold("sync", notes, "--to", tmp_path / "c", *more)

    assert "3 files read, 0 unchanged, 0 gone" in synced("--encoder", "hashed-words:32").out
    (notes / "a.md").unlink()
    (notes / "b.md").write_text("other words")
    kept = synced().out
    assert "1 files read, 1 unchanged, 1 gone" in kept
    assert "1 document of files that are gone kept; --yes deletes them" in kept
    said = synced("--yes", "--json").json
    assert said["files"] == {"changed": 0, "unchanged": 2, "gone": 1, "deleted": 1, "kept": 0}
    assert said["stored"] == 2
    (notes / "b.md").unlink()
    (notes / "c.md").unlink()
    refused = synced("--yes")
    assert refused.status == 1
    assert "2 of 2 files that were read before are not in it now" in refused.err
