"""How long passages are: the setting of a collection, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from twofold.errors import InputError
from twofold.protocols import TokenSpans

NamedMode = Literal["auto", "none"]
"""auto: a text that is longer than the encoder reads becomes windows of tokens; none: one passage a document, cut at
the encoder's length."""
PassageMode = NamedMode | Mapping[str, int]
"""{"tokens": 200, "overlap": 32}: passages of this size, whose boundaries follow the text."""

FEWEST = 8
"""Fewer tokens hold no sentence."""
OVERLAP_SHARE = 3
"""Passages repeat at most one part in three of their size."""
USUAL_SHARE = 8
"""They repeat one part in eight where nothing else is asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Sizes of passages in the encoder's own tokens.

    tokens: of a passage at most, its overlap and the title before it included; an encoder that reads less, after a
    migration, makes them shorter. overlap: tokens that a passage repeats of the one before it, at most. Raises
    InputError.
    """

    tokens: int
    overlap: int

    def __post_init__(self) -> None:
        for name, least in (("tokens", FEWEST), ("overlap", 0)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise InputError(f"the {name} of passages are a count from {least} on, not {value!r}")
        if self.overlap > self.tokens // OVERLAP_SHARE:
            most = self.tokens // OVERLAP_SHARE
            raise InputError(f"passages of {self.tokens} tokens have an overlap of at most {most}, not {self.overlap}")

    def to_json(self) -> dict[str, Any]:
        """The sizes as JSON values."""
        return asdict(self)


def checked_mode(mode: object) -> PassageMode:
    """The setting as it is stored: "auto", "none", or tokens and overlap. Raises InputError for anything else."""
    if mode == "auto" or mode == "none":
        return mode
    if not isinstance(mode, Mapping) or "tokens" not in mode or not mode.keys() <= {"tokens", "overlap"}:
        raise InputError(f"passages is 'auto', 'none' or {{'tokens': 200, 'overlap': 32}}, not {mode!r}")
    tokens = mode["tokens"]
    usual = tokens // USUAL_SHARE if isinstance(tokens, int) else 0
    return Sizes(tokens=tokens, overlap=mode.get("overlap", usual)).to_json()


def sizes_of(mode: PassageMode) -> Sizes | None:
    """The sizes of a checked setting; None where it has none of its own."""
    return None if isinstance(mode, str) else Sizes(**mode)


def check_reader(mode: PassageMode, encoder: object) -> None:
    """Raises InputError where passages of a size are asked of an encoder that does not say how it reads texts, or reads
    less at once.
    """
    sizes = sizes_of(mode)
    if sizes is None:
        return
    if not isinstance(encoder, TokenSpans):
        raise InputError(
            "passages of a size in tokens need an encoder that says how it reads a text as tokens, and this one does "
            "not; leave passages out: each document is one passage"
        )
    if sizes.tokens > encoder.token_limit:
        raise InputError(
            f"passages of {sizes.tokens} tokens are more than the encoder reads at once; ask for at most "
            f"{encoder.token_limit}"
        )
