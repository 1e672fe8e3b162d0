"""EuroBERT: Llama's layers over the whole text.

Boizard et al. 2025, "EuroBERT: Scaling Multilingual Encoders for European Languages".
"""

from __future__ import annotations

from twofold.models import gated_layers
from twofold.models.attention import View
from twofold.models.configuration import Configuration
from twofold.models.gated_layers import DECIDING, PREFIXES, WORDS, GatedSettings, head_width, positions, width
from twofold.models.graphs import Inputs, Node, lookup, mask_bias
from twofold.models.rotary import FULL, Rotary, Turn, rotary_of_all
from twofold.models.weights import Weights

__all__ = ["DECIDING", "PREFIXES", "WORDS", "hidden_states", "positions", "rotary", "width"]

THETA, EPSILON = 10_000.0, 1e-5


def rotary(configuration: Configuration) -> dict[str, Rotary]:
    """Kind of layer → its rotary frequencies; all layers share one."""
    return rotary_of_all(configuration, head_width(configuration), THETA)


def hidden_states(configuration: Configuration, weights: Weights, inputs: Inputs) -> Node:
    """(batch, tokens, width): the last layer's states, normed."""
    weights = weights.under_first_of(PREFIXES, WORDS)
    settings = GatedSettings.of(configuration, head=head_width(configuration), epsilon=EPSILON, norms_heads=False)
    view = View(Turn.of(inputs.rotary[FULL]), mask_bias(inputs.mask))
    x = lookup(inputs.ids, weights.matrix(WORDS))
    for number in range(configuration.integer("num_hidden_layers")):
        x = gated_layers.layer(x, weights.under(f"layers.{number}."), settings, view)
    return settings.norm(x, weights, "norm")
