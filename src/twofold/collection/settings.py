"""The settings of a collection beside its contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from twofold.errors import InputError
from twofold.lexical.analysing import LexicalSettings
from twofold.passages.sizes import PassageMode, checked_mode

DEPTH = 200
"""A ranking ends here unless asked otherwise: twenty pages of ten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How documents are divided into passages, and how long rankings are.

    passages: "auto" (as many windows as a text needs), {"tokens": 200, "overlap": 32} (passages of this size in the
    encoder's tokens, whose boundaries follow the text) or "none" (one vector a document); depth: documents a ranking;
    analyser: how texts become terms (lexical/analysing.py), None to tell it from the first texts. Raises InputError.
    """

    passages: PassageMode = "auto"
    depth: int = DEPTH
    analyser: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "passages", checked_mode(self.passages))  # as it is stored
        if isinstance(self.depth, bool) or not isinstance(self.depth, int) or self.depth < 1:
            raise InputError(f"depth is a count from 1 on, not {self.depth!r}")

        if self.analyser is not None:
            LexicalSettings(analyser=self.analyser)  # raises InputError for a word that it does not know

    def to_json(self) -> dict[str, Any]:
        """The settings as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Settings:
        """The settings that `to_json` wrote."""
        return cls(**values)
