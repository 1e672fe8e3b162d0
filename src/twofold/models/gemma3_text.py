"""Gemma 3's text model, EmbeddingGemma among them: norms before and after, five windows to each whole view.

Gemma Team 2025, "Gemma 3 Technical Report"; Schechter Vera et al. 2025, "EmbeddingGemma". EmbeddingGemma looks both
ways (use_bidirectional_attention); without that no token looks forward. A norm multiplies by one more than its tensor.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import openvino.opset13 as op

from twofold.models import gated_layers
from twofold.models.attention import Grouped, View, causal_bias, layer_kinds, near_view
from twofold.models.configuration import Configuration
from twofold.models.gated_layers import PREFIXES, WORDS, GatedSettings, Norm, positions, width
from twofold.models.graphs import Inputs, Node, activation, lookup, mask_bias, rms_norm
from twofold.models.rotary import FULL, SLIDING, Rotary, Turn, rotary_by_kind
from twofold.models.weights import Weights

__all__ = ["DECIDING", "PREFIXES", "WORDS", "hidden_states", "positions", "rotary", "width"]

DECIDING = (
    *(field for field in gated_layers.DECIDING if field != "hidden_act"),
    "hidden_activation",
    "query_pre_attn_scalar",
    "rope_local_base_freq",
    "sliding_window",
    "sliding_window_pattern",
    "use_bidirectional_attention",
)
GLOBAL_THETA, LOCAL_THETA = 1_000_000.0, 10_000.0
HEAD = 256
"""Numbers a head, where config.json names none."""


def rotary(configuration: Configuration) -> dict[str, Rotary]:
    """Kind of layer → its rotary frequencies."""
    thetas = {
        FULL: configuration.number("rope_theta", GLOBAL_THETA),
        SLIDING: configuration.number("rope_local_base_freq", LOCAL_THETA),
    }
    return rotary_by_kind(configuration, configuration.count("head_dim", HEAD), thetas, scaled=(FULL,))


def hidden_states(configuration: Configuration, weights: Weights, inputs: Inputs) -> Node:
    """(batch, tokens, width): the last layer's states, normed."""
    configuration.refuse("attn_logit_softcapping")
    configuration.refuse("is_causal", not configuration.truth("use_bidirectional_attention", False))
    weights = weights.under_first_of(PREFIXES, WORDS)
    settings, views = _settings(configuration), _views(configuration, inputs)
    x = op.multiply(lookup(inputs.ids, weights.matrix(WORDS)), op.constant(np.float32(width(configuration) ** 0.5)))
    every = configuration.count("sliding_window_pattern", 6)
    for number, kind in enumerate(layer_kinds(configuration, lambda number: (number + 1) % every == 0)):
        x = gated_layers.sandwiched_layer(x, weights.under(f"layers.{number}."), settings, views[kind])
    return settings.norm(x, weights, "norm")


def _settings(configuration: Configuration) -> GatedSettings:
    heads = Grouped.of(configuration, configuration.count("head_dim", HEAD))
    return GatedSettings(
        heads=replace(heads, scale=configuration.above_zero("query_pre_attn_scalar", 256) ** -0.5),
        activation=activation(configuration.text("hidden_activation", "gelu_pytorch_tanh")),
        norm=_norm(configuration.number("rms_norm_eps", 1e-6)),
        norms_heads=True,
    )


def _norm(epsilon: float) -> Norm:
    return lambda x, weights, name: rms_norm(x, weights[f"{name}.weight"] + np.float32(1), epsilon)


def _views(configuration: Configuration, inputs: Inputs) -> dict[str, View]:
    window = configuration.count("sliding_window", 4096)
    if configuration.truth("use_bidirectional_attention", False):
        # The whole window, of which each side sees a half.
        whole, before, after = mask_bias(inputs.mask), window // 2, window // 2
    else:
        whole, before, after = causal_bias(inputs.ids), window - 1, 0
    return {
        FULL: View(Turn.of(inputs.rotary[FULL]), whole),
        SLIDING: near_view(Turn.of(inputs.rotary[SLIDING]), inputs.mask, before, after),
    }
