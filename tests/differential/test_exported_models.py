"""Models of architectures that are not built here, run as exported graphs: the vectors are the model's."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import openvino.opset13 as op
import pytest
import torch
import transformers
from numpy.typing import NDArray
from random_models import CONFIGURATIONS, save_random, unigram, word_pieces
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Dense, Normalize, Transformer
from sentence_transformers.sentence_transformer.modules import Pooling

import twofold
from twofold.encoders.loading import load_encoder
from twofold.errors import ModelError

TEXTS = [
    "",
    "water",
    "Who wrote the first compiler?",
    "The mitochondrion is the powerhouse of the cell. " * 8,
    "  two  spaces\nand a line",
]
SIZES = {"vocab_size": 500, "initializer_range": 0.2}
ELECTRA = {**SIZES, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48}
MADE: dict[str, tuple[Callable[[], Any], Callable[[Path], None]]] = {
    "electra": (lambda: transformers.ElectraConfig(**ELECTRA, embedding_size=24), word_pieces),
    "deberta-v2": (
        lambda: transformers.DebertaV2Config(**ELECTRA, relative_attention=True, pos_att_type=["p2c", "c2p"]),
        word_pieces,
    ),
    "t5": (
        lambda: transformers.T5Config(
            vocab_size=500, d_model=32, d_kv=8, d_ff=48, num_layers=2, num_heads=4, is_encoder_decoder=False
        ),
        unigram,
    ),
}
"""Kind → its configuration and its tokenizer."""


class States(torch.nn.Module):  # type: ignore[misc]
    """A model that gives its states alone."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        states: torch.Tensor = self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return states


def exported(folder: Path, form: str) -> Path:
    """Writes the graph of the folder's model into it; the file. form: "openvino" or "onnx"."""
    model = States(SentenceTransformer(str(folder), device="cpu")[0].model.eval())
    ids = torch.ones((2, 7), dtype=torch.int64)
    names = ["input_ids", "attention_mask"]
    path = folder / form / {"openvino": "openvino_model.xml", "onnx": "model.onnx"}[form]
    path.parent.mkdir()
    with warnings.catch_warnings(action="ignore"):  # it traces the model by what torch calls deprecated
        torch.onnx.export(
            model,
            (ids, ids),
            str(path.with_suffix(".onnx")),
            input_names=names,
            output_names=["last_hidden_state"],
            dynamic_axes={name: {0: "batch", 1: "tokens"} for name in names},
            dynamo=False,
        )
    if form == "openvino":
        graph = openvino.Core().read_model(path.with_suffix(".onnx"))
        openvino.save_model(graph, path, compress_to_fp16=False)
        path.with_suffix(".onnx").unlink()
    return path


def saved(kind: str, folder: Path) -> Path:
    configuration, tokenizer = MADE[kind]
    bare = save_random(
        configuration(), folder / "bare", *([transformers.AutoModelForTextEncoding] if kind == "t5" else [])
    )
    tokenizer(bare)
    torch.manual_seed(5)
    modules = [Transformer(str(bare), max_seq_length=60), Pooling(32, "mean"), Dense(32, 24), Normalize()]
    SentenceTransformer(modules=modules, device="cpu", prompts={"query": "query: "}).save(
        str(folder / "whole"), create_model_card=False
    )
    return folder / "whole"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Path]:
    made = {}
    for kind, form in (("electra", "openvino"), ("electra", "onnx"), ("deberta-v2", "openvino"), ("t5", "openvino")):
        made[kind, form] = saved(kind, tmp_path_factory.mktemp("folder"))
        exported(made[kind, form], form)
    return made


@pytest.fixture
def electra(folders: dict[tuple[str, str], Path], tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return shutil.copytree(folders["electra", "openvino"], tmp_path / "electra")


def close(one: NDArray[np.float32], other: NDArray[np.float32]) -> None:
    np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


CASES = [("electra", "openvino"), ("electra", "onnx"), ("deberta-v2", "openvino"), ("t5", "openvino")]


@pytest.mark.parametrize(("kind", "form"), CASES)
def test_an_exported_graph_gives_the_vectors_of_the_model(
    kind: str, form: str, folders: dict[tuple[str, str], Path]
) -> None:
    theirs = SentenceTransformer(str(folders[kind, form]), device="cpu")
    ours = load_encoder(folders[kind, form])
    assert ours.precision == "f32"
    assert [note for note in ours.notes if kind in note and "model" in note and "f32" in note]
    close(ours.encode_documents(TEXTS[1:]), theirs.encode_document(TEXTS[1:]))
    close(ours.encode_queries(TEXTS), theirs.encode_query(TEXTS))


@pytest.mark.parametrize(("kind", "form"), CASES)
def test_a_text_has_the_same_bits_alone_and_in_a_batch(
    kind: str, form: str, folders: dict[tuple[str, str], Path]
) -> None:
    encoder = load_encoder(folders[kind, form])
    together = encoder.encode_documents([*TEXTS, *TEXTS[::-1], *["more of the cell"] * 9])
    for number, text in enumerate(TEXTS):
        np.testing.assert_array_equal(encoder.encode_documents([text])[0], together[number])


def test_a_collection_is_made_with_one_and_opened_again(folders: dict[tuple[str, str], Path], tmp_path: Path) -> None:
    folder = folders["electra", "openvino"]
    with twofold.create(tmp_path / "c", encoder=folder) as collection:
        collection.add([{"id": "a", "text": TEXTS[3]}, {"id": "b", "text": "water"}])
    with twofold.open(tmp_path / "c") as collection:
        assert collection.search("water")[0].id == "b"


def test_an_exported_graph_runs_on_the_cpu_alone(electra: Path) -> None:
    assert load_encoder(electra, device="auto").device == "cpu"
    with pytest.raises(ModelError, match="an exported graph runs on the CPU alone, not on torch:cpu"):
        load_encoder(electra, device="torch:cpu")


def test_the_contract_follows_the_graph(electra: Path) -> None:
    before = load_encoder(electra).contract
    assert load_encoder(electra).contract == before
    tensors = electra / "openvino" / "openvino_model.bin"
    changed = bytearray(tensors.read_bytes())
    changed[100] ^= 1
    tensors.write_bytes(changed)
    assert load_encoder(electra).contract.weights != before.weights


def test_a_known_architecture_is_built_although_a_graph_lies_there(tmp_path: Path) -> None:
    bare = save_random(CONFIGURATIONS["nomic_bert"](), tmp_path / "bare")
    word_pieces(bare)
    before = load_encoder(bare, precision="f32")
    (bare / "onnx").mkdir()
    (bare / "onnx" / "model.onnx").write_bytes(b"never read")
    assert load_encoder(bare, precision="f32").contract == before.contract
    assert not before.notes


def test_a_known_architecture_without_tensors_runs_as_its_graph_says(tmp_path: Path) -> None:
    bare = save_random(CONFIGURATIONS["nomic_bert"](), tmp_path / "bare")
    word_pieces(bare)
    before = load_encoder(bare, precision="f32").encode_queries(TEXTS)
    exported(bare, "openvino")
    (bare / "model.safetensors").unlink()
    close(load_encoder(bare).encode_queries(TEXTS), before)


def _named(name: str, shape: list[int]) -> Any:
    parameter = op.parameter(shape, np.int64, name)
    parameter.output(0).get_tensor().set_names({name})
    return parameter


def test_graphs_that_cannot_be_followed_are_refused_in_words(electra: Path) -> None:
    path = electra / "openvino" / "openvino_model.xml"
    ids, pixels = _named("input_ids", [-1, -1]), _named("pixel_values", [-1, -1])
    states = op.unsqueeze(op.convert(op.add(ids, pixels), "f32"), op.constant(np.int64(2)))
    openvino.save_model(openvino.Model([op.result(states)], [ids, pixels], "pictures"), path)
    (electra / "2_Dense").joinpath("config.json").write_text(
        json.dumps({"in_features": 1, "out_features": 24, "bias": True, "activation_function": "torch.nn.Tanh"})
    )
    with pytest.raises(ModelError, match="2_Dense"):
        load_encoder(electra)
    (electra / "modules.json").write_text(json.dumps(json.loads((electra / "modules.json").read_text())[:2]))
    with pytest.raises(
        ModelError, match=r"openvino_model\.xml: the input 'pixel_values' is not known; known are input"
    ):
        load_encoder(electra).encode_queries(["water"])
    openvino.save_model(openvino.Model([op.result(op.convert(ids, "f32"))], [ids], "flat"), path)
    with pytest.raises(ModelError, match=r"openvino_model\.xml has no output with a state for each token"):
        load_encoder(electra)
    path.write_text("<net")
    with pytest.raises(ModelError, match=r"openvino_model\.xml cannot be read as a graph"):
        load_encoder(electra)
    path.unlink()
    with pytest.raises(ModelError, match=r"model_type 'electra' is not known; .* onnx/model\.onnx"):
        load_encoder(electra)
