"""Which architecture builds which model: a name in config.json → the module for it.

A new architecture is one file with what `Architecture` lists, and one line here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from twofold.errors import ModelError
from twofold.models import (
    bert,
    distilbert,
    embedding_gemma2,
    eurobert,
    gemma3_text,
    gte,
    modernbert,
    mpnet,
    nomic_bert,
    qwen3,
    roberta,
)
from twofold.models.configuration import Configuration
from twofold.models.graphs import Inputs, Node
from twofold.models.rotary import Rotary
from twofold.models.weights import Weights


class Architecture(Protocol):
    """What a module has that builds a graph for one architecture."""

    @property
    def WORDS(self) -> str:  # noqa: N802 - a constant of the module
        """The tensor's name that has a row for every token."""

    @property
    def PREFIXES(self) -> tuple[str, ...]:  # noqa: N802 - modules state it as a constant
        """What may stand before the tensors' names."""

    @property
    def DECIDING(self) -> tuple[str, ...]:  # noqa: N802 - modules state it as a constant
        """The fields of config.json that decide the states beside the tensors; they are part of the fingerprint."""

    def positions(self, configuration: Configuration, /) -> int:
        """The longest input, in tokens."""

    def width(self, configuration: Configuration, /) -> int:
        """Numbers a token's state."""

    def rotary(self, configuration: Configuration, /) -> Mapping[str, Rotary]:
        """Kind of layer → the frequencies by which places turn its queries and keys; empty where none do."""

    def hidden_states(self, configuration: Configuration, weights: Weights, inputs: Inputs, /) -> Node:
        """The graph from the inputs to states, float32 (batch, tokens, width)."""


ARCHITECTURES: dict[str, Architecture] = {
    "bert": bert,
    "distilbert": distilbert,
    "embedding_gemma2_text": embedding_gemma2,
    "eurobert": eurobert,
    "gemma3_text": gemma3_text,
    "gte": gte,
    "modernbert": modernbert,
    "mpnet": mpnet,
    "new": gte,
    "nomic_bert": nomic_bert,
    "qwen3": qwen3,
    "roberta": roberta,
    "xlm-roberta": roberta,
}
"""model_type of config.json → architecture."""


TABLES = {
    "embeddings.position_embeddings.weight": "max_position_embeddings",
    "embeddings.token_type_embeddings.weight": "type_vocab_size",
}
"""Tables beside that of the words → the field of config.json that says how many rows they have."""


WITH_TEXT_PARTS = ("embedding_gemma2",)
"""model_type of models of pictures and sounds as well, whose text model is used alone."""


def text_part(configuration: Configuration) -> Configuration:
    """The fields of the text model, which a model of pictures and sounds as well keeps in text_config."""
    if configuration.values.get("model_type") not in WITH_TEXT_PARTS:
        return configuration
    return Configuration(configuration.path, configuration.mapping("text_config"))


def check_tables(configuration: Configuration, weights: Weights) -> None:
    """Raises ModelError where a table has other rows or another width than config.json says.

    Found at loading, not at the first text that is long enough or holds a token beyond the table.
    """
    architecture = architecture_of(configuration)
    inside = weights.under_first_of(architecture.PREFIXES, architecture.WORDS)
    for name, field in {architecture.WORDS: "vocab_size", **TABLES}.items():
        if name not in inside:
            continue
        rows, width = inside.shape(name)
        _same(configuration, name, field, configuration.integer(field, rows), rows)
        _same(
            configuration,
            name,
            "the width",
            configuration.integer("hidden_size", architecture.width(configuration)),
            width,
        )


def _same(configuration: Configuration, name: str, field: str, said: int, found: int) -> None:
    if said != found:
        raise ModelError(
            f"{configuration.path}: {field} is {said}, and the tensor {name!r} has {found}; take both from one model"
        )


def is_known(configuration: Configuration) -> bool:
    """Whether there is an architecture for this config.json."""
    return configuration.values.get("model_type") in ARCHITECTURES


def architecture_of(configuration: Configuration) -> Architecture:
    """The architecture of this config.json. Raises ModelError for one that is not known."""
    kind = configuration.text("model_type")
    if is_known(configuration):
        return ARCHITECTURES[kind]
    known = ", ".join(sorted({*ARCHITECTURES, *WITH_TEXT_PARTS}))
    # auto_map names code that comes with the model. A folder's code is never run, whoever asks.
    own = " It brings code of its own, which is never run." if configuration.has("auto_map") else ""
    raise ModelError(
        f"{configuration.path}: model_type {kind!r} is not known; known are {known}.{own} Take a model of one of these "
        "kinds, or put its graph into the folder as onnx/model.onnx or openvino/openvino_model.xml, which `optimum-cli "
        "export` makes, or encode the texts elsewhere and give the vectors: "
        "`twofold index DATA --vectors X.npy --to COLLECTION` (docs/own-vectors.md)"
    )
