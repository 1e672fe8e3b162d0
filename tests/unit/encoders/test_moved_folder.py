"""A collection whose model's folder has moved says so, takes the new place, and keeps it once something is written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import twofold
from twofold.collection.placing import located, lost, placed
from twofold.encoders.hashed_words import HashedWords
from twofold.models.locating import find_model


def copied(folder: Path) -> Path:
    shutil.copytree(find_model(None).folder, folder)
    return folder


def stored(collection: Path) -> dict[str, object]:
    description = json.loads((collection / "collection.json").read_text())
    source: dict[str, object] = description["spaces"][0]["source"]
    return source


def filled(collection: Path, encoder: str | Path) -> Path:
    with twofold.create(collection, encoder) as made:
        made.add([("a", "a cat"), ("b", "a house")])
    return collection


def test_a_moved_model_folder_is_said_with_the_way_out(tmp_path: Path) -> None:
    old, new = copied(tmp_path / "old"), tmp_path / "new"
    with twofold.create(tmp_path / "c", twofold.load_encoder(old)) as collection:
        collection.add([("a", "a cat")])
    old.rename(new)
    with twofold.open(tmp_path / "c") as collection, pytest.raises(twofold.ModelError, match=r"old.*--encoder FOLDER"):
        collection.search("cat")
    with twofold.open(tmp_path / "c", encoder=twofold.load_encoder(new)) as collection:
        assert collection.search("cat")[0].id == "a"


def test_a_new_place_is_remembered_by_what_writes_and_not_by_a_search(tmp_path: Path) -> None:
    old, new = copied(tmp_path / "old"), tmp_path / "new"
    collection = filled(tmp_path / "c", old)
    before = (collection / "collection.json").read_bytes()
    old.rename(new)
    with twofold.open(collection, new) as opened, twofold.open(collection) as beside:
        assert opened.search("cat")[0].id == "a"
        assert (collection / "collection.json").read_bytes() == before
        opened.add([("c", "a dog")])
        assert opened.search("dog")[0].id == "c"
        assert beside.search("dog")[0].id == "c"  # opened before, without an encoder
        assert opened.info().encoder == {"kind": "transformer", "name": str(new)}
    assert stored(collection) == {"kind": "transformer", "name": str(new), "beside": {"name": "../new"}}
    with twofold.open(collection) as opened:
        assert opened.search("dog", mode="dense")[0].id == "c"
        assert opened.verify().clean


def test_a_place_that_is_still_there_is_kept_unless_a_migration_names_another(tmp_path: Path) -> None:
    old, other = copied(tmp_path / "old"), copied(tmp_path / "other")
    collection = filled(tmp_path / "c", old)
    with twofold.open(collection, other) as opened:
        opened.add([("c", "a dog")])
        assert stored(collection)["name"] == str(old)
        assert opened.migrate(twofold.load_encoder(other)).moved
        assert stored(collection)["name"] == str(other)
        assert not opened.migrate(twofold.load_encoder(other)).moved


def test_an_encoder_that_makes_other_vectors_is_not_remembered(tmp_path: Path) -> None:
    class Bent(HashedWords):
        """Claims the contract, and encodes in another way."""

        source = {"kind": "transformer", "name": str(tmp_path / "new")}  # noqa: RUF012

        def encode_documents(self, texts, *, report=None):  # type: ignore[no-untyped-def]
            return super().encode_documents(texts, report=report)[:, ::-1].copy()

    class Named(HashedWords):
        source = {"kind": "transformer", "name": str(tmp_path / "gone")}  # noqa: RUF012

    with twofold.create(tmp_path / "c", Named(32)) as made:
        made.add([("a", "a cat")])
    before = (tmp_path / "c" / "collection.json").read_bytes()
    with twofold.open(tmp_path / "c", Bent(32)) as opened, pytest.raises(twofold.ContractError, match="document side"):
        opened.add([("b", "a dog")])
    assert (tmp_path / "c" / "collection.json").read_bytes() == before


def test_a_model_below_the_folder_of_the_collection_moves_and_is_copied_with_it(tmp_path: Path) -> None:
    project = tmp_path / "project"
    collection = filled(project / "data" / "c", copied(project / "data" / "models" / "small"))
    assert stored(collection)["beside"] == {"name": "../models/small"}
    shutil.copytree(project, tmp_path / "copy")
    project.rename(tmp_path / "moved")
    for place in ("copy", "moved"):
        with twofold.open(tmp_path / place / "data" / "c") as opened:
            assert opened.search("cat")[0].id == "a"
            assert opened.info().encoder["name"] == str(tmp_path / place / "data" / "models" / "small")
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "moved" / "data" / "c")
    with twofold.open(link) as opened:
        assert opened.search("cat")[0].id == "a"


def test_a_collection_that_moves_alone_and_a_backup_find_the_model_where_it_was(tmp_path: Path) -> None:
    model = copied(tmp_path / "project" / "model")
    collection = filled(tmp_path / "project" / "c", model)
    with twofold.open(collection) as opened:
        opened.backup(tmp_path / "backups" / "c")
    (tmp_path / "elsewhere").mkdir()
    collection.rename(tmp_path / "elsewhere" / "c")
    for place in ("backups", "elsewhere"):
        with twofold.open(tmp_path / place / "c") as opened:
            assert opened.search("cat")[0].id == "a"


def test_only_what_is_near_is_placed_from_the_collection_on(tmp_path: Path) -> None:
    home = tmp_path / "in" / "c"
    near, far = {"kind": "t", "name": str(tmp_path / "in" / "m")}, {"kind": "t", "name": str(tmp_path / "m")}
    assert placed(near, home) == {**near, "beside": {"name": "../m"}}
    assert placed(placed(near, home), home) == placed(near, home)
    for source in (far, {"kind": "t", "name": "org/model"}, {"kind": "t", "name": None}, {"kind": "hashed-words"}):
        assert placed(source, home) == source
        assert located(source, home) == source
    assert placed(near, None) == near
    towers = {**far, "query_tower": str(tmp_path / "in" / "tower")}
    assert placed(towers, home) == {**towers, "beside": {"query_tower": "../tower"}}
    assert lost(far) == ["name"]
    assert lost(located(placed(towers, home), home)) == ["name", "query_tower"]
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "tower").touch()
    assert lost(located(placed(towers, home), home)) == ["name"]
