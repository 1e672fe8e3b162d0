"""What a collection's folder holds, and collection.json, by which a folder is known to be one."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

from twofold.errors import CorruptionError, FormatError, NotACollectionError, StorageError

FORMAT = 1
DESCRIPTION, CATALOGUE, VECTORS, LOCK = "collection.json", "catalogue.sqlite", "vectors", "lock"
ACKNOWLEDGED = "acknowledged"
DERIVED = frozenset({"indexes", "lexical"})
"""Folders of what can be made again from catalogue and vectors."""
UNFINISHED = frozenset(
    {CATALOGUE, f"{CATALOGUE}-wal", f"{CATALOGUE}-shm", f"{CATALOGUE}-journal", VECTORS, LOCK, ACKNOWLEDGED}
)
"""What a creation leaves that was stopped before collection.json, its last step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What collection.json says: written once, when the collection is made.

    id: random, by which a collection is told from every other. dimension: numbers a vector. contract, source, settings:
    JSON of the rooms above, opaque here. created: UTC.
    """

    id: str
    dimension: int
    contract: Mapping[str, Any]
    source: Mapping[str, Any]
    settings: Mapping[str, Any]
    created: str
    format: int = FORMAT

    @classmethod
    def now(
        cls, dimension: int, contract: Mapping[str, Any], source: Mapping[str, Any], settings: Mapping[str, Any]
    ) -> Description:
        """The description of a collection made at this moment."""
        created = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(
            id=new_id(),
            dimension=dimension,
            contract=contract,
            source=source,
            settings=settings,
            created=created,
        )

    def to_bytes(self) -> bytes:
        """The file's content: JSON with a checksum over all other fields."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        text = json.dumps(
            {**fields, "checksum": canonical_checksum(fields)}, ensure_ascii=False, indent=1, sort_keys=True
        )
        return text.encode() + b"\n"

    @classmethod
    def read(cls, folder: Path) -> Description:
        """The description of the collection in `folder`.

        Raises NotACollectionError where there is none, FormatError where a newer Twofold wrote it, CorruptionError
        where its bytes changed.
        """
        path = folder / DESCRIPTION
        content = _content(path)
        try:
            fields = json.loads(content)
        except ValueError as error:
            raise CorruptionError(f"{path} is damaged: it is no JSON ({error})") from None
        if not isinstance(fields, dict) or not isinstance(fields.get("format"), int):
            raise CorruptionError(f"{path} is damaged: it names no format")
        if fields["format"] > FORMAT:
            raise FormatError(
                f"{folder} was written in format {fields['format']}, this Twofold reads up to format {FORMAT}. "
                "Install a newer version: pip install -U twofold"
            )
        found = fields.pop("checksum", None)
        if found != canonical_checksum(fields) or set(fields) != set(cls.__slots__):
            raise CorruptionError(f"{path} is damaged: its checksum does not fit its content")
        return cls(**fields)


def new_id() -> str:
    """A random id: 32 hexadecimal digits."""
    return secrets.token_hex(16)


def not_a_collection(folder: Path) -> NotACollectionError:
    """Says why there is no collection in a folder that has no collection.json, or that is none."""
    if not folder.exists():
        return NotACollectionError(
            f"{folder} does not exist; make a collection there with twofold index or twofold.create"
        )
    if not folder.is_dir():
        return NotACollectionError(f"{folder} is a file; a collection is a folder")
    if (folder / CATALOGUE).exists():
        return NotACollectionError(
            f"{folder} has no {DESCRIPTION} beside its {CATALOGUE}: it was never finished, or has lost the file"
        )
    return NotACollectionError(f"{folder} is no collection: it has no {DESCRIPTION}")


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise not_a_collection(path.parent) from None
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror or error}") from error


def canonical_checksum(fields: Mapping[str, Any]) -> str:
    """Hexadecimal BLAKE2b (16 bytes) of JSON with sorted keys, without spaces, not escaped to ASCII."""
    canonical = json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return blake2b(canonical.encode(), digest_size=16).hexdigest()
