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
"""What a row of a space stands for. "token" is kept for several rows a passage, and is not written yet."""
NUMBERS = ("float16", "float32", "int8")
"""What the numbers of a stored vector may be. Of these float16 is written."""
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """What a collection says of one of its spaces.

    name: lower-case letters, digits, hyphens and underscores, a letter first, 40 at most; it names a folder. dimension:
    numbers a vector. contract: all that decides a vector; precision: how the encoder computed; probes: what it made of
    the probe texts, None for vectors made elsewhere; source: from what it is loaded again. These four are JSON, opaque
    to an engine. Raises InputError.
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
