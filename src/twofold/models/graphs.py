"""Pieces of graphs: the few operations that encoders of this kind are made of, in the form that OpenVINO fuses.

Every function takes and gives OpenVINO outputs; weights are float32 arrays that the graph shares, not copies. Shapes
are written (batch, tokens, width); both batch and tokens are open.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import openvino.opset13 as op
from numpy.typing import NDArray

from twofold.errors import ModelError
from twofold.models.int8_matrix import Int8Matrix
from twofold.models.weights import Matrix, Tensor, Weights

Node = Any
"""An OpenVINO node; its Python binding is untyped."""

MASKED = np.float32(-1e30)
"""Added to the attention score of a padding token; its softmax is then exactly zero, in bf16 as well."""

PART = "/"
"""What stands before the number of a part in the name of its product."""


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """What a graph takes in.

    ids: int32 (batch, tokens). mask: float32 (batch, tokens), 1 for a token and 0 for padding. rotary: kind of
    layer → its table of places, float32 (tokens, width of a head); see `rotary.py`. types: int32 (batch, tokens), 0 for
    the tokens of a pair's first text and 1 for those of its second; None where all tokens are of type 0. states: where
    an architecture that gives them puts those before the first layer and after each; see `layer_mix.py`.
    """

    ids: Node
    mask: Node
    rotary: Mapping[str, Node]
    types: Node | None = None
    states: list[Node] = field(default_factory=list)


def constant(values: NDArray[Any]) -> Node:
    """A constant that shares the array's memory; the array must not change afterwards."""
    return op.constant(values, shared_memory=True)


def integers(*values: int) -> Node:
    """A short list of int64, for shapes and axes."""
    return op.constant(np.array(values, dtype=np.int64))


def integer(value: int) -> Node:
    """One int64 without a dimension."""
    return op.constant(np.int64(value))


def linear(x: Node, weight: Matrix, bias: Tensor | None, name: str = "") -> Node:
    """x @ weight.T + bias. weight: (out, in); bias: (out,). name: of the product in the graph."""
    product = op.matmul(x, _multiplied(weight), False, True)
    if name:
        product.set_friendly_name(name)
    return product if bias is None else op.add(product, constant(bias))


def linear_of(x: Node, weights: Weights, name: str) -> Node:
    """The linear layer stored under `name`, with its bias where it has one.

    Its product in the graph is called as its weights are, by which `int8_losses` finds it.
    """
    weight = f"{name}.weight"
    return linear(x, weights.matrix(weight), weights.get(f"{name}.bias"), weights.full_name(weight))


def linears_of(x: Node, weights: Weights, name: str, count: int) -> list[Node]:
    """`count` linear layers that are stored one below the other under `name`; named so, and by their number."""
    weight = f"{name}.weight"
    stored, bias = weights.matrix(weight), weights.get(f"{name}.bias")
    biases = [None] * count if bias is None else np.split(bias, count)
    parts: Sequence[Matrix] = stored.divided(count) if isinstance(stored, Int8Matrix) else np.split(stored, count)
    names = [f"{weights.full_name(weight)}{PART}{number}" for number in range(count)]
    return [linear(x, *each) for each in zip(parts, biases, names, strict=True)]


def _multiplied(weight: Matrix) -> Node:
    """The weights of a product; those in int8 in the form that OpenVINO multiplies as they are."""
    if not isinstance(weight, Int8Matrix):
        return constant(weight)
    return op.multiply(op.convert(constant(weight.numbers), "f32"), constant(weight.scales[:, None]))


def layer_norm(x: Node, weights: Weights, name: str, epsilon: float) -> Node:
    """Layer normalisation over the width, scaled by the tensor under `name`, and shifted where it has a bias."""
    normal = op.mvn(x, integers(-1), True, epsilon, "INSIDE_SQRT")
    scaled = op.multiply(normal, constant(weights[f"{name}.weight"]))
    bias = weights.get(f"{name}.bias")
    return scaled if bias is None else op.add(scaled, constant(bias))


def rms_norm(x: Node, scale: Tensor | None, epsilon: float) -> Node:
    """Each state by the root of its mean square, times `scale`, (width,) (Zhang & Sennrich 2019, RMSNorm)."""
    mean_square = op.reduce_mean(op.power(x, op.constant(np.float32(2))), integers(-1), True)
    root = op.sqrt(op.add(mean_square, op.constant(np.float32(epsilon))))
    normal = op.multiply(x, op.divide(op.constant(np.float32(1)), root))
    return normal if scale is None else op.multiply(normal, constant(scale))


def lookup(ids: Node, table: Matrix) -> Node:
    """The rows of a table. ids: (batch, tokens) → (batch, tokens, width)."""
    if not isinstance(table, Int8Matrix):
        return op.gather(constant(table), ids, integer(0))
    numbers, scales = (op.gather(constant(part), ids, integer(0)) for part in (table.numbers, table.scales[:, None]))
    return op.multiply(op.convert(numbers, "f32"), scales)


def type_states(types: Node | None, table: Tensor) -> Node:
    """What each token's type adds to its state: (batch, tokens, width), or (width,) where all are of type 0."""
    return constant(table[0]) if types is None else lookup(types, table)


def token_count(x: Node) -> Node:
    """The padded length of the batch, as a list of one int64. x: (batch, tokens) or (batch, tokens, width)."""
    return op.gather(op.shape_of(x), integers(1), integer(0))


def first_rows(table: Tensor, ids: Node) -> Node:
    """(1, tokens, width): as many rows of a table, from the first, as the batch has tokens."""
    return op.slice(
        constant(np.ascontiguousarray(table[None])), integers(0), token_count(ids), integers(1), integers(1)
    )


def places_after(ids: Node, padding: int) -> Node:
    """(batch, tokens): each token's place, counted from the id of the padding token on, which itself is not counted.

    fairseq's positions: a padding token inside a text stands at its own id.
    """
    padding_id = op.constant(np.int32(padding))
    real = op.convert(op.not_equal(ids, padding_id), "i32")
    return op.add(op.multiply(op.cum_sum(real, integer(1)), real), padding_id)


def exchanged(x: Node) -> Node:
    """(batch, tokens, heads, width of a head) ↔ (batch, heads, tokens, width of a head)."""
    return op.transpose(x, integers(0, 2, 1, 3))


def mask_bias(mask: Node) -> Node:
    """(batch, 1, 1, tokens): nothing for real tokens, MASKED for padding. mask: float32 (batch, tokens), 1 and 0."""
    return where_real(op.unsqueeze(mask, integers(1, 2)), op.constant(np.float32(0)))


def where_real(mask: Node, values: Node) -> Node:
    """`values` where the mask is 1, MASKED where it is 0.

    A choice, not (1 - mask) * MASKED: OpenVINO turns that into mask * -MASKED + MASKED, which in bf16 is not zero for
    real tokens.
    """
    return op.select(op.greater(mask, op.constant(np.float32(0))), values, op.constant(MASKED))


@dataclass(frozen=True, slots=True)
class Heads:
    """How a width is divided among attention heads."""

    count: int
    width: int

    @classmethod
    def of(cls, count: int, width: int) -> Heads:
        """So many heads for a width; ModelError where it cannot be divided evenly."""
        if count < 1 or width % count:
            raise ModelError(f"a width of {width} cannot be divided among {count} attention heads")
        return cls(count, width // count)

    def divide(self, x: Node) -> Node:
        """(batch, tokens, width) → (batch, tokens, heads, width of a head)."""
        return op.reshape(x, integers(0, 0, self.count, self.width), True)

    def join(self, x: Node) -> Node:
        """(batch, tokens, heads, width of a head) → (batch, tokens, width)."""
        return op.reshape(x, integers(0, 0, self.count * self.width), True)

    def attend(self, query: Node, key: Node, value: Node, bias: Node) -> Node:
        """Softmax attention, each of (batch, tokens, width); `bias` is added to the scores before the softmax.

        Vaswani et al. 2017, "Attention Is All You Need", §3.2.
        """
        divided = [exchanged(self.divide(x)) for x in (query, key, value)]
        return self.join(exchanged(op.scaled_dot_product_attention(*divided, bias)))


ACTIVATIONS: dict[str, Callable[[Node], Node]] = {
    "gelu": lambda x: op.gelu(x, "erf"),
    "gelu_new": lambda x: op.gelu(x, "tanh"),
    "gelu_pytorch_tanh": lambda x: op.gelu(x, "tanh"),
    "gelu_fast": lambda x: op.gelu(x, "tanh"),
    "relu": op.relu,
    "silu": op.swish,
    "swish": op.swish,
    "tanh": op.tanh,
    "sigmoid": op.sigmoid,
    "mish": op.mish,
    "identity": lambda x: x,
}
"""Activation functions by the names that model configurations use."""


def activation(name: str) -> Callable[[Node], Node]:
    """The activation function of this name. Raises ModelError for one that is not known."""
    if name not in ACTIVATIONS:
        raise ModelError(f"the activation function {name!r} is not known; known are {', '.join(sorted(ACTIVATIONS))}")
    return ACTIVATIONS[name]
