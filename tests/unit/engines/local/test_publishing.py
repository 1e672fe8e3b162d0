"""Derived folders: a build is found when it is whole and was made from these vectors, and never otherwise."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from storing import block, content, document, new_store

from twofold.engines.local.derived.builds import Built
from twofold.engines.local.disk import Disk
from twofold.engines.local.engine import Store
from twofold.engines.local.layout import canonical_checksum
from twofold.errors import CorruptionError, InputError, StorageError

CODES = bytes(range(256)) * 40


def fill(folder: Path) -> None:
    (folder / "codes.bin").write_bytes(CODES)
    (folder / "graph").mkdir()
    (folder / "graph" / "links").write_bytes(b"links")
    (folder / "graph" / "empty").touch()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = new_store(tmp_path / "c")
    with made.writing() as writer:
        writer.commit(block([document("a"), document("b"), document("c")], rows=[1, 2, 3]))
    return made


def publish(store: Store, **about: object) -> Built:
    with store.writing() as writer:
        return writer.publish("indexes", fill, about)


def found(store: Store, room: str = "indexes") -> Built | None:
    with store.snapshot() as snapshot:
        return snapshot.built(room)


def add(store: Store, *ids: str) -> None:
    with store.writing() as writer:
        writer.commit(block([document(each) for each in ids]))


def test_a_build_is_found_as_it_was_published(store: Store) -> None:
    built = publish(store, kind="scan", recall=0.98)
    assert built == found(store)
    assert (built.path, built.rows, built.commit) == (store.path / "indexes" / "000001", 6, 1)
    assert built.about == {"kind": "scan", "recall": 0.98}
    assert (built.path / "codes.bin").read_bytes() == CODES
    assert built.bytes == len(CODES) + 5
    built.check()
    assert found(store, "lexical") is None


def test_a_build_covers_the_first_rows_of_later_commits_too(store: Store) -> None:
    built = publish(store)
    for number in range(300):  # the block that was last has grown, and is full by now
        add(store, f"later {number}")
    with store.writing() as writer:
        writer.delete([0, 1])
    assert found(store) == built
    assert built.rows == 6


def test_a_newer_build_replaces_the_older_one(store: Store) -> None:
    first = publish(store, turn=1)
    with store.snapshot() as held:
        add(store, "d")
        second = publish(store, turn=2)
        assert (second.path.name, second.rows) == ("000002", 7)
        assert found(store) == second
        assert held.built("indexes") is None  # the older snapshot has no build of fewer rows any more
    assert not first.path.exists()
    assert [path.name for path in (store.path / "indexes").iterdir()] == ["000002"]


def test_a_compaction_begins_without_builds_and_later_ones_are_of_its_rows(store: Store) -> None:
    publish(store)
    with store.writing() as writer:
        writer.delete([1])
        with store.snapshot() as held:
            writer.compact()
            assert found(store) is None
            assert list((store.path / "indexes").iterdir()) == []
            again = publish(store)
            assert held.built("indexes") is None
    assert (again.rows, again.covered.generation) == (4, 1)
    assert found(store) == again


def truncated(path: Path) -> None:
    (path / "codes.bin").write_bytes(CODES[:-1])


def without_a_file(path: Path) -> None:
    (path / "graph" / "links").unlink()


def without_manifest(path: Path) -> None:
    (path / "manifest.json").unlink()


def manifest_cut_short(path: Path) -> None:
    text = (path / "manifest.json").read_bytes()
    (path / "manifest.json").write_bytes(text[:-20])


def manifest_changed(path: Path) -> None:
    text = (path / "manifest.json").read_text()
    (path / "manifest.json").write_text(text.replace('"rows": 6', '"rows": 5'))


def commit_changed(path: Path) -> None:
    text = (path / "manifest.json").read_text()
    (path / "manifest.json").write_text(text.replace('"commit": 1', '"commit": 0'))


def manifest_of_other_json(path: Path) -> None:
    (path / "manifest.json").write_text('["format"]')


def emptied(path: Path) -> None:
    shutil.rmtree(path)
    path.mkdir()


def a_file_in_its_place(path: Path) -> None:
    shutil.rmtree(path)
    path.touch()


def gone(path: Path) -> None:
    shutil.rmtree(path.parent)


def claims(path: Path, **fields: object) -> None:
    """A manifest that adds up and says something else."""
    kept = {**json.loads((path / "manifest.json").read_text()), **fields}
    kept.pop("checksum")
    (path / "manifest.json").write_text(json.dumps({**kept, "checksum": canonical_checksum(kept)}))


def of_other_vectors(path: Path) -> None:
    claims(path, vectors="0" * 32)


def of_more_rows(path: Path) -> None:
    claims(path, rows=7)


def of_fewer_rows_than_none(path: Path) -> None:
    claims(path, rows=-1)


def of_another_generation(path: Path) -> None:
    claims(path, generation=1)


def of_a_newer_format(path: Path) -> None:
    claims(path, format=2)


DAMAGES = [
    truncated, without_a_file, without_manifest, manifest_cut_short, manifest_changed, commit_changed,
    manifest_of_other_json, emptied,
    a_file_in_its_place, gone, of_other_vectors, of_more_rows, of_fewer_rows_than_none, of_another_generation,
    of_a_newer_format,
]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_what_is_no_whole_build_of_these_vectors_is_passed_over(store: Store, damage: Callable[[Path], None]) -> None:
    before = content(store)
    damage(publish(store).path)
    assert found(store) is None
    assert content(store) == before
    again = publish(store)
    assert found(store) == again


def test_an_older_build_serves_where_a_newer_one_is_damaged(store: Store, tmp_path: Path) -> None:
    first = publish(store)
    shutil.copytree(first.path, tmp_path / "kept")
    add(store, "d")
    truncated(publish(store).path)
    shutil.copytree(tmp_path / "kept", first.path)
    assert found(store) == first


def test_an_earlier_copy_under_a_newer_name_covers_what_it_covers(store: Store, tmp_path: Path) -> None:
    first = publish(store)
    shutil.copytree(first.path, tmp_path / "kept")
    add(store, "d")
    second = publish(store)
    shutil.rmtree(second.path)
    shutil.copytree(tmp_path / "kept", second.path)
    earlier = found(store)
    assert earlier is not None
    assert (earlier.rows, earlier.checksum) == (6, first.checksum)


def test_a_build_of_another_collection_does_not_fit(store: Store, tmp_path: Path) -> None:
    with new_store(tmp_path / "other") as other:
        with other.writing() as writer:
            writer.commit(block([document("a", "another text"), document("b"), document("c")], rows=[1, 2, 3]))
        shutil.copytree(publish(other).path, store.path / "indexes" / "000001")
    assert found(store) is None


def test_check_reads_every_byte_and_names_the_file(store: Store) -> None:
    built = publish(store)
    changed = bytearray(CODES)
    changed[77] ^= 1
    (built.path / "codes.bin").write_bytes(changed)
    assert found(store) == built
    with pytest.raises(CorruptionError, match=r"codes\.bin is damaged"):
        built.check()
    (built.path / "codes.bin").unlink()
    with pytest.raises(CorruptionError, match=r"codes\.bin"):
        built.check()


def test_a_filling_that_fails_leaves_the_build_that_was_there(store: Store) -> None:
    built = publish(store)

    def stops(folder: Path) -> None:
        (folder / "half").write_bytes(b"half")
        raise RuntimeError("no more")

    def is_refused(folder: Path) -> None:
        (folder / "missing" / "file").write_bytes(b"")

    def links(folder: Path) -> None:
        (folder / "link").symlink_to(store.path / "lock")

    for filling, error in ((stops, RuntimeError), (is_refused, StorageError), (links, InputError)):
        with store.writing() as writer, pytest.raises(error):
            writer.publish("indexes", filling, {})
        assert found(store) == built
        assert [path.name for path in (store.path / "indexes").iterdir()] == ["000001"]


def test_what_a_stopped_writer_left_is_removed_by_the_next(store: Store, tmp_path: Path) -> None:
    first = publish(store)
    shutil.copytree(first.path, tmp_path / "kept")
    second = publish(store)
    home = store.path / "indexes"
    shutil.copytree(tmp_path / "kept", home / "000001")
    shutil.copytree(tmp_path / "kept", home / ".000001")
    shutil.copytree(tmp_path / "kept", home / ".unfinished")
    (home / ".somebody's").mkdir()
    with store.writing():
        pass
    assert sorted(path.name for path in home.iterdir()) == [".somebody's", "000002"]
    assert found(store) == second


def test_an_engine_that_commits_by_itself_gets_new_folders_and_what_is_not_kept_goes(store: Store) -> None:
    with store.writing() as writer:
        first, second = writer.fresh("lexical"), writer.fresh("lexical")
        assert first != second
        assert first.parent == second.parent == store.folder("lexical")
        assert first.parent.parent == store.path / "lexical"
        (second / "meta.json").write_text("{}")
        writer.keep("lexical", second.name)
        assert (second / "meta.json").read_text() == "{}"
        assert not first.exists()
        assert store.bytes()["lexical"] == 2
        writer.clear("lexical")
        writer.clear("lexical")
        writer.keep("lexical", second.name)
    assert not second.exists()


def test_only_rooms_of_derived_things_have_folders(store: Store) -> None:
    with store.writing() as writer:
        for call in (lambda: writer.fresh("vectors"), lambda: writer.clear(".."), lambda: found(store, "catalogue")):
            with pytest.raises(InputError, match="indexes, lexical"):
                call()
    assert (store.path / "vectors").exists()


def test_bytes_are_told_by_part_and_outlive_files_that_vanish(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    built = publish(store)
    parts = store.bytes()
    assert set(parts) == {"catalogue", "log", "vectors", "indexes", "lexical", "other"}
    assert parts["indexes"] == built.bytes + (built.path / "manifest.json").stat().st_size
    files = [path for path in store.path.rglob("*") if path.is_file()]
    assert sum(parts.values()) == sum(path.stat().st_size for path in files)
    look = os.lstat

    def vanishing(path: str) -> os.stat_result:
        if path.endswith("codes.bin"):
            raise FileNotFoundError(path)
        return look(path)

    with monkeypatch.context() as patch:
        patch.setattr(os, "lstat", vanishing)
        assert store.bytes()["indexes"] == parts["indexes"] - len(CODES)


def test_a_collection_in_memory_has_builds_too() -> None:
    with new_store(None) as store:
        assert publish(store) == found(store)


class Recording(Disk):
    """Writes down the order of syncs and names."""

    def __init__(self) -> None:
        super().__init__()
        self.order: list[tuple[str, str]] = []

    def sync(self, descriptor: int, path: str | Path) -> None:
        self.order.append(("sync", Path(path).name))
        super().sync(descriptor, path)

    def sync_folder(self, path: str | Path) -> None:
        self.order.append(("sync folder", Path(path).name))
        super().sync_folder(path)

    def publish(self, path: str | Path, content: bytes) -> None:
        self.order.append(("publish", Path(path).name))
        super().publish(path, content)

    def rename(self, path: str | Path, target: str | Path) -> None:
        self.order.append(("rename", Path(target).name))
        super().rename(path, target)


def test_a_build_gets_its_name_when_everything_in_it_is_synced(tmp_path: Path) -> None:
    disk = Recording()
    with new_store(tmp_path / "c", disk) as store, store.writing() as writer:
        writer.commit(block([document("a")]))
        disk.order.clear()
        writer.publish("indexes", fill, {})
    *files, manifest, name, named = disk.order[1:]
    assert disk.order[0] == ("sync folder", "c")
    assert files == [
        ("sync", "empty"), ("sync", "links"), ("sync folder", "graph"), ("sync", "codes.bin"),
        ("sync folder", ".unfinished"),
    ]  # fmt: skip
    assert (manifest, name, named) == (("publish", "manifest.json"), ("rename", "000001"), ("sync folder", "indexes"))


NO_DAMAGE = (gone, of_another_generation, of_a_newer_format)


@pytest.mark.parametrize(
    "damage", [each for each in DAMAGES if each not in NO_DAMAGE], ids=lambda damage: damage.__name__
)
def test_verify_names_a_damaged_build_and_takes_it_away_when_asked(
    store: Store, damage: Callable[[Path], None]
) -> None:
    before = content(store)
    path = publish(store).path
    assert store.verify().damage == []
    damage(path)
    report = store.verify()
    assert [(each.place, each.derived, each.repaired) for each in report.damage] == [("indexes/000001", True, False)]
    assert not report.clean
    assert path.exists()
    repaired = store.verify(repair=True)
    assert repaired.damage == [replace(report.damage[0], repaired=True)]
    assert repaired.clean
    assert not path.exists()
    assert store.verify(repair=True).damage == []
    assert content(store) == before


def test_verify_reads_every_byte_of_a_build(store: Store) -> None:
    path = publish(store).path / "codes.bin"
    changed = bytearray(CODES)
    changed[-1] ^= 128
    path.write_bytes(changed)
    (damage,) = store.verify().damage
    assert str(damage) == f"indexes/000001: {path} is damaged: its checksum does not fit its content (derived)"


def test_a_build_that_is_whole_but_of_another_time_is_no_damage_and_stays(store: Store) -> None:
    for claim in (of_another_generation, of_a_newer_format, lambda path: claims(path, commit=99, rows=7)):
        path = publish(store).path
        claim(path)
        assert store.verify(repair=True).damage == []
        assert path.exists()


def test_repairing_touches_nothing_that_is_no_index(store: Store) -> None:
    truncated(publish(store).path)
    vectors = store.path / "vectors" / "000001.f16"
    whole = vectors.read_bytes()
    vectors.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    report = store.verify(repair=True)
    assert [(each.derived, each.repaired) for each in report.damage] == [(False, False), (True, True)]
    assert not report.clean
    assert vectors.read_bytes() != whole
