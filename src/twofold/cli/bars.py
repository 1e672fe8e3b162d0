"""Progress on standard error: a bar with speed and time left on a terminal, elsewhere a line from time to time."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.text import Text

from twofold import progress as telling
from twofold.cli.output import is_quiet


@contextmanager
def bar(
    what: str,
    unit: str,
    known: int | None = None,
    *,
    asked: Callable[[], int | None] = lambda: None,
) -> Iterator[telling.Progress]:
    """A progress function for the library; on a terminal it draws a bar that disappears when the work is done.

    what: the word before the bar. unit: what is counted, in the plural. known: how many there will be, where the work
    itself does not know it; asked: gives the same at some cost, and is called for work that takes long. --quiet
    shows nothing.
    """
    if is_quiet():
        yield telling.silent
        return
    if not sys.stderr.isatty():
        yield telling.Display(what, unit, known=asked)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        _Count(unit),
        _Speed(),
        _TokenSpeed(),
        _Left(),
    )
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as progress:
        yield _Shown(progress, progress.add_task(what, total=known, tokens=0), known)


class _Shown:
    """What the work calls: it moves the bar of one task."""

    def __init__(self, progress: Progress, task: TaskID, known: int | None) -> None:
        self._progress = progress
        self._task = task
        self._known = known

    def __call__(self, done: int, total: int | None) -> None:
        """See telling.Progress."""
        self._progress.update(self._task, completed=done, total=self._known if total is None else total)

    def encoded(self, tokens: int) -> None:
        """See telling.TokenProgress."""
        self._progress.update(self._task, tokens=tokens)


class _Count(ProgressColumn):
    """How many are done, of how many where that is known."""

    def __init__(self, unit: str) -> None:
        super().__init__()
        self._unit = unit

    def render(self, task: Task) -> Text:
        """ "1,200 of 5,183 documents"."""
        return Text(telling.counted(task.completed, task.total, self._unit))


class _Speed(ProgressColumn):
    """Units a second, lately."""

    def render(self, task: Task) -> Text:
        """ "310/s", or nothing before there is a figure."""
        return Text(telling.rate(_speed(task)), style="dim")


class _TokenSpeed(ProgressColumn):
    """Tokens a second, since the beginning."""

    def render(self, task: Task) -> Text:
        """ "62,000 tokens/s", or nothing before there is a figure."""
        return Text(telling.token_rate(task.fields["tokens"] / task.elapsed if task.elapsed else None), style="dim")


class _Left(ProgressColumn):
    """How long it still takes."""

    def render(self, task: Task) -> Text:
        """ "1:05 left", or nothing where nobody can know."""
        return Text(telling.time_left(_speed(task), task.completed, task.total))


def _speed(task: Task) -> float | None:
    """Units a second over the last half minute; before there is such a figure, since the beginning."""
    since_start = task.completed / task.elapsed if task.elapsed else None
    return task.finished_speed or task.speed or since_start
