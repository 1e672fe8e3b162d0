"""Small random models with rotary positions, run here and by transformers: the states of every architecture."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from random_models import CONFIGURATIONS, GEMMA, LONGEST, SHARED, Tokens, save_random, states_here, states_there
from safetensors.numpy import load_file

from twofold.errors import ModelError
from twofold.models.weights import Weights, weight_files


def inputs(longest: int) -> Tokens:
    """Random tokens and a mask: inputs of several lengths, padded to the longest."""
    ids = np.random.default_rng(3).integers(5, 400, (4, longest)).astype(np.int32)
    mask = np.ones((4, longest), dtype=np.float32)
    for row, length in enumerate((longest, 1, longest // 2, longest - longest // 3)):
        mask[row, max(1, length) :] = 0
    return ids, mask


def assert_same_states(folder: Path, *, there: Path | None = None, longest: int = LONGEST) -> None:
    """there: the folder that transformers reads, where it is another."""
    batches = [inputs(length) for length in (2, 17, longest)]
    compared = zip(batches, states_here(folder, batches), states_there(there or folder, batches), strict=True)
    for (_, mask), found, expected in compared:
        assert expected[mask > 0].std() > 0.1
        np.testing.assert_allclose(found[mask > 0], expected[mask > 0], atol=1e-4, rtol=1e-4)


def change(folder: Path, changes: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Writes config.json anew."""
    file = folder / "config.json"
    file.write_text(json.dumps(changes(json.loads(file.read_text()))))


@pytest.mark.parametrize("what", CONFIGURATIONS)
def test_hidden_states_are_those_of_transformers(what: str, tmp_path: Path) -> None:
    assert_same_states(save_random(CONFIGURATIONS[what](), tmp_path))


@pytest.mark.parametrize("what", CONFIGURATIONS)
def test_matrices_in_int8_give_the_states_of_their_expanded_weights(what: str, tmp_path: Path) -> None:
    files = weight_files(save_random(CONFIGURATIONS[what](), tmp_path))
    matrices = [name for name, tensor in load_file(files[0]).items() if tensor.ndim == 2]
    weights, batches = Weights(files, matrices), [inputs(17)]
    (found,), (expected,) = (states_here(tmp_path, batches, each) for each in (weights, weights.expanding()))
    real = batches[0][1] > 0
    np.testing.assert_allclose(found[real], expected[real], atol=1e-4, rtol=1e-4)
    assert np.abs(found - states_here(tmp_path, batches)[0])[real].max() > 1e-3


@pytest.mark.parametrize(("stored", "size"), [(torch.float16, "1GB"), (torch.bfloat16, "20KB")])
@pytest.mark.parametrize("what", CONFIGURATIONS)
def test_tensors_in_half_precision_and_in_several_files_are_read(
    what: str, stored: torch.dtype, size: str, tmp_path: Path
) -> None:
    whole = save_random(CONFIGURATIONS[what](), tmp_path / "whole")
    transformers.AutoModel.from_pretrained(whole).to(stored).save_pretrained(tmp_path / "half", max_shard_size=size)
    assert (len(list((tmp_path / "half").glob("*.safetensors"))) > 1) is (size == "20KB")
    assert_same_states(tmp_path / "half", longest=40)


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("what", ["qwen3", "gemma3_text"])
def test_a_model_saved_with_its_head_is_read_without_it(what: str, tied: bool, tmp_path: Path) -> None:
    configuration = CONFIGURATIONS[what]()
    configuration.tie_word_embeddings = tied
    folder = save_random(configuration, tmp_path, transformers.AutoModelForCausalLM)
    names = load_file(folder / "model.safetensors")
    assert ("lm_head.weight" in names) is not tied
    assert_same_states(folder)


@pytest.mark.parametrize("what", ["modernbert", "eurobert"])
def test_a_model_saved_with_a_head_for_masks_is_read_without_it(what: str, tmp_path: Path) -> None:
    assert_same_states(save_random(CONFIGURATIONS[what](), tmp_path, transformers.AutoModelForMaskedLM))


def test_the_text_model_of_a_model_of_pictures_and_sounds_is_used_alone(tmp_path: Path) -> None:
    text = CONFIGURATIONS["embedding_gemma2_text"]()
    whole = transformers.AutoConfig.for_model("embedding_gemma2", text_config=text.to_dict())
    folder = save_random(whole, tmp_path / "whole")
    assert json.loads((folder / "config.json").read_text())["model_type"] == "embedding_gemma2"
    transformers.AutoModel.from_pretrained(folder).language_model.save_pretrained(tmp_path / "text")
    assert_same_states(folder, there=tmp_path / "text")


def older_modernbert(said: dict[str, Any]) -> dict[str, Any]:
    for field in ("layer_types", "rope_parameters"):
        said.pop(field)
    return {**said, "global_attn_every_n_layers": 2, "global_rope_theta": 5000.0, "local_rope_theta": 300.0}


def older_gemma(said: dict[str, Any]) -> dict[str, Any]:
    for field in ("layer_types", "rope_parameters"):
        said.pop(field)
    scaling = {"factor": 4.0, "rope_type": "linear"}
    return {
        **said,
        "sliding_window_pattern": 3,
        "rope_theta": 50_000,
        "rope_local_base_freq": 700,
        "rope_scaling": scaling,
    }


def older_decoder(said: dict[str, Any]) -> dict[str, Any]:
    said.pop("rope_parameters")
    return {**said, "layer_types": None, "rope_theta": 250_000, "rope_scaling": None}


def scaled(said: dict[str, Any]) -> dict[str, Any]:
    said.pop("rope_parameters")
    return {**said, "rope_theta": 3000.0, "rope_scaling": {"type": "linear", "factor": 3.0}}


FORMS = [
    ("modernbert", older_modernbert),
    ("gemma3_text", older_gemma),
    ("gemma3_text, causal", older_gemma),
    ("qwen3", older_decoder),
    ("qwen3 with windows", older_decoder),
    ("qwen3", scaled),
    ("eurobert", older_decoder),
    ("eurobert", scaled),
    ("gte", scaled),
    ("nomic_bert", scaled),
]


@pytest.mark.parametrize(("what", "form"), FORMS, ids=lambda value: getattr(value, "__name__", value))
def test_older_configurations_are_read_as_transformers_reads_them(
    what: str, form: Callable[[dict[str, Any]], dict[str, Any]], tmp_path: Path
) -> None:
    folder = save_random(CONFIGURATIONS[what](), tmp_path)
    before = states_here(folder, [inputs(40)])
    change(folder, form)
    if what != "qwen3 with windows":
        assert not np.allclose(before, states_here(folder, [inputs(40)]), atol=1e-3), "the form changes nothing"
    assert_same_states(folder)


YARN: dict[str, Any] = {"rope_type": "yarn", "rope_theta": 900.0, "factor": 4.0}
LLAMA: dict[str, Any] = {"rope_type": "llama3", "rope_theta": 5000.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}
STRETCHED: list[tuple[str, dict[str, Any]]] = [
    ("qwen3", {**YARN, "original_max_position_embeddings": 100}),
    ("qwen3", {**YARN, "original_max_position_embeddings": 100, "attention_factor": 1.3, "truncate": False}),
    ("qwen3", {**YARN, "original_max_position_embeddings": 90, "beta_fast": 4.0, "beta_slow": 2.0}),
    ("qwen3", {**YARN, "mscale": 0.7, "mscale_all_dim": 0.4}),
    ("qwen3", {**YARN, "factor": 1.0, "original_max_position_embeddings": 100}),
    ("qwen3 with windows", {**YARN, "original_max_position_embeddings": 6}),
    ("eurobert", {**YARN, "original_max_position_embeddings": 100}),
    ("nomic_bert", {**YARN, "original_max_position_embeddings": 100}),
    ("eurobert", {**LLAMA, "factor": 8.0, "original_max_position_embeddings": 64}),
    ("gte", {**LLAMA, "factor": 3.0, "original_max_position_embeddings": 200}),
    ("qwen3", {**LLAMA, "factor": 8.0, "low_freq_factor": 1.5, "original_max_position_embeddings": 50}),
]


@pytest.mark.parametrize("older", [False, True])
@pytest.mark.parametrize(("what", "rope"), STRETCHED, ids=lambda value: str(value)[:50])
def test_frequencies_stretched_by_yarn_and_as_llama_does_are_those_of_transformers(
    what: str, rope: dict[str, Any], older: bool, tmp_path: Path
) -> None:
    folder = save_random(CONFIGURATIONS[what](), tmp_path)
    before = states_here(folder, [inputs(LONGEST)])
    theta = {"rope_theta": rope["rope_theta"]}
    scaling = {"rope_parameters": None, "rope_scaling": rope, **theta} if older else {"rope_parameters": rope}
    change(folder, lambda said: {**said, **scaling})
    assert not np.allclose(before, states_here(folder, [inputs(LONGEST)]), atol=1e-3), "the scaling changes nothing"
    assert_same_states(folder)


def test_layers_of_one_kind_alone_may_be_stretched(tmp_path: Path) -> None:
    folder = save_random(CONFIGURATIONS["modernbert"](), tmp_path)
    whole = {**YARN, "original_max_position_embeddings": 100}
    change(folder, lambda said: {**said, "rope_parameters": {**said["rope_parameters"], "full_attention": whole}})
    assert_same_states(folder)


@pytest.mark.parametrize("factor", [1.0, 2.0])
@pytest.mark.parametrize("part", [0.25, 0.6])
def test_proportional_rotary_positions_turn_a_part_of_each_head(factor: float, part: float, tmp_path: Path) -> None:
    folder = save_random(CONFIGURATIONS["embedding_gemma2_text"](), tmp_path)
    whole = {"rope_type": "proportional", "rope_theta": 9000.0, "partial_rotary_factor": part, "factor": factor}
    change(folder, lambda said: {**said, "rope_parameters": {**said["rope_parameters"], "full_attention": whole}})
    assert_same_states(folder)


@pytest.mark.parametrize("what", ["nomic_bert", "gte"])
def test_the_names_that_transformers_gives_the_tensors_are_read_as_well(what: str, tmp_path: Path) -> None:
    """Saved without being asked, they bear the names of the first checkpoints."""
    first = save_random(CONFIGURATIONS[what](), tmp_path / "first")
    transformers.AutoModel.from_pretrained(first).save_pretrained(tmp_path / "new", save_original_format=False)
    assert any("qkv" in name for name in load_file(first / "model.safetensors"))
    assert not any("qkv" in name for name in load_file(tmp_path / "new" / "model.safetensors"))
    assert_same_states(tmp_path / "new", there=first)


@pytest.mark.parametrize("what", ["nomic_bert", "gte"])
def test_a_model_saved_with_a_head_bears_a_prefix(what: str, tmp_path: Path) -> None:
    folder = save_random(CONFIGURATIONS[what](), tmp_path, transformers.AutoModelForMaskedLM)
    prefixes = {name.split(".")[0] for name in load_file(folder / "model.safetensors")}
    assert prefixes & {"bert", "nomic_bert", "new", "gte"}
    assert_same_states(folder)


FIRST_NOMIC = {
    "activation_function": "swiglu",
    "causal": False,
    "layer_norm_epsilon": 1e-3,
    "model_type": "nomic_bert",
    "moe_every_n_layers": 0,
    "n_embd": 32,
    "n_head": 4,
    "n_inner": 48,
    "n_layer": 4,
    "n_positions": LONGEST,
    "parallel_block": False,
    "prenorm": False,
    "qkv_proj_bias": False,
    "rotary_emb_base": 1700,
    "rotary_emb_fraction": 1.0,
    "rotary_emb_interleaved": False,
    "rotary_emb_scale_base": None,
    "rotary_scaling_factor": None,
    "type_vocab_size": 2,
    "use_rms_norm": False,
    "vocab_size": 500,
    "auto_map": {"AutoModel": "nomic-ai/nomic-bert-2048--modeling_hf_nomic_bert.NomicBertModel"},
}


def test_the_first_configurations_of_nomic_bert_are_read(tmp_path: Path) -> None:
    same = {"layer_norm_eps": 1e-3, "rope_parameters": {"rope_type": "default", "rope_theta": 1700.0}}
    there = save_random(transformers.NomicBertConfig(**SHARED, **same), tmp_path / "there")
    here = save_random(transformers.NomicBertConfig(**SHARED, **same), tmp_path / "here")
    change(here, lambda _: FIRST_NOMIC)
    assert_same_states(here, there=there)


def test_the_first_configurations_of_gte_are_read_and_stretched_by_ntk(tmp_path: Path) -> None:
    factor, width = 8.0, 8
    slower = {"rope_type": "linear", "rope_theta": 20_000.0 * factor, "factor": factor ** (2 / width)}
    there = save_random(transformers.GteConfig(**SHARED, rope_parameters=slower), tmp_path / "there")
    here = save_random(transformers.GteConfig(**SHARED), tmp_path / "here")
    first = {
        "model_type": "new",
        "position_embedding_type": "rope",
        "rope_theta": 20_000,
        "rope_scaling": {"factor": factor, "type": "ntk"},
        "layer_norm_type": "layer_norm",
        "logn_attention_scale": False,
        "pack_qkv": True,
        "auto_map": {"AutoModel": "Alibaba-NLP/new-impl--modeling.NewModel"},
        "rope_parameters": None,
    }
    change(here, lambda said: {**said, **first})
    assert_same_states(here, there=there)


REFUSED = [
    (
        "qwen3",
        {"rope_parameters": {"rope_type": "longrope", "factor": 4.0}},
        "rope_type 'longrope' is not known; known",
    ),
    ("qwen3", {"rope_parameters": {"rope_type": "yarn"}}, "the field 'factor' is missing"),
    ("qwen3", {"rope_parameters": {"rope_type": "yarn", "factor": 0}}, "must be above 0, not 10000 and 0"),
    ("qwen3", {"rope_parameters": {"rope_type": "yarn", "factor": 2, "rope_theta": 1}}, "a rope_theta above 1"),
    ("qwen3", {"rope_parameters": {**YARN, "original_max_position_embeddings": 0}}, "must be at least 1, not 0"),
    ("eurobert", {"rope_parameters": {**LLAMA, "factor": 2, "low_freq_factor": 4}}, "high_freq_factor must be above"),
    ("eurobert", {"rope_parameters": LLAMA}, "the field 'factor' is missing"),
    ("qwen3", {"layer_types": ["full_attention"]}, "layer_types must list"),
    ("qwen3", {"layer_types": ["linear_attention"] * 4}, "layer_types must list"),
    ("qwen3", {"num_key_value_heads": 3}, "4 heads of queries cannot share 3 heads of keys"),
    ("qwen3", {"hidden_act": "tanhshrink"}, "'tanhshrink' is not known; known are"),
    ("modernbert", {"rope_parameters": {"full_attention": 3}}, "'full_attention' is 3, which is of the wrong type"),
    ("modernbert", {"rope_parameters": {"full_attention": {"rope_theta": 0}}}, "must be above 0, not 0 and 1"),
    ("modernbert", {"rope_parameters": None, "rope_scaling": {"type": "linear", "factor": 0}}, "not 160000 and 0"),
    ("modernbert", {"layer_types": None, "global_attn_every_n_layers": 0}, "must be at least 1, not 0"),
    ("modernbert", {"local_attention": -1}, "'local_attention' must be at least 1, not -1"),
    ("gemma3_text", {"layer_types": None, "sliding_window_pattern": 0}, "must be at least 1, not 0"),
    ("eurobert", {"num_attention_heads": 0, "head_dim": None}, "'num_attention_heads' must be at least 1, not 0"),
    ("qwen3", {"is_causal": False}, "'is_causal' is False, which is not supported; known: True"),
    ("qwen3", {"head_dim": None}, r"'q_proj.weight' has \d+ rows, and config.json says 4 heads of 128 numbers"),
    ("qwen3", {"head_dim": 2}, "4 heads of 2 numbers"),
    ("gemma3_text", {"is_causal": True}, "'is_causal' is True"),
    ("gemma3_text", {"query_pre_attn_scalar": 0}, "'query_pre_attn_scalar' must be above 0, not 0"),
    ("modernbert", {"num_attention_heads": 5}, "cannot be divided among 5"),
    ("eurobert", {"rope_parameters": {"rope_theta": 1e4, "partial_rotary_factor": 0.5}}, "a part of a head"),
    ("gemma3_text", {"attn_logit_softcapping": 50.0}, "'attn_logit_softcapping' is 50.0, which is not supported"),
    ("embedding_gemma2_text", {"per_layer_config": {"0": {"sliding_window": 3}}}, "in per_layer_config is not known"),
    ("nomic_bert", {"prenorm": True}, "'prenorm' is True, which is not supported"),
    ("nomic_bert", {"num_experts": 8}, "'num_experts' is 8"),
    ("nomic_bert", {"rotary_scaling_factor": 2}, "'rotary_scaling_factor' is 2"),
    ("nomic_bert", {"rotary_emb_fraction": 0.5}, "'rotary_emb_fraction' is 0.5"),
    ("gte", {"position_embedding_type": "absolute"}, "'position_embedding_type' is 'absolute'"),
    ("gte", {"rope_scaling": {"type": "ntk", "factor": 8.0, "mixed_b": 0.6}}, "'mixed_b' is 0.6"),
    ("gte", {"num_hidden_layers": 5}, r"'encoder\.layer\.4\.[a-z_.]*' is missing"),
]


@pytest.mark.parametrize(("what", "fields", "message"), REFUSED, ids=lambda value: str(value)[:50])
def test_a_configuration_that_asks_for_something_else_is_refused_by_name(
    what: str, fields: dict[str, Any], message: str, tmp_path: Path
) -> None:
    folder = save_random(CONFIGURATIONS[what](), tmp_path)
    change(folder, lambda said: {**said, **fields})
    with pytest.raises(ModelError, match=message):
        states_here(folder, [inputs(5)])


def test_the_window_of_gemma_reaches_as_far_as_that_of_transformers(tmp_path: Path) -> None:
    """Half a window on either side: one token more or fewer would be seen in the states."""
    for window in (2, 3, 8, 9):
        sizes = {**GEMMA, "sliding_window": window, "num_hidden_layers": 1, "sliding_window_pattern": 6}
        configuration = transformers.Gemma3TextConfig(**sizes, use_bidirectional_attention=True)
        assert_same_states(save_random(configuration, tmp_path / str(window)))
