"""The layers after the pooling: read from a folder's modules, and as pieces of a graph.

They are those of sentence-transformers. Normalising at the very end is left to `unit_length`, which works in float32
whatever the graph computes in, so that vectors have the length 1 to the last bits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import openvino.opset13 as op

from twofold.errors import ModelError
from twofold.models.configuration import Configuration
from twofold.models.graphs import Node, activation, integers, layer_norm, linear
from twofold.models.weights import Tensor, Weights, weight_files
from twofold.scores import Vectors

SHORTEST = 1e-12
TORCH_ACTIVATIONS = {
    "Identity": "identity",
    "Tanh": "tanh",
    "GELU": "gelu",
    "ReLU": "relu",
    "SiLU": "silu",
    "Sigmoid": "sigmoid",
    "Mish": "mish",
}
"""The last part of a Dense module's activation_function → the name of it here."""
VECTOR = "sentence_embedding"
"""What sentence-transformers' modules call the vector of a text."""
TOKENS = "token_embeddings"
"""What they call the vectors of a text's tokens."""
EPSILON = 1e-5
"""Of torch's LayerNorm; the module has no field for it."""


@dataclass(frozen=True, slots=True, eq=False)
class Dense:
    """A linear layer with an activation function.

    weight: (out, in); bias: (out,). adds_input: whether its input is added to its output, times across, (out, in),
    where there is one. fingerprint: a hex digest of the tensors.
    """

    weight: Tensor
    bias: Tensor | None
    activation: str
    adds_input: bool
    across: Tensor | None
    fingerprint: str

    def __str__(self) -> str:
        return f"dense {self.activation}{' with its input' if self.adds_input else ''}"

    def __call__(self, vectors: Node) -> Node:
        """(batch, out), of vectors (batch, in)."""
        made = activation(self.activation)(linear(vectors, self.weight, self.bias))
        if not self.adds_input:
            return made
        return op.add(made, vectors if self.across is None else linear(vectors, self.across, None))


@dataclass(frozen=True, slots=True, eq=False)
class LayerNorm:
    """Layer normalisation of a vector. weights: its tensors, under "norm"."""

    weights: Weights

    @property
    def fingerprint(self) -> str:
        """A hex digest of the tensors."""
        return self.weights.fingerprint

    def __str__(self) -> str:
        return "layer norm"

    def __call__(self, vectors: Node) -> Node:
        """(batch, out), of vectors (batch, in)."""
        return layer_norm(vectors, self.weights, "norm", EPSILON)


@dataclass(frozen=True, slots=True)
class Normalize:
    """Divides a vector by its length."""

    fingerprint = ""

    def __str__(self) -> str:
        return "normalize"

    def __call__(self, vectors: Node) -> Node:
        """(batch, out), of vectors (batch, in)."""
        return op.normalize_l2(vectors, integers(1), SHORTEST**2, "max")


Layer = Dense | LayerNorm | Normalize


def layered(vectors: Node, layers: Sequence[Callable[[Node], Node]]) -> Node:
    """The layers one after the other. vectors: (batch, width)."""
    for layer in layers:
        vectors = layer(vectors)
    return vectors


def unit_length(vectors: Vectors) -> Vectors:
    """Each vector divided by its length; a zero vector stays zero. Each line's result depends on that line alone."""
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))
    return np.asarray(vectors / np.maximum(lengths, SHORTEST)[:, None], dtype=np.float32)


def read_layers(
    places: Sequence[tuple[str, Path]], width: int, output: str = VECTOR, taken: str = VECTOR
) -> tuple[Layer, ...]:
    """The layers after the pooling. places: (kind, folder) of each. width: numbers a pooled vector. taken, output: what
    they take and what the last one makes, by the names that their modules have to state.

    Raises ModelError where a layer does not take what the one before it gives, or asks for something unknown.
    """
    layers: list[Layer] = []
    for number, (kind, path) in enumerate(places, start=1):
        configuration = Configuration.read_if_there(path / "config.json")
        # Another name would leave the pooled vector as it is, and work on something that is no vector of the text.
        configuration.refuse("module_input_name", taken)
        configuration.refuse("module_output_name", output if number == len(places) else taken)
        layer = LAYERS[kind](configuration, width)
        layers.append(layer)
        width = layer_width([layer], width)
    return tuple(layers)


def layer_width(layers: Sequence[Layer], width: int) -> int:
    """Numbers of what the layers make of vectors of so many numbers."""
    return next((layer.weight.shape[0] for layer in reversed(layers) if isinstance(layer, Dense)), width)


def torch_activation(
    configuration: Configuration, field: str, default: str, known: Sequence[str] = tuple(TORCH_ACTIVATIONS)
) -> str:
    """The activation function that a field names by its class of torch. known: the last parts of the names.

    Names are looked up in a table; nothing is imported. Raises ModelError for a name that is not known.
    """
    whole = configuration.text(field, default)
    name = whole.rsplit(".", 1)[-1]
    if name not in known or not whole.startswith("torch."):
        named = ", ".join(f"torch.nn.{each}" for each in known)
        raise ModelError(f"{configuration.path}: {field} {whole!r} is not known; known are {named}")
    return TORCH_ACTIVATIONS[name]


def _dense(configuration: Configuration, width: int) -> Dense:
    act = torch_activation(configuration, "activation_function", "torch.nn.modules.activation.Tanh")
    weights = Weights(weight_files(configuration.path.parent))
    bias = weights["linear.bias"] if configuration.truth("bias", True) else None
    stored = weights["linear.weight"]
    wanted = (configuration.integer("out_features"), configuration.integer("in_features"))
    if stored.shape != wanted or wanted[1] != width:
        raise ModelError(
            f"{configuration.path}: out_features and in_features are {wanted}, the tensor 'linear.weight' has the "
            f"shape {stored.shape}, and the vectors before it have {width} numbers"
        )
    adds_input = configuration.truth("use_residual", False)
    across = weights["residual.weight"] if adds_input and wanted[0] != wanted[1] else None
    return Dense(stored, bias, act, adds_input, across, weights.fingerprint)


def _layer_norm(configuration: Configuration, width: int) -> LayerNorm:
    weights = Weights(weight_files(configuration.path.parent))
    if (found := weights.shape("norm.weight")) != (width,):
        raise ModelError(
            f"{configuration.path}: the tensor 'norm.weight' has the shape {found}, and the vectors before it have "
            f"{width} numbers"
        )
    return LayerNorm(weights)


def _normalize(_: Configuration, __: int) -> Normalize:
    return Normalize()


LAYERS: dict[str, Callable[[Configuration, int], Layer]] = {
    "Dense": _dense,
    "LayerNorm": _layer_norm,
    "Normalize": _normalize,
}
"""Modules that may follow the pooling, by their names in sentence-transformers."""
