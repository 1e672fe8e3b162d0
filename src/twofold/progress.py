"""Progress of long work.

A library function takes `progress` and calls it. `progress=True` shows it on standard error: one line that is rewritten
in a terminal or a notebook, elsewhere a line from time to time. The command line draws a bar on a terminal instead.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, TextIO, runtime_checkable

from twofold.errors import InputError

REWRITTEN, EVERY = 0.1, 10.0
"""Seconds between two states of a line that is rewritten, and between two lines."""


class Progress(Protocol):
    """Called now and then by long work."""

    def __call__(self, done: int, total: int | None) -> None:
        """`done` of `total` units are finished; `total` is None if it is unknown."""


@runtime_checkable
class TokenProgress(Progress, Protocol):
    """Progress that also shows how many tokens were encoded."""

    def encoded(self, tokens: int) -> None:
        """So many tokens by now; called before the progress itself, by work that counts them."""


def silent(done: int, total: int | None) -> None:
    """Reports nothing."""


class Display:
    """Progress as text on a stream. Work that ends before the first line is due shows nothing.

    what: the word before the figures. unit: what is counted, in the plural. stream: standard error by default. known:
    gives the total where the work does not know it; called at most once, before the first line. clock: seconds.
    """

    def __init__(
        self,
        what: str,
        unit: str,
        *,
        stream: TextIO | None = None,
        known: Callable[[], int | None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._what, self._unit = what, unit
        self._stream = sys.stderr if stream is None else stream
        self._rewrites = _is_watched(self._stream)
        self._known, self._asked = known, False
        self._total: int | None = None
        self._clock = clock
        self._shown = self._start = clock()
        self._done = self._first = self._width = self._tokens = self._first_tokens = 0

    def __call__(self, done: int, total: int | None) -> None:
        """Shows a line where one is due. A smaller `done` than before begins another stage, with a rate of its own."""
        now = self._clock()
        if done < self._done:
            self._start, self._first = now, done
            self._first_tokens = self._tokens
        self._done = done
        if now - self._shown < (REWRITTEN if self._rewrites else EVERY):
            return
        self._shown = now
        if total is None and not self._asked:
            self._asked, self._total = True, self._known()
        total = self._total if total is None else total
        seconds = now - self._start
        speed = (done - self._first) / seconds if seconds > 0 else None
        tokens = (self._tokens - self._first_tokens) / seconds if seconds > 0 else None
        shown = (counted(done, total, self._unit), rate(speed), token_rate(tokens), time_left(speed, done, total))
        self._write(f"{self._what}: {', '.join(part for part in shown if part)}")

    def encoded(self, tokens: int) -> None:
        """See TokenProgress."""
        self._tokens = tokens

    def close(self) -> None:
        """Ends a line that is being rewritten."""
        if self._width:
            self._stream.write("\n")
            self._stream.flush()

    def _write(self, line: str) -> None:
        if self._rewrites:
            self._stream.write(f"\r{line:<{self._width}}")
            self._width = len(line)
        else:
            self._stream.write(f"{line}\n")
        self._stream.flush()


@contextmanager
def displayed(progress: Progress | bool | None, what: str, unit: str) -> Iterator[Progress]:
    """The function to call for what a caller gave as `progress`: True is a display that lasts as long as the block.

    None is as False. Raises InputError for what is neither, before the work begins.
    """
    if progress is None:
        progress = False
    if not isinstance(progress, bool):
        if not callable(progress):
            raise InputError(f"progress is True, False or a function of what is done and the total, not {progress!r}")
        yield progress
    elif not progress:
        yield silent
    else:
        display = Display(what, unit)
        try:
            yield display
        finally:
            display.close()


def counted(done: float, total: float | None, unit: str) -> str:
    """ "1,200 of 5,183 documents"."""
    of = "" if total is None else f" of {int(total):,}"
    return f"{int(done):,}{of} {unit}".rstrip()


def rate(speed: float | None) -> str:
    """ "310/s", or nothing before there is a figure. speed: units a second."""
    return "" if not speed else f"{speed:,.0f}/s" if speed >= 10 else f"{speed:.1f}/s"


def token_rate(speed: float | None) -> str:
    """ "62,000 tokens/s", or nothing before there is a figure. speed: tokens a second."""
    return f"{speed:,.0f} tokens/s" if speed else ""


def time_left(speed: float | None, done: float, total: float | None) -> str:
    """ "1:05 left", or nothing where nobody can know."""
    if not speed or total is None or total < done:
        return ""
    minutes, seconds = divmod(math.ceil((total - done) / speed), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02} left" if hours else f"{minutes}:{seconds:02} left"


def _is_watched(stream: TextIO) -> bool:
    """Whether a line can be rewritten there: on a terminal, or below the cell of a notebook, which is no terminal."""
    return stream.isatty() or type(stream).__module__.startswith("ipykernel.")
