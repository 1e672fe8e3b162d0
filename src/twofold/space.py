"""A space: vectors of one contract and one unit under a name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from twofold.errors import InputError
from twofold.token_codes import words_a_row

MAIN = "main"
"""The space that a new collection has, unless it is given another name."""
UNITS = ("passage", "token")
"""What has a vector: a passage, which then has a row, or each token of it, and a row holds eight (token_codes.py)."""
NUMBERS = ("float16", "float32", "int8", "4-bit", "2-bit")
"""The types of stored numbers. float32 and int8 are reserved."""
WRITTEN = {"passage": ("float16",), "token": ("4-bit", "2-bit")}
"""Unit → the types of numbers that are written."""
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """The description of one space of a collection.

    name: lower-case letters, digits, hyphens and underscores, a letter first, 40 at most; it names a folder. dimension:
    numbers a vector. contract: everything that determines a vector; precision: of the encoder's computation; probes:
    its vectors of the probe texts, None for vectors made elsewhere; source: from which it is loaded. These four are
    JSON that the engine does not interpret. unit: what has a vector. numbers: the type of its numbers as they are
    stored. Raises InputError.
    """

    dimension: int
    contract: Mapping[str, Any]
    source: Mapping[str, Any]
    name: str = MAIN
    precision: str = ""
    probes: Mapping[str, Any] | None = None
    unit: str = "passage"
    numbers: str = "float16"

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise InputError(
                "a space is named by lower-case letters, digits, hyphens and underscores, a letter first, "
                f"40 at most, not {self.name!r}"
            )
        if self.unit not in UNITS or self.numbers not in NUMBERS:
            raise InputError(
                f"a space holds vectors of {' or '.join(UNITS)} units in {', '.join(NUMBERS)}, "
                f"not of {self.unit!r} units in {self.numbers!r}"
            )
        if self.numbers not in (written := WRITTEN[self.unit]):
            raise InputError(
                f"spaces of {self.unit}s with {self.numbers!r} are not written yet; make this one with {written[0]!r}"
            )

    @property
    def bits(self) -> int:
        """Bits a number, where these are codes; 0 where they are floating-point numbers."""
        return 0 if self.unit == "passage" else int(self.numbers.removesuffix("-bit"))

    @property
    def words(self) -> int:
        """16-bit words a row: the numbers of a passage's vector, or the codes of eight tokens' vectors."""
        return words_a_row(self.dimension, self.bits) if self.bits else self.dimension

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the words: float16, or uint16 for codes."""
        return np.dtype(np.uint16 if self.bits else np.float16)

    def to_json(self) -> dict[str, Any]:
        """All fields as JSON values."""
        return asdict(self)
