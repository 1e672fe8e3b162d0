"""Connections, locks and descriptors when the process forks.

SQLite's locks belong to a process, and it keeps their count in memory that a fork copies: a child that uses inherited
connections believes that it holds locks. So idle connections are closed before a fork, and the child opens its own.
"""

from __future__ import annotations

import os
import threading
import weakref
from typing import Protocol


class Forkable(Protocol):
    """Holds connections, locks or descriptors that a fork must not share."""

    def before_fork(self) -> None:
        """In the parent, before: takes its own lock and closes what it can."""

    def after_fork_in_parent(self) -> None:
        """In the parent, after: releases its lock."""

    def after_fork_in_child(self) -> None:
        """In the child: drops the parent's resources."""


_known: weakref.WeakSet[Forkable] = weakref.WeakSet()
_stopped: list[Forkable] = []
_changing = threading.Lock()
"""Held during a whole fork, so that one thread forks at a time, and while `_known` grows."""


def watch(thing: Forkable) -> None:
    """Calls the methods of `thing` at every fork, as long as it exists."""
    with _changing:
        _known.add(thing)


def _before() -> None:
    _changing.acquire()
    for thing in list(_known):
        thing.before_fork()
        _stopped.append(thing)


def _in_parent() -> None:
    while _stopped:
        _stopped.pop().after_fork_in_parent()
    _changing.release()


def _in_child() -> None:
    while _stopped:
        _stopped.pop().after_fork_in_child()
    _changing.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
