"""The layer that BERT and its relatives share: attention, a residual and a norm; two linears, a residual and a norm.

Architectures differ in what they call the tensors; they say so with a `LayerNames`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import openvino.opset13 as op

from twofold.models.graphs import Heads, Node, layer_norm, linear_of
from twofold.models.weights import Weights


@dataclass(frozen=True, slots=True)
class LayerNames:
    """What the tensors of one layer are called; `{}` in `layer` is the layer's number."""

    layer: str
    query: str
    key: str
    value: str
    attended: str
    attended_norm: str
    inner: str
    outer: str
    outer_norm: str


@dataclass(frozen=True, slots=True)
class LayerSettings:
    """What the layers of a model have in common beside their names."""

    count: int
    heads: Heads
    activation: Callable[[Node], Node]
    epsilon: float


def transformer_layers(
    x: Node, bias: Node, weights: Weights, names: LayerNames, settings: LayerSettings, states: list[Node]
) -> Node:
    """All layers one after the other. x: (batch, tokens, width); bias: added to every layer's attention scores.

    states: gets x and what each layer makes of it.
    """
    states.append(x)
    for number in range(settings.count):
        x = _layer(x, bias, weights.under(f"{names.layer.format(number)}."), names, settings)
        states.append(x)
    return x


def _layer(x: Node, bias: Node, weights: Weights, names: LayerNames, settings: LayerSettings) -> Node:
    query, key, value = (linear_of(x, weights, name) for name in (names.query, names.key, names.value))
    attended = linear_of(settings.heads.attend(query, key, value, bias), weights, names.attended)
    x = layer_norm(op.add(attended, x), weights, names.attended_norm, settings.epsilon)
    inner = settings.activation(linear_of(x, weights, names.inner))
    return layer_norm(op.add(linear_of(inner, weights, names.outer), x), weights, names.outer_norm, settings.epsilon)
