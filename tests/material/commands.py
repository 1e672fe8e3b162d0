"""`twofold` commands in processes of their own that begin with everything imported: to be killed at the work itself.

Each is forked from a server that has imported the library and nothing else, and runs `twofold.cli.main.main`.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Sequence
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

import faults

from twofold.cli.main import main

PRELOADED = ["commands", "twofold.collection.opening", "twofold.collection.building", "twofold.cli.bars"]
KILLED = -9


def context() -> ForkServerContext:
    """The server's context; the server starts with the first process."""
    forking = multiprocessing.get_context("forkserver")
    forking.set_forkserver_preload(PRELOADED)
    return forking


def run(words: Sequence[str], said: str, effect: int | None, step: tuple[str, int] | None) -> None:
    """One command in this process; what it says goes to a file. effect, step: where it kills itself."""
    descriptor = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    if step is not None:
        faults.kill_at_step(*step)
    with faults.watched(faults.killing(-1 if effect is None else effect)):
        status = main(words)
    sys.stdout.flush()
    os._exit(status)


class Commands:
    """Runs and kills commands; said: a file for what they say."""

    def __init__(self, said: Path) -> None:
        self._said = said
        self._context = context()

    def started(
        self, words: Sequence[str], *, effect: int | None = None, step: tuple[str, int] | None = None
    ) -> ForkServerProcess:
        """A command that has begun."""
        process = self._context.Process(target=run, args=(list(words), str(self._said), effect, step))
        process.start()
        return process

    def finished(self, words: Sequence[str]) -> float:
        """Runs a command to its end, which must be a good one; gives the seconds that it took."""
        begun = time.monotonic()
        assert self.ended(self.started(words)) == 0, self._said.read_text()
        return time.monotonic() - begun

    def killed_after(self, words: Sequence[str], seconds: float) -> bool:
        """Kills a command after so many seconds; gives whether it was still running."""
        process = self.started(words)
        process.join(seconds)
        process.kill()
        return self._died(process)

    def killed_at(
        self, words: Sequence[str], *, effect: int | None = None, step: tuple[str, int] | None = None
    ) -> bool:
        """Lets a command kill itself before its nth effect, or at a named step; gives whether it came so far."""
        return self._died(self.started(words, effect=effect, step=step))

    def ended(self, process: ForkServerProcess) -> int:
        """Waits for a command; gives its exit status."""
        process.join(120)
        status = process.exitcode
        assert status is not None, "it hangs"
        process.close()
        return status

    def _died(self, process: ForkServerProcess) -> bool:
        status = self.ended(process)
        assert status in (0, KILLED), self._said.read_text()
        return status == KILLED
