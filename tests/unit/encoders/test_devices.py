"""Devices: names, what is said of those that are not there, memory, forks."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch

import twofold
from twofold.encoders.loading import load_encoder
from twofold.errors import InputError, MissingExtraError, ModelError
from twofold.models import torch_operations
from twofold.models.devices import gpus, has_torch
from twofold.models.torch_runtime import AHEAD

TEXTS = ["", "water", "Who wrote the first compiler?", *(f"rivers {n} " * n for n in range(40))]


def needs_gpu() -> str:
    """The first GPU; the test is skipped where there is none."""
    if not (found := gpus()):
        pytest.skip("torch finds no GPU here")
    return found[0]


def test_the_same_contract_on_another_device_and_vectors_that_the_collection_takes() -> None:
    plain, other = load_encoder(), load_encoder(device="torch:cpu", query_tower="static")
    assert (plain.device, other.device, other.precision) == ("cpu", "torch:cpu", "f32")
    assert other.contract.space == plain.contract.space
    assert load_encoder(device="torch:cpu").contract == plain.contract
    assert "device" not in other.source
    collection = twofold.create(None, plain)
    collection.add([("a", "the largest animal"), ("b", "bread and water")])
    vectors = load_encoder(device="torch:cpu").encode_documents(["the largest animal"])
    assert collection.search("a big animal", vector=vectors[0], mode="dense")[0].id == "a"


def test_a_collection_is_opened_with_its_encoder_on_another_device(tmp_path: Any) -> None:
    twofold.create(tmp_path / "c", load_encoder()).add([("a", "the largest animal"), ("b", "bread and water")])
    with twofold.open(tmp_path / "c", load_encoder(device="torch:cpu")) as collection:
        assert collection.search("a whale", mode="dense")[0].id == "a"
        collection.add([("c", "a small animal")])
    with twofold.open(tmp_path / "c") as collection:
        assert collection.encoder.source == load_encoder().source
        assert collection.search("a small animal", mode="dense")[0].id == "c"


@pytest.mark.parametrize("device", ["gpu", "cuda:", "cuda:x", "cuda:-1", "CPU", "torch", "torch:cuda", "", None, 0])
def test_a_device_that_is_none_is_refused(device: Any) -> None:
    with pytest.raises(InputError, match="device must be one of cpu, cuda, cuda:N, mps, torch:cpu, auto, not"):
        load_encoder(device=device)


def test_a_device_that_is_not_there_is_refused_with_those_that_are() -> None:
    there = ", ".join(["cpu", *gpus(), "torch:cpu"])
    with pytest.raises(ModelError, match=f"there is no device cuda:99 here; there are {there}"):
        load_encoder(device="cuda:99")


def test_auto_is_the_first_gpu_or_the_cpu_with_a_note() -> None:
    encoder = load_encoder(device="auto", threads=1)
    assert encoder.device == [*gpus(), "cpu"][0]
    assert encoder.notes == (() if gpus() else ("device auto is the CPU here: torch finds no GPU",))


def test_without_torch_a_device_of_torch_is_refused_and_auto_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    assert has_torch()
    monkeypatch.setitem(sys.modules, "torch", None)
    for device in ("cuda", "mps", "torch:cpu"):
        with pytest.raises(MissingExtraError, match=r'this needs torch, .*: pip install "twofold\[gpu\]"'):
            load_encoder(device=device)
    assert load_encoder(device="auto").notes == (
        'device auto is the CPU here: torch is not installed (pip install "twofold[gpu]")',
    )


def test_threads_and_precisions_that_torch_does_not_take_are_refused() -> None:
    with pytest.raises(InputError, match="threads are those of device='cpu', and the device is 'torch:cpu'"):
        load_encoder(device="torch:cpu", threads=2)
    with pytest.raises(InputError, match="precision must be one of auto, f32, bf16 on torch:cpu, not 'f16'"):
        load_encoder(device="torch:cpu", precision="f16")


def short_of_memory(most: int, seen: list[int]) -> Any:
    """The norm of a graph on a device that holds so many tokens; what it is given is written to `seen`."""
    known = torch_operations.OPERATIONS["MVN"]

    def make(attributes: dict[str, Any]) -> Any:
        normal = known.make(attributes)

        def call(x: Any, *operands: Any) -> Any:
            seen.append(x.shape[0] * x.shape[1])
            if seen[-1] > most:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")
            return normal(x, *operands)

        return call

    return torch_operations.Operation(make, known.numbers)


def test_a_batch_beyond_the_devices_memory_is_halved_and_no_larger_one_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = load_encoder(device="torch:cpu").encode_documents(TEXTS * 5)
    seen: list[int] = []
    monkeypatch.setitem(torch_operations.OPERATIONS, "MVN", short_of_memory(200, seen))
    found = load_encoder(device="torch:cpu").encode_documents(TEXTS * 5)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    too_large = [number for number, tokens in enumerate(seen) if tokens > 200]
    assert 1 <= len(too_large) <= 4
    assert max(seen[too_large[-1] + 1 :]) <= 200


def test_one_text_beyond_the_devices_memory_is_an_error_that_says_what_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(torch_operations.OPERATIONS, "MVN", short_of_memory(100, []))
    encoder = load_encoder(device="torch:cpu")
    with pytest.raises(ModelError, match=r"memory of torch:cpu is too small for one text of \d+ tokens: free some"):
        encoder.encode_documents(["rivers " * 100])
    assert len(encoder.encode_documents(["rivers", "water"])) == 2


def test_weights_beyond_the_devices_memory_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: dict[str, Any]) -> Any:
        raise RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)")

    monkeypatch.setitem(torch_operations.OPERATIONS, "MVN", torch_operations.Operation(full))
    with pytest.raises(ModelError, match="cannot be brought to torch:cpu: its memory is too small for the model's"):
        load_encoder(device="torch:cpu").encode_documents(["water"])


def test_another_fault_of_the_device_is_not_taken_for_a_lack_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: dict[str, Any]) -> Any:
        def call(*_: Any) -> Any:
            raise RuntimeError("CUDA error: an illegal memory access was encountered")

        return call

    monkeypatch.setitem(torch_operations.OPERATIONS, "MVN", torch_operations.Operation(broken, (1,)))
    with pytest.raises(RuntimeError, match="illegal memory access"):
        load_encoder(device="torch:cpu").encode_documents(["water"])


def test_an_abandoned_run_leaves_the_encoder_usable() -> None:
    encoder = load_encoder(device="torch:cpu")
    inputs = [[101, 2300, 102]] * 300 * (AHEAD + 3)
    first = next(encoder._model.vectors(inputs))[1]
    np.testing.assert_allclose(next(encoder._model.vectors(inputs[:1]))[1][0], first[0], atol=1e-6)


FORKED = """
import os, sys
from twofold.encoders.loading import load_encoder
encoder = load_encoder(device=sys.argv[1])
encoder.encode_documents(["water"])
if child := os.fork():
    os.waitpid(child, 0)
    print(encoder.encode_documents(["water"]).shape)
else:
    try:
        encoder.encode_documents(["water"])
    except Exception as error:
        print(type(error).__name__, error, flush=True)
    print(load_encoder().encode_documents(["water"]).shape, flush=True)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("device", ["torch:cpu", "gpu"])
def test_a_forked_process_is_told_to_load_an_encoder_of_its_own(device: str) -> None:
    device = needs_gpu() if device == "gpu" else device
    words = [sys.executable, "-c", FORKED, device]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=True)
    refused, *shapes = done.stdout.splitlines()
    assert f"ModelError this encoder was loaded on {device} before its process forked" in refused
    assert shapes == ["(1, 384)", "(1, 384)"]


def test_a_gpu_makes_the_vectors_of_the_cpu_in_any_batch() -> None:
    device = needs_gpu()
    expected = load_encoder(precision="f32").encode_documents(TEXTS)
    for precision, least in (("f32", 0.99999), ("auto", 0.999)):
        encoder = load_encoder(device=device, precision=precision)
        together = encoder.encode_documents(TEXTS)
        assert np.einsum("ij,ij->i", together, expected).min() > least
        alone = np.concatenate([encoder.encode_documents([text]) for text in TEXTS])
        assert np.einsum("ij,ij->i", together, alone).min() > 0.999
