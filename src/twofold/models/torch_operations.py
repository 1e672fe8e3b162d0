"""The operations of a graph as functions of torch: what each node of OpenVINO's graph computes.

A function takes its operands in the node's order. Operands that say something of shapes (axes, bounds, new shapes) come
as Python's whole numbers and lists of them, so that no function waits for the device.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name

from twofold.errors import ModelError

Value = Any
"""A tensor; the type checker does not read torch."""
Function = Callable[..., Any]

TYPES = {"f32": torch.float32, "i32": torch.int32, "i64": torch.int64, "boolean": torch.bool}
"""Types of numbers, by OpenVINO's names of them."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What nodes of one type compute.

    make: the node's attributes → its function. numbers: which operands come as Python's numbers. halved: which operands
    are rounded to bf16 where that is the precision of products; the others are float32.
    """

    make: Callable[[dict[str, Any]], Function]
    numbers: tuple[int, ...] = ()
    halved: tuple[int, ...] = ()


def plain(function: Function, *numbers: int) -> Operation:
    """A function that no attribute changes."""
    return Operation(lambda _: function, numbers)


def _matmul(attributes: dict[str, Any]) -> Function:
    first, second = attributes["transpose_a"], attributes["transpose_b"]

    def product(x: Value, y: Value) -> Value:
        # Neither operand need be a weight: in bf16 one may be a layer's states, and sums of states stay float32.
        x, y = x.float(), y.float()
        return torch.matmul(x.mT if first else x, y.mT if second else y)

    return product


def _attention(attributes: dict[str, Any]) -> Function:
    causal = attributes["causal"]

    def attend(query: Value, key: Value, value: Value, bias: Value = None, scale: float | None = None) -> Value:
        return F.scaled_dot_product_attention(query, key, value, bias, is_causal=causal, scale=scale)

    return attend


def _gather(attributes: dict[str, Any]) -> Function:
    if attributes["batch_dims"]:
        raise ModelError("the operation Gather with batch_dims is not known to the torch runtime; use device='cpu'")

    def gathered(x: Value, places: Value, axis: int) -> Value:
        axis %= x.ndim
        rows = x.index_select(axis, places.reshape(-1))
        return rows.reshape(*x.shape[:axis], *places.shape, *x.shape[axis + 1 :])

    return gathered


def _normal(attributes: dict[str, Any]) -> Function:
    epsilon = attributes["eps"]

    def normal(x: Value, _axes: list[int], weight: Value = None, bias: Value = None) -> Value:
        return F.layer_norm(x.float(), x.shape[-1:], weight, bias, epsilon)

    return normal


def _unit(attributes: dict[str, Any]) -> Function:
    epsilon = attributes["eps"]

    def unit(x: Value, axes: list[int]) -> Value:
        return x / x.square().sum(axes, keepdim=True).clamp_min(epsilon).sqrt()

    return unit


def _reduced(function: Function) -> Operation:
    def make(attributes: dict[str, Any]) -> Function:
        keep = attributes["keep_dims"]
        return lambda x, axes: function(x, axes, keepdim=keep)

    return Operation(make, numbers=(1,))


def _sum(x: Value, axes: list[int], *, keepdim: bool) -> Value:
    return x.sum(axes, keepdim=keepdim, dtype=x.dtype)


def _gelu(attributes: dict[str, Any]) -> Function:
    approximate = "tanh" if attributes["approximation_mode"] == "TANH" else "none"
    return lambda x: F.gelu(x, approximate=approximate)


def _swish(x: Value, beta: float = 1.0) -> Value:
    return F.silu(x) if beta == 1 else x * torch.sigmoid(beta * x)


def _reshaped(x: Value, shape: list[int]) -> Value:
    """A zero keeps the length of that dimension."""
    return x.reshape([x.shape[place] if length == 0 else length for place, length in enumerate(shape)])


def _sliced(x: Value, starts: list[int], stops: list[int], steps: list[int], axes: list[int]) -> Value:
    for axis, *bounds in zip(axes, starts, stops, steps, strict=True):
        x = torch.ops.aten.slice(x, axis, *bounds)
    return x


def _unsqueezed(x: Value, axes: list[int]) -> Value:
    for axis in sorted(axes):
        x = x.unsqueeze(axis)
    return x


def _squeezed(x: Value, axes: list[int]) -> Value:
    return x.squeeze(tuple(axes))


def _power(x: Value, exponent: Value) -> Value:
    """In float32: it is the square under a norm's mean."""
    return x.float() ** exponent


def _cumulated(x: Value, axis: int) -> Value:
    return x.cumsum(axis, dtype=x.dtype)


OPERATIONS: dict[str, Operation] = {
    "Abs": plain(torch.abs),
    "Add": plain(torch.add),
    "Broadcast": plain(lambda x, shape: x.expand(shape), 1),
    "Concat": Operation(lambda attributes: lambda *parts: torch.cat(parts, attributes["axis"])),
    "Convert": Operation(lambda attributes: lambda x: x.to(TYPES[attributes["destination_type"]])),
    "CumSum": plain(_cumulated, 1),
    "Divide": plain(torch.div),
    "Equal": plain(torch.eq),
    "Gather": Operation(_gather, numbers=(2,)),
    "Gelu": Operation(_gelu),
    "Greater": plain(torch.gt),
    "GreaterEqual": plain(torch.ge),
    "Less": plain(torch.lt),
    "LessEqual": plain(torch.le),
    "LogicalAnd": plain(torch.logical_and),
    "MVN": Operation(_normal, numbers=(1,)),
    "MatMul": Operation(_matmul),
    "Maximum": plain(torch.maximum),
    "Minimum": plain(torch.minimum),
    "Mish": plain(F.mish),
    "Multiply": plain(torch.mul),
    "Negative": plain(torch.neg),
    "NormalizeL2": Operation(_unit, numbers=(1,)),
    "NotEqual": plain(torch.ne),
    "Power": plain(_power),
    "ReduceMax": _reduced(torch.amax),
    "ReduceMean": _reduced(torch.mean),
    "ReduceSum": _reduced(_sum),
    "Relu": plain(torch.relu),
    "Reshape": plain(_reshaped, 1),
    "ScaledDotProductAttention": Operation(_attention, numbers=(4,), halved=(0, 1, 2, 3)),
    "Select": plain(torch.where),
    "Sigmoid": plain(torch.sigmoid),
    "Slice": plain(_sliced, 1, 2, 3, 4),
    "Split": Operation(lambda attributes: lambda x, axis: x.chunk(attributes["num_splits"], axis), numbers=(1,)),
    "Sqrt": plain(torch.sqrt),
    "Squeeze": plain(_squeezed, 1),
    "Subtract": plain(torch.sub),
    "Swish": plain(_swish, 1),
    "Tanh": plain(torch.tanh),
    "Transpose": plain(lambda x, order: x.permute(order), 1),
    "Unsqueeze": plain(_unsqueezed, 1),
}
"""Type of a node → what it computes. ShapeOf and Range are not here: they lead from the device to the host and back."""

ON_HOST: dict[str, Function] = {
    "Add": np.add,
    "Concat": lambda *parts: np.concatenate(parts),
    "Divide": np.floor_divide,
    "Equal": np.equal,
    "Gather": np.take,
    "GreaterEqual": np.greater_equal,
    "Less": np.less,
    "LogicalAnd": np.logical_and,
    "Maximum": np.maximum,
    "Minimum": np.minimum,
    "Multiply": np.multiply,
    "ReduceMax": lambda x, axes: x.max(tuple(axes)),
    "Select": np.where,
    "Squeeze": lambda x, axes: x.squeeze(tuple(axes)),
    "Subtract": np.subtract,
}
"""Type of a node → what it computes of numbers that say something of shapes: arrays of at most one dimension."""


def operation_of(kind: str) -> Operation:
    """The operation of nodes of this type. Raises ModelError for one that is not known."""
    if kind not in OPERATIONS:
        raise ModelError(f"the operation {kind} is not known to the torch runtime; use device='cpu'")
    return OPERATIONS[kind]
