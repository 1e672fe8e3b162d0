"""The settings of a collection beside its contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from twofold.errors import InputError
from twofold.passages.windows import PASSAGE_MODES, PassageMode

DEPTH = 200
"""A ranking ends here unless asked otherwise: twenty pages of ten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How documents are divided into passages, and how long rankings are.

    passages: "auto" (as many windows as a text needs) or "none" (one vector a document); depth: documents a ranking.
    """

    passages: PassageMode = "auto"
    depth: int = DEPTH

    def __post_init__(self) -> None:
        if self.passages not in PASSAGE_MODES:
            raise InputError(f"passages is {' or '.join(map(repr, PASSAGE_MODES))}, not {self.passages!r}")
        if isinstance(self.depth, bool) or not isinstance(self.depth, int) or self.depth < 1:
            raise InputError(f"depth is a count from 1 on, not {self.depth!r}")

    def to_json(self) -> dict[str, Any]:
        """The settings as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Settings:
        """The settings that `to_json` wrote."""
        return cls(**values)
