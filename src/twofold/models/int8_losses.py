"""What int8 costs each matrix of a model, measured on a few texts; those that lose too much stay as they are.

The loss of a product is the relative error of its outputs, with the inputs that the model in f32 has there: weights and
inputs are rounded as OpenVINO rounds them. The loss of the words' table is the relative error of its rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import openvino
from numpy.typing import NDArray

from twofold.models.graphs import PART
from twofold.models.int8_matrix import Int8Matrix
from twofold.models.int8_products import quantised_inputs
from twofold.models.weights import Tensor, Weights

LARGEST_LOSS = 0.04
"""A matrix that loses more stays as it is."""


Run = tuple[Sequence[NDArray[Any]], NDArray[np.float32]]
"""Inputs of a graph for a batch, and its mask, (batch, tokens)."""


def losses(
    graph: Any, runs: Iterable[Run], weights: Weights, words: str, threads: int | None = None
) -> dict[str, float]:
    """Full name of each matrix that may be in int8 → its loss; the same numbers wherever it is measured, but for the
    last digits of float32.

    graph: the whole model in float32, which gets outputs for what its products take in. words: the full name of the
    words' table. threads: None takes all cores.
    """
    products = {
        node.get_friendly_name(): node.input_value(0)
        for node in graph.get_ordered_ops()
        if node.get_type_name() == "MatMul" and _tensor(node.get_friendly_name()) in weights
    }
    sources = {(each.get_node().get_name(), each.get_index()): each for each in products.values()}
    graph.add_outputs(list(sources.values()))
    taken = dict(zip(sources, _run(graph, runs, len(sources), threads), strict=True))
    with np.errstate(invalid="ignore"):  # weights that are no numbers lose NaN
        found: dict[str, float] = {words: _table_loss(weights[words])}
        for tensor in dict.fromkeys(map(_tensor, products)):
            source = next(each for name, each in products.items() if _tensor(name) == tensor)
            found[tensor] = _product_loss(taken[source.get_node().get_name(), source.get_index()], weights[tensor])
    return found


def _tensor(product: str) -> str:
    """The name of the weights by the name of a product."""
    return product.partition(PART)[0]


def _run(graph: Any, runs: Iterable[Run], count: int, threads: int | None) -> list[NDArray[np.float32]]:
    """float32 (tokens of all texts, width) of each of the last `count` outputs."""
    settings: dict[str, Any] = {"INFERENCE_PRECISION_HINT": "f32", "EXECUTION_MODE_HINT": "ACCURACY"}
    if threads is not None:
        settings["INFERENCE_NUM_THREADS"] = threads
    compiled = openvino.Core().compile_model(graph, "CPU", settings)
    states: dict[int, list[NDArray[np.float32]]] = defaultdict(list)
    for inputs, mask in runs:
        made = list(compiled(dict(enumerate(inputs))).values())
        for number, values in enumerate(made[len(made) - count :]):
            states[number].append(values[mask > 0])
    return [np.concatenate(states[number]) for number in range(count)]


def _product_loss(inputs: NDArray[np.float32], weight: Tensor) -> float:
    expected = inputs @ weight.T
    return _relative(quantised_inputs(inputs) @ Int8Matrix.of(weight).expanded().T, expected)


def _table_loss(table: Tensor) -> float:
    return _relative(Int8Matrix.of(table).expanded(), table)


def _relative(found: NDArray[np.float32], expected: NDArray[np.float32]) -> float:
    length = float(np.linalg.norm(expected))
    return float(np.linalg.norm(found - expected)) / length if length else 0.0
