"""Indexes in pieces: a piece is used when it is whole and was made from these vectors, and never otherwise."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from storing import OTHER, OTHER_SPACE, block, content, document, new_store, other_part

from twofold.checked_json import checked_json
from twofold.engines.local.derived import manifest
from twofold.engines.local.derived.manifest import Manifest, wrong_content
from twofold.engines.local.derived.translating import mapped
from twofold.engines.local.disk import Disk
from twofold.engines.local.engine import Store
from twofold.errors import InputError, StorageError
from twofold.reports import VerifyReport

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


def publish(store: Store, *cuts: int, **about: object) -> Manifest:
    """An index of all rows, in pieces that end at `cuts`."""
    with store.writing() as writer:
        with store.snapshot() as snapshot:
            ends = [*cuts, snapshot.head.next_row]
        pieces = [writer.build("indexes/main", fill, first, end) for first, end in zip([0, *cuts], ends, strict=True)]
        return writer.publish("indexes/main", about, pieces)


def found(store: Store, area: str = "indexes/main", space: str = "main") -> Manifest | None:
    with store.snapshot() as snapshot:
        return snapshot.in_space(space).built(area)


def used(store: Store) -> list[str]:
    """The folders of the pieces that a process which opens the collection now would use."""
    with Store.open(store.path) as again:
        built = found(again)
        return [] if built is None else [piece.folder for piece in built.pieces]


def add(store: Store, *ids: str) -> None:
    with store.writing() as writer:
        writer.commit(block([document(each) for each in ids]))


def listed(store: Store) -> list[str]:
    return sorted(path.name for path in (store.path / "indexes" / "main").iterdir())


def test_an_index_is_found_as_it_was_published(store: Store) -> None:
    built = publish(store, 2, kind="scan", recall=0.98)
    assert built == found(store)
    first, second = built.pieces
    assert (built.home, built.rows, built.commit) == (store.path / "indexes" / "main", 6, 1)
    assert [(each.folder, each.first, each.rows) for each in built.pieces] == [("000001", 0, 2), ("000002", 2, 4)]
    assert first.vectors != second.vectors
    assert built.about == {"kind": "scan", "recall": 0.98}
    assert (built.path(second) / "codes.bin").read_bytes() == CODES
    assert built.bytes == 2 * (len(CODES) + 5)
    assert [wrong_content(built.home, piece) for piece in built.pieces] == [None, None]
    assert found(store, "lexical") is None


def test_an_index_covers_the_first_rows_of_later_commits_too(store: Store) -> None:
    built = publish(store, 1)  # both pieces end inside a block
    for number in range(300):  # the block that was last has grown, and is full by now
        add(store, f"later {number}")
    with store.writing() as writer:
        writer.delete([0, 1])
    assert found(store) == built
    assert built.rows == 6
    with Store.open(store.path) as again:
        assert found(again) == built


def test_a_piece_that_is_kept_is_not_touched_and_what_is_replaced_goes(store: Store) -> None:
    built = publish(store, 2, turn=1)
    kept = {path: path.stat().st_mtime_ns for path in built.path(built.pieces[0]).rglob("*")}
    with store.snapshot() as held:
        add(store, "d")
        with store.writing() as writer:
            second = writer.build("indexes/main", fill, 2, 7)
            assert found(store) == built  # it does not count yet
            after = writer.publish("indexes/main", {"turn": 2}, [built.pieces[0], second])
        assert found(store) == after
        before = held.built("indexes/main")
        assert before is not None
        assert before.pieces == built.pieces[:1]  # the older snapshot does not have all rows of the second
    assert listed(store) == ["000001", "000003", "manifest-0.json"]
    assert {path: path.stat().st_mtime_ns for path in built.path(built.pieces[0]).rglob("*")} == kept


def test_the_manifest_is_read_when_it_was_replaced_and_not_at_every_question(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = publish(store)
    assert found(store) == built
    reads: list[Path] = []
    kept = manifest.read

    def read(home: Path) -> Manifest | None:
        reads.append(home)
        return kept(home)

    monkeypatch.setattr(manifest, "read", read)
    for _ in range(5):
        assert found(store) == built
    assert reads == []
    publish(store)
    for _ in range(5):
        assert found(store) != built
    assert len(reads) == 1


def test_an_index_of_another_space_stands_beside_the_first_and_goes_with_it(store: Store) -> None:
    built, part = publish(store), other_part(block([document("a"), document("b"), document("c")], rows=[1, 2, 3]))
    with store.writing() as writer:
        writer.add_space(OTHER_SPACE)
        assert writer.fill_space(OTHER, np.arange(3), part)
        other = writer.publish("indexes/other", {}, [writer.build("indexes/other", fill, 0, 9)])
        left = writer.build("indexes/other", fill, 0, 6)
    assert found(store, "indexes/other", OTHER) == other
    assert found(store, "indexes/other") != other  # its pieces were made from other vectors than those of the default
    with store.writing():
        pass
    assert not other.path(left).exists()
    assert (found(store), found(store, "indexes/other", OTHER)) == (built, other)
    (other.path(other.pieces[0]) / "codes.bin").write_bytes(b"")
    assert [each.place for each in store.verify().damage] == ["indexes/other/000001"]
    with store.writing() as writer:
        writer.drop_space(OTHER)
    assert not other.home.exists()
    assert found(store) == built


def rows_left(built: Manifest) -> list[list[int] | None]:
    """The translation of each piece."""
    return [
        None if piece.translation is None else mapped(built.home, piece.translation).tolist() for piece in built.pieces
    ]


def compact(store: Store, *documents: int) -> Manifest:
    """Deletes documents and compacts; gives the index that is there then."""
    with store.writing() as writer:
        writer.delete(documents)
        writer.compact()
    after = found(store)
    assert after is not None
    assert after.lost == ()
    assert store.verify().damage == []
    names = {*(part.folder for part in after.parts), f"manifest-{after.generation}.json"}
    assert listed(store) == sorted(names)
    with Store.open(store.path) as again:
        assert found(again) == after
    return after


def test_a_compaction_keeps_the_pieces_and_says_which_of_their_rows_are_left(store: Store) -> None:
    add(store, "d", "e")
    built = publish(store, 3, 6, kind="scan")  # a, b; c; d, e
    kept = {path: path.stat().st_mtime_ns for piece in built.pieces for path in built.path(piece).rglob("*")}
    with store.snapshot() as held:
        after = compact(store, 1)
        assert held.built("indexes/main") is None
    assert (after.generation, after.about) == (1, {"kind": "scan"})
    assert [(piece.first, piece.rows, piece.gone) for piece in after.pieces] == [(0, 1, 2), (1, 3, 0), (4, 2, 0)]
    assert [(piece.folder, piece.files) for piece in after.pieces] == [
        (each.folder, each.files) for each in built.pieces
    ]
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert rows_left(after) == [[0, -1, -1], None, None]


def test_what_compactions_leave_of_a_piece_is_composed(store: Store) -> None:
    add(store, "d", "e", "f", "g")
    publish(store)  # a, bb, ccc, d, e, f, g
    assert rows_left(compact(store, 1)) == [[0, -1, -1, 1, 2, 3, 4, 5, 6, 7]]
    add(store, "h")
    after = compact(store, 3, 5)
    assert rows_left(after) == [[0, -1, -1, 1, 2, 3, -1, 4, -1, 5]]
    assert (after.generation, after.rows, after.pieces[0].gone) == (2, 6, 4)
    again = compact(store, 7)  # it is not in the piece
    assert (again.generation, again.pieces[0].translation) == (3, after.pieces[0].translation)


def test_a_piece_of_which_nothing_is_left_goes_and_so_does_an_index(store: Store) -> None:
    publish(store, 1, 3)
    after = compact(store, 1)
    assert [(piece.folder, piece.first, piece.rows) for piece in after.pieces] == [("000001", 0, 1), ("000003", 1, 3)]
    with store.writing() as writer:
        writer.delete([0, 2])
        writer.compact()
    assert found(store) is None
    assert listed(store) == []


def test_an_index_without_pieces_stays_what_it_was(store: Store) -> None:
    with store.writing() as writer:
        writer.publish("indexes/main", {"kind": "flat"}, ())
    after = compact(store, 1)
    assert (after.pieces, after.about, after.generation) == ((), {"kind": "flat"}, 1)


def test_questions_beside_an_index_stay(store: Store) -> None:
    built = publish(store)
    with store.writing() as writer:
        built = writer.publish("indexes/main", {}, built.pieces, writer.put_beside("indexes/main", fill))
    assert compact(store, 1).beside == built.beside


def test_a_piece_that_cannot_be_used_is_not_kept(store: Store) -> None:
    truncated(publish(store, 1, 3).home / "000002")
    with store.writing() as writer:
        writer.delete([2])
        writer.compact()
    after = found(store)
    assert after is not None
    assert ([piece.folder for piece in after.pieces], after.lost) == (["000001"], ())
    assert listed(store) == ["000001", "manifest-1.json"]


def test_a_damaged_translation_is_found_and_is_not_composed(store: Store) -> None:
    with store.writing() as writer:
        writer.commit(block([document("d"), document("e")], rows=[1, 1_100]))
    publish(store)
    built = compact(store, 1)
    translation = built.pieces[0].translation
    assert translation is not None
    path = built.path(translation) / "rows.i32"
    whole = path.read_bytes()
    path.write_bytes(whole[:-4])
    assert used(store) == []
    path.write_bytes(whole[:-1] + b"\1")
    assert used(store) == ["000001"]
    assert [each.place for each in store.verify().damage] == [f"indexes/main/{translation.folder}"]
    with store.writing() as writer:
        writer.delete([3])
        writer.compact()
    assert used(store) == []
    assert store.verify().damage == []


def test_a_reader_finds_its_index_at_the_commit_before_a_compaction_and_after_it(store: Store, tmp_path: Path) -> None:
    seen: dict[str, Manifest | None] = {}
    publish(store, 3)

    class Looking(Disk):
        def reached(self, step: str) -> None:
            if step in ("indexes kept", "committed", "compacted"):
                with Store.open(store.path) as reader:
                    seen[step] = found(reader)

    with Store.open(store.path, disk=Looking()) as other, other.writing() as writer:
        writer.delete([1])
        seen.clear()
        writer.compact()
    assert {step: built and built.generation for step, built in seen.items()} == {
        "indexes kept": 0, "committed": 1, "compacted": 1,
    }  # fmt: skip
    assert all(built is not None and built.rows == built.pieces[-1].end for built in seen.values())


def truncated(path: Path) -> None:
    (path / "codes.bin").write_bytes(CODES[:-1])


def without_a_file(path: Path) -> None:
    (path / "graph" / "links").unlink()


def emptied(path: Path) -> None:
    shutil.rmtree(path)
    path.mkdir()


def a_file_in_its_place(path: Path) -> None:
    shutil.rmtree(path)
    path.touch()


def gone(path: Path) -> None:
    shutil.rmtree(path)


def of_another_beginning(path: Path) -> None:
    (path / "codes.bin").write_bytes(b"\1" + CODES[1:])


OF_A_PIECE = [truncated, without_a_file, of_another_beginning, emptied, a_file_in_its_place, gone]


def without_manifest(path: Path) -> None:
    path.unlink()


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def changed(path: Path) -> None:
    path.write_text(path.read_text().replace('"rows": 2', '"rows": 3'))


def commit_changed(path: Path) -> None:
    path.write_text(path.read_text().replace('"commit": 1', '"commit": 0'))


def other_json(path: Path) -> None:
    path.write_text('["format"]')


def a_folder_in_its_place(path: Path) -> None:
    path.unlink()
    path.mkdir()


def claims(path: Path, **fields: object) -> None:
    """A manifest that adds up and says something else."""
    kept = {**json.loads(path.read_text()), **fields}
    kept.pop("checksum")
    path.write_bytes(checked_json(kept, kept["format"]))


def piece_claims(path: Path, number: int, **fields: object) -> None:
    pieces = json.loads(path.read_text())["pieces"]
    pieces[number] |= fields
    claims(path, pieces=pieces)


def with_a_gap(path: Path) -> None:
    piece_claims(path, 1, first=3)


def of_fewer_rows_than_none(path: Path) -> None:
    piece_claims(path, 1, rows=-1)


def of_a_folder_elsewhere(path: Path) -> None:
    piece_claims(path, 0, folder="../vectors")


def of_another_generation(path: Path) -> None:
    claims(path, generation=1)


def later_commit(path: Path) -> None:
    claims(path, commit=99)
    piece_claims(path, 0, rows=7)


def of_less_than_nothing(path: Path) -> None:
    piece_claims(path, 0, translation={"folder": "000001", "rows": 1, "files": {}})


def of_a_newer_format(path: Path) -> None:
    claims(path, format=2)


DAMAGED = [cut_short, changed, commit_changed, other_json, a_folder_in_its_place]
DAMAGED += [with_a_gap, of_fewer_rows_than_none, of_less_than_nothing, of_a_folder_elsewhere, of_another_generation]
OF_THE_MANIFEST = [*DAMAGED, without_manifest, of_a_newer_format]


def of_other_vectors(path: Path) -> None:
    piece_claims(path, 1, vectors="0" * 32)


def of_more_rows(path: Path) -> None:
    piece_claims(path, 1, rows=5)


@pytest.mark.parametrize("damage", OF_A_PIECE, ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("number", [0, 1])
def test_a_damaged_piece_is_passed_over_with_those_behind_it(
    store: Store, damage: Callable[[Path], None], number: int
) -> None:
    before, built = content(store), publish(store, 2)
    damage(built.path(built.pieces[number]))
    with Store.open(store.path) as again:
        limited = found(again)
        assert limited is not None
        assert limited.pieces == built.pieces[:number]
        assert limited.lost == built.pieces[number:]
        assert limited.rows == (0, 2)[number]
        assert content(again) == before


@pytest.mark.parametrize("damage", [of_other_vectors, of_more_rows], ids=lambda damage: damage.__name__)
def test_a_piece_of_other_rows_is_passed_over(store: Store, damage: Callable[[Path], None]) -> None:
    damage(publish(store, 2).home / "manifest-0.json")
    assert used(store) == ["000001"]


@pytest.mark.parametrize("damage", OF_THE_MANIFEST, ids=lambda damage: damage.__name__)
def test_what_a_damaged_manifest_names_is_passed_over(store: Store, damage: Callable[[Path], None]) -> None:
    before = content(store)
    place = publish(store, 2).home / "manifest-0.json"
    damage(place)
    assert used(store) == []
    assert content(store) == before
    with store.writing():
        pass
    if place.is_dir():
        place.rmdir()
    again = publish(store)
    assert found(store) == again


def test_an_index_of_another_collection_does_not_fit(store: Store, tmp_path: Path) -> None:
    with new_store(tmp_path / "other") as other:
        with other.writing() as writer:
            writer.commit(block([document("a", "another text"), document("b"), document("c")], rows=[1, 2, 3]))
        shutil.copytree(publish(other).home, store.path / "indexes" / "main")
    assert used(store) == []


def test_a_filling_that_fails_leaves_the_index_that_was_there(store: Store) -> None:
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
            writer.build("indexes/main", filling, 0, 6)
        assert found(store) == built
        assert listed(store) == ["000001", "manifest-0.json"]


def test_what_a_stopped_writer_left_is_removed_by_the_next(store: Store) -> None:
    built = publish(store)
    home = store.path / "indexes" / "main"
    for name in ("000007", ".unfinished"):
        shutil.copytree(home / "000001", home / name)
    (home / ".manifest-0.json.abc").touch()
    shutil.copy(built.file, home / "manifest-1.json")  # a compaction that did not commit
    (home / ".somebody's").mkdir()
    with store.writing():
        pass
    assert listed(store) == [".somebody's", "000001", "manifest-0.json"]
    assert found(store) == built


def test_before_the_manifest_of_a_compaction_that_did_not_commit_goes_its_commit_is_overwritten(store: Store) -> None:
    """A transaction that failed may stand whole in SQLite's log; it must not come to life without its index."""
    built = publish(store)
    with store.writing(), store.snapshot() as snapshot:
        before = snapshot.commit
    shutil.copy(built.file, built.home / "manifest-1.json")
    left = list[bool]()

    class Looking(Disk):
        def reached(self, step: str) -> None:
            if step == "committed":
                left.append((built.home / "manifest-1.json").exists())

    with Store.open(store.path, disk=Looking()) as again, again.writing(), again.snapshot() as snapshot:
        assert snapshot.commit == before + 1
    assert left == [True]
    assert listed(store) == ["000001", "manifest-0.json"]


def test_what_is_not_published_is_removed_when_asked(store: Store) -> None:
    publish(store)
    with store.writing() as writer:
        one, two = (writer.build("indexes/main", fill, 0, 6) for _ in range(2))
        writer.discard("indexes/main", one)
        assert listed(store) == ["000001", two.folder, "manifest-0.json"]
        writer.sweep("indexes/main")
    assert listed(store) == ["000001", "manifest-0.json"]


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


def test_only_areas_of_derived_data_have_folders(store: Store) -> None:
    with store.writing() as writer:
        areas = ("catalogue", "indexes/../vectors", "indexes/main/000001", "")
        calls: list[Callable[[], object]] = [lambda: writer.fresh("vectors"), lambda: writer.clear("..")]
        calls += [partial(found, store, area) for area in areas]
        for call in calls:
            with pytest.raises(InputError, match="indexes, lexical"):
                call()
    assert (store.path / "vectors").exists()


def test_bytes_are_told_by_part_and_outlive_files_that_vanish(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    built = publish(store)
    parts = store.bytes()
    assert set(parts) == {"catalogue", "log", "vectors", "indexes", "lexical", "other"}
    assert parts["indexes"] == built.bytes + (built.home / "manifest-0.json").stat().st_size
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


def test_a_collection_in_memory_has_indexes_too() -> None:
    with new_store(None) as store:
        add(store, "a")
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


def test_an_index_counts_when_everything_in_it_is_synced(tmp_path: Path) -> None:
    disk = Recording()
    with new_store(tmp_path / "c", disk) as store, store.writing() as writer:
        writer.commit(block([document("a")]))
        disk.order.clear()
        writer.publish("indexes/main", {}, [writer.build("indexes/main", fill, 0, 1)])
    assert disk.order == [
        ("sync folder", "indexes"), ("sync folder", "c"),
        ("sync", "empty"), ("sync", "links"), ("sync folder", "graph"), ("sync", "codes.bin"),
        ("sync folder", ".unfinished"), ("rename", "000001"), ("sync folder", "main"), ("publish", "manifest-0.json"),
    ]  # fmt: skip


def taken_away(store: Store) -> VerifyReport:
    """What a verification finds, after its damaged derived files were removed."""
    report = store.verify()
    with store.writing() as writer:
        writer.take_away(report)
    return report


@pytest.mark.parametrize("damage", OF_A_PIECE, ids=lambda damage: damage.__name__)
def test_verify_names_a_damaged_piece_and_takes_it_away_when_asked(
    store: Store, damage: Callable[[Path], None]
) -> None:
    before, built = content(store), publish(store, 2)
    assert store.verify().damage == []
    damage(built.path(built.pieces[1]))
    report = store.verify()
    assert [(each.place, each.derived, each.repaired) for each in report.damage] == [
        ("indexes/main/000002", True, False)
    ]
    assert not report.clean
    repaired = taken_away(store)
    assert repaired.damage == [replace(report.damage[0], repaired=True)]
    assert repaired.clean
    assert listed(store) == ["000001", "manifest-0.json"]
    assert content(store) == before


@pytest.mark.parametrize("damage", DAMAGED, ids=lambda damage: damage.__name__)
def test_verify_names_a_damaged_manifest_and_takes_it_away_when_asked(
    store: Store, damage: Callable[[Path], None]
) -> None:
    damage(publish(store, 2).home / "manifest-0.json")
    assert [each.place for each in store.verify().damage] == ["indexes/main/manifest-0.json"]
    assert taken_away(store).clean
    assert store.verify().damage == []
    with store.writing():
        pass
    assert listed(store) == []


def test_verify_names_a_piece_of_other_vectors(store: Store) -> None:
    of_other_vectors(publish(store, 2).home / "manifest-0.json")
    (damage,) = store.verify().damage
    assert str(damage) == "indexes/main/000002: it was made from other vectors than those that are here (derived)"


def test_verify_reads_every_byte_of_an_index(store: Store) -> None:
    built = publish(store)
    with store.writing() as writer:
        built = writer.publish("indexes/main", {}, built.pieces, writer.put_beside("indexes/main", fill))
    for part in built.parts:
        path = built.path(part) / "codes.bin"
        content_ = bytearray(CODES)
        content_[-1] ^= 128
        path.write_bytes(content_)
        (damage,) = store.verify().damage
        said = f"{path} is damaged: its checksum does not fit its content (derived)"
        assert str(damage) == f"indexes/main/{part.folder}: {said}"
        path.write_bytes(CODES)


def test_an_index_that_is_whole_but_of_another_time_is_no_damage_and_stays(store: Store) -> None:
    others: list[Callable[[Path], None]] = [of_a_newer_format, later_commit]
    for claim in others:
        path = publish(store).home / "manifest-0.json"
        claim(path)
        assert taken_away(store).damage == []
        assert path.exists()


def test_repairing_touches_nothing_that_is_no_index(store: Store) -> None:
    built = publish(store)
    truncated(built.path(built.pieces[0]))
    vectors = store.path / "vectors" / "main" / "000001.f16"
    whole = vectors.read_bytes()
    vectors.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    report = taken_away(store)
    assert [(each.derived, each.repaired) for each in report.damage] == [(False, False), (True, True)]
    assert not report.clean
    assert vectors.read_bytes() != whole
