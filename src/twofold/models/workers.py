"""Vectors made by several processes, each with its share of the cores.

Inputs are sorted by length within a window of them, so that the batches of a process are full. A text has the same
bits in every batch, so neither the bits nor the order depend on the number of processes.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from twofold.contract import Side
from twofold.errors import InputError, ModelError
from twofold.models.folder import read_model_folder
from twofold.models.runtime import own_cores
from twofold.models.transformer import TransformerModel
from twofold.scores import Numbers, Vectors

TASK = 16_384
"""Tokens that a process gets at a time: many batches, and less than a second of most models."""
AHEAD = 2
"""Tasks for each process that are sorted together; as many wait or run."""

Inputs = list[tuple[int, Sequence[int]]]
"""Positions and token ids."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a process loads the model; see `TransformerModel`. path: the model folder. threads: of all processes."""

    path: Path
    tower: Side
    precision: str
    threads: int | None


class Workers:
    """`count` processes that make a model's vectors. They start at the first long call, and end with this object.

    model: the same model in this process, which makes the vectors of few inputs itself. A process that was forked from
    this one starts processes of its own.
    """

    def __init__(self, model: TransformerModel, recipe: Recipe, count: int) -> None:
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise InputError(f"workers must be a whole number of at least 1, not {count!r}")
        self._model, self._recipe, self._count = model, recipe, count
        self._pools: dict[int, ProcessPoolExecutor] = {}

    def vectors(self, inputs: Iterable[Sequence[int]], *, uncounted: int = 0) -> Iterator[tuple[Numbers, Vectors]]:
        """As `TransformerModel.vectors`. Raises ModelError where a process ends before its work is done."""
        if self._count == 1:
            yield from self._model.vectors(inputs, uncounted=uncounted)
            return
        windows = _windows(enumerate(inputs), TASK * AHEAD * self._count)
        running: deque[tuple[Numbers, Future[Vectors]]] = deque()
        try:
            for window in windows:
                tasks = list(_windows(sorted(window, key=lambda each: -len(each[1])), TASK))
                if len(tasks) == 1 and not running:
                    yield self._made_here(tasks[0], uncounted)
                    continue
                for task in tasks:
                    while len(running) >= AHEAD * self._count:
                        yield self._finished(*running.popleft())
                    running.append((_positions(task), self._submit([ids for _, ids in task], uncounted)))
            while running:
                yield self._finished(*running.popleft())
        finally:
            for _, future in running:
                future.cancel()

    def _made_here(self, task: Inputs, uncounted: int) -> tuple[Numbers, Vectors]:
        return _positions(task), _in_order(self._model, [ids for _, ids in task], uncounted)

    def _submit(self, ids: list[Sequence[int]], uncounted: int) -> Future[Vectors]:
        try:
            return self._pool().submit(_vectors, ids, uncounted)
        except BrokenProcessPool as error:
            raise self._broken() from error

    def _finished(self, positions: Numbers, future: Future[Vectors]) -> tuple[Numbers, Vectors]:
        try:
            return positions, future.result()[:, : self._model.dimension]
        except BrokenProcessPool as error:
            raise self._broken() from error

    def _broken(self) -> ModelError:
        self._pools.pop(os.getpid(), None)
        return ModelError(
            f"one of {self._count} worker processes ended before its work was done: it was killed, found no memory, or "
            'your script starts work outside of `if __name__ == "__main__":`, which worker processes need; '
            "take fewer workers"
        )

    def _pool(self) -> ProcessPoolExecutor:
        """The processes of this process: a forked one has none of its parent's threads, which serve the pool."""
        if os.getpid() not in self._pools:
            # Never forked: a copy of OpenVINO's and the tokenizer's locks would be held by threads that are not there.
            context = multiprocessing.get_context("spawn")
            given = (self._recipe, self._count, context.Value("i", 0))
            self._pools[os.getpid()] = ProcessPoolExecutor(self._count, context, _begin, given)
        return self._pools[os.getpid()]


def _windows(inputs: Iterable[tuple[int, Sequence[int]]], tokens: int) -> Iterator[Inputs]:
    """The inputs in lists that hold so many tokens, or a few more."""
    window: Inputs = []
    held = 0
    for position, ids in inputs:
        window.append((position, ids))
        held += len(ids)
        if held >= tokens:
            yield window
            window, held = [], 0
    if window:
        yield window


def _positions(task: Inputs) -> Numbers:
    return np.array([position for position, _ in task], dtype=np.int64)


def _in_order(model: TransformerModel, inputs: Sequence[Sequence[int]], uncounted: int) -> Vectors:
    vectors = np.empty((len(inputs), model.dimension), dtype=np.float32)
    for positions, made in model.vectors(inputs, uncounted=uncounted):
        vectors[positions] = made
    return vectors


_loaded: dict[str, Any] = {}
"""In a worker process: its recipe, and its model from the first task on, so that an error of loading is that task's."""


def _begin(recipe: Recipe, count: int, started: Any) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with started.get_lock():
        number = started.value
        started.value += 1
    cores = sorted(own_cores())
    threads = recipe.threads or max(1, len(cores) // count)
    if hasattr(os, "sched_setaffinity") and threads * count <= len(cores):
        # OpenVINO pins its threads; without this, those of all processes to the same cores.
        os.sched_setaffinity(0, cores[number * threads : (number + 1) * threads])
    _loaded.update(recipe=recipe, threads=threads)


def _end_with_parent() -> None:
    """A parent that is killed cannot end its processes, and they would wait for tasks for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _vectors(inputs: list[Sequence[int]], uncounted: int) -> Vectors:
    if "model" not in _loaded:
        recipe: Recipe = _loaded["recipe"]
        folder = read_model_folder(recipe.path, recipe.tower)
        if folder.network is None:
            raise ModelError(f"{folder.path} was changed while it was in use: it is a table of rows now")
        _loaded["model"] = TransformerModel(
            folder, folder.network, precision=recipe.precision, threads=_loaded["threads"]
        )
    return _in_order(_loaded["model"], inputs, uncounted)
