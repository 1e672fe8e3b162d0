"""`quantize`: the folder that it writes, what it says of it, and what is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import twofold
from twofold.contract import PROBE_TEXTS, Contract
from twofold.encoders.loading import load_encoder, load_source
from twofold.encoders.quantization_report import QuantizationReport, VectorLoss
from twofold.encoders.quantizing import quantize
from twofold.encoders.transformer import TransformerEncoder
from twofold.errors import ContractError, InputError, ModelError
from twofold.models.int8_products import beside_int8
from twofold.models.locating import find_model
from twofold.training.models import trainable

TEXTS = ["a kettle boils water", "trains leave the station at noon"]
WEIGHTS = "model.int8.safetensors"
Stored = dict[str, Any]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> QuantizationReport[VectorLoss]:
    return quantize(to=tmp_path_factory.mktemp("quantized") / "int8", texts=TEXTS)


@pytest.fixture(scope="module")
def rounded() -> TransformerEncoder:
    return load_encoder(precision="int8")


@pytest.fixture
def copy(made: QuantizationReport[VectorLoss], tmp_path: Path) -> Path:
    """A copy of the folder that a test may spoil."""
    return shutil.copytree(made.folder, tmp_path / "copy")


def rewritten(folder: Path, change: Callable[[Stored], None], version: int = 1) -> None:
    tensors = load_file(folder / WEIGHTS)
    change(tensors)
    save_file(tensors, folder / WEIGHTS, {"int8": json.dumps({"version": version})})


def test_the_folder_is_about_a_quarter_and_close_to_the_model(made: QuantizationReport[VectorLoss]) -> None:
    assert made.bytes_after < 0.28 * made.bytes_before
    assert (made.rounded, dict(made.kept)) == (37, {})
    assert {name: each.count for name, each in made.losses.items()} == {"the probe texts": 8, "your texts": 2}
    assert all(0.99 < each.lowest <= each.mean < 1 for each in made.losses.values())
    assert "37 of 37 matrices in int8" in str(made)
    assert "int8" in (made.folder / "README.md").read_text(encoding="utf-8")


def test_the_folder_is_the_encoder_that_int8_makes_of_the_model(
    made: QuantizationReport[VectorLoss], rounded: TransformerEncoder
) -> None:
    written = load_encoder(made.folder)
    assert written.contract == rounded.contract
    assert written.contract.quantization == "int8"
    assert written.precision == rounded.precision == ("f32" if beside_int8() is None else "int8")
    np.testing.assert_array_equal(written.encode_documents(TEXTS), rounded.encode_documents(TEXTS))


@pytest.mark.parametrize("precision", ["int8", "f32"])
def test_vectors_in_int8_are_near_those_in_f32(made: QuantizationReport[VectorLoss], precision: str) -> None:
    plain, rounded = load_encoder(precision="f32"), load_encoder(made.folder, precision=precision)
    cosines = (plain.encode_documents(PROBE_TEXTS) * rounded.encode_documents(PROBE_TEXTS)).sum(axis=1)
    assert cosines.min() > 0.99
    assert cosines.max() < 0.99999


def test_what_the_file_says_of_itself(made: QuantizationReport[VectorLoss]) -> None:
    from safetensors import safe_open

    with safe_open(made.folder / WEIGHTS, framework="np") as file:
        said = json.loads(file.metadata()["int8"])
        name = "encoder.layer.0.output.dense.weight"
        assert file.get_tensor(name).dtype == np.int8
        assert file.get_tensor(f"{name}.scales").shape == (384,)
    assert (said["version"], said["of"]) == (1, load_encoder().contract.weights)
    assert said["kept"] == {}
    assert said["cosines"]["the probe texts"]["texts"] == 8


def test_prompts_that_a_model_gets_by_its_name_are_stated_in_the_folder(tmp_path: Path) -> None:
    named = shutil.copytree(find_model(None).folder, tmp_path / "bge-small-en-v1.5")
    report = quantize(named, to=tmp_path / "int8")
    before, after = load_encoder(named).contract, load_encoder(report.folder).contract
    assert before.query_prompt
    assert (after.query_prompt, after.document_prompt) == (before.query_prompt, before.document_prompt)


def test_a_collection_in_int8_is_opened_in_int8_without_being_told(rounded: TransformerEncoder, tmp_path: Path) -> None:
    with twofold.create(tmp_path / "c", rounded) as collection:
        collection.add([("a", TEXTS[0]), ("b", TEXTS[1])])
    with twofold.open(tmp_path / "c") as collection:
        assert collection.encoder.contract.quantization == "int8"
        assert collection.search("when does the train go", mode="dense")[0].id == "b"
        assert collection.encoder.loaded().contract.quantization == "int8"


def test_vectors_in_int8_and_in_float_are_never_mixed(rounded: TransformerEncoder, tmp_path: Path) -> None:
    plain = {precision: load_encoder(precision=precision) for precision in ("auto", "f32")}
    twofold.create(tmp_path / "int8", rounded).close()
    twofold.create(tmp_path / "float", plain["auto"]).close()
    for each in plain.values():
        with pytest.raises(ContractError, match="quantization is '', the collection has 'int8'"):
            twofold.open(tmp_path / "int8", each)
    with pytest.raises(ContractError, match="quantization is 'int8', the collection has ''"):
        twofold.open(tmp_path / "float", rounded)


def test_weights_in_int8_fit_their_collection_in_any_precision(
    made: QuantizationReport[VectorLoss], tmp_path: Path
) -> None:
    with twofold.create(tmp_path / "c", made.folder) as collection:
        collection.add([("a", TEXTS[0]), ("b", TEXTS[1])])
    with twofold.open(tmp_path / "c", load_encoder(made.folder, precision="f32")) as collection:
        collection.encoder.check()
        assert collection.search("tea water", mode="dense")[0].id == "a"


def test_the_source_says_int8_where_it_was_asked_for(made: QuantizationReport[VectorLoss]) -> None:
    asked = load_encoder(precision="int8", dim=64)
    assert asked.source == {"kind": "transformer", "name": None, "dim": 64, "precision": "int8"}
    assert load_encoder(made.folder).source == {"kind": "transformer", "name": str(made.folder)}
    assert load_source(asked.source).contract == asked.contract


def test_a_contract_without_quantization_is_stored_without_the_field(rounded: TransformerEncoder) -> None:
    plain = load_encoder().contract
    assert "quantization" not in plain.to_json()
    assert Contract.from_json(plain.to_json()) == plain
    assert Contract.from_json(json.loads(json.dumps(rounded.contract.to_json()))) == rounded.contract
    assert rounded.contract.space != plain.space


def test_scales_that_are_missing_are_named(copy: Path) -> None:
    rewritten(copy, lambda tensors: tensors.pop("encoder.layer.0.output.dense.weight.scales"))
    with pytest.raises(ModelError, match=r"'encoder.layer.0.output.dense.weight.scales'.* is missing"):
        load_encoder(copy)


def test_scales_that_are_no_numbers_are_named(copy: Path) -> None:
    rewritten(copy, lambda tensors: tensors["embeddings.word_embeddings.weight.scales"].fill(np.nan))
    with pytest.raises(ModelError, match=r"'embeddings.word_embeddings.weight.scales' hold numbers that are none"):
        load_encoder(copy)


def test_a_later_version_is_refused(copy: Path) -> None:
    rewritten(copy, lambda tensors: None, version=2)
    with pytest.raises(ModelError, match="version 2, and 1 is known"):
        load_encoder(copy)


def test_a_file_that_is_cut_off_is_refused(copy: Path) -> None:
    (copy / WEIGHTS).write_bytes((copy / WEIGHTS).read_bytes()[:-100])
    with pytest.raises(ModelError, match="cannot be read as safetensors"):
        load_encoder(copy)


def test_what_cannot_be_written_in_int8_is_refused(made: QuantizationReport[VectorLoss], tmp_path: Path) -> None:
    to = tmp_path / "new"
    with pytest.raises(ModelError, match="is in int8 already"):
        quantize(made.folder, to=to)
    with pytest.raises(ModelError):
        quantize(tmp_path, to=to)
    with pytest.raises(ModelError, match="is no folder"):
        quantize(tmp_path / "missing", to=to)
    with pytest.raises(InputError, match="list of texts"):
        quantize(to=to, texts="one text")
    assert sorted(tmp_path.iterdir()) == []


def test_weights_in_int8_are_no_base_of_a_training(made: QuantizationReport[VectorLoss]) -> None:
    with pytest.raises(InputError, match="weights in int8 cannot be trained"):
        trainable(made.folder)


def test_what_is_there_already_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("mine")
    with pytest.raises(InputError, match="there is something here already"):
        quantize(to=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]
