"""A collection's folder: made, opened, refused, vanishing."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
from storing import block, content, document, expected, new_store

from twofold.checked_json import checked_json
from twofold.engines.local.description import Description
from twofold.engines.local.disk import Disk
from twofold.engines.local.engine import Store
from twofold.errors import (
    CollectionError,
    CorruptionError,
    FormatError,
    InputError,
    NotACollectionError,
    StorageError,
)


def test_what_was_committed_is_there_after_reopening(tmp_path: Path) -> None:
    blocks = [
        block([document("a", year=1), document("b", tags=["x", None])], rows=[2, 0]),
        block([document("c")]),
        block([document("a", "another text")], rows=3),
    ]
    with new_store(tmp_path / "c") as store, store.writing() as writer:
        for each in blocks:
            writer.commit(each)
    with Store.open(tmp_path / "c") as store:
        assert content(store) == expected(blocks)
        assert store.space.contract == {"weights": "w"}
        assert store.description.settings == {"depth": 200}


def test_a_missing_folder_a_file_and_a_foreign_folder_are_no_collections(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "thesis.doc").write_text("x")
    with pytest.raises(NotACollectionError, match="does not exist"):
        Store.open(tmp_path / "nothing")
    with pytest.raises(NotACollectionError, match="is a file"):
        Store.open(tmp_path / "file")
    with pytest.raises(NotACollectionError, match=r"no collection.json"):
        Store.open(tmp_path / "foreign")
    with pytest.raises(NotACollectionError, match=r"thesis\.doc"):
        new_store(tmp_path / "foreign")
    with pytest.raises(NotACollectionError, match="is a file"):
        new_store(tmp_path / "file")
    assert [path.name for path in (tmp_path / "foreign").iterdir()] == ["thesis.doc"]


def test_a_collection_is_never_made_over_another(tmp_path: Path) -> None:
    with new_store(tmp_path / "c") as store, store.writing() as writer:
        writer.commit(block([document("a")]))
    with pytest.raises(InputError, match="a collection here already"):
        new_store(tmp_path / "c")
    with Store.open(tmp_path / "c") as store:
        assert store.snapshot().count() == 1


class StopsAt(Disk):
    """Raises at a named step, as a kill would stop there."""

    def __init__(self, step: str) -> None:
        super().__init__()
        self.step = step

    def reached(self, step: str) -> None:
        if step == self.step:
            raise KeyboardInterrupt


def test_a_creation_that_was_stopped_can_be_made_again(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        new_store(tmp_path / "c", StopsAt("catalogue created"))
    with pytest.raises(NotACollectionError, match="never finished"):
        Store.open(tmp_path / "c")
    with new_store(tmp_path / "c") as store, store.writing() as writer:
        writer.commit(block([document("a")]))
        assert writer.known(["a"])


def test_documents_whose_description_is_lost_are_not_overwritten(tmp_path: Path) -> None:
    with new_store(tmp_path / "c") as store, store.writing() as writer:
        writer.commit(block([document("a")], rows=0))
    (tmp_path / "c" / "collection.json").unlink()
    with pytest.raises(CorruptionError, match=r"lost its collection\.json"):
        new_store(tmp_path / "c")
    assert (tmp_path / "c" / "catalogue.sqlite").stat().st_size


def test_a_newer_format_is_refused_by_name(tmp_path: Path) -> None:
    new_store(tmp_path / "c").close()
    path = tmp_path / "c" / "collection.json"
    fields = json.loads(path.read_text())
    del fields["checksum"]
    path.write_bytes(checked_json({**fields, "hitherto": "unknown"}, 2))
    with pytest.raises(FormatError, match=r"format 2.*reads format 1"):
        Store.open(tmp_path / "c")


def test_a_newer_catalogue_is_refused_by_name(tmp_path: Path) -> None:
    new_store(tmp_path / "c").close()
    connection = sqlite3.connect(tmp_path / "c" / "catalogue.sqlite")
    connection.execute("PRAGMA user_version = 2")
    connection.close()
    with pytest.raises(FormatError, match="format 2"):
        Store.open(tmp_path / "c")


@pytest.mark.parametrize("change", [b"not json", b"[]", b"{}", b'{"format": 1}'])
def test_a_damaged_description_is_named(tmp_path: Path, change: bytes) -> None:
    new_store(tmp_path / "c").close()
    (tmp_path / "c" / "collection.json").write_bytes(change)
    with pytest.raises(CorruptionError, match=r"collection\.json is damaged"):
        Store.open(tmp_path / "c")


def test_every_changed_byte_of_the_description_is_seen(tmp_path: Path) -> None:
    new_store(tmp_path / "c").close()
    path = tmp_path / "c" / "collection.json"
    whole, read = path.read_bytes(), Description.read(tmp_path / "c")
    for position in range(len(whole)):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        try:
            assert Description.read(tmp_path / "c") == read  # a changed space changes nothing
        except (CorruptionError, FormatError):
            continue


def test_a_catalogue_that_is_gone_or_is_no_database_is_corruption(tmp_path: Path) -> None:
    new_store(tmp_path / "c").close()
    catalogue = tmp_path / "c" / "catalogue.sqlite"
    catalogue.write_bytes(b"this was a database once" * 500)
    with pytest.raises(CorruptionError, match=r"catalogue\.sqlite is damaged"):
        Store.open(tmp_path / "c")
    catalogue.unlink()
    with pytest.raises(CorruptionError, match=r"lost its catalogue\.sqlite"):
        Store.open(tmp_path / "c")
    assert not catalogue.exists()


def test_a_collection_in_memory_vanishes_when_closed_and_when_forgotten() -> None:
    store = new_store(None)
    with store.writing() as writer:
        writer.commit(block([document("a")]))
    assert list(content(store)) == ["a"]
    path = store.path
    store.close()
    assert not path.exists()
    store = new_store(None)
    path = store.path
    assert path.exists()
    del store
    gc.collect()
    assert not path.exists()


def test_a_collection_in_memory_vanishes_when_the_process_ends() -> None:
    script = (
        "from twofold.engines.local.engine import Store\n"
        "from twofold.space import Space\n"
        "store = Store.create(None, space=Space(dimension=4, contract={}, source={}), settings={})\n"
        "print(store.path)"
    )
    path = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()
    assert path
    assert not Path(path).exists()


IN_MEMORY = """
import os, sys, time
from twofold.engines.local.engine import Store
from twofold.space import Space
store = Store.create(None, space=Space(dimension=4, contract={}, source={}), settings={})
if "fork" in sys.argv and os.fork():
    os._exit(0)
print(store.path, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("how", ["alone", "fork"])
def test_a_collection_in_memory_of_a_killed_process_is_swept_up_by_the_next(how: str) -> None:
    with subprocess.Popen([sys.executable, "-c", IN_MEMORY, how], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        path = Path(process.stdout.readline().strip())
        if how == "fork":
            process.wait()  # its child goes on with the collection
        new_store(None).close()
        assert (path / "collection.json").exists()
        for child in _processes_with(path):
            os.kill(child, signal.SIGKILL)
        process.wait()
    while _processes_with(path):
        time.sleep(0.01)
    new_store(None).close()  # unless another process of this machine has swept it up by now
    assert not path.exists()


def _processes_with(path: Path) -> list[int]:
    """Other processes that have a folder open."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if int(process.name) != os.getpid() and str(path) in map(os.readlink, (process / "fd").iterdir()):
                found.append(int(process.name))
    return found


def test_a_folder_that_another_process_sweeps_up_at_once_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    kept = tempfile.mkdtemp

    def swept(**named: str | Path) -> str:
        made.append(kept(prefix=str(named["prefix"]), dir=named["dir"]))
        if len(made) == 1:
            os.rmdir(made[0])
        return made[-1]

    monkeypatch.setattr(tempfile, "mkdtemp", swept)
    with new_store(None) as store:
        assert [str(store.path)] == made[1:]


def test_sweeping_touches_nothing_but_folders_of_collections_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    kept = [tmp_path / "twofold-notes", tmp_path / "notes" / "twofold-in-memory-x", tmp_path / "target"]
    for folder in [*kept, left := tmp_path / "twofold-in-memory-left"]:
        folder.mkdir(parents=True)
        (folder / "file").touch()
    (tmp_path / "twofold-in-memory-link").symlink_to(tmp_path / "target")
    (tmp_path / "twofold-in-memory-file").touch()
    new_store(None).close()
    assert not left.exists()
    assert all((folder / "file").exists() for folder in kept)
    assert (tmp_path / "twofold-in-memory-file").exists()


def test_a_closed_store_says_so_and_a_held_snapshot_stays_good(tmp_path: Path) -> None:
    store = new_store(tmp_path / "c")
    with store.writing() as writer:
        writer.commit(block([document("a")]))
    snapshot = store.snapshot()
    store.close()
    assert snapshot.ids(np.asarray([0])) == ["a"]
    snapshot.close()
    with pytest.raises(CollectionError, match="was closed"):
        store.snapshot()
    with pytest.raises(CollectionError, match="was closed"):
        snapshot.documents(np.asarray([0]))


def test_bytes_are_told_by_part(tmp_path: Path) -> None:
    with new_store(tmp_path / "c") as store, store.writing() as writer:
        writer.commit(block([document("a"), document("b")]))
        parts = store.bytes()
    assert parts["vectors"] == 64 + 2 * 8 * 2
    assert parts["catalogue"] > 4096
    assert parts["log"] > 4096
    assert parts["other"] == sum(
        (tmp_path / "c" / name).stat().st_size for name in ("collection.json", "lock", "turn", "acknowledged")
    )


def test_a_folder_that_cannot_be_made_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match="file"):
        new_store(tmp_path / "file" / "c")


@pytest.mark.skipif(os.geteuid() == 0 and not Path("/proc/self/mounts").exists(), reason="needs a read-only folder")
def test_a_read_only_place_is_a_storage_error() -> None:
    with pytest.raises(StorageError):
        new_store(Path("/proc/twofold-cannot-be-here"))
