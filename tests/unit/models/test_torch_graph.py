"""Graphs by torch: what is known, what is computed once, and numbers that say something of shapes."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import openvino
import openvino.opset13 as op
import pytest
import torch
from numpy.typing import NDArray

from twofold.errors import ModelError
from twofold.models.graphs import Node, integer, integers, token_count
from twofold.models.torch_graph import TorchGraph

Array = NDArray[np.float32]
STATES: Array = np.random.default_rng(1).standard_normal((2, 6, 4)).astype(np.float32)


def graph_of(make: Any) -> Any:
    """A graph of one input, float32 (batch, tokens, 4)."""
    x = op.parameter([-1, -1, 4], np.float32)
    return openvino.Model([op.result(make(x))], [x], "graph")


def by_torch(model: Any, *, half: bool = False) -> Array:
    made: Array = TorchGraph(model, torch.device("cpu"), half=half)(torch.from_numpy(STATES)).numpy()
    return made


def by_openvino(model: Any) -> Array:
    compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    made: Array = compiled([STATES])[0]
    return made


def in_blocks(x: Node) -> Node:
    """The states of each half of a text side by side, where the number of halves comes out of the shape."""
    tokens = op.squeeze(token_count(x), integers(0))
    counts = op.constant(np.arange(1, 4, dtype=np.int64))
    length = op.divide(tokens, counts)
    even = op.equal(op.multiply(length, counts), tokens)
    fits = op.logical_and(even, op.logical_and(op.less(counts, integer(3)), op.greater_equal(length, integer(1))))
    blocks = op.reduce_max(op.select(fits, counts, integer(1)), integers(0), False)
    starts = op.multiply(op.range(integer(0), blocks, integer(1), "i64"), op.divide(tokens, blocks))
    rest = op.subtract(op.minimum(op.maximum(op.add(blocks, integer(9)), tokens), integer(11)), integer(11))
    return op.gather(x, op.add(starts, rest), integer(1))


def columns(x: Node) -> Node:
    one, two = op.split(x, integer(-1), 2).outputs()
    return op.concat([two, op.slice(one, integers(1), integers(99), integers(2), integers(1))], 1)


GRAPHS = {
    "blocks": in_blocks,
    "columns": columns,
    "a product with a transposed operand": lambda x: op.matmul(x, x, True, False),
    "a gather by negative axis": lambda x: op.gather(x, integers(2, 0), integer(-1)),
    "a norm without a scale": lambda x: op.mvn(x, integers(-1), True, 1e-5, "INSIDE_SQRT"),
    "a norm that two nodes use": lambda x: op.add(*[op.mvn(x, integers(-1), True, 1e-5, "INSIDE_SQRT")] * 2),
    "a bias before its product": lambda x: op.add(
        op.constant(np.arange(3, dtype=np.float32)),
        op.matmul(x, op.constant(np.ones((3, 4), np.float32)), False, True),
    ),
    "a swish with a factor": lambda x: op.swish(x, op.constant(np.float32(0.5))),
}


@pytest.mark.parametrize("what", GRAPHS)
def test_torch_computes_what_openvino_computes(what: str) -> None:
    model = graph_of(GRAPHS[what])
    np.testing.assert_allclose(by_torch(model), by_openvino(model), atol=1e-6)


@pytest.mark.parametrize("make", [op.sinh, lambda x: op.gather(x, integers(0), integer(1), 1)])
def test_an_operation_that_is_not_known_is_refused_by_its_name(make: Any) -> None:
    with pytest.raises(ModelError, match=r"the operation (Sinh|Gather with batch_dims) is not known to the torch"):
        by_torch(graph_of(make))


def test_a_shape_that_depends_on_numbers_of_the_device_is_refused() -> None:
    with pytest.raises(ModelError, match="a shape of the graph depends on the texts' tokens"):
        by_torch(graph_of(lambda x: op.reshape(x, op.convert(op.reduce_max(x, integers(0, 1), False), "i64"), False)))


def test_what_depends_on_constants_alone_is_computed_once() -> None:
    def make(x: Node) -> Node:
        return op.multiply(x, op.sqrt(op.add(op.constant(np.float32(3)), op.constant(np.float32(6)))))

    graph = TorchGraph(graph_of(make), torch.device("cpu"), half=False)
    assert len(graph._steps) == 1
    np.testing.assert_array_equal(graph(torch.from_numpy(STATES)).numpy(), STATES * 3)


def test_a_value_is_freed_after_its_last_use() -> None:
    alive: list[Any] = []
    graph = TorchGraph(graph_of(lambda x: op.abs(op.tanh(op.sqrt(op.abs(x))))), torch.device("cpu"), half=False)
    most = 0

    def watched(function: Any) -> Any:
        def call(*operands: Any) -> Any:
            nonlocal most
            made = function(*operands)
            alive.append(weakref.ref(made))
            gc.collect()
            most = max(most, sum(each() is not None for each in alive))
            return made

        return call

    graph._steps = [type(step)(watched(step.function), step.operands, step.results) for step in graph._steps]
    graph(torch.from_numpy(STATES))
    assert (len(alive), most) == (4, 2)


def test_weights_on_the_processor_share_the_memory_of_the_file() -> None:
    weight: Array = np.ones((3, 4), np.float32)
    graph = TorchGraph(
        graph_of(lambda x: op.matmul(x, op.constant(weight, shared_memory=True), False, True)),
        torch.device("cpu"),
        half=False,
    )
    before = graph(torch.from_numpy(STATES)).clone()
    weight *= 2
    np.testing.assert_array_equal(graph(torch.from_numpy(STATES)).numpy(), before.numpy() * 2)


def test_in_bf16_products_by_weights_are_rounded_and_sums_are_not() -> None:
    weight: Array = np.array([[1, 2**-12, 0, 0]], np.float32)  # the second is exact; their sum is not
    product = graph_of(lambda x: op.matmul(x, op.constant(weight), False, True))
    assert np.abs(by_torch(product, half=True) - by_openvino(product)).max() > 1e-4
    total = graph_of(lambda x: op.reduce_mean(op.power(x, op.constant(np.float32(2))), integers(-1), True))
    np.testing.assert_allclose(by_torch(total, half=True), by_openvino(total), rtol=1e-6)
    vectors = graph_of(
        lambda x: op.matmul(
            op.squeeze(op.slice(x, integers(0), integers(1), integers(1), integers(1)), integers(1)),
            op.constant(weight),
            False,
            True,
        )
    )
    np.testing.assert_allclose(by_torch(vectors, half=True), by_openvino(vectors), rtol=1e-6)
