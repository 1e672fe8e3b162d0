"""A space: vectors of one contract and one unit under a name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from twofold.errors import InputError

MAIN = "main"
"""The space that a new collection has, unless it is given another name."""
UNITS = ("passage", "token")
"""What a row of a space represents. "token", for several rows a passage, is reserved."""
NUMBERS = ("float16", "float32", "int8")
"""The types of stored numbers. Only float16 is written; the others are reserved."""
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """The description of one space of a collection.

    name: lower-case letters, digits, hyphens and underscores, a letter first, 40 at most; it names a folder. dimension:
    numbers a vector. contract: everything that determines a vector; precision: of the encoder's computation; probes:
    its vectors of the probe texts, None for vectors made elsewhere; source: from which it is loaded. These four are
    JSON that the engine does not interpret. Raises InputError.
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
        for asked, written in ((self.unit, UNITS[0]), (self.numbers, NUMBERS[0])):
            if asked != written:
                raise InputError(f"spaces with {asked!r} are not written yet; make this one with {written!r}")

    def to_json(self) -> dict[str, Any]:
        """All fields as JSON values."""
        return asdict(self)
