"""Qwen3, Qwen3-Embedding among them: a decoder, whose last token's state stands for the text.

Yang et al. 2025, "Qwen3 Technical Report". No token looks forward; queries and keys are normed head by head.
"""

from __future__ import annotations

from twofold.models import gated_layers
from twofold.models.attention import View, causal_bias, layer_kinds, near_view
from twofold.models.configuration import Configuration
from twofold.models.gated_layers import PREFIXES, WORDS, GatedSettings, positions, width
from twofold.models.graphs import Inputs, Node, lookup
from twofold.models.rotary import FULL, SLIDING, Rotary, Turn, rotary_of_all
from twofold.models.weights import Weights

__all__ = ["DECIDING", "PREFIXES", "WORDS", "hidden_states", "positions", "rotary", "width"]

DECIDING = (*gated_layers.DECIDING, "max_window_layers", "sliding_window", "use_sliding_window")
THETA, EPSILON = 10_000.0, 1e-6
HEAD = 128
"""Numbers a head, where config.json names none."""


def rotary(configuration: Configuration) -> dict[str, Rotary]:
    """Kind of layer → its rotary frequencies; all layers share one."""
    return rotary_of_all(configuration, _head(configuration), THETA)


def hidden_states(configuration: Configuration, weights: Weights, inputs: Inputs) -> Node:
    """(batch, tokens, width): the last layer's states, normed."""
    configuration.refuse("is_causal", True)
    weights = weights.under_first_of(PREFIXES, WORDS)
    settings = GatedSettings.of(configuration, head=_head(configuration), epsilon=EPSILON, norms_heads=True)
    first = configuration.integer("max_window_layers", 28) if configuration.truth("use_sliding_window", False) else None
    kinds = layer_kinds(configuration, lambda number: first is None or number < first)
    turn = Turn.of(inputs.rotary[FULL])
    views = {FULL: View(turn, causal_bias(inputs.ids))}
    if SLIDING in kinds:
        views[SLIDING] = near_view(turn, inputs.mask, configuration.count("sliding_window") - 1, 0)
    x = lookup(inputs.ids, weights.matrix(WORDS))
    for number, kind in enumerate(kinds):
        x = gated_layers.layer(x, weights.under(f"layers.{number}."), settings, views[kind])
    return settings.norm(x, weights, "norm")


def _head(configuration: Configuration) -> int:
    return configuration.count("head_dim", HEAD)
