"""BERT and what shares its graph: MiniLM, BGE, E5, GTE and Arctic of the BERT family.

Devlin et al. 2019, "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding". The tensors'
names are those that `transformers` writes.
"""

from __future__ import annotations

import openvino.opset13 as op

from twofold.errors import ModelError
from twofold.models.configuration import Configuration
from twofold.models.graphs import (
    Heads,
    Node,
    activation,
    first_rows,
    layer_norm,
    linear_of,
    lookup,
    mask_bias,
)
from twofold.models.weights import Weights

DECIDING = ("hidden_act", "layer_norm_eps", "num_attention_heads", "num_hidden_layers")
PREFIXES = ("", "bert.", "model.")


def positions(configuration: Configuration) -> int:
    """The longest input, in tokens."""
    return configuration.integer("max_position_embeddings")


def width(configuration: Configuration) -> int:
    """Numbers a token state."""
    return configuration.integer("hidden_size")


def hidden_states(configuration: Configuration, weights: Weights, ids: Node, mask: Node) -> Node:
    """(batch, tokens, width): the last layer's states. ids: int32 (batch, tokens); mask: float32, 1 and 0."""
    kind = configuration.text("position_embedding_type", "absolute")
    if kind != "absolute":
        raise ModelError(f"{configuration.path}: position_embedding_type {kind!r} is not known; 'absolute' is")
    weights = weights.under_first_of(PREFIXES, "embeddings.word_embeddings.weight")
    places = weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
    words = lookup(ids, weights["embeddings.word_embeddings.weight"])
    epsilon = configuration.number("layer_norm_eps")
    x = layer_norm(op.add(words, first_rows(places, ids)), weights, "embeddings.LayerNorm", epsilon)
    return layers(configuration, weights, x, mask_bias(mask))


def layers(configuration: Configuration, weights: Weights, x: Node, bias: Node) -> Node:
    """All layers one after the other, over embeddings that are already normalised."""
    count = configuration.integer("num_attention_heads")
    heads = Heads(count, width(configuration) // count)
    act = activation(configuration.text("hidden_act", "gelu"))
    epsilon = configuration.number("layer_norm_eps")
    for number in range(configuration.integer("num_hidden_layers")):
        layer = f"encoder.layer.{number}"
        query, key, value = (
            linear_of(x, weights, f"{layer}.attention.self.{name}") for name in ("query", "key", "value")
        )
        seen = linear_of(heads.attend(query, key, value, bias), weights, f"{layer}.attention.output.dense")
        x = layer_norm(op.add(seen, x), weights, f"{layer}.attention.output.LayerNorm", epsilon)
        inner = act(linear_of(x, weights, f"{layer}.intermediate.dense"))
        x = layer_norm(
            op.add(linear_of(inner, weights, f"{layer}.output.dense"), x), weights, f"{layer}.output.LayerNorm", epsilon
        )
    return x
