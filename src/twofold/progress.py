"""How long work tells how far it is.

A library function takes `progress` and calls it; faces (the command line, a notebook) decide how it looks.
"""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called now and then by long work."""

    def __call__(self, done: int, total: int | None) -> None:
        """`done` of `total` units are finished; `total` is None where nobody knows it."""


def silent(done: int, total: int | None) -> None:
    """The progress of callers who do not ask for any."""
