"""GTE of 2024 and what is made from it, such as Arctic Embed M 2: BERT with rotary positions and gated linears.

Zhang et al. 2024, "mGTE: Generalized Long-Context Text Representation and Reranking Models". Its first checkpoints call
the architecture "new" and stretch the rotary positions by "ntk"; `transformers` calls it "gte".
"""

from __future__ import annotations

import openvino.opset13 as op

from twofold.models.attention import View
from twofold.models.bert import layer_settings, positions, width
from twofold.models.configuration import Configuration
from twofold.models.graphs import Inputs, Node, lookup, mask_bias, type_states
from twofold.models.post_norm_layers import NEW_NAMES, PostNormNames, post_norm_states
from twofold.models.rotary import FULL, Rotary, Turn, rotary_of_all
from twofold.models.weights import Weights

__all__ = ["DECIDING", "PREFIXES", "WORDS", "hidden_states", "positions", "rotary", "width"]

WORDS = "embeddings.word_embeddings.weight"
PREFIXES = ("", "new.", "gte.", "model.")
DECIDING = (
    "hidden_act",
    "layer_norm_eps",
    "num_attention_heads",
    "num_hidden_layers",
    "rope_parameters",
    "rope_scaling",
    "rope_theta",
    "type_vocab_size",
)
THETA = 160_000.0
OLD_NAMES = PostNormNames(
    words_norm="embeddings.LayerNorm",
    layer="encoder.layer.{}",
    projections=("attention.qkv_proj",),
    attended="attention.o_proj",
    attended_norm="attn_ln",
    widening=("mlp.up_gate_proj",),
    narrowing="mlp.down_proj",
    outer_norm="mlp_ln",
)


def rotary(configuration: Configuration) -> dict[str, Rotary]:
    """Kind of layer → its rotary frequencies; all layers share one."""
    heads = layer_settings(configuration).heads
    scaling = configuration.mapping("rope_scaling")
    if scaling.get("type") != "ntk":
        return rotary_of_all(configuration, heads.width, THETA)
    # Su 2023, https://kexue.fm/archives/9706: the base times the factor, and all frequencies a little slower.
    said = Configuration(configuration.path, scaling)
    said.refuse("mixed_b")
    factor = said.number("factor")
    theta = configuration.number("rope_theta", THETA) * factor
    slower = {"rope_type": "linear", "rope_theta": theta, "factor": factor ** (2 / heads.width)}
    return rotary_of_all(Configuration(configuration.path, {"rope_parameters": slower}), heads.width, THETA)


def hidden_states(configuration: Configuration, weights: Weights, inputs: Inputs) -> Node:
    """(batch, tokens, width): the last layer's states."""
    configuration.refuse("position_embedding_type", "rope")
    configuration.refuse("layer_norm_type", "layer_norm")
    configuration.refuse("logn_attention_scale", False)
    weights = weights.under_first_of(PREFIXES, WORDS)
    x = lookup(inputs.ids, weights.matrix(WORDS))
    # gte-base-en-v1.5 has no types of tokens.
    if configuration.integer("type_vocab_size", 1):
        x = op.add(x, type_states(inputs.types, weights["embeddings.token_type_embeddings.weight"]))
    view = View(Turn.of(inputs.rotary[FULL]), mask_bias(inputs.mask))
    return post_norm_states(x, weights, (NEW_NAMES, OLD_NAMES), layer_settings(configuration), view)
