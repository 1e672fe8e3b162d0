"""Which architecture builds which model: a word of config.json → the functions that know it.

A new architecture is one file with `positions`, `width`, `hidden_states` and `DECIDING`, and one line here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from twofold.errors import ModelError
from twofold.models import bert, distilbert, mpnet, roberta
from twofold.models.configuration import Configuration
from twofold.models.graphs import Node
from twofold.models.weights import Weights


@dataclass(frozen=True, slots=True)
class Architecture:
    """How a kind of model becomes a graph.

    positions(configuration): the longest input in tokens. width(configuration): numbers a token's state.
    hidden_states(configuration, weights, ids, mask): the graph from ids, int32 (batch, tokens), and mask, float32
    (batch, tokens), 1 and 0, to states, float32 (batch, tokens, width). deciding: the fields of config.json that decide
    the states beside the tensors; they are part of the fingerprint.
    """

    positions: Callable[[Configuration], int]
    width: Callable[[Configuration], int]
    hidden_states: Callable[[Configuration, Weights, Node, Node], Node]
    deciding: tuple[str, ...]


ARCHITECTURES = {
    "bert": Architecture(bert.positions, bert.width, bert.hidden_states, bert.DECIDING),
    "distilbert": Architecture(distilbert.positions, distilbert.width, distilbert.hidden_states, distilbert.DECIDING),
    "mpnet": Architecture(mpnet.positions, mpnet.width, mpnet.hidden_states, mpnet.DECIDING),
    "roberta": Architecture(roberta.positions, roberta.width, roberta.hidden_states, roberta.DECIDING),
    "xlm-roberta": Architecture(roberta.positions, roberta.width, roberta.hidden_states, roberta.DECIDING),
}
"""model_type of config.json → architecture."""


def architecture_of(configuration: Configuration) -> Architecture:
    """The architecture of this config.json. Raises ModelError for one that is not known."""
    kind = configuration.text("model_type")
    if kind not in ARCHITECTURES:
        known = ", ".join(sorted(ARCHITECTURES))
        raise ModelError(f"{configuration.path}: model_type {kind!r} is not known; known are {known}")
    return ARCHITECTURES[kind]
