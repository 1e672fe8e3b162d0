"""Running a graph with torch, on a GPU.

Copies and kernels are queued without waiting for them: the device computes a batch while the next one is tokenised.
Precision bf16 rounds the operands of products to bfloat16 and sums in float32; f32 is float32 throughout.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from twofold.errors import InputError, ModelError
from twofold.models.batches import Batch
from twofold.models.torch_graph import TorchGraph
from twofold.scores import Vectors

BUDGETS = {"cpu": 1_024, "mps": 4_096, "cuda": 16_384}
"""Tokens a batch, padding included, by kind of device.

A GPU needs products of thousands of rows to be used fully; 16,384 tokens of 4,096 numbers, the widest tensor within a
layer of a large encoder, are 134 MB in bf16. On the processor the tensors of a layer stay in the cache.
"""
AHEAD = 2
"""Batches that are queued while another one is computed."""
PRECISIONS = ("auto", "f32", "bf16")
NO_MEMORY = ("out of memory", "ALLOC_FAILED", "can't allocate memory")
"""What torch and its libraries say where memory is short; not every device has a class of errors for it."""

Started = tuple[Any, Callable[[], None]]
"""The vectors on the host, and what waits until they are there."""


class TorchRuntime:
    """A graph, brought to a device when first used; any number of threads may run batches.

    device: as `chosen_device` gives it. inputs: what the graph's parameters take of a batch, in their order. Raises
    InputError for a precision that is none, ModelError for one that the device has not.

    A process that was forked after this was made cannot use the device: torch and the drivers keep what a fork breaks.
    """

    def __init__(
        self,
        graph: Callable[[], Any],
        inputs: Callable[[Batch], Sequence[NDArray[Any]]],
        device: str,
        precision: str,
    ) -> None:
        self.device = device
        self._device = torch.device(device.removeprefix("torch:"))
        self.precision = _chosen_precision(self._device, precision, device)
        self.budget = BUDGETS[self._device.type]
        self._fits = self.budget
        self._graph = graph
        self._inputs = inputs
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._ready: TorchGraph | None = None

    def run(self, batches: Iterable[Batch]) -> Iterator[tuple[Batch, Vectors]]:
        """Each batch with its vectors, float32 (n, dimension), in the order of the batches.

        A batch that does not fit the device's memory comes back in parts. Raises ModelError where one text does not
        fit, and in a forked process.
        """
        graph = self._brought()
        running: deque[tuple[Batch, Started]] = deque()
        for batch in batches:
            waiting = [batch]
            while waiting:
                part = waiting.pop()
                started = self._tried(graph, part)
                if started is None:
                    waiting.extend(_halves(part)[::-1])
                else:
                    running.append((part, started))
                while len(running) > AHEAD:
                    yield _finished(*running.popleft())
        while running:
            yield _finished(*running.popleft())

    def _brought(self) -> TorchGraph:
        """The graph on the device."""
        if os.getpid() != self._process:
            raise ModelError(
                f"this encoder was loaded on {self.device} before its process forked, and a forked process cannot use "
                "it: load the encoder in the new process, or start processes by multiprocessing's method 'spawn'"
            )
        with self._lock:
            if self._ready is None:
                try:
                    self._ready = TorchGraph(self._graph(), self._device, half=self.precision == "bf16")
                except RuntimeError as error:
                    said = "its memory is too small for the model's weights" if _is_memory(error) else str(error)
                    raise ModelError(f"the model cannot be brought to {self.device}: {said}") from error
            return self._ready

    def _tried(self, graph: TorchGraph, batch: Batch) -> Started | None:
        """The batch, started; None where it has to be divided for want of memory."""
        if batch.ids.size > self._fits and len(batch.ids) > 1:
            return None
        try:
            return self._started(graph, batch)
        except RuntimeError as error:
            if not _is_memory(error):
                raise
            if len(batch.ids) == 1:
                raise ModelError(
                    f"the memory of {self.device} is too small for one text of {batch.ids.shape[1]} tokens: free some, "
                    "take precision='bf16' or another device, or make max_seq_length smaller"
                ) from error
            self._fits = batch.ids.size // 2
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
        return None

    def _started(self, graph: TorchGraph, batch: Batch) -> Started:
        """Queues a batch. The buffers of the copies are pinned, without which they would wait for the device."""
        tensors = [torch.from_numpy(each) for each in self._inputs(batch)]
        if self._device.type != "cuda":
            made = graph(*(each.to(self._device) for each in tensors))
            return made, lambda: None
        with torch.cuda.device(self._device):
            made = graph(*(each.pin_memory().to(self._device, non_blocking=True) for each in tensors))
            vectors = torch.empty(made.shape, dtype=made.dtype, pin_memory=True)
            vectors.copy_(made, non_blocking=True)
            there = torch.cuda.Event()
            there.record()
            return vectors, there.synchronize


def _finished(batch: Batch, started: Started) -> tuple[Batch, Vectors]:
    vectors, wait = started
    wait()
    return batch, np.array(vectors.cpu().numpy())


def _halves(batch: Batch) -> list[Batch]:
    middle = len(batch.ids) // 2
    arrays = [getattr(batch, each.name) for each in fields(batch)]
    return [Batch(*(each[part] for each in arrays)) for part in (slice(middle), slice(middle, None))]


def _is_memory(error: RuntimeError) -> bool:
    return any(words in str(error) for words in NO_MEMORY)


def _chosen_precision(device: Any, asked: str, name: str) -> str:
    """ "auto" is bf16 on a CUDA device that has it, else f32."""
    if asked not in PRECISIONS:
        raise InputError(f"precision must be one of {', '.join(PRECISIONS)} on {name}, not {asked!r}")
    if asked == "f32" or (asked == "auto" and device.type != "cuda"):
        return "f32"
    with torch.cuda.device(device) if device.type == "cuda" else nullcontext():
        able = device.type != "cuda" or torch.cuda.is_bf16_supported(including_emulation=False)
    if asked == "bf16" and not able:
        raise ModelError(f"{name} has no bf16 arithmetic; use precision='auto' or 'f32'")
    return "bf16" if able else "f32"
