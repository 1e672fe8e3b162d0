"""DistilBERT: BERT with half the layers, no token types and names of its own.

Sanh et al. 2019, "DistilBERT, a distilled version of BERT".
"""

from __future__ import annotations

import openvino.opset13 as op

from twofold.models.configuration import Configuration
from twofold.models.graphs import Heads, Node, activation, first_rows, layer_norm, lookup, mask_bias
from twofold.models.transformer_layers import LayerNames, LayerSettings, transformer_layers
from twofold.models.weights import Weights

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


def hidden_states(configuration: Configuration, weights: Weights, ids: Node, mask: Node) -> Node:
    """(batch, tokens, width): the last layer's states. ids: int32 (batch, tokens); mask: float32, 1 and 0."""
    weights = weights.under_first_of(PREFIXES, "embeddings.word_embeddings.weight")
    words = lookup(ids, weights["embeddings.word_embeddings.weight"])
    places = first_rows(weights["embeddings.position_embeddings.weight"], ids)
    settings = LayerSettings(
        count=configuration.integer("n_layers"),
        heads=Heads.of(configuration.integer("n_heads"), width(configuration)),
        activation=activation(configuration.text("activation", "gelu")),
        epsilon=EPSILON,
    )
    x = layer_norm(op.add(words, places), weights, "embeddings.LayerNorm", settings.epsilon)
    return transformer_layers(x, mask_bias(mask), weights, NAMES, settings)
