"""Running a graph on the processor with OpenVINO.

A graph is compiled when it is first needed, in the process that needs it. Requests come from a pool, so any number of
threads may run batches at once. Precision f32 is float32 throughout; bf16 rounds the inputs of products to bfloat16 and
sums in float32.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal

import numpy as np
import openvino
from numpy.typing import NDArray

from twofold.errors import InputError, ModelError
from twofold.models.batches import Batch

Precision = Literal["f32", "bf16"]
PRECISIONS = ("auto", "f32", "bf16")
IN_FLIGHT = 3
"""Batches a call has under way: one a stream, and one that waits."""


def chosen_precision(asked: str) -> Precision:
    """The precision to run in: "auto" is bf16 where the processor has it, else f32.

    Raises InputError for a word that is none, ModelError for bf16 on a processor without it.
    """
    if asked not in PRECISIONS:
        raise InputError(f"precision must be one of {', '.join(PRECISIONS)}, not {asked!r}")
    if asked == "f32":
        return "f32"
    able = "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if asked == "bf16" and not able:
        raise ModelError("this processor has no bf16 arithmetic; use precision='auto' or 'f32'")
    return "bf16" if able else "f32"


class Runtime:
    """A graph, compiled at first need. threads: None lets OpenVINO take all cores."""

    def __init__(self, graph: Callable[[], Any], precision: Precision, threads: int | None = None) -> None:
        self.precision = precision
        self._graph = graph
        self._threads = threads
        self._lock = threading.Lock()
        self._compiled: Any = None
        self._free: deque[Any] = deque()

    def run(self, batches: Iterable[Batch]) -> Iterator[tuple[Batch, NDArray[np.float32]]]:
        """Each batch with its vectors, float32 (n, dimension), in the order of the batches.

        Several run while the next are taken from `batches`, so an iterator that tokenises works beside them.
        """
        running: deque[tuple[Any, Batch]] = deque()
        try:
            for batch in batches:
                if len(running) == IN_FLIGHT:
                    yield self._finished(*running.popleft())
                request = self._request()
                inputs = (batch.ids, batch.mask, batch.counted)[: len(self._compiled.inputs)]
                request.start_async(dict(enumerate(inputs)), share_inputs=True)
                running.append((request, batch))
            while running:
                yield self._finished(*running.popleft())
        finally:
            for request, _ in running:
                request.wait()

    def _finished(self, request: Any, batch: Batch) -> tuple[Batch, NDArray[np.float32]]:
        request.wait()
        vectors = np.array(request.get_output_tensor(0).data, dtype=np.float32)
        self._free.append(request)
        return batch, vectors

    def _request(self) -> Any:
        try:
            return self._free.pop()
        except IndexError:
            return self._compiled_model().create_infer_request()

    def _compiled_model(self) -> Any:
        with self._lock:
            if self._compiled is None:
                self._compiled = openvino.Core().compile_model(self._graph(), "CPU", self._settings())
            return self._compiled

    def _settings(self) -> dict[str, Any]:
        settings: dict[str, Any] = {
            "INFERENCE_PRECISION_HINT": self.precision,
            "EXECUTION_MODE_HINT": "ACCURACY" if self.precision == "f32" else "PERFORMANCE",
            "NUM_STREAMS": int(os.environ.get("TF_STREAMS", 1)),
            "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0,
        }
        if self._threads is not None:
            settings["INFERENCE_NUM_THREADS"] = self._threads
        return settings
