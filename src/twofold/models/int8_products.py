"""Whether products of bf16 and of int8 run on this processor, and what the rest of a graph runs in beside int8.

OpenVINO quantises the inputs of a product as they come: each state of a token in groups of GROUP numbers, each group by
its own largest number. So a token's result depends on that token alone. On processors for which it has no such product
it fails at the first text, or answers with an empty array. So a small graph is run once and its numbers are checked,
and so it is for bf16.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

import numpy as np
import openvino
import openvino.opset13 as op
from numpy.typing import NDArray

from twofold.logs import logger_of
from twofold.models.graphs import Node, linear
from twofold.models.int8_matrix import LARGEST, Int8Matrix
from twofold.models.weights import Matrix

GROUP = 128
"""Numbers of a state that share a scale. Inputs of a product that has fewer are not quantised."""
NEAR = 0.03
"""The largest relative error of the small graph's result; bf16 beside int8 makes it 0.01."""
WIDTHS = (GROUP // 2, 2 * GROUP)
"""Of the products that are tried: one whose inputs are not quantised, and one whose inputs are."""

Beside = Literal["bf16", "f32"]

logger = logger_of(__name__)


def int8_settings(beside: Beside) -> dict[str, Any]:
    """The settings of OpenVINO with which matrices in int8 are multiplied as they are."""
    return {
        "INFERENCE_PRECISION_HINT": beside,
        "EXECUTION_MODE_HINT": "PERFORMANCE",
        "DYNAMIC_QUANTIZATION_GROUP_SIZE": GROUP,
    }


def bf16_settings() -> dict[str, Any]:
    """The settings of OpenVINO with which products round their inputs to bfloat16."""
    return {
        "INFERENCE_PRECISION_HINT": "bf16",
        "EXECUTION_MODE_HINT": "PERFORMANCE",
        "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0,
    }


@cache
def has_bf16() -> bool:
    """Whether products of bf16 run here. Tried once in a process: OpenVINO's list of abilities is the processor's, and
    ONEDNN_MAX_CPU_ISA may forbid some of them.
    """
    able = "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return able and _runs(bf16_settings(), in_int8=False)


@cache
def beside_int8() -> Beside | None:
    """The precision of what runs beside products of int8; None where these do not run. Tried once in a process."""
    tried: tuple[Beside, ...] = ("bf16", "f32") if has_bf16() else ("f32",)
    return next((beside for beside in tried if _runs(int8_settings(beside), in_int8=True)), None)


def quantised_inputs(states: NDArray[np.float32]) -> NDArray[np.float32]:
    """What a product of int8 makes of its inputs, float32 (…, width): each group rounded in steps of its own."""
    width = states.shape[-1]
    if width < GROUP:
        return states
    rounded = np.empty_like(states)
    for start in range(0, width, GROUP):
        part = states[..., start : start + GROUP]
        steps = np.abs(part).max(axis=-1, keepdims=True) / np.float32(LARGEST)
        rounded[..., start : start + GROUP] = np.rint(part / np.where(steps > 0, steps, np.float32(1))) * steps
    return rounded


def _runs(settings: dict[str, Any], *, in_int8: bool) -> bool:
    """Whether a small graph gives the right numbers with these settings."""
    rng = np.random.default_rng(0)
    states = rng.standard_normal((2, 3, WIDTHS[0]), dtype=np.float32)
    weights = [rng.standard_normal(shape, dtype=np.float32) for shape in (WIDTHS[::-1], WIDTHS)]
    matrices: list[Matrix] = [Int8Matrix.of(each) for each in weights] if in_int8 else list(weights)
    try:
        compiled = openvino.Core().compile_model(_tried(matrices), "CPU", {**settings, "INFERENCE_NUM_THREADS": 1})
        made = compiled([states])[0]
    except RuntimeError as error:
        logger.debug("no products with %s: %s", settings, str(error).strip().rpartition("\n")[2])
        return False
    one, two = (each.expanded() if isinstance(each, Int8Matrix) else each for each in matrices)
    expected = _softmax(states @ one.T) @ two.T
    near = made.shape == expected.shape and np.linalg.norm(made - expected) <= NEAR * np.linalg.norm(expected)
    return bool(near)


def _tried(matrices: list[Matrix]) -> openvino.Model:
    """Two products with a softmax between them, which not every processor runs in bf16."""
    states: Node = op.parameter([-1, -1, WIDTHS[0]], np.float32)
    inner = op.softmax(linear(states, matrices[0], None), -1)
    return openvino.Model([op.result(linear(inner, matrices[1], None))], [states], "products")


def _softmax(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    softmax: NDArray[np.float32] = powers / powers.sum(axis=-1, keepdims=True)
    return softmax
