"""What a collection is beside its documents: its id, its settings, and its spaces. Engines store it as JSON."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any, Self

from twofold.errors import InputError
from twofold.space import Space


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """The description of a collection, which alone decides which spaces exist. It is only replaced as a whole.

    id: random, different for every collection. revision: how often it was replaced. settings: JSON of the packages
    above, not read here. created: UTC. spaces: in the order in which they were made. default: the name of the one that
    is searched.
    """

    id: str
    settings: Mapping[str, Any]
    created: str
    spaces: tuple[Space, ...]
    default: str
    revision: int = 0

    @classmethod
    def now(cls, space: Space, settings: Mapping[str, Any]) -> Self:
        """The description of a new collection of one space."""
        created = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(id=new_id(), settings=settings, created=created, spaces=(space,), default=space.name)

    def space(self, name: str | None = None) -> Space:
        """The space of this name, or the default one. Raises InputError where there is none."""
        wanted = self.default if name is None else name
        for space in self.spaces:
            if space.name == wanted:
                return space
        raise InputError(f"there is no space {wanted!r}; there are {', '.join(each.name for each in self.spaces)}")

    def names(self) -> frozenset[str]:
        """The names of all spaces."""
        return frozenset(space.name for space in self.spaces)

    def with_space(self, space: Space) -> Self:
        """The next revision, with one more space. Raises InputError where its name is taken."""
        if space.name in self.names():
            raise InputError(f"there is a space {space.name!r} already; choose another name, or drop that one")
        return replace(self, spaces=(*self.spaces, space), revision=self.revision + 1)

    def without(self, name: str) -> Self:
        """The next revision, without a space. Raises InputError for the default one."""
        if self.space(name).name == self.default:
            raise InputError(f"{name!r} is the space that is searched; make another one the default first")
        left = tuple(space for space in self.spaces if space.name != name)
        return replace(self, spaces=left, revision=self.revision + 1)

    def with_default(self, name: str) -> Self:
        """The next revision, with another default space. Raises InputError for a space of token vectors."""
        if self.space(name).unit != "passage":
            raise InputError(f"the space {name!r} holds token vectors, which score what other spaces find")
        return replace(self, default=self.space(name).name, revision=self.revision + 1)

    def with_source(self, name: str, source: Mapping[str, Any]) -> Self:
        """The next revision, with another source of a space's encoder. Raises InputError where there is no such one."""
        changed = replace(self.space(name), source=dict(source))
        spaces = tuple(changed if space.name == name else space for space in self.spaces)
        return replace(self, spaces=spaces, revision=self.revision + 1)

    def to_json(self) -> dict[str, Any]:
        """All fields as JSON values."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {**values, "spaces": [space.to_json() for space in self.spaces]}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """The description that `to_json` wrote. Raises InputError for a space that this version does not know,
        TypeError for other fields."""
        spaces = tuple(Space(**space) for space in values["spaces"])
        return cls(**{**values, "spaces": spaces})


def new_id() -> str:
    """A random id: 32 hexadecimal digits."""
    return secrets.token_hex(16)
