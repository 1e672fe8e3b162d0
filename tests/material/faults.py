"""What a process does to files through Python, counted: a test refuses the nth effect, or kills the process there.

SQLite's own writes do not pass here; limits of the kernel and small disks refuse those.
"""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from twofold.engines.local.disk import Disk

EFFECTS = ("mkdir", "open", "pwrite", "fdatasync", "fsync", "ftruncate", "replace", "rename", "unlink")
"""Functions of `os`; `open` counts where it may make a file."""
Then = Callable[[int, str], None]
"""Called before every effect with its number, from 0 on, and its name; may raise, or end the process."""


@contextmanager
def watched(then: Then) -> Iterator[list[str]]:
    """Calls `then` before every effect of the block; gives the names of those that were allowed."""
    done: list[str] = []
    kept = {name: getattr(os, name) for name in EFFECTS}
    count = 0

    def watching(name: str) -> Callable[..., Any]:
        def effect(*arguments: Any, **options: Any) -> Any:
            nonlocal count
            if name == "open" and not arguments[1] & os.O_CREAT:
                return kept[name](*arguments, **options)
            count += 1
            then(count - 1, name)
            done.append(name)
            return kept[name](*arguments, **options)

        return effect

    for name in EFFECTS:
        setattr(os, name, watching(name))
    try:
        yield done
    finally:
        for name, function in kept.items():
            setattr(os, name, function)


def refusing(number: int, error: int, *, stays: bool) -> Then:
    """Refuses the nth effect with this error; stays: and every later one that a disk in that state refuses."""

    def then(count: int, name: str) -> None:
        # A full disk still lets files be cut and removed, and what is there be synced.
        growing = error != errno.ENOSPC or name in ("mkdir", "open", "pwrite")
        if count == number or (stays and count > number and growing):
            raise OSError(error, os.strerror(error))

    return then


def killing(number: int) -> Then:
    """Kills the process before its nth effect."""

    def then(count: int, _: str) -> None:
        if count == number:
            os.kill(os.getpid(), signal.SIGKILL)

    return then


def kill_at_step(step: str, times: int) -> None:
    """From here on kills this process when it has reached a named step so many times."""
    left = times

    def reached(_: Disk, name: str) -> None:
        nonlocal left
        left -= name == step
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    Disk.reached = reached  # type: ignore[assignment, method-assign]


def dies(work: Callable[[], object]) -> bool:
    """Does the work in a forked child; gives whether it killed itself there."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        finally:
            os._exit(1)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, -signal.SIGKILL)
    return status != 0
