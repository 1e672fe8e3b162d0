"""EmbeddingGemma 2's text model: Gemma 3's layers, both ways, with a gate for each layer made from the words.

The words are projected once for all layers; each layer mixes its part of that into its states. Layers that see the
whole text have wider heads. The states are projected at the end, so a state is `embedding_dim` numbers wide.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import openvino.opset13 as op

from twofold.errors import ModelError
from twofold.models.attention import Grouped, View, layer_kinds, near_view
from twofold.models.configuration import Configuration
from twofold.models.gated_layers import WORDS, GatedSettings, plain_norm, sandwiched_layer
from twofold.models.graphs import Inputs, Node, activation, constant, integer, integers, linear_of, lookup, mask_bias
from twofold.models.rotary import FULL, SLIDING, Rotary, Turn, rotary_by_kind
from twofold.models.weights import Weights

__all__ = ["DECIDING", "PREFIXES", "WORDS", "hidden_states", "positions", "rotary", "width"]

PREFIXES = ("", "language_model.", "model.", "model.language_model.")
THETAS = {FULL: 1_000_000.0, SLIDING: 10_000.0}
HEADS = ("head_dim", "num_key_value_heads")
"""The fields that per_layer_config may set for a layer."""
DECIDING = (
    *HEADS,
    "global_head_dim",
    "hidden_activation",
    "hidden_size_per_layer_input",
    "layer_types",
    "num_attention_heads",
    "num_global_key_value_heads",
    "num_hidden_layers",
    "per_layer_config",
    "rms_norm_eps",
    "rope_parameters",
    "sliding_window",
    "sliding_window_pattern",
)


def positions(configuration: Configuration) -> int:
    """The longest input, in tokens."""
    return configuration.integer("max_position_embeddings")


def width(configuration: Configuration) -> int:
    """Numbers a token's state, after the projection."""
    return configuration.integer("embedding_dim")


def rotary(configuration: Configuration) -> dict[str, Rotary]:
    """Kind of layer → its rotary frequencies."""
    frequencies: dict[str, Rotary] = {}
    for number, kind in enumerate(_kinds(configuration)):
        if kind not in frequencies:
            theta = {kind: THETAS[kind]}
            frequencies |= rotary_by_kind(
                configuration, _heads(configuration, number, kind).queries.width, theta, scaled=()
            )
    return frequencies


def hidden_states(configuration: Configuration, weights: Weights, inputs: Inputs) -> Node:
    """(batch, tokens, embedding_dim): the last layer's states, normed and projected."""
    weights = weights.under_first_of(PREFIXES, WORDS)
    epsilon = configuration.number("rms_norm_eps", 1e-6)
    norm = plain_norm(epsilon)
    radius = configuration.count("sliding_window", 512)
    views = {
        kind: View(Turn.of(table), mask_bias(inputs.mask))
        if kind == FULL
        else near_view(Turn.of(table), inputs.mask, radius, radius)
        for kind, table in inputs.rotary.items()
    }
    act = activation(configuration.text("hidden_activation", "gelu_pytorch_tanh"))
    x = op.multiply(lookup(inputs.ids, weights.matrix(WORDS)), _number(configuration.integer("hidden_size") ** 0.5))
    gates = _gates(x, weights, configuration)
    for number, kind in enumerate(_kinds(configuration)):
        inside = weights.under(f"layers.{number}.")
        settings = GatedSettings(_heads(configuration, number, kind), act, norm, norms_heads=True, value_norm=epsilon)
        x = sandwiched_layer(x, inside, settings, views[kind])
        x = op.add(x, _mixed(x, op.gather(gates, integer(number), integer(2)), inside.under("ple_block."), settings))
        x = op.multiply(x, constant(inside["layer_scalar"]))
    return linear_of(norm(x, weights, "norm"), weights, "embedding_projection")


def _kinds(configuration: Configuration) -> list[str]:
    every = configuration.count("sliding_window_pattern", 6)
    kinds = layer_kinds(configuration, lambda number: (number + 1) % every == 0)
    return [*kinds[:-1], FULL]  # whatever the list says of the last


def _heads(configuration: Configuration, number: int, kind: str) -> Grouped:
    """The heads of one layer: as per_layer_config says of it; where there is none, as the fields for its kind say."""
    fields = {field: configuration.integer(field, default) for field, default in zip(HEADS, (256, 2), strict=True)}
    if configuration.has("per_layer_config"):
        own = configuration.mapping("per_layer_config").get(str(number), {})
        if unknown := sorted(set(own) - set(HEADS)):
            raise ModelError(
                f"{configuration.path}: {unknown[0]!r} in per_layer_config is not known; known are {', '.join(HEADS)}"
            )
        fields |= own
    elif kind == FULL:
        wide, keys = (
            configuration.integer("global_head_dim", 512),
            configuration.integer("num_global_key_value_heads", 1),
        )
        fields = {"head_dim": wide, "num_key_value_heads": keys}
    whole = Configuration(configuration.path, {**configuration.values, **fields})
    return replace(Grouped.of(whole, whole.integer("head_dim")), scale=1.0)


def _gates(words: Node, weights: Weights, configuration: Configuration) -> Node:
    """(batch, tokens, layers, hidden_size_per_layer_input): the words projected for every layer, and normed."""
    projected = op.multiply(
        linear_of(words, weights, "ple.per_layer_model_projection"),
        _number(configuration.integer("hidden_size") ** -0.5),
    )
    shape = integers(
        0, 0, configuration.integer("num_hidden_layers"), configuration.integer("hidden_size_per_layer_input")
    )
    norm = plain_norm(configuration.number("rms_norm_eps", 1e-6))
    return norm(op.reshape(projected, shape, True), weights, "ple.per_layer_projection_norm")


def _mixed(x: Node, gate: Node, weights: Weights, settings: GatedSettings) -> Node:
    """What a layer adds to its states: the states narrowed, times the layer's gate, and widened again."""
    narrow = settings.activation(linear_of(x, weights, "per_layer_input_gate"))
    widened = linear_of(op.multiply(narrow, gate), weights, "per_layer_projection")
    return settings.norm(widened, weights, "post_per_layer_input_norm")


def _number(value: float) -> Node:
    return op.constant(np.float32(value))
