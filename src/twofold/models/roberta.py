"""RoBERTa and XLM-RoBERTa, multilingual E5 among them: BERT with positions that begin after the padding token's id.

Liu et al. 2019, "RoBERTa: A Robustly Optimized BERT Pretraining Approach".
"""

from __future__ import annotations

import openvino.opset13 as op

from twofold.models.bert import NAMES, WORDS, layer_settings, refuse_other_positions, rotary, width
from twofold.models.configuration import Configuration
from twofold.models.graphs import Inputs, Node, layer_norm, lookup, mask_bias, places_after
from twofold.models.transformer_layers import transformer_layers
from twofold.models.weights import Weights

__all__ = ["DECIDING", "PREFIXES", "WORDS", "hidden_states", "positions", "rotary", "width"]

DECIDING = ("hidden_act", "layer_norm_eps", "num_attention_heads", "num_hidden_layers", "pad_token_id")
PREFIXES = ("", "roberta.", "model.")


def positions(configuration: Configuration) -> int:
    """The longest input, in tokens: the first rows of the table, up to the padding token's, serve no token."""
    return configuration.integer("max_position_embeddings") - configuration.integer("pad_token_id") - 1


def hidden_states(configuration: Configuration, weights: Weights, inputs: Inputs) -> Node:
    """(batch, tokens, width): the last layer's states."""
    refuse_other_positions(configuration)
    weights = weights.under_first_of(PREFIXES, WORDS)
    table = weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
    places = lookup(places_after(inputs.ids, configuration.integer("pad_token_id")), table)
    words = lookup(inputs.ids, weights.matrix(WORDS))
    settings = layer_settings(configuration)
    x = layer_norm(op.add(words, places), weights, "embeddings.LayerNorm", settings.epsilon)
    return transformer_layers(x, mask_bias(inputs.mask), weights, NAMES, settings, inputs.states)
