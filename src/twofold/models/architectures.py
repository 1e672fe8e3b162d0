"""Which architecture builds which model: a name in config.json → the functions for it.

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
    """The functions that build a graph for one architecture.

    positions(configuration): the longest input in tokens. width(configuration): numbers a token's state.
    hidden_states(configuration, weights, ids, mask): the graph from ids, int32 (batch, tokens), and mask, float32
    (batch, tokens), 1 and 0, to states, float32 (batch, tokens, width). deciding: the fields of config.json that decide
    the states beside the tensors; they are part of the fingerprint. prefixes: what may stand before the tensors' names.
    """

    positions: Callable[[Configuration], int]
    width: Callable[[Configuration], int]
    hidden_states: Callable[[Configuration, Weights, Node, Node], Node]
    deciding: tuple[str, ...]
    prefixes: tuple[str, ...]


ARCHITECTURES = {
    "bert": Architecture(bert.positions, bert.width, bert.hidden_states, bert.DECIDING, bert.PREFIXES),
    "distilbert": Architecture(
        distilbert.positions, distilbert.width, distilbert.hidden_states, distilbert.DECIDING, distilbert.PREFIXES
    ),
    "mpnet": Architecture(mpnet.positions, mpnet.width, mpnet.hidden_states, mpnet.DECIDING, mpnet.PREFIXES),
    "roberta": Architecture(
        roberta.positions, roberta.width, roberta.hidden_states, roberta.DECIDING, roberta.PREFIXES
    ),
    "xlm-roberta": Architecture(
        roberta.positions, roberta.width, roberta.hidden_states, roberta.DECIDING, roberta.PREFIXES
    ),
}
"""model_type of config.json → architecture."""


TABLES = {
    "embeddings.word_embeddings.weight": "vocab_size",
    "embeddings.position_embeddings.weight": "max_position_embeddings",
    "embeddings.token_type_embeddings.weight": "type_vocab_size",
}
"""Tables that a token is looked up in → the field of config.json that says how many rows they have."""


def check_tables(configuration: Configuration, weights: Weights) -> None:
    """Raises ModelError where a table has other rows or another width than config.json says.

    Found at loading, not at the first text that is long enough or holds a token beyond the table.
    """
    architecture = architecture_of(configuration)
    inside = weights.under_first_of(architecture.prefixes, "embeddings.word_embeddings.weight")
    for name, field in TABLES.items():
        if name not in inside:
            continue
        rows, width = inside.shape(name)
        _same(configuration, name, field, configuration.integer(field, rows), rows)
        _same(configuration, name, "the width", architecture.width(configuration), width)


def _same(configuration: Configuration, name: str, field: str, said: int, found: int) -> None:
    if said != found:
        raise ModelError(
            f"{configuration.path}: {field} is {said}, and the tensor {name!r} has {found}; take both from one model"
        )


def architecture_of(configuration: Configuration) -> Architecture:
    """The architecture of this config.json. Raises ModelError for one that is not known."""
    kind = configuration.text("model_type")
    if kind not in ARCHITECTURES:
        known = ", ".join(sorted(ARCHITECTURES))
        raise ModelError(f"{configuration.path}: model_type {kind!r} is not known; known are {known}")
    return ARCHITECTURES[kind]
