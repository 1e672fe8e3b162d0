"""Small random models, run here and by sentence-transformers: every architecture, pooling and layer."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from random_models import states_here, states_there
from safetensors.numpy import save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Dense, Normalize, Transformer
from sentence_transformers.sentence_transformer.modules import LayerNorm, Pooling, WeightedLayerPooling

from twofold.encoders.loading import load_encoder
from twofold.errors import ModelError
from twofold.models.architectures import architecture_of
from twofold.models.configuration import Configuration
from twofold.models.locating import find_model

TEXTS = [
    "",
    "water",
    "Who wrote the first compiler?",
    "The mitochondrion is the powerhouse of the cell. " * 3,
    "東京は日本の首都です。",
    "[PAD] [CLS]",
    "one two three four five six seven eight nine ten " * 12,
]
SIZES = {"num_hidden_layers": 2, "num_attention_heads": 4, "hidden_size": 32, "intermediate_size": 48}
SHARED = {"vocab_size": 30522, "max_position_embeddings": 80, "initializer_range": 0.3}
CONFIGURATIONS: dict[str, Callable[[], Any]] = {
    "bert": lambda: transformers.BertConfig(**SIZES, **SHARED),
    "roberta": lambda: transformers.RobertaConfig(**SIZES, **SHARED, pad_token_id=1),
    "xlm-roberta": lambda: transformers.XLMRobertaConfig(**SIZES, **SHARED, pad_token_id=1),
    "mpnet": lambda: transformers.MPNetConfig(**SIZES, **{**SHARED, "max_position_embeddings": 300}),
    "distilbert": lambda: transformers.DistilBertConfig(n_layers=2, n_heads=4, dim=32, hidden_dim=48, **SHARED),
}

Save = Callable[..., Path]


def random_model(configuration: Any, folder: Path) -> Path:
    """A folder with a random model of this configuration, and the default model's tokenizer."""
    torch.manual_seed(7)
    model = transformers.AutoModel.from_config(configuration)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "bias" in name or "LayerNorm" in name or "layer_norm" in name:
                parameter.add_(torch.randn_like(parameter) * 0.2)
    model.save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json"):
        shutil.copy(find_model(None).folder / name, folder)
    return folder


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_model(CONFIGURATIONS["bert"](), tmp_path_factory.mktemp("bert"))


@pytest.fixture
def save(bert: Path, tmp_path: Path) -> Save:
    """Saves the random BERT with modules after it as sentence-transformers does, and gives the folder."""

    def saved(*modules: Any, **settings: Any) -> Path:
        folder = tmp_path / "saved"
        transformer = Transformer(str(bert), max_seq_length=48)
        SentenceTransformer(modules=[transformer, *modules], device="cpu", **settings).save(str(folder))
        return folder

    return saved


def assert_same_vectors(folder: Path, texts: Sequence[str] = TEXTS) -> None:
    theirs = SentenceTransformer(str(folder), device="cpu")
    documents, queries = theirs.encode_document(list(texts)), theirs.encode_query(list(texts))
    close = partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-4)
    for device in ("cpu", "torch:cpu"):
        ours = load_encoder(folder, precision="f32", device=device)
        close(ours.encode_documents(texts), documents)
        close(ours.encode_queries(texts), queries)


@pytest.mark.parametrize("kind", CONFIGURATIONS)
def test_hidden_states_are_those_of_transformers(kind: str, tmp_path: Path) -> None:
    folder = random_model(CONFIGURATIONS[kind](), tmp_path)
    configuration = Configuration.read(folder / "config.json")
    architecture = architecture_of(configuration)
    length = min(architecture.positions(configuration), 200)
    tokens = np.random.default_rng(3).integers(5, 30000, (3, length)).astype(np.int32)
    real = np.ones((3, length), dtype=np.float32)
    real[1, length // 2 :] = 0
    found, expected = states_here(folder, [(tokens, real)])[0], states_there(folder, [(tokens, real)])[0]
    assert architecture.width(configuration) == expected.shape[-1]
    assert np.abs(expected).std() > 0.1
    np.testing.assert_allclose(found[real > 0], expected[real > 0], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("kind", CONFIGURATIONS)
def test_a_bare_transformers_folder_is_pooled_by_the_mean(kind: str, tmp_path: Path) -> None:
    folder = random_model(CONFIGURATIONS[kind](), tmp_path)
    texts = TEXTS if kind not in ("roberta", "xlm-roberta") else TEXTS[:-1]  # theirs runs beyond its own positions
    assert_same_vectors(folder, texts)
    contract = load_encoder(folder).contract
    assert contract.pooling == "mean"
    assert contract.layers == ()


@pytest.mark.parametrize("mode", Pooling.POOLING_MODES)
def test_every_pooling_mode_is_that_of_sentence_transformers(mode: str, save: Save) -> None:
    assert_same_vectors(save(Pooling(32, mode)))


def test_several_pooling_modes_stand_side_by_side(save: Save) -> None:
    folder = save(Pooling(32, ("lasttoken", "max", "mean")))
    assert_same_vectors(folder)
    assert load_encoder(folder).contract.dimension == 96


@pytest.mark.parametrize("mode", Pooling.POOLING_MODES)
def test_a_prompt_left_out_of_the_pooling_is_left_out_here(mode: str, save: Save) -> None:
    prompts = {"query": "find what answers: ", "document": ""}
    folder = save(Pooling(32, mode, include_prompt=False), prompts=prompts)
    assert_same_vectors(folder)
    assert load_encoder(folder).contract.pooling == f"{mode} without prompt"


@pytest.mark.parametrize("activation", ["Identity", "Tanh", "GELU", "ReLU", "SiLU", "Sigmoid", "Mish"])
def test_a_dense_layer_and_normalize_follow_the_pooling(activation: str, save: Save) -> None:
    torch.manual_seed(5)
    dense = Dense(32, 12, activation_function=getattr(torch.nn, activation)())
    assert_same_vectors(save(Pooling(32, "mean"), dense, Normalize()))


@pytest.mark.parametrize("width", [32, 12])
def test_a_dense_layer_that_adds_its_input_adds_it(width: int, save: Save) -> None:
    torch.manual_seed(5)
    dense = Dense(32, width, activation_function=torch.nn.GELU(), use_residual=True)
    folder = save(Pooling(32, "mean"), dense)
    assert_same_vectors(folder)
    assert load_encoder(folder).contract.layers == ("dense gelu with its input",)


def test_layer_normalisation_follows_the_pooling(save: Save) -> None:
    torch.manual_seed(5)
    norm = LayerNorm(32)
    torch.nn.init.normal_(norm.norm.weight)
    torch.nn.init.normal_(norm.norm.bias)
    folder = save(Pooling(32, "mean"), norm, Dense(32, 12), Normalize())
    assert_same_vectors(folder)
    contract = load_encoder(folder).contract
    assert contract.layers == ("layer norm", "dense tanh", "normalize")
    torch.nn.init.normal_(norm.norm.bias)
    other = load_encoder(save(Pooling(32, "mean"), norm, Dense(32, 12), Normalize())).contract
    assert other.weights != contract.weights


def test_normalize_before_a_dense_layer_is_kept_in_its_place(save: Save) -> None:
    torch.manual_seed(5)
    folder = save(Pooling(32, "mean"), Normalize(), Dense(32, 12, bias=False))
    assert_same_vectors(folder)
    assert load_encoder(folder).contract.layers == ("normalize", "dense tanh")


def mixed(kind: str, folder: Path, first: int) -> Path:
    """A folder whose pooling takes the layers from this number on, each with a weight of its own."""
    configuration = CONFIGURATIONS[kind]()
    configuration.output_hidden_states = True
    transformer = Transformer(str(random_model(configuration, folder / "bare")), max_seq_length=48)
    mix = WeightedLayerPooling(32, num_hidden_layers=2, layer_start=first)
    torch.nn.init.uniform_(mix.layer_weights, 0.5, 3)
    modules = [transformer, mix, Pooling(32, ("mean", "max")), Normalize()]
    SentenceTransformer(modules=modules, device="cpu").save(str(folder / "whole"))
    return folder / "whole"


@pytest.mark.parametrize("kind", CONFIGURATIONS)
@pytest.mark.parametrize("first", [0, 1])
def test_a_weighted_mean_of_layers_is_that_of_sentence_transformers(kind: str, first: int, tmp_path: Path) -> None:
    folder = mixed(kind, tmp_path, first)
    assert_same_vectors(folder)
    assert load_encoder(folder).contract.pooling == f"mean+max of layers {first} to 2, weighted"


def test_the_weights_of_layers_belong_to_the_contract_and_are_checked(tmp_path: Path) -> None:
    folder = mixed("bert", tmp_path, 1)
    contract = load_encoder(folder).contract
    path = folder / "1_WeightedLayerPooling"
    for weights, message in [
        ([1, 2, 3], r"has the shape \(3,\), and of 2 layers and the states before them there are 2"),
        ([1, -1], "add up"),
    ]:
        save_file({"layer_weights": np.array(weights, np.float32)}, path / "model.safetensors")
        with pytest.raises(ModelError, match=message):
            load_encoder(folder)
    save_file({"layer_weights": np.array([1, 9], np.float32)}, path / "model.safetensors")
    assert load_encoder(folder).contract.weights != contract.weights
    said = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**said, "output_hidden_states": False}))
    with pytest.raises(ModelError, match="WeightedLayerPooling needs output_hidden_states to be true"):
        load_encoder(folder)
    (folder / "config.json").write_text(json.dumps({**said, "model_type": "gte"}))
    with pytest.raises(ModelError, match=r"WeightedLayerPooling is known for model_type bert, .*, not for 'gte'"):
        load_encoder(folder)


def test_prompts_stand_before_the_texts_of_their_side(save: Save) -> None:
    prompts = {"query": "query: ", "document": "passage: "}
    folder = save(Pooling(32, "cls"), prompts=prompts, similarity_fn_name="dot")
    assert_same_vectors(folder)
    encoder = load_encoder(folder)
    contract = encoder.contract
    assert (contract.query_prompt, contract.document_prompt, contract.similarity) == ("query: ", "passage: ", "dot")
    assert not np.array_equal(encoder.encode_queries(["water"]), encoder.encode_documents(["water"]))


@pytest.mark.parametrize("stored", [torch.float16, torch.bfloat16])
def test_weights_stored_in_half_precision_are_read(stored: torch.dtype, tmp_path: Path) -> None:
    folder = random_model(CONFIGURATIONS["bert"](), tmp_path)
    model = transformers.AutoModel.from_pretrained(folder)
    model.to(stored).save_pretrained(folder)
    theirs = SentenceTransformer(str(folder), device="cpu", model_kwargs={"dtype": torch.float32})
    found = load_encoder(folder, precision="f32").encode_documents(TEXTS)
    np.testing.assert_allclose(found, theirs.encode(TEXTS), atol=1e-4, rtol=1e-4)


def test_the_same_tensors_in_shards_have_the_same_fingerprint(bert: Path, tmp_path: Path) -> None:
    shutil.copytree(bert, tmp_path, dirs_exist_ok=True)
    (tmp_path / "model.safetensors").unlink()
    transformers.AutoModel.from_pretrained(bert).save_pretrained(tmp_path, max_shard_size="1MB")
    assert (tmp_path / "model.safetensors.index.json").exists()
    assert load_encoder(tmp_path).contract == load_encoder(bert).contract
    np.testing.assert_array_equal(
        load_encoder(tmp_path, precision="f32").encode_queries(TEXTS),
        load_encoder(bert, precision="f32").encode_queries(TEXTS),
    )


def test_lower_casing_asked_for_by_sentence_transformers_is_done(save: Save) -> None:
    folder = save(Pooling(32, "mean"))
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps({**settings, "do_lower_case": False}))
    cased = load_encoder(folder).contract.tokenizer
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 48, "do_lower_case": true}')
    encoder = load_encoder(folder)
    np.testing.assert_array_equal(encoder.encode_queries(["WATER"]), encoder.encode_queries(["water"]))
    assert encoder.contract.tokenizer != cased


@pytest.mark.parametrize("mode", ["cls", "lasttoken", "weightedmean"])
def test_pooling_by_place_holds_in_bf16_beyond_256_tokens(mode: str, tmp_path: Path) -> None:
    """Beyond 256 not every whole number exists in bf16, so counting tokens in it would go wrong."""
    configuration = transformers.BertConfig(**SIZES, **{**SHARED, "max_position_embeddings": 512})
    transformer = Transformer(str(random_model(configuration, tmp_path / "bare")), max_seq_length=512)
    SentenceTransformer(modules=[transformer, Pooling(32, mode), Normalize()], device="cpu").save(
        str(tmp_path / "whole")
    )
    texts = ["one two three four five six " * 83, "seven eight nine " * 100 + "ten"]
    exact = load_encoder(tmp_path / "whole", precision="f32").encode_documents(texts)
    rounded = load_encoder(tmp_path / "whole").encode_documents(texts)
    assert np.einsum("ij,ij->i", exact, rounded).min() > 0.998
