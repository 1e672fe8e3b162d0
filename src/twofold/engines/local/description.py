"""collection.json, which marks a folder as a collection: its id, its settings, and its spaces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from twofold.checked_json import checked_json, parse_checked_json
from twofold.engines.local.layout import DESCRIPTION, FORMAT, new_id, not_a_collection
from twofold.errors import CorruptionError, FormatError, InputError, StorageError
from twofold.space import Space


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """The content of collection.json, which alone decides which spaces exist. It is only replaced as a whole.

    id: random, different for every collection. revision: how often the file was replaced. settings: JSON of the
    packages above, not read here. created: UTC. spaces: in the order in which they were made. default: the name of the
    one that is searched.
    """

    id: str
    settings: Mapping[str, Any]
    created: str
    spaces: tuple[Space, ...]
    default: str
    revision: int = 0

    @classmethod
    def now(cls, space: Space, settings: Mapping[str, Any]) -> Description:
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

    def with_space(self, space: Space) -> Description:
        """The next revision, with one more space. Raises InputError where its name is taken."""
        if space.name in self.names():
            raise InputError(f"there is a space {space.name!r} already; choose another name, or drop that one")
        return replace(self, spaces=(*self.spaces, space), revision=self.revision + 1)

    def without(self, name: str) -> Description:
        """The next revision, without a space. Raises InputError for the default one."""
        if self.space(name).name == self.default:
            raise InputError(f"{name!r} is the space that is searched; make another one the default first")
        left = tuple(space for space in self.spaces if space.name != name)
        return replace(self, spaces=left, revision=self.revision + 1)

    def with_default(self, name: str) -> Description:
        """The next revision, with another default space. Raises InputError for a space of token vectors."""
        if self.space(name).unit != "passage":
            raise InputError(f"the space {name!r} holds token vectors, which score what other spaces find")
        return replace(self, default=self.space(name).name, revision=self.revision + 1)

    def with_source(self, name: str, source: Mapping[str, Any]) -> Description:
        """The next revision, with another source of a space's encoder. Raises InputError where there is no such one."""
        changed = replace(self.space(name), source=dict(source))
        spaces = tuple(changed if space.name == name else space for space in self.spaces)
        return replace(self, spaces=spaces, revision=self.revision + 1)

    def to_bytes(self) -> bytes:
        """The file's content: JSON with a checksum over all other fields."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        fields["spaces"] = [space.to_json() for space in self.spaces]
        return checked_json(fields, FORMAT)

    @classmethod
    def read(cls, folder: Path) -> Description:
        """The description of the collection in `folder`.

        Raises NotACollectionError where there is none, FormatError where a newer Twofold wrote it, CorruptionError
        where its bytes changed.
        """
        path = folder / DESCRIPTION
        try:
            fields = parse_checked_json(path.read_bytes(), FORMAT, path=path)
        except (FileNotFoundError, NotADirectoryError):
            raise not_a_collection(folder) from None
        except OSError as error:
            raise StorageError(f"{path} cannot be read: {error.strerror or error}") from error
        del fields["checksum"]
        if set(fields) != set(cls.__slots__):
            raise CorruptionError(f"{path} is damaged: it has other fields than were written")
        try:
            spaces = tuple(Space(**space) for space in fields.pop("spaces"))
        except InputError as error:
            raise FormatError(f"{path}: {error}") from None
        return cls(**fields, spaces=spaces)
