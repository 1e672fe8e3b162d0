"""ModernBERT, and GTE, Granite and others made from it: every third layer sees the whole text, the others a window.

Warner et al. 2024, "Smarter, Better, Faster, Longer: A Modern Bidirectional Encoder". Norms stand before the attention
and before the gated linears; the first layer's attention has none, for the words are normed.
"""

from __future__ import annotations

import openvino.opset13 as op

from twofold.models.attention import Grouped, View, layer_kinds, near_view
from twofold.models.configuration import Configuration
from twofold.models.graphs import (
    Heads,
    Inputs,
    Node,
    activation,
    layer_norm,
    linear_of,
    linears_of,
    lookup,
    mask_bias,
)
from twofold.models.rotary import FULL, SLIDING, Rotary, Turn, rotary_by_kind
from twofold.models.weights import Weights

WORDS = "embeddings.tok_embeddings.weight"
PREFIXES = ("", "model.")
DECIDING = (
    "global_attn_every_n_layers",
    "global_rope_theta",
    "hidden_activation",
    "layer_types",
    "local_attention",
    "local_rope_theta",
    "norm_eps",
    "num_attention_heads",
    "num_hidden_layers",
    "rope_parameters",
    "rope_scaling",
)
GLOBAL_THETA, LOCAL_THETA = 160_000.0, 10_000.0


def positions(configuration: Configuration) -> int:
    """The longest input, in tokens."""
    return configuration.integer("max_position_embeddings")


def width(configuration: Configuration) -> int:
    """Numbers a token's state."""
    return configuration.integer("hidden_size")


def rotary(configuration: Configuration) -> dict[str, Rotary]:
    """Kind of layer → its rotary frequencies."""
    thetas = {
        FULL: configuration.number("global_rope_theta", GLOBAL_THETA),
        SLIDING: configuration.number("local_rope_theta", LOCAL_THETA),
    }
    return rotary_by_kind(configuration, _heads(configuration).width, thetas, scaled=(FULL, SLIDING))


def hidden_states(configuration: Configuration, weights: Weights, inputs: Inputs) -> Node:
    """(batch, tokens, width): the last layer's states, normed."""
    weights = weights.under_first_of(PREFIXES, WORDS)
    epsilon = configuration.number("norm_eps", 1e-5)
    every = configuration.count("global_attn_every_n_layers", 3)
    # local_attention is the whole window; half of it is seen on either side.
    radius = configuration.count("local_attention", 128) // 2
    views = {
        FULL: View(Turn.of(inputs.rotary[FULL]), mask_bias(inputs.mask)),
        SLIDING: near_view(Turn.of(inputs.rotary[SLIDING]), inputs.mask, radius, radius),
    }
    x = layer_norm(lookup(inputs.ids, weights.matrix(WORDS)), weights, "embeddings.norm", epsilon)
    for number, kind in enumerate(layer_kinds(configuration, lambda number: number % every == 0)):
        inside = weights.under(f"layers.{number}.")
        seen = layer_norm(x, inside, "attn_norm", epsilon) if number else x
        x = op.add(x, _attention(seen, inside.under("attn."), configuration, views[kind]))
        x = op.add(x, _gated(layer_norm(x, inside, "mlp_norm", epsilon), inside.under("mlp."), configuration))
    return layer_norm(x, weights, "final_norm", epsilon)


def _heads(configuration: Configuration) -> Heads:
    return Heads.of(configuration.integer("num_attention_heads"), width(configuration))


def _attention(x: Node, weights: Weights, configuration: Configuration, view: View) -> Node:
    heads = _heads(configuration)
    query, key, value = (heads.divide(each) for each in linears_of(x, weights, "Wqkv", 3))
    return linear_of(Grouped(heads, heads).attend(query, key, value, view), weights, "Wo")


def _gated(x: Node, weights: Weights, configuration: Configuration) -> Node:
    inner, gate = linears_of(x, weights, "Wi", 2)
    active = activation(configuration.text("hidden_activation", "gelu"))(inner)
    return linear_of(op.multiply(active, gate), weights, "Wo")
