"""Memory: what is free, and what this process and its children use.

Anonymous memory (RssAnon of /proc/PID/status) is what a process holds for itself; mapped files, which the system may
drop at any time, do not count. Where there is no /proc nothing is known, and None says so.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

INTERVAL_SECONDS = 0.02
KIBIBYTE = 1024
PROCESSES = Path("/proc")
GROUP = Path("/sys/fs/cgroup")


def available_bytes() -> int:
    """Bytes that can be allocated without swapping, and within the limit of the container where there is one."""
    free = int(psutil.virtual_memory().available)
    try:
        limit, used = ((GROUP / name).read_text(encoding="ascii").strip() for name in ("memory.max", "memory.current"))
    except OSError:
        return free
    return free if limit == "max" else max(0, min(free, int(limit) - int(used)))


def anonymous_bytes(process: int) -> int | None:
    """RssAnon of a process and all of its children, in bytes; None if the system does not report it."""
    own = _rss_anon(process)
    if own is None:
        return None
    return own + sum(anonymous_bytes(child) or 0 for child in _children(process))


class PeakMemory(AbstractContextManager["PeakMemory"]):
    """Samples the anonymous memory of this process and its children, and keeps the peak of each stage.

    Used in a `with` block; `stage` says from when on the next peak counts. samples: how many were taken so far.
    """

    def __init__(self) -> None:
        self.peaks: dict[str, int] = {}
        self.samples = 0
        self._stage = ""
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="memory", daemon=True)

    def stage(self, name: str) -> None:
        """From now on samples count for this stage."""
        self._stage = name

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    def _sample(self) -> None:
        while True:
            stage = self._stage
            found = anonymous_bytes(os.getpid())
            if found is not None and stage == self._stage:  # otherwise it belongs to either
                self.peaks[stage] = max(self.peaks.get(stage, 0), found)
            self.samples += 1
            if self._done.wait(INTERVAL_SECONDS):
                return


def peak_bytes() -> int:
    """The peak memory of this process, including mapped files that were read."""
    # Not getrusage where there is /proc: its peak begins with what the parent held when it forked.
    found = _in_status(os.getpid(), "VmHWM:")
    if found is not None:
        return found
    return _reported_peak()


if sys.platform == "win32":

    def _reported_peak() -> int:
        return int(psutil.Process().memory_info().peak_wset)

else:

    def _reported_peak() -> int:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else KIBIBYTE)


def _rss_anon(process: int) -> int | None:
    return _in_status(process, "RssAnon:")


def _in_status(process: int, field: str) -> int | None:
    """A size in a process's status, in bytes; None if the system does not report it."""
    try:
        status = (PROCESSES / str(process) / "status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    for line in status.splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * KIBIBYTE
    return None


def _children(process: int) -> list[int]:
    children: list[int] = []
    for listed in (PROCESSES / str(process) / "task").glob("*/children"):
        try:
            children += map(int, listed.read_text(encoding="ascii").split())
        except OSError:
            continue  # the thread has ended meanwhile
    return children
