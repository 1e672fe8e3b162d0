"""The models that can be named, with a hub cache made of copies of the embedded model's folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import huggingface_hub.constants
import pytest

from twofold.encoders.loading import load_encoder
from twofold.errors import ModelError
from twofold.models.known_models import KNOWN, MODELS
from twofold.models.listing import list_models

Edit = Callable[..., None]
Cached = Callable[..., Path]


@pytest.fixture
def cached(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cached:
    """Puts a copy of the folder into a hub cache of its own, which begins empty; without some of its files."""
    cache = tmp_path / "hub"
    cache.mkdir()
    # The hub's client reads its environment once, when it is imported.
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(cache))

    def put(name: str, *without: str) -> Path:
        place = cache / f"models--{name.replace('/', '--')}"
        snapshot = place / "snapshots" / "1a2b"
        for file in folder.rglob("*"):
            if file.is_file() and file.name not in without:
                target = snapshot / file.relative_to(folder)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.symlink_to(file)
        (place / "refs").mkdir()
        (place / "refs" / "main").write_text("1a2b")
        return snapshot

    return put


def test_the_embedded_model_is_listed_first_and_no_model_twice(cached: Cached) -> None:
    cached("intfloat/e5-small-v2")
    models = list_models()
    assert [(model.name, model.place) for model in models[:2]] == [
        ("sentence-transformers/all-MiniLM-L6-v2", "embedded"),
        ("intfloat/e5-small-v2", "cached"),
    ]
    names = [model.name for model in models]
    assert sorted(names) == sorted(model.name for model in MODELS)
    assert {model.place for model in models[2:]} == {"hub"}


def test_a_cached_model_that_is_not_known_is_described_by_its_files(cached: Cached, edit: Edit) -> None:
    edit("config_sentence_transformers.json", prompts={"query": "ask: ", "document": ""}, truncate_dim=128)
    cached("someone/own")
    (found,) = [model for model in list_models() if model.place == "cached"]
    assert (found.name, found.dimension, found.max_tokens, found.problem) == ("someone/own", 128, 256, "")
    assert (found.query_prompt, found.document_prompt, found.licence) == ("ask: ", "", "")
    assert load_encoder("someone/own").contract.dimension == found.dimension


def test_a_cached_copy_that_cannot_be_loaded_says_why(cached: Cached, edit: Edit) -> None:
    cached("someone/half", "modules.json")
    edit("config.json", model_type="t5")
    cached("someone/other")
    half, other = [model.problem for model in list_models() if model.place == "cached"]
    assert "not whole" in half
    assert "'t5'" in other


def test_a_cache_that_is_no_folder_is_an_error_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(file))
    with pytest.raises(ModelError, match=r"the hub's cache .*file is no folder"):
        list_models()


def test_what_the_table_says_of_the_embedded_model_is_what_it_has() -> None:
    listed, contract = list_models()[0], load_encoder().contract
    assert (listed.dimension, listed.max_tokens) == (contract.dimension, contract.max_tokens)
    assert (listed.query_prompt, listed.document_prompt) == (contract.query_prompt, contract.document_prompt)


@pytest.mark.parametrize("name", ["all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2"])
def test_the_name_of_the_embedded_model_means_it_and_that_is_said(cached: Cached, name: str) -> None:
    encoder = load_encoder(name)
    assert encoder.contract == load_encoder().contract
    assert encoder.source == load_encoder().source
    assert encoder.notes == (f"the encoder {name} is the embedded copy of sentence-transformers/all-MiniLM-L6-v2",)
    assert load_encoder().notes == ()


def test_a_cached_copy_goes_before_the_embedded_one_by_its_full_name_alone(cached: Cached) -> None:
    cached("sentence-transformers/all-MiniLM-L6-v2")
    full = "sentence-transformers/all-MiniLM-L6-v2"
    assert load_encoder(full).source == {"kind": "transformer", "name": full}
    assert load_encoder("all-MiniLM-L6-v2").source["name"] is None


def test_every_known_model_is_whole() -> None:
    assert len({model.name.lower() for model in MODELS}) == len(MODELS)
    for model in MODELS:
        assert model.name.count("/") == 1
        assert model.languages
        assert model.good_for
        assert model.shortest is None or model.shortest < model.dimension
    assert {name for name in KNOWN if name != name.lower()} == set()
