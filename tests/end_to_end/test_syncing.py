"""`twofold sync` as people run it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twofold.collection.opening import open_collection as twofold_open

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


def test_a_watched_folder_is_followed_until_the_process_is_interrupted(tmp_path: Path) -> None:
    notes, place = tmp_path / "notes", tmp_path / "c"
    notes.mkdir()

    def put(name: str, text: str) -> None:
        (tmp_path / name).write_text(text)
        (tmp_path / name).replace(notes / name)  # whole at once: half of a file is another change

    put("a.md", "words about a")
    words = ["sync", notes, "--to", place, "--encoder", "hashed-words:32", "--watch", "--every", 1, "--yes", "--json"]
    program = [sys.executable, "-m", "twofold", *map(str, words)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None

        def said() -> tuple[int, int, int]:
            files = json.loads(watching.stdout.readline())  # type: ignore[union-attr]
            return files["files"]["changed"], files["files"]["deleted"], files["stored"]

        try:
            assert said() == (1, 0, 1)
            put("b.md", "words about b")
            assert said() == (1, 0, 2)
            put("a.md", "other words, and more of them")
            assert said() == (1, 0, 2)
            (notes / "b.md").unlink()
            assert said() == (0, 1, 1)
            watching.send_signal(signal.SIGINT)
            out, err = watching.communicate(timeout=120)
        finally:
            watching.kill()
    assert (out, watching.returncode) == ("", 130)
    assert err.splitlines()[-1] == f"twofold: {notes} is no longer watched; {place} holds 1 document"
    with twofold_open(place) as collection:
        assert [document.text for document in collection] == ["other words, and more of them"]
