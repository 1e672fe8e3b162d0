"""DistilBERT: BERT with half the layers, no token types and names of its own.

Sanh et al. 2019, "DistilBERT, a distilled version of BERT".
"""

from __future__ import annotations

import openvino.opset13 as op

from twofold.models.bert import WORDS, rotary
from twofold.models.configuration import Configuration
from twofold.models.graphs import Heads, Inputs, Node, activation, first_rows, layer_norm, lookup, mask_bias
from twofold.models.transformer_layers import LayerNames, LayerSettings, transformer_layers
from twofold.models.weights import Weights

__all__ = ["DECIDING", "PREFIXES", "WORDS", "hidden_states", "positions", "rotary", "width"]

DECIDING = ("activation", "n_heads", "n_layers")
PREFIXES = ("", "distilbert.", "model.")
EPSILON = 1e-12
"""DistilBERT's code fixes it; its configuration has no field for it."""
NAMES = LayerNames(
    layer="transformer.layer.{}",
    query="attention.q_lin",
    key="attention.k_lin",
    value="attention.v_lin",
    attended="attention.out_lin",
    attended_norm="sa_layer_norm",
    inner="ffn.lin1",
    outer="ffn.lin2",
    outer_norm="output_layer_norm",
)


def positions(configuration: Configuration) -> int:
    """The longest input, in tokens."""
    return configuration.integer("max_position_embeddings")


def width(configuration: Configuration) -> int:
    """Numbers a token's state."""
    return configuration.integer("dim")


def hidden_states(configuration: Configuration, weights: Weights, inputs: Inputs) -> Node:
    """(batch, tokens, width): the last layer's states."""
    weights = weights.under_first_of(PREFIXES, WORDS)
    words = lookup(inputs.ids, weights.matrix(WORDS))
    places = first_rows(weights["embeddings.position_embeddings.weight"], inputs.ids)
    settings = LayerSettings(
        count=configuration.integer("n_layers"),
        heads=Heads.of(configuration.integer("n_heads"), width(configuration)),
        activation=activation(configuration.text("activation", "gelu")),
        epsilon=EPSILON,
    )
    x = layer_norm(op.add(words, places), weights, "embeddings.LayerNorm", settings.epsilon)
    return transformer_layers(x, mask_bias(inputs.mask), weights, NAMES, settings, inputs.states)
