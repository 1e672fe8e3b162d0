"""Every architecture by torch, on its CPU device and on a device without memory, against OpenVINO."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from random_models import CONFIGURATIONS, LONGEST, TABLES, save_random
from torch._subclasses.fake_tensor import FakeTensorMode

from twofold.models.devices import gpus
from twofold.models.folder import read_model_folder
from twofold.models.torch_graph import TorchGraph
from twofold.models.transformer import TransformerModel
from twofold.scores import Vectors

ALL = {**CONFIGURATIONS, **TABLES}


@pytest.fixture(scope="module", params=ALL)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_random(ALL[request.param](), tmp_path_factory.mktemp("model"))


def inputs() -> list[list[int]]:
    rng = np.random.default_rng(3)
    return [rng.integers(5, 400, length).tolist() for length in (1, 17, 40, 40, 33, LONGEST - 2)]


def model_in(folder: Path, *, precision: str, device: str) -> TransformerModel:
    settings = read_model_folder(folder)
    assert settings.network is not None
    return TransformerModel(settings, settings.network, precision=precision, device=device)


def vectors(folder: Path, device: str, precision: str) -> Vectors:
    model = model_in(folder, precision=precision, device=device)
    found = np.empty((len(inputs()), model.dimension), dtype=np.float32)
    for positions, made in model.vectors(inputs()):
        found[positions] = made
    return found


def assert_same_direction(found: Vectors, expected: Vectors) -> None:
    products = np.einsum("ij,ij->i", found, expected)
    assert (products / np.linalg.norm(found, axis=1) / np.linalg.norm(expected, axis=1)).min() > 0.999


def devices() -> Sequence[str]:
    return ["torch:cpu", *(gpus() or ["no GPU"])]


@pytest.mark.parametrize("device", devices())
def test_torch_makes_the_vectors_of_openvino(device: str, folder: Path) -> None:
    if device == "no GPU":
        pytest.skip("torch finds no GPU here")
    expected = vectors(folder, "cpu", "f32")
    assert expected.std() > 0.1
    np.testing.assert_allclose(vectors(folder, device, "f32"), expected, atol=1e-4, rtol=1e-4)
    assert_same_direction(vectors(folder, device, "bf16"), expected)


@pytest.mark.parametrize("half", [False, True])
def test_no_step_waits_for_the_device_or_works_beside_it(half: bool, folder: Path) -> None:
    """torch's tensors without memory refuse operands of two devices, and refuse to say what they hold."""
    model = model_in(folder, precision="f32", device="cpu")
    with FakeTensorMode():
        graph = TorchGraph(model.graph(), torch.device("cuda:0"), half=half)
        for batch in model._batches(inputs(), 0, 512):
            kinds = [(each.shape, getattr(torch, each.dtype.name)) for each in model.arrays(batch)]
            made = graph(*(torch.empty(shape, dtype=kind, device="cuda:0") for shape, kind in kinds))
            assert (made.device, made.dtype) == (torch.device("cuda:0"), torch.float32)
            assert made.shape == (len(batch.ids), model.whole_dimension)
