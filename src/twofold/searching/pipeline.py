"""The way of searching that a collection follows where a search names neither mode nor ranker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

from twofold.errors import InputError
from twofold.protocols import Ranker
from twofold.searching.hybrid import SearchMode


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """A first stage, and what orders its candidates.

    mode: of the first stage. ranker: the folder or hub name of the second stage, None for the first stage alone. depth:
    candidates that it reads at least, 0 without one; a longer page reads more. weight: its share in the score. Raises
    InputError.
    """

    mode: SearchMode
    ranker: str | None = None
    depth: int = 0
    weight: float = 1.0

    def __post_init__(self) -> None:
        if self.mode not in get_args(SearchMode):
            raise InputError(f"there is no mode {self.mode!r}")
        if (self.ranker is None) != (self.depth == 0) or self.depth < 0 or not 0 < self.weight <= 1:
            raise InputError(f"a second stage has a depth from 1 on and a weight from 0 to 1, not {self!r}")

    def __str__(self) -> str:
        if self.ranker is None:
            return self.mode
        mixed = f", weight {self.weight:g}" if self.weight != 1 else ""
        return f"{self.name}, depth {self.depth:,}{mixed}"

    @property
    def name(self) -> str:
        """The mode and the ranker, without the folder that it is in."""
        if self.ranker is None:
            return self.mode
        return f"{self.mode} + {Path(self.ranker).name if Path(self.ranker).is_absolute() else self.ranker}"

    def columns(self) -> tuple[str, int | None, float | None]:
        """The name, the depth and the weight; None for a first stage alone."""
        return (self.name, None, None) if self.ranker is None else (self.name, self.depth, self.weight)

    def to_json(self) -> dict[str, Any]:
        """The pipeline as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Pipeline:
        """The pipeline that `to_json` wrote."""
        return cls(**values)


@dataclass(frozen=True, slots=True)
class StoredPipeline:
    """The pipeline of a collection. load: gives the ranker of a name; called when a search needs it."""

    pipeline: Pipeline
    load: Callable[[str], Ranker | str]
