"""MPNet: BERT with relative positions in its attention.

Song et al. 2020, "MPNet: Masked and Permuted Pre-training for Language Understanding". The distances fall into buckets
as in T5 (Raffel et al. 2020, §2.1): exact for near tokens, ever wider for far ones; one bias a bucket and head, shared
by all layers.
"""

from __future__ import annotations

import numpy as np
import openvino.opset13 as op
from numpy.typing import NDArray

from twofold.models.bert import WORDS, layer_settings, rotary, width
from twofold.models.configuration import Configuration
from twofold.models.graphs import (
    Inputs,
    Node,
    constant,
    integers,
    layer_norm,
    lookup,
    mask_bias,
    places_after,
    token_count,
)
from twofold.models.transformer_layers import LayerNames, transformer_layers
from twofold.models.weights import Weights

__all__ = ["DECIDING", "PREFIXES", "WORDS", "hidden_states", "positions", "rotary", "width"]

DECIDING = ("hidden_act", "layer_norm_eps", "num_attention_heads", "num_hidden_layers")
PREFIXES = ("", "mpnet.", "model.")
PADDING = 1
"""The padding token's id, which MPNet's code fixes; positions begin after it."""
BUCKETS = 32
FARTHEST = 128
"""From this distance on, everything falls into the last bucket."""
NAMES = LayerNames(
    layer="encoder.layer.{}",
    query="attention.attn.q",
    key="attention.attn.k",
    value="attention.attn.v",
    attended="attention.attn.o",
    attended_norm="attention.LayerNorm",
    inner="intermediate.dense",
    outer="output.dense",
    outer_norm="output.LayerNorm",
)


def positions(configuration: Configuration) -> int:
    """The longest input, in tokens."""
    return configuration.integer("max_position_embeddings") - PADDING - 1


def hidden_states(configuration: Configuration, weights: Weights, inputs: Inputs) -> Node:
    """(batch, tokens, width): the last layer's states."""
    weights = weights.under_first_of(PREFIXES, WORDS)
    words = lookup(inputs.ids, weights.matrix(WORDS))
    places = lookup(places_after(inputs.ids, PADDING), weights["embeddings.position_embeddings.weight"])
    settings = layer_settings(configuration)
    x = layer_norm(op.add(words, places), weights, "embeddings.LayerNorm", settings.epsilon)
    bias = op.add(_distance_bias(weights, inputs.ids, positions(configuration)), mask_bias(inputs.mask))
    return transformer_layers(x, bias, weights, NAMES, settings, inputs.states)


def _distance_bias(weights: Weights, ids: Node, longest: int) -> Node:
    """(1, heads, tokens, tokens): what a pair's distance adds to its attention score."""
    here = op.concat([token_count(ids), token_count(ids)], 0)
    buckets = op.slice(constant(distance_buckets(longest)), integers(0, 0), here, integers(1, 1), integers(0, 1))
    biases = lookup(buckets, weights["encoder.relative_attention_bias.weight"])
    return op.unsqueeze(op.transpose(biases, integers(2, 0, 1)), integers(0))


def distance_buckets(count: int) -> NDArray[np.int32]:
    """int32 (count, count): the bucket of each pair; a token before the one that looks in the lower half."""
    places = np.arange(count)
    before = places[:, None] - places[None, :]
    half, exact = BUCKETS // 2, BUCKETS // 4
    distance = np.abs(before).astype(np.float32)
    far = np.log(np.maximum(distance, 1) / exact) / np.log(np.float32(FARTHEST / exact)) * (half - exact)
    bucket = np.where(distance < exact, distance, np.minimum(exact + far.astype(np.int64), half - 1))
    return np.ascontiguousarray(bucket + half * (before < 0), dtype=np.int32)
