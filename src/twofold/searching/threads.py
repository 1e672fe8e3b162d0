"""Worker threads for look-ups: one pool for each process, created when first used, not inherited by a fork."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from twofold import forking

Given = TypeVar("Given")
Result = TypeVar("Result")


class Threads:
    """As many threads as there are cores. Work that runs on them must not wait for other work on them."""

    def __init__(self) -> None:
        self.after_fork_in_child()
        forking.watch(self)

    def start(self, work: Callable[[], Result]) -> Callable[[], Result]:
        """Starts the work; returns a function that waits for its result."""
        return self._executor().submit(work).result

    def each(self, work: Callable[[Given], Result], inputs: Iterable[Given]) -> list[Result]:
        """The result for each input, in order."""
        return list(self._executor().map(work, inputs))

    def before_fork(self) -> None:
        """Nothing: the parent's threads continue."""

    def after_fork_in_parent(self) -> None:
        """Nothing was stopped."""

    def after_fork_in_child(self) -> None:
        """The child has none of the threads."""
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None

    def _executor(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="twofold")
            return self._pool


threads = Threads()


def later(work: Callable[[], Result]) -> Callable[[], Result]:
    """Instead of `threads.start`: does the work in the same thread, when the result is asked for."""
    return work
