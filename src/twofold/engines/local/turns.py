"""Look-ups of one process take turns: as many at once as there are cores, the others wait in order of arrival.

More threads than cores do not answer more questions a second; they wait for each other, and other work, such as an
addition, waits for processor time and for Python's lock.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from twofold import forking

PATIENCE = 0.1
"""Seconds after which a look-up goes on without a turn, so that a few long ones never hold all others up."""


class Turns:
    """Lets at most `most` blocks of code run at once. Code in a block must not wait for another thread's turn."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.after_fork_in_child()
        forking.watch(self)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Waits for a turn, and passes it on when the block ends."""
        granted = self._granted()
        try:
            yield
        finally:
            if granted:
                self._pass_on()

    def before_fork(self) -> None:
        """Nothing: the parent's turns continue."""

    def after_fork_in_parent(self) -> None:
        """Nothing was stopped."""

    def after_fork_in_child(self) -> None:
        """The child has none of the threads that had turns."""
        self._lock = threading.Lock()
        self._free = self._most
        self._waiting: deque[threading.Lock] = deque()

    def _granted(self) -> bool:
        """Whether it is this thread's turn; False if it has waited long enough to run without a turn."""
        with self._lock:
            if self._free > 0:
                self._free -= 1
                return True
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        try:
            return mine.acquire(timeout=PATIENCE) or not self._given_up(mine)
        except BaseException:  # interrupted while it waited
            if not self._given_up(mine):
                self._pass_on()
            raise

    def _given_up(self, mine: threading.Lock) -> bool:
        """Leaves the queue; False if the turn was given at this moment."""
        with self._lock:
            if mine not in self._waiting:
                return False
            self._waiting.remove(mine)
            return True

    def _pass_on(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free = min(self._free + 1, self._most)


turns = Turns(os.cpu_count() or 1)
