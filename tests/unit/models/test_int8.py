"""Matrices in int8: rounding, what it costs, and which matrices are left as they are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import openvino
import openvino.opset13 as op
import pytest
from safetensors.numpy import load_file, save_file

from twofold.errors import ModelError
from twofold.models import int8_products
from twofold.models.folder import read_model_folder
from twofold.models.graphs import linear, lookup
from twofold.models.int8_matrix import Int8Matrix
from twofold.models.int8_products import GROUP, beside_int8, int8_settings, quantised_inputs
from twofold.models.locating import find_model
from twofold.models.networks import BuiltNetwork
from twofold.models.transformer import TransformerModel
from twofold.models.weights import Weights, weight_files

RNG = np.random.default_rng(3)
NAME = "encoder.layer.2.intermediate.dense.weight"
PROBES = [[101, 2300, 102], [101, 2040, 2626, 1996, 2034, 21624, 1029, 102]]


def rounded(folder: Path) -> BuiltNetwork:
    """The network that int8 makes of a model."""
    read = read_model_folder(folder)
    assert read.network is not None
    network = TransformerModel(read, read.network, precision="int8", probes=lambda: PROBES).network
    assert isinstance(network, BuiltNetwork)
    return network


def test_each_row_is_rounded_in_steps_of_its_own() -> None:
    matrix = (RNG.standard_normal((5, 64)) * [[1e-3], [1], [1e3], [0], [5]]).astype(np.float32)
    rounded = Int8Matrix.of(matrix)
    assert rounded.numbers.dtype == np.int8
    assert np.abs(rounded.numbers[[0, 1, 2, 4]]).max(axis=1).tolist() == [127] * 4
    assert (np.abs(rounded.expanded() - matrix) <= 0.5001 * rounded.scales[:, None]).all()
    assert not rounded.expanded()[3].any()


def test_a_stored_matrix_is_divided_as_its_floats_are() -> None:
    matrix = RNG.standard_normal((12, 32)).astype(np.float32)
    whole = Int8Matrix.of(matrix)
    for part, expected in zip(whole.divided(3), np.split(whole.expanded(), 3), strict=True):
        np.testing.assert_array_equal(part.expanded(), expected)


@pytest.mark.parametrize("width", [GROUP // 2, GROUP, 3 * GROUP, 3 * GROUP + 16])
def test_products_are_rounded_as_the_measured_losses_say(width: int) -> None:
    if beside_int8() is None:
        pytest.skip("this processor has no products of int8 that OpenVINO can use")
    weight = Int8Matrix.of(RNG.standard_normal((48, width)).astype(np.float32))
    states = RNG.standard_normal((2, 5, width)).astype(np.float32)
    parameter = op.parameter([-1, -1, width], np.float32)
    graph = openvino.Model([op.result(linear(parameter, weight, None))], [parameter], "linear")
    made = openvino.Core().compile_model(graph, "CPU", int8_settings("f32"))([states])[0]
    np.testing.assert_allclose(made, quantised_inputs(states) @ weight.expanded().T, rtol=1e-3, atol=1e-3)
    if width >= GROUP:
        assert np.abs(made - states @ weight.expanded().T).max() > 1e-2


def test_rows_of_a_table_in_int8_are_looked_up() -> None:
    table = Int8Matrix.of(RNG.standard_normal((9, 16)).astype(np.float32))
    ids = op.parameter([-1, -1], np.int32)
    graph = openvino.Model([op.result(lookup(ids, table))], [ids], "lookup")
    settings = {"INFERENCE_PRECISION_HINT": "f32"}
    made = openvino.Core().compile_model(graph, "CPU", settings)([np.array([[0, 8, 3]], np.int32)])[0]
    np.testing.assert_allclose(made[0], table.expanded()[[0, 8, 3]], rtol=1e-6)


def test_a_processor_whose_products_are_wrong_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(int8_products, "NEAR", 1e-9)  # no processor is so near
    int8_products.beside_int8.cache_clear()
    try:
        assert int8_products.beside_int8() is None
    finally:
        int8_products.beside_int8.cache_clear()


@pytest.mark.parametrize("forbidden", ["AVX2", "AVX2_VNNI"])
def test_bf16_that_is_taken_from_a_processor_is_not_chosen(forbidden: str) -> None:
    script = (
        "import twofold\nencoder = twofold.load_encoder()\nprint(encoder.precision, len(encoder.encode_queries(['a'])))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "ONEDNN_MAX_CPU_ISA": forbidden},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split(maxsplit=1) == ["f32", "1\n"]


def test_rounded_weights_have_the_fingerprint_of_stored_ones(tmp_path: Path) -> None:
    paths = weight_files(find_model(None).folder)
    plain, rounded = Weights(paths), Weights(paths, [NAME])
    assert rounded.fingerprint != plain.fingerprint == Weights(paths).fingerprint
    stored = Int8Matrix.of(plain[NAME])
    tensors = load_file(paths[0]) | {NAME: stored.numbers, f"{NAME}.scales": stored.scales}
    save_file(tensors, tmp_path / "model.safetensors")
    read = Weights([tmp_path / "model.safetensors"])
    assert read.fingerprint == rounded.fingerprint
    assert read.in_int8 == rounded.in_int8 == {NAME}
    np.testing.assert_array_equal(read[NAME], stored.expanded())
    np.testing.assert_array_equal(rounded[NAME], stored.expanded())
    for weights in (read, rounded):
        assert isinstance(weights.under("encoder.").matrix(NAME.removeprefix("encoder.")), Int8Matrix)
        assert isinstance(weights.expanding().matrix(NAME), np.ndarray)


@pytest.mark.parametrize(
    ("scales", "said"),
    [
        (None, "'w.scales', the scales of its rows, is missing"),
        (np.ones(3, np.float32), r"are F32 \(3,\), and F32 \(4,\) are expected"),
        (np.ones(4, np.float16), r"are F16 \(4,\), and F32"),
        (np.array([1, 2, np.nan, 4], np.float32), "hold numbers that are none or below zero"),
        (np.array([1, -2, 3, 4], np.float32), "below zero"),
    ],
)
def test_whole_numbers_without_fitting_scales_are_refused(tmp_path: Path, scales: np.ndarray | None, said: str) -> None:
    tensors = {"w": np.ones((4, 8), np.int8)} | ({} if scales is None else {"w.scales": scales})
    save_file(tensors, tmp_path / "model.safetensors")
    with pytest.raises(ModelError, match=said):
        Weights([tmp_path / "model.safetensors"])


def test_every_product_and_the_words_are_rounded_in_the_default() -> None:
    network = rounded(find_model(None).folder)
    assert len(network.weights.in_int8) == 6 * 6 + 1
    assert "embeddings.word_embeddings.weight" in network.weights.in_int8
    assert not network.kept


def test_a_matrix_that_loses_much_stays_as_it_is(folder: Path) -> None:
    # One column of the weights is large where the states are small: in steps of a row's largest number, the other
    # columns become zero.
    tensors = load_file(folder / "model.safetensors")
    norm = "encoder.layer.2.attention.output.LayerNorm"
    tensors[NAME][:, 7] *= 1e4
    for part in ("weight", "bias"):
        tensors[f"{norm}.{part}"][7] *= 1e-4
    (folder / "model.safetensors").unlink()
    save_file(tensors, folder / "model.safetensors")
    network = rounded(folder)
    assert set(network.kept) == {NAME}
    assert network.kept[NAME] > 0.1
    assert len(network.weights.in_int8) == 6 * 6
    np.testing.assert_array_equal(network.weights[NAME], tensors[NAME])


def test_weights_that_are_no_numbers_are_named(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    tensors["embeddings.word_embeddings.weight"][2300, 5] = np.nan
    tensors["embeddings.LayerNorm.bias"][5] = np.inf
    (folder / "model.safetensors").unlink()
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(ModelError, match=r"'embeddings.LayerNorm.bias' holds NaN or an infinity"):
        rounded(folder)
