"""What every store gives: entries in blocks, how it compares vectors, and what of it was not read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

AT_ONCE = 1_000
"""Entries in memory at a time."""
Metric = Literal["cosine", "dot", "l2"]
"""How a store compares vectors: by their cosine, their inner product, or the smallest Euclidean distance."""


class Entry(NamedTuple):
    """One entry of a store. vector: None where it has none."""

    id: str
    text: str
    title: str
    metadata: Mapping[str, Any]
    vector: NDArray[Any] | None


@dataclass(slots=True)
class Description:
    """What a store says of itself.

    kind: such as "Chroma". table: the collection or table that is read. entries: how many it counts. dimension: numbers
    a vector. metric: how it compares them. notes: what else it holds, and what is not read.
    """

    kind: str
    table: str
    entries: int
    dimension: int
    metric: Metric
    notes: list[str] = field(default_factory=list)


class ForeignStore(Protocol):
    """A table of a store that is open for reading."""

    @property
    def about(self) -> Description:
        """What it says of itself."""

    def blocks(self) -> Iterator[list[Entry]]:
        """All entries, in the same order each time. Raises InputError."""


def as_vector(value: Any) -> NDArray[np.float32] | None:
    """A vector as float32; None for none."""
    return None if value is None else np.asarray(value, np.float32)


def taken(metadata: dict[str, Any], name: str | None) -> str:
    """A field's text, taken out of the metadata; empty where there is none."""
    value = None if name is None else metadata.pop(name, None)
    return "" if value is None else str(value)
