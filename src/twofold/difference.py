"""One difference between two contracts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Difference:
    """One field in which two contracts differ, with both values."""

    field: str
    expected: object
    found: object

    def __str__(self) -> str:
        return f"{self.field.replace('_', ' ')} is {self.found!r}, the collection has {self.expected!r}"
