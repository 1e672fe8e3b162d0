"""Where a model's time goes: by kind of operation, and the most products that the machine computes."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import numpy as np
import openvino
import openvino.opset13 as op

from twofold.models.batches import Batcher, Ladder
from twofold.models.graphs import integers
from twofold.models.transformer import TransformerModel

ROWS, WIDTH = 1024, 2048
"""A product of (rows, width) with (width, width): large enough that reading the weights takes no part of the time."""
SECONDS = 1.0
EXPANDING = ("Convert", "Subtract", "Multiply", "Transpose", "Reshape")
"""What stands between a stored matrix and its product."""


def linear_weights(graph: Any) -> int:
    """How many numbers the constant matrices have that a token is multiplied by."""
    found = 0
    for node in graph.get_ops():
        if node.get_type_name() == "MatMul":
            source = node.input_value(1).get_node()
            while source.get_type_name() in EXPANDING:
                source = source.input_value(0).get_node()
            if source.get_type_name() == "Constant":
                found += int(np.prod(list(source.get_output_shape(0))))
    return found


def product_peak(settings: dict[str, Any]) -> float:
    """Multiplications and additions a second of one large product on all cores, by these settings."""
    x = op.parameter([-1, WIDTH], np.float32)
    weight = np.random.default_rng(0).standard_normal((WIDTH, WIDTH), dtype=np.float32)
    # A reduction keeps the result small, so that copying it takes no time.
    result = op.result(op.reduce_mean(op.matmul(x, op.constant(weight), False, True), integers(1), True))
    compiled = openvino.Core().compile_model(openvino.Model([result], [x], "peak"), "CPU", settings)
    given = np.ones((ROWS, WIDTH), dtype=np.float32)
    streams = int(settings["NUM_STREAMS"])
    requests = [compiled.create_infer_request() for _ in range(streams)]
    best = 0.0
    end = time.perf_counter() + SECONDS
    while not best or time.perf_counter() < end:
        start = time.perf_counter()
        for request in requests:
            request.start_async({0: given}, share_inputs=True)
        for request in requests:
            request.wait()
        best = max(best, streams * 2 * ROWS * WIDTH * WIDTH / (time.perf_counter() - start))
    return best


def times_by_kind(model: TransformerModel, graph: Any, settings: dict[str, Any], tokens: int) -> Counter[str]:
    """Seconds of one text of so many tokens, by kind of operation."""
    compiled = openvino.Core().compile_model(graph, "CPU", {**settings, "PERF_COUNT": True})
    ids = np.random.default_rng(0).integers(1, model.rows, tokens).tolist()
    batcher = Batcher(Ladder(None), tokens)
    full = batcher.add(0, ids)
    batch = next(batcher.rest()) if full is None else full
    request = compiled.create_infer_request()
    for _ in range(2):
        request.infer(dict(enumerate(model.arrays(batch))))
    times: Counter[str] = Counter()
    for each in request.get_profiling_info():
        times[each.node_type] += each.real_time.total_seconds()
    return times
