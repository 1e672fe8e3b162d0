"""Progress on standard error: a bar with speed and time left on a terminal, nothing elsewhere."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

from twofold import progress as telling


@contextmanager
def bar(what: str, unit: str, known: int | None = None) -> Iterator[telling.Progress]:
    """A progress function for the library; on a terminal it draws a bar that disappears when the work is done.

    what: the word before the bar. unit: what is counted, in the plural. known: how many there will be, where the work
    itself does not know it.
    """
    console = Console(file=sys.stderr)
    if not sys.stderr.isatty():
        yield telling.silent
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        _Count(unit),
        _Speed(),
        _Left(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(what, total=known)

        def show(done: int, total: int | None) -> None:
            progress.update(task, completed=done, total=known if total is None else total)

        yield show


class _Count(ProgressColumn):
    """How many are done, of how many where that is known."""

    def __init__(self, unit: str) -> None:
        super().__init__()
        self._unit = unit

    def render(self, task: Task) -> Text:
        """ "1,200 of 5,183 documents"."""
        of = "" if task.total is None else f" of {int(task.total):,}"
        return Text(f"{int(task.completed):,}{of} {self._unit}")


class _Speed(ProgressColumn):
    """Units a second, lately."""

    def render(self, task: Task) -> Text:
        """ "310/s", or nothing before there is a figure."""
        speed = _speed(task)
        return Text("" if not speed else f"{speed:,.0f}/s" if speed >= 10 else f"{speed:.1f}/s", style="dim")


class _Left(ProgressColumn):
    """How long it still takes."""

    def render(self, task: Task) -> Text:
        """ "1:05 left", or nothing where nobody can know."""
        speed, remaining = _speed(task), task.remaining
        if not speed or remaining is None:
            return Text("")
        minutes, seconds = divmod(math.ceil(remaining / speed), 60)
        hours, minutes = divmod(minutes, 60)
        return Text(f"{hours}:{minutes:02}:{seconds:02} left" if hours else f"{minutes}:{seconds:02} left")


def _speed(task: Task) -> float | None:
    """Units a second over the last half minute; before there is such a figure, since the beginning."""
    since_start = task.completed / task.elapsed if task.elapsed else None
    return task.finished_speed or task.speed or since_start
