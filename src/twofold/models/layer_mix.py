"""The weighted mean of the states of several layers, which may stand before the pooling.

sentence-transformers calls the module WeightedLayerPooling.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import openvino.opset13 as op

from twofold.errors import ModelError
from twofold.models.configuration import Configuration
from twofold.models.graphs import Node
from twofold.models.weights import Tensor, Weights, weight_files

MODULE = "WeightedLayerPooling"
GIVING = ("bert", "distilbert", "mpnet", "roberta", "xlm-roberta")
"""model_type of the architectures that give the states of each layer."""


@dataclass(frozen=True, slots=True, eq=False)
class LayerMix:
    """first: the first layer's number; 0 stands for the states before all layers. weights: float32, one a layer."""

    first: int
    weights: Tensor
    fingerprint: str

    def __str__(self) -> str:
        return f"of layers {self.first} to {self.first + len(self.weights) - 1}, weighted"

    def __call__(self, states: Sequence[Node]) -> Node:
        """(batch, tokens, width), of the states before the first layer and after each."""
        shares = self.weights / self.weights.sum()
        parts = zip(states[self.first :], shares, strict=True)
        mixed, *others = (op.multiply(each, op.constant(np.float32(share))) for each, share in parts)
        for each in others:
            mixed = op.add(mixed, each)
        return mixed


def read_layer_mix(folder: Path, transformer: Configuration) -> LayerMix:
    """The module in a folder. transformer: config.json of the model before it.

    Raises ModelError where the transformer does not give each layer's states, or where there is not a weight for each
    layer.
    """
    if (kind := transformer.text("model_type")) not in GIVING:
        raise ModelError(f"{transformer.path}: {MODULE} is known for model_type {', '.join(GIVING)}, not for {kind!r}")
    if not transformer.truth("output_hidden_states", False):
        raise ModelError(
            f"{transformer.path}: {MODULE} needs output_hidden_states to be true, without which sentence-transformers "
            "skips the module: set the field, or take the module out of modules.json"
        )
    count = transformer.integer("n_layers" if kind == "distilbert" else "num_hidden_layers")
    said = Configuration.read(folder / "config.json")
    first, tensors = said.integer("layer_start", 4), Weights(weight_files(folder))
    weights = tensors["layer_weights"]
    if first < 0 or weights.shape != (count + 1 - first,):
        raise ModelError(
            f"{said.path}: the tensor 'layer_weights' has the shape {weights.shape}, and of {count} layers and the "
            f"states before them there are {count + 1 - first} from layer_start {first} on"
        )
    if not weights.sum():
        raise ModelError(f"{said.path}: the weights of the layers add up to 0")
    return LayerMix(first, weights, tensors.fingerprint)
