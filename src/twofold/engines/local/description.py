"""collection.json, which marks a folder as a collection: its id, its settings, and its spaces."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from twofold.checked_json import checked_json, parse_checked_json
from twofold.description import Described
from twofold.engines.local.layout import DESCRIPTION, FORMAT, not_a_collection
from twofold.errors import CorruptionError, FormatError, InputError, StorageError


class Description(Described):
    """The content of collection.json."""

    __slots__ = ()

    def to_bytes(self) -> bytes:
        """The file's content: JSON with a checksum over all other fields."""
        return checked_json(self.to_json(), FORMAT)

    @classmethod
    def read(cls, folder: Path) -> Description:
        """The description of the collection in `folder`.

        Raises NotACollectionError where there is none, FormatError where a newer Twofold wrote it, CorruptionError
        where its bytes changed.
        """
        path = folder / DESCRIPTION
        try:
            values = parse_checked_json(path.read_bytes(), FORMAT, path=path)
        except (FileNotFoundError, NotADirectoryError):
            raise not_a_collection(folder) from None
        except OSError as error:
            raise StorageError(f"{path} cannot be read: {error.strerror or error}") from error
        del values["checksum"]
        if set(values) != {each.name for each in fields(cls)}:
            raise CorruptionError(f"{path} is damaged: it has other fields than were written")
        try:
            return cls.from_json(values)
        except InputError as error:
            raise FormatError(f"{path}: {error}") from None
