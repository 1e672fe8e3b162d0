"""Progress of long work.

A library function takes `progress` and calls it; the command line or a notebook displays it.
"""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called now and then by long work."""

    def __call__(self, done: int, total: int | None) -> None:
        """`done` of `total` units are finished; `total` is None if it is unknown."""


def silent(done: int, total: int | None) -> None:
    """Reports nothing."""
