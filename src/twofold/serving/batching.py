"""Requests that arrive together are worked on together, in threads, and beyond a bound they are refused.

A request begins at once while fewer than `at_once` batches are being worked on; otherwise it waits for one of them to
end, together with all that arrive meanwhile. So no request waits for others to come, and the wait is that of a batch.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from twofold.errors import BusyError
from twofold.serving.metrics import Metrics

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(slots=True)
class _Waiting(Generic[Item, Result]):
    item: Item
    size: int
    future: asyncio.Future[Result]
    since: float


class Batches(Generic[Item, Result]):
    """Collects items into batches; belongs to one event loop.

    work: a batch → for each item its result, or the error that is its result; called in a thread of `threads`. most:
    the size of a batch. waiting: the size of all that wait. at_once: batches that are worked on at the same time.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[Sequence[Item]], Sequence[Result | BaseException]],
        threads: Executor,
        metrics: Metrics,
        *,
        most: int,
        waiting: int,
        at_once: int = 1,
    ) -> None:
        self._name, self._work, self._threads, self._metrics = name, work, threads, metrics
        self._most, self._bound, self._free = most, waiting, at_once
        self._queue: deque[_Waiting[Item, Result]] = deque()
        self._size = 0

    @property
    def waiting(self) -> int:
        """The size of what waits."""
        return self._size

    async def ask(self, item: Item, size: int = 1) -> Result:
        """The result of an item. Raises BusyError where too much waits already, and the error that is its result.

        Cancelled while it waits, it is not worked on.
        """
        if self._queue and self._size + size > self._bound:
            self._metrics.refused.add(1, queue=self._name)
            raise BusyError(f"{self._size:,} requests wait already, more than this server lets wait; ask again later")
        waiting: _Waiting[Item, Result] = _Waiting(
            item, size, asyncio.get_running_loop().create_future(), time.perf_counter()
        )
        self._queue.append(waiting)
        self._size += size
        self._begin()
        return await waiting.future

    def _begin(self) -> None:
        while self._free and (batch := self._next()):
            self._free -= 1
            task = asyncio.get_running_loop().run_in_executor(
                self._threads, self._work, [waiting.item for waiting in batch]
            )
            task.add_done_callback(partial(self._end, batch))

    def _next(self) -> list[_Waiting[Item, Result]]:
        """The first that wait, as many as one batch takes; those that were given up are dropped."""
        batch: list[_Waiting[Item, Result]] = []
        size = 0
        while self._queue and (not batch or size + self._queue[0].size <= self._most):
            waiting = self._queue.popleft()
            self._size -= waiting.size
            if waiting.future.cancelled():
                continue
            batch.append(waiting)
            size += waiting.size
            self._metrics.queued.observe(time.perf_counter() - waiting.since, queue=self._name)
        if batch:
            self._metrics.batch.observe(size, queue=self._name)
        return batch

    def _end(self, batch: list[_Waiting[Item, Result]], done: asyncio.Future[Sequence[Result | BaseException]]) -> None:
        self._free += 1
        failed = done.exception()
        results = [failed] * len(batch) if failed is not None else done.result()
        for waiting, result in zip(batch, results, strict=True):
            if waiting.future.cancelled():
                continue
            if isinstance(result, BaseException):
                waiting.future.set_exception(result)
            else:
                waiting.future.set_result(result)
        self._begin()
