"""Running a graph on the processor with OpenVINO.

A graph is compiled when it is first needed, in the process that needs it. Requests come from a pool, so any number of
threads may run batches at once. Precision f32 is float32 throughout; bf16 rounds the inputs of products to bfloat16 and
sums in float32; int8 multiplies matrices that are in int8 as they are, and runs the rest in bf16 where the processor
has it.
"""

from __future__ import annotations

import ctypes
import os
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal

import numpy as np
import openvino
from numpy.typing import NDArray

from twofold.errors import InputError, ModelError
from twofold.models.batches import Batch
from twofold.models.int8_products import beside_int8, bf16_settings, has_bf16, int8_settings
from twofold.scores import Vectors

Precision = Literal["f32", "bf16", "int8"]
PRECISIONS = ("auto", "f32", "bf16", "int8")
TOKEN_BUDGET = {"f32": 512, "bf16": 1024, "int8": 1024}
"""Tokens a batch, padding included, by precision: what a layer makes of so many stays in a core's second-level cache.

A longer text is a batch of its own. Memory grows with the tokens of a batch.

MiniLM at 256 tokens a text, one core with 2 MiB: f32 takes 40 ms a text with 512 and 45 with 4,096; bf16 11.5 with
1,024 and 12.1 with 4,096.
"""


def chosen_precision(asked: str, *, in_int8: bool = False) -> Precision:
    """The precision to run in. "auto" is int8 for weights that are `in_int8` where the processor multiplies these, else
    bf16 where the processor has it, else f32; "int8" is f32 where it does not multiply them.

    Raises InputError for a word that is none, ModelError for bf16 on a processor without it.
    """
    if asked not in PRECISIONS:
        raise InputError(f"precision must be one of {', '.join(PRECISIONS)}, not {asked!r}")
    if asked == "f32":
        return "f32"
    if asked == "int8" or (asked == "auto" and in_int8):
        return "f32" if beside_int8() is None else "int8"
    able = has_bf16()
    if asked == "bf16" and not able:
        raise ModelError("this processor has no bf16 arithmetic; use precision='auto' or 'f32'")
    return "bf16" if able else "f32"


_known: weakref.WeakSet[Runtime] = weakref.WeakSet()


class Runtime:
    """A graph, compiled when first used; any number of threads may run batches.

    inputs: what the graph's parameters take of a batch, in their order. threads: None takes all cores.

    budget: tokens a batch, padding included.

    A forked process has none of its parent's threads, so it compiles the graph again at its own first batch.
    """

    device = "cpu"

    def __init__(
        self,
        graph: Callable[[], Any],
        inputs: Callable[[Batch], Sequence[NDArray[Any]]],
        precision: Precision,
        threads: int | None = None,
    ) -> None:
        if threads is not None and (isinstance(threads, bool) or not isinstance(threads, int) or threads < 1):
            raise InputError(f"threads must be a whole number of at least 1 or None, not {threads!r}")
        self.precision = precision
        self.budget = TOKEN_BUDGET[precision]
        self._graph = graph
        self._inputs = inputs
        self._threads = threads or len(own_cores())
        self._streams = min(self._threads, max(2, self._threads // 4))
        self._begin()
        _known.add(self)

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._compiled: Any = None
        self._free: deque[Any] = deque()

    def after_fork_in_child(self) -> None:
        """Drops the parent's graph: another thread may have held the lock, and the compiled graph waits for
        threads that stayed behind. Even to free that graph would wait for them, so it is never freed, not at exit.
        """
        ctypes.pythonapi.Py_IncRef(ctypes.py_object((self._compiled, self._free)))
        self._begin()

    def run(self, batches: Iterable[Batch]) -> Iterator[tuple[Batch, Vectors]]:
        """Each batch with its vectors, float32 (n, dimension), in the order of the batches.

        Several run while the next are taken from `batches`, so an iterator that tokenises works beside them.
        """
        compiled = self._ready()
        running: deque[tuple[Any, Batch]] = deque()
        try:
            for batch in batches:
                # One batch a stream, and one that waits for the first to end.
                if len(running) > self._streams:
                    yield self._finished(*running.popleft())
                request = self._request(compiled)
                running.append((request, batch))
                request.start_async(dict(enumerate(self._inputs(batch))), share_inputs=True)
            while running:
                yield self._finished(*running.popleft())
        finally:
            for request, _ in running:
                request.wait()

    def _finished(self, request: Any, batch: Batch) -> tuple[Batch, Vectors]:
        request.wait()
        vectors = np.array(request.get_output_tensor(0).data, dtype=np.float32)
        self._free.append(request)
        return batch, vectors

    def _request(self, compiled: Any) -> Any:
        try:
            return self._free.pop()
        except IndexError:
            return compiled.create_infer_request()

    def _ready(self) -> Any:
        """The compiled graph, of this process."""
        with self._lock:
            if self._compiled is None:
                self._compiled = openvino.Core().compile_model(self._graph(), "CPU", self.settings())
            return self._compiled

    def settings(self) -> dict[str, Any]:
        """What OpenVINO is told when it compiles the graph."""
        return {
            **_settings_of(self.precision),
            "INFERENCE_NUM_THREADS": self._threads,
            "NUM_STREAMS": self._streams,
        }


def _settings_of(precision: Precision) -> dict[str, Any]:
    if precision == "int8":
        return int8_settings(beside_int8() or "f32")
    if precision == "bf16":
        return bf16_settings()
    return {
        "INFERENCE_PRECISION_HINT": "f32",
        "EXECUTION_MODE_HINT": "ACCURACY",
        "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0,
    }


def own_cores() -> set[int]:
    """The cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return set(affinity(0) if affinity else range(os.cpu_count() or 1))


def _in_child() -> None:
    for runtime in list(_known):
        runtime.after_fork_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
