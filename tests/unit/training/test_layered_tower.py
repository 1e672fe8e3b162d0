"""A tower of fewer layers follows its teacher, encodes queries in its place, and belongs to its space alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from riddles import GOES_WITH, small_model
from sentence_transformers import SentenceTransformer

from twofold.encoders.loading import load_encoder, load_source
from twofold.encoders.transformer import TransformerEncoder
from twofold.errors import InputError, ModelError
from twofold.models.alignment import FILE
from twofold.training.distilling import DistillingSettings
from twofold.training.layered_tower import distil_layers, write_tower
from twofold.training.query_tower import train_query_tower

WORDS = sorted({*GOES_WITH, *GOES_WITH.values()})
TEXTS = [f"the {one} and the {other} of it" for one in WORDS for other in WORDS if one < other]
SETTINGS = DistillingSettings(epochs=8, batch=32, learning_rate=3e-3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of two layers that both do something: as they are drawn at random, they hardly move what goes through them."""
    made = small_model(tmp_path_factory.mktemp("base"))
    model: Any = SentenceTransformer(str(made), device="cpu")
    for weight in model[0].auto_model.encoder.layer.parameters():
        if weight.dim() == 2:
            weight.data *= 8
    model.save_pretrained(str(made), create_model_card=False)
    return made


@pytest.fixture(scope="module")
def teacher(folder: Path) -> TransformerEncoder:
    return load_encoder(folder)


@pytest.fixture(scope="module")
def tower(folder: Path, teacher: TransformerEncoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    model, _ = distil_layers(teacher, folder, TEXTS, 1, settings=SETTINGS)
    to: Path = tmp_path_factory.mktemp("tower") / "one-layer"
    write_tower(model, to, teacher.contract.space, {})
    return to


def untrained(folder: Path, to: Path) -> Path:
    """The first layer alone, as it was."""
    model: Any = SentenceTransformer(str(folder), device="cpu")
    model[0].auto_model.encoder.layer = torch.nn.ModuleList([model[0].auto_model.encoder.layer[0]])
    model[0].auto_model.config.num_hidden_layers = 1
    model.save_pretrained(str(to), create_model_card=False)
    return to


def test_it_comes_nearer_to_its_teacher_by_what_it_learned(
    folder: Path, tower: Path, teacher: TransformerEncoder, tmp_path: Path
) -> None:
    expected = teacher.encode_queries(TEXTS)
    before, after = (
        np.einsum("ij,ij->i", load_encoder(each).encode_queries(TEXTS), expected).mean()
        for each in (untrained(folder, tmp_path / "cut"), tower)
    )
    assert after > 0.95
    assert 1 - after < 0.5 * (1 - before)


def test_fidelity_is_that_of_the_tower_on_texts_it_has_not_seen(folder: Path, teacher: TransformerEncoder) -> None:
    _, fidelity = distil_layers(teacher, folder, TEXTS, 1, settings=SETTINGS)
    assert (fidelity.texts, fidelity.held_out) == (len(TEXTS) - len(TEXTS) // 10, len(TEXTS) // 10)
    assert 0.95 < fidelity.cosine < 1
    assert fidelity.nearest > 0.5


def test_the_same_texts_and_seed_give_the_same_tower(folder: Path, teacher: TransformerEncoder) -> None:
    settings = DistillingSettings(epochs=1, batch=64, learning_rate=1e-3)
    one, other = (distil_layers(teacher, folder, TEXTS, 1, settings=settings)[0].state_dict() for _ in range(2))
    for name, weight in one.items():
        assert torch.equal(weight, other[name]), name


def test_queries_are_the_towers_and_documents_the_teachers(
    folder: Path, tower: Path, teacher: TransformerEncoder
) -> None:
    both = load_encoder(folder, query_tower=tower)
    np.testing.assert_array_equal(both.encode_documents(TEXTS[:9]), teacher.encode_documents(TEXTS[:9]))
    np.testing.assert_array_equal(both.encode_queries(TEXTS[:9]), load_encoder(tower).encode_queries(TEXTS[:9]))
    assert both.contract.space == teacher.contract.space
    assert both.contract.query_tower
    again = load_source(both.source)
    np.testing.assert_array_equal(again.encode_queries(TEXTS[:9]), both.encode_queries(TEXTS[:9]))


def test_a_tower_of_another_space_and_a_folder_that_is_none_are_refused(folder: Path, tower: Path) -> None:
    with pytest.raises(ModelError, match="was made for the space"):
        load_encoder(query_tower=tower)
    with pytest.raises(ModelError, match=f"is no query tower, for it lacks a {FILE}"):
        load_encoder(folder, query_tower=folder)


@pytest.mark.parametrize("layers", [2, 3, 0])
def test_a_tower_has_fewer_layers_than_its_teacher(folder: Path, teacher: TransformerEncoder, layers: int) -> None:
    with pytest.raises(InputError, match="a smaller tower has 1 to 1"):
        distil_layers(teacher, folder, TEXTS, layers, settings=SETTINGS)


def test_what_is_there_is_not_written_over(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "texts.jsonl"
    file.write_text("\n".join(json.dumps({"_id": text, "text": text}) for text in TEXTS))
    for kind, to in (("static", tmp_path), ("2-layer", file)):
        with pytest.raises(InputError, match="something here already"):
            train_query_tower(file, to=to, kind=kind, base=folder)
    with pytest.raises(InputError, match="no query tower 'none'; there are static, 2-layer, 4-layer"):
        train_query_tower(file, to=tmp_path / "x", kind="none", base=folder)
    with pytest.raises(InputError, match="fitted to texts"):
        train_query_tower(to=tmp_path / "x", base=folder)
