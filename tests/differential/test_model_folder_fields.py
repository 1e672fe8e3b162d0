"""Any one field of a model folder changed: vectors change as those of sentence-transformers do, or it is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from safetensors.numpy import load_file, save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Dense, Normalize, Transformer
from sentence_transformers.sentence_transformer.modules import Pooling

from twofold.encoders.loading import load_encoder
from twofold.errors import ModelError

TEXTS = ["", "the cat", "Über Café C++ [MASK]", "北京 mars", "red planet mars cat " * 12 + "iron", "query: storm"]
WORDS = ["the", "cat", "red", "planet", "mars", "iron", "storm", "query", "über", "uber", "café", "cafe", ":", "+"]
WORDS += ["##s", "北", "京", "北京", "Mars", "Über", "last"]
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, *"abcdef", *(f"##{letter}" for letter in "abcdef")]
SET, JSON = "tokenizer_config.json", "tokenizer.json"
WORD_TABLE = "embeddings.word_embeddings.weight"
POSITIONS = "embeddings.position_embeddings.weight"


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny BERT with pooling, a dense layer and normalising, as sentence-transformers saves it."""
    bare, whole = tmp_path_factory.mktemp("bare"), tmp_path_factory.mktemp("whole") / "model"
    torch.manual_seed(3)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 24}
    configuration = transformers.BertConfig(
        **sizes, vocab_size=len(VOCABULARY), max_position_embeddings=40, initializer_range=0.4
    )
    transformers.BertModel(configuration, add_pooling_layer=False).save_pretrained(bare)
    (bare / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n", encoding="utf-8")
    transformers.BertTokenizerFast(vocab=str(bare / "vocab.txt"), model_max_length=40).save_pretrained(bare)
    modules = [Transformer(str(bare)), Pooling(16, "mean"), Dense(16, 12), Normalize()]
    prompts = {"query": "query: ", "document": ""}
    SentenceTransformer(modules=modules, device="cpu", prompts=prompts).save(str(whole), create_model_card=False)
    (whole / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n", encoding="utf-8")
    return whole


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "model"))


def set_fields(path: Path, fields: dict[str, Any]) -> None:
    """Sets fields; one that is set to None is taken out, and "a.b" is b in the object a."""
    values = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    for field, value in fields.items():
        *parents, last = field.split(".")
        inner = values
        for parent in parents:
            inner = inner[parent]
        if value is None:
            inner.pop(last, None)
        else:
            inner[last] = value
    path.write_text(json.dumps(values), encoding="utf-8")


def vectors_or_refusal(folder: Path) -> str:
    """What came of it: "same" or "refused". Fails where the two make different vectors."""
    try:
        encoder = load_encoder(folder, precision="f32")
        ours = [encoder.encode_documents(TEXTS), encoder.encode_queries(TEXTS)]
    except ModelError:
        return "refused"
    model = SentenceTransformer(str(folder), device="cpu", model_kwargs={"dtype": torch.float32})
    theirs = [model.encode_document(TEXTS, batch_size=1), model.encode_query(TEXTS, batch_size=1)]
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, other, atol=2e-5)
    return "same"


ADDED = {"content": "c++", "lstrip": False, "rstrip": False, "normalized": True, "single_word": False, "special": False}
FIELDS: list[tuple[str, dict[str, Any], str]] = [
    ("config.json", {"is_decoder": True}, "refused"),
    ("config.json", {"add_cross_attention": True}, "refused"),
    ("config.json", {"layer_norm_eps": 0.1}, "same"),
    ("config.json", {"hidden_act": "relu"}, "same"),
    ("config.json", {"num_attention_heads": 2}, "same"),
    ("config.json", {"num_hidden_layers": 1}, "same"),
    ("config.json", {"num_hidden_layers": 3}, "refused"),
    ("config.json", {"hidden_size": 8}, "refused"),
    ("config.json", {"vocab_size": 20}, "refused"),
    ("config.json", {"max_position_embeddings": 30}, "refused"),
    ("config.json", {"max_position_embeddings": 50}, "refused"),
    ("config.json", {"type_vocab_size": 3}, "refused"),
    ("config.json", {"pad_token_id": 1}, "same"),
    ("config.json", {"position_embedding_type": "relative_key"}, "refused"),
    ("config.json", {"quantization_config": {"quant_method": "bitsandbytes"}}, "refused"),
    (SET, {"do_lower_case": False}, "same"),
    (SET, {"do_lower_case": None}, "same"),
    (SET, {"strip_accents": False}, "same"),
    (SET, {"strip_accents": True}, "same"),
    (SET, {"tokenize_chinese_chars": False}, "same"),
    (SET, {"truncation_side": "left"}, "same"),
    (SET, {"padding_side": "left"}, "refused"),
    (SET, {"model_max_length": 9}, "same"),
    (SET, {"cls_token": "cat"}, "refused"),
    (SET, {"sep_token": "cat"}, "refused"),
    (SET, {"unk_token": "mars"}, "refused"),
    (SET, {"mask_token": "cat"}, "same"),
    (SET, {"pad_token": "nowhere"}, "refused"),
    (SET, {"additional_special_tokens": ["planet"]}, "same"),
    (SET, {"extra_special_tokens": {"some_token": "planet"}}, "same"),
    (SET, {"added_tokens_decoder": {"0": {**ADDED, "content": "[PAD]"}}}, "refused"),
    (SET, {"added_tokens_decoder": {"99": ADDED}}, "refused"),
    (SET, {"split_special_tokens": True}, "refused"),
    (SET, {"add_bos_token": True}, "refused"),
    (SET, {"tokenizer_class": "RobertaTokenizer"}, "refused"),
    (SET, {"tokenizer_class": "PreTrainedTokenizerFast"}, "same"),
    (SET, {"tokenizer_class": "T5Tokenizer"}, "refused"),
    (JSON, {"normalizer": {"type": "Lowercase"}}, "refused"),
    (JSON, {"normalizer.lowercase": False}, "same"),
    (JSON, {"normalizer.clean_text": False}, "refused"),
    (JSON, {"pre_tokenizer": {"type": "WhitespaceSplit"}}, "refused"),
    (JSON, {"model.continuing_subword_prefix": "@@"}, "refused"),
    (JSON, {"model.max_input_chars_per_word": 3}, "refused"),
    ("sentence_bert_config.json", {"max_seq_length": 9}, "same"),
    ("sentence_bert_config.json", {"do_lower_case": True}, "same"),
    ("sentence_bert_config.json", {"processor_kwargs": {"model_max_length": 9}}, "same"),
    ("sentence_bert_config.json", {"tokenizer_args": {"model_max_length": 9}}, "same"),
    ("sentence_bert_config.json", {"processor_kwargs": {"do_lower_case": False}}, "refused"),
    ("sentence_bert_config.json", {"config_args": {"num_hidden_layers": 1}}, "refused"),
    ("sentence_bert_config.json", {"model_args": {"add_pooling_layer": False}}, "refused"),
    ("sentence_bert_config.json", {"processing_kwargs": {"text": {"max_length": 5}}}, "refused"),
    ("sentence_bert_config.json", {"transformer_task": "fill-mask"}, "refused"),
    ("sentence_bert_config.json", {"module_output_name": "sentence_embedding"}, "refused"),
    ("sentence_bert_config.json", {"query_length": 5}, "refused"),
    ("1_Pooling/config.json", {"pooling_mode": "cls"}, "same"),
    ("1_Pooling/config.json", {"pooling_mode": ["cls"], "include_prompt": False}, "same"),
    ("2_Dense/config.json", {"activation_function": "torch.nn.modules.activation.ReLU"}, "same"),
    ("2_Dense/config.json", {"activation_function": "elsewhere.ReLU"}, "refused"),
    ("2_Dense/config.json", {"in_features": 8}, "refused"),
    ("2_Dense/config.json", {"out_features": 8}, "refused"),
    ("2_Dense/config.json", {"module_input_name": "token_embeddings"}, "refused"),
    ("2_Dense/config.json", {"module_output_name": "other"}, "refused"),
    ("2_Dense/config.json", {"use_residual": True}, "refused"),
    ("3_Normalize/config.json", {"module_output_name": "other"}, "refused"),
    ("config_sentence_transformers.json", {"truncate_dim": 5}, "same"),
    ("config_sentence_transformers.json", {"truncate_dim": 99}, "same"),
    ("config_sentence_transformers.json", {"truncate_dim": 0}, "refused"),
    ("config_sentence_transformers.json", {"prompts.document": "mars: "}, "same"),
    ("config_sentence_transformers.json", {"model_type": "SparseEncoder"}, "refused"),
]


@pytest.mark.parametrize(("file", "fields", "expected"), FIELDS, ids=lambda value: str(value)[:60])
def test_a_changed_field_is_followed_as_sentence_transformers_follows_it_or_refused(
    folder: Path, file: str, fields: dict[str, Any], expected: str
) -> None:
    set_fields(folder / file, fields)
    assert vectors_or_refusal(folder) == expected


def test_the_folder_as_it_was_saved_gives_the_same_vectors(folder: Path) -> None:
    assert vectors_or_refusal(folder) == "same"


@pytest.mark.parametrize("kind", ["roberta", "distilbert", "xlm-roberta", "xlnet"])
def test_the_older_names_of_the_modules_settings_are_read(folder: Path, kind: str) -> None:
    (folder / "sentence_bert_config.json").unlink()
    (folder / f"sentence_{kind}_config.json").write_text('{"max_seq_length": 9, "do_lower_case": true}')
    assert vectors_or_refusal(folder) == "same"
    assert load_encoder(folder).contract.max_tokens == 9


def test_tokens_added_beside_a_vocabulary_are_tokens(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.txt").write_text("\n".join(VOCABULARY[:-1]) + "\n", encoding="utf-8")
    (folder / "added_tokens.json").write_text(json.dumps({"c++": len(VOCABULARY) - 1}))
    set_fields(folder / SET, {"added_tokens_decoder": None})
    assert vectors_or_refusal(folder) == "same"
    assert "c++" in load_encoder(folder).vocabulary


def test_the_tokenizer_configuration_decides_where_there_is_only_a_vocabulary(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    set_fields(folder / SET, {"do_lower_case": False, "strip_accents": True})
    assert vectors_or_refusal(folder) == "same"


Tensors = dict[str, Any]


def _renamed(tensors: Tensors) -> Tensors:
    names = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
    return {next((n.replace(a, b) for a, b in names.items() if a in n), n): t for n, t in tensors.items()}


def _cut(name: str, rows: int) -> Callable[[Tensors], Tensors]:
    return lambda tensors: {**tensors, name: tensors[name][:rows].copy()}


def _with_nan(tensors: Tensors) -> Tensors:
    tensors["encoder.layer.0.attention.self.query.weight"][0, 0] = np.nan
    return tensors


@pytest.mark.parametrize(
    ("change", "expected"),
    [(_renamed, "same"), (_cut(POSITIONS, 30), "refused"), (_cut(WORD_TABLE, 20), "refused"), (_with_nan, "refused")],
)
def test_changed_tensors_are_followed_or_refused(
    folder: Path, change: Callable[[Tensors], Tensors], expected: str
) -> None:
    save_file(change(load_file(folder / "model.safetensors")), folder / "model.safetensors", {"format": "pt"})
    assert vectors_or_refusal(folder) == expected


def test_tokens_beyond_the_table_are_refused_at_loading(folder: Path) -> None:
    save_file(_cut(WORD_TABLE, 20)(load_file(folder / "model.safetensors")), folder / "model.safetensors")
    set_fields(folder / "config.json", {"vocab_size": 20})
    with pytest.raises(ModelError, match="the table of tokens has 20 rows"):
        load_encoder(folder)


def test_nan_is_named_by_its_tensor(folder: Path) -> None:
    save_file(_with_nan(load_file(folder / "model.safetensors")), folder / "model.safetensors")
    with pytest.raises(ModelError, match=r"'encoder.layer.0.attention.self.query.weight' holds NaN"):
        load_encoder(folder).encode_queries(["cat"])


@pytest.mark.parametrize("index", ["{}", "[]", '{"weight_map": 3}', '{"weight_map": {"a": 1}}', "no"])
def test_an_index_of_shards_that_says_nothing_is_named(folder: Path, index: str) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(index)
    with pytest.raises(ModelError, match=r"model\.safetensors\.index\.json"):
        load_encoder(folder)
