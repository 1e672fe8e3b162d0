"""BERT and what shares its graph: MiniLM, BGE, E5, GTE and Arctic of the BERT family.

Devlin et al. 2019, "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding". The tensors'
names are those that `transformers` writes.
"""

from __future__ import annotations

import openvino.opset13 as op

from twofold.errors import ModelError
from twofold.models.configuration import Configuration
from twofold.models.graphs import Heads, Inputs, Node, activation, first_rows, layer_norm, lookup, mask_bias
from twofold.models.rotary import Rotary
from twofold.models.transformer_layers import LayerNames, LayerSettings, transformer_layers
from twofold.models.weights import Weights

WORDS = "embeddings.word_embeddings.weight"
DECIDING = ("hidden_act", "layer_norm_eps", "num_attention_heads", "num_hidden_layers")
PREFIXES = ("", "bert.", "model.")
NAMES = LayerNames(
    layer="encoder.layer.{}",
    query="attention.self.query",
    key="attention.self.key",
    value="attention.self.value",
    attended="attention.output.dense",
    attended_norm="attention.output.LayerNorm",
    inner="intermediate.dense",
    outer="output.dense",
    outer_norm="output.LayerNorm",
)


def positions(configuration: Configuration) -> int:
    """The longest input, in tokens."""
    return configuration.integer("max_position_embeddings")


def width(configuration: Configuration) -> int:
    """Numbers a token's state."""
    return configuration.integer("hidden_size")


def rotary(_: Configuration) -> dict[str, Rotary]:
    """None: positions come from a table of the model."""
    return {}


def hidden_states(configuration: Configuration, weights: Weights, inputs: Inputs) -> Node:
    """(batch, tokens, width): the last layer's states."""
    refuse_other_positions(configuration)
    weights = weights.under_first_of(PREFIXES, WORDS)
    places, types = (weights[f"embeddings.{name}_embeddings.weight"] for name in ("position", "token_type"))
    words = lookup(inputs.ids, weights.matrix(WORDS))
    if inputs.types is None:
        # Every token is of type 0, so its type's row is added to every position once and for all.
        places = places + types[0]
    else:
        words = op.add(words, lookup(inputs.types, types))
    settings = layer_settings(configuration)
    x = layer_norm(op.add(words, first_rows(places, inputs.ids)), weights, "embeddings.LayerNorm", settings.epsilon)
    return transformer_layers(x, mask_bias(inputs.mask), weights, NAMES, settings, inputs.states)


def refuse_other_positions(configuration: Configuration) -> None:
    """Raises ModelError for relative positions, which a few old checkpoints ask for."""
    kind = configuration.text("position_embedding_type", "absolute")
    if kind != "absolute":
        raise ModelError(f"{configuration.path}: position_embedding_type {kind!r} is not known; 'absolute' is")


def layer_settings(configuration: Configuration) -> LayerSettings:
    """The layers' settings from the fields that BERT's relatives share."""
    return LayerSettings(
        count=configuration.integer("num_hidden_layers"),
        heads=Heads.of(configuration.integer("num_attention_heads"), width(configuration)),
        activation=activation(configuration.text("hidden_act", "gelu")),
        epsilon=configuration.number("layer_norm_eps", 1e-12),
    )
