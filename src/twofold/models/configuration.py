"""A model's JSON files, read with errors that name file and field."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twofold.errors import ModelError

ENDLESS = 10**9
"""The longest input of a model that takes any, in tokens."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """The fields of one JSON file; asking for a field that is missing or of another type raises ModelError."""

    path: Path
    values: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> Configuration:
        """The object in this file. Raises ModelError where there is none."""
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise ModelError(f"{path} does not exist") from error
        except (OSError, ValueError) as error:
            raise ModelError(f"{path} cannot be read as JSON: {error}") from error
        if not isinstance(values, dict):
            raise ModelError(f"{path} must hold an object, not {type(values).__name__}")
        return cls(path, values)

    @classmethod
    def read_if_there(cls, path: Path) -> Configuration:
        """The object in this file, or an empty one where there is no such file."""
        return cls.read(path) if path.is_file() else cls(path, {})

    def has(self, field: str) -> bool:
        """Whether the field is there and not null."""
        return self.values.get(field) is not None

    def refuse(self, field: str, *allowed: object) -> None:
        """Raises ModelError where the field is neither missing, null nor one of the allowed values."""
        value = self.values.get(field)
        if value is not None and not any(value == each and type(value) is type(each) for each in allowed):
            known = f"; known: {', '.join(map(repr, allowed))}" if allowed else ""
            raise ModelError(f"{self.path}: the field {field!r} is {value!r}, which is not supported{known}")

    def integer(self, field: str, default: int | None = None) -> int:
        """A whole number."""
        return int(self._get(field, int, default))

    def count(self, field: str, default: int | None = None) -> int:
        """A whole number of at least 1."""
        if (value := self.integer(field, default)) < 1:
            raise ModelError(f"{self.path}: the field {field!r} must be at least 1, not {value}")
        return value

    def number(self, field: str, default: float | None = None) -> float:
        """A number."""
        return float(self._get(field, (int, float), default))

    def above_zero(self, field: str, default: float | None = None) -> float:
        """A number above 0."""
        if not (value := self.number(field, default)) > 0:
            raise ModelError(f"{self.path}: the field {field!r} must be above 0, not {value}")
        return value

    def text(self, field: str, default: str | None = None) -> str:
        """A text."""
        return str(self._get(field, str, default))

    def truth(self, field: str, default: bool | None = None) -> bool:
        """True or false."""
        return bool(self._get(field, bool, default))

    def mapping(self, field: str) -> Mapping[str, Any]:
        """An object; an empty one where the field is missing."""
        value: Mapping[str, Any] = self._get(field, Mapping, {})
        return value

    def _get(self, field: str, kind: type | tuple[type, ...], default: object) -> Any:
        value = self.values.get(field)
        value = default if value is None else value
        if value is None:
            raise ModelError(f"{self.path}: the field {field!r} is missing")
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise ModelError(f"{self.path}: the field {field!r} is {value!r}, which is of the wrong type")
        return value
