"""What a model folder says, and what is refused in it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from twofold.encoders.loading import load_encoder
from twofold.errors import ModelError
from twofold.models.folder import Prompts, read_model_folder
from twofold.models.layers import Normalize

Edit = Callable[..., None]


def test_the_default_folder_is_read_whole(folder: Path) -> None:
    model = read_model_folder(folder)
    assert model.modes == ("mean",)
    assert model.layers == (Normalize(),)
    assert model.max_tokens == 256
    assert model.similarity == "cosine"
    assert model.prompts == Prompts(None, None)


def test_without_a_stated_length_the_tokenizer_says_it_and_the_positions_bound_it(folder: Path, edit: Edit) -> None:
    edit("sentence_bert_config.json", max_seq_length=None)
    edit("tokenizer_config.json", model_max_length=300)
    assert read_model_folder(folder).max_tokens == 300
    edit("tokenizer_config.json", model_max_length=int(1e30))
    assert read_model_folder(folder).max_tokens == 512


def test_a_stated_length_beyond_the_positions_is_bounded(folder: Path, edit: Edit) -> None:
    edit("sentence_bert_config.json", max_seq_length=5000)
    assert read_model_folder(folder).max_tokens == 512


@pytest.mark.parametrize(
    ("prompts", "default", "expected"),
    [
        ({"query": "q: ", "document": "d: "}, None, Prompts("q: ", "d: ")),
        ({"query": "q: ", "passage": "p: "}, None, Prompts("q: ", "p: ")),
        ({"query": "q: ", "document": "", "passage": "p: "}, None, Prompts("q: ", "p: ")),
        ({"query": "q: "}, None, Prompts("q: ", None)),
        ({"query": "q: ", "other": "o: "}, "other", Prompts("q: ", "o: ")),
        ({"query": "q: ", "document": "", "other": "o: "}, "other", Prompts("q: ", "")),
        ({}, None, Prompts(None, None)),
    ],
)
def test_prompts_are_taken_by_the_names_in_use(
    folder: Path, edit: Edit, prompts: dict[str, str], default: str | None, expected: Prompts
) -> None:
    edit("config_sentence_transformers.json", prompts=prompts, default_prompt_name=default)
    assert read_model_folder(folder).prompts == expected


@pytest.mark.parametrize(
    ("file", "fields", "said"),
    [
        ("config.json", {"model_type": "xlnet"}, "model_type 'xlnet'"),
        ("config.json", {"model_type": None}, "'model_type' is missing"),
        ("config.json", {"max_position_embeddings": "many"}, "'max_position_embeddings' is 'many'"),
        ("config.json", {"hidden_act": "snake"}, "'snake'"),
        ("config.json", {"position_embedding_type": "relative_key"}, "position_embedding_type 'relative_key'"),
        ("config.json", {"num_hidden_layers": 7}, "'encoder.layer.6.attention.self.query.weight'"),
        ("config.json", {"num_attention_heads": 5}, "5 attention heads"),
        ("1_Pooling/config.json", {"pooling_mode": "median"}, "pooling mode 'median'"),
        ("config_sentence_transformers.json", {"similarity_fn_name": "euclidean"}, "'euclidean'"),
        ("config_sentence_transformers.json", {"default_prompt_name": "gone"}, "'gone'"),
        ("sentence_bert_config.json", {"max_seq_length": 2}, "max_seq_length 2"),
    ],
)
def test_a_field_that_is_missing_or_unknown_is_named(
    folder: Path, edit: Edit, file: str, fields: dict[str, object], said: str
) -> None:
    edit(file, **fields)
    with pytest.raises(ModelError, match=re.escape(said)):
        load_encoder(folder).encode_queries(["water"])


def test_a_model_that_brings_its_own_code_is_refused_with_what_to_do(folder: Path, edit: Edit) -> None:
    (folder / "modeling_own.py").write_text("raise SystemExit('the code of the folder has run')")
    edit("config.json", model_type="own", auto_map={"AutoModel": "modeling_own.OwnModel"})
    with pytest.raises(
        ModelError, match=r"known are bert, .* never run\. Take a model .* `twofold index DATA --vectors"
    ):
        load_encoder(folder)


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        (["tokenizer.json", "vocab.txt"], "no tokenizer"),
        (["model.safetensors"], "model.safetensors"),
        (["config.json"], "config.json does not exist"),
        (["1_Pooling/config.json"], "1_Pooling/config.json does not exist"),
    ],
)
def test_a_file_that_is_missing_is_named(folder: Path, gone: list[str], said: str) -> None:
    for name in gone:
        (folder / name).unlink()
    with pytest.raises(ModelError, match=said):
        load_encoder(folder)


@pytest.mark.parametrize(
    ("modules", "said"),
    [
        (["Transformer", "Pooling", "CNN"], "'CNN'"),
        (["WordEmbeddings", "Pooling"], "WordEmbeddings"),
        (["Transformer"], "must be Transformer and Pooling"),
    ],
)
def test_a_module_that_is_not_known_is_named(folder: Path, modules: list[str], said: str) -> None:
    listed = [
        {"idx": n, "path": "1_Pooling" if n else "", "type": f"sentence_transformers.models.{kind}"}
        for n, kind in enumerate(modules)
    ]
    (folder / "modules.json").write_text(json.dumps(listed))
    with pytest.raises(ModelError, match=said):
        read_model_folder(folder)


@pytest.mark.parametrize("content", ["{", "[]", "7"])
def test_a_configuration_that_is_no_object_is_refused(folder: Path, content: str) -> None:
    (folder / "config.json").write_text(content)
    with pytest.raises(ModelError, match=r"config\.json"):
        read_model_folder(folder)


@pytest.mark.parametrize("content", [b"", b"\x08\x00\x00\x00\x00\x00\x00\x00{broken}", b"\xff" * 64])
def test_weights_that_are_no_safetensors_are_refused(folder: Path, content: bytes) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(ModelError, match=r"model\.safetensors"):
        load_encoder(folder)


def test_a_tokenizer_that_cannot_be_read_is_refused(folder: Path) -> None:
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError, match=r"tokenizer\.json"):
        load_encoder(folder)


def test_a_prompt_that_fills_the_length_is_refused(folder: Path, edit: Edit) -> None:
    edit("config_sentence_transformers.json", prompts={"query": "word " * 254})
    with pytest.raises(ModelError, match="query prompt leaves no token"):
        load_encoder(folder)
