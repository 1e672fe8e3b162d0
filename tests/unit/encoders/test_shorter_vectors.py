"""Vectors cut to their first numbers: what they are, where it is stored, and what is said of models not trained so."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import twofold
from twofold.encoders.loading import load_encoder, load_source
from twofold.errors import ContractError, InputError, ModelError
from twofold.models.folder import SHORTER
from twofold.models.locating import find_model

TEXTS = ["water", "Who wrote the first compiler?"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the embedded model that says which prefixes it was trained for."""
    target = tmp_path / "trained"
    shutil.copytree(find_model(None).folder, target)
    path = target / "config_sentence_transformers.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), SHORTER: [64, 128]}))
    return target


def test_vectors_are_the_first_numbers_of_the_whole_ones_on_both_sides() -> None:
    whole, cut = load_encoder(precision="f32"), load_encoder(precision="f32", dim=100)
    assert cut.contract.dimension == 100
    np.testing.assert_array_equal(cut.encode_documents(TEXTS), whole.encode_documents(TEXTS)[:, :100])
    np.testing.assert_array_equal(cut.encode_queries(TEXTS), whole.encode_queries(TEXTS)[:, :100])
    assert [each.field for each in whole.contract.differences(cut.contract)] == ["dimension"]


def test_a_collection_opens_again_with_the_length_that_it_was_made_with(tmp_path: Path) -> None:
    documents = [("water", "Water boils at a hundred degrees."), ("bread", "Flour and yeast make bread.")]
    with twofold.create(tmp_path / "c", load_encoder(dim=100)) as made:
        made.add(documents)
    with twofold.open(tmp_path / "c") as opened:
        assert opened.contract.dimension == 100
        (hit,) = opened.search("how is bread made?", k=1, mode="dense")
        assert hit.id == "bread"
        assert hit.score <= 1
        assert load_source(opened.encoder.source).contract == opened.contract
    with pytest.raises(ContractError, match="dimension"):
        twofold.open(tmp_path / "c", load_encoder())


def test_more_numbers_than_the_model_has_and_what_is_no_number_are_refused() -> None:
    with pytest.raises(ModelError, match="makes vectors of 384 numbers, fewer than dim=385; ask for 384 at most"):
        load_encoder(dim=385)
    for wrong in (0, -1, True, 2.0, "64"):
        with pytest.raises(InputError, match="dim must be a whole number of at least 1"):
            load_encoder(dim=wrong)  # type: ignore[arg-type]  # whatever a program passes


def test_a_model_that_does_not_say_that_it_was_trained_for_it_is_noted(folder: Path) -> None:
    assert load_encoder(folder, dim=64).notes == ()
    assert load_encoder(dim=384).notes == ()
    (other,) = load_encoder(folder, dim=100).notes
    assert "was trained for 64, 128;" in other
    (embedded,) = load_encoder(dim=100).notes
    assert "the embedded encoder does not say that it was trained for shorter vectors" in embedded


@pytest.mark.parametrize(("dim", "noted"), [(256, False), (128, True)])
def test_what_the_card_of_a_known_model_says_counts(folder: Path, dim: int, noted: bool) -> None:
    (folder / "config_sentence_transformers.json").unlink()
    known = folder.parent / "models--Snowflake--snowflake-arctic-embed-m-v2.0" / "snapshots" / "1a2b"
    known.parent.mkdir(parents=True)
    folder.rename(known)
    notes = load_encoder(known, dim=dim).notes
    assert [("was trained for 256 and more" in note) for note in notes] == ([True] if noted else [])


def test_a_list_of_lengths_that_is_none_is_refused(folder: Path) -> None:
    path = folder / "config_sentence_transformers.json"
    path.write_text(json.dumps({SHORTER: "64"}))
    with pytest.raises(ModelError, match=f"{SHORTER} must be a list of whole numbers"):
        load_encoder(folder)


def test_a_query_tower_of_the_whole_space_is_refused_for_shorter_vectors() -> None:
    with pytest.raises(ModelError, match="was made for the space"):
        load_encoder(query_tower="static", dim=128)
