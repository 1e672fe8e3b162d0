"""A collection of Chroma, read by the package chromadb."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from twofold.errors import InputError, MissingExtraError
from twofold.readers.fields import Fields
from twofold.stores.entries import AT_ONCE, Description, Entry, Metric, as_vector, taken

FILE = "chroma.sqlite3"
"""What tells a folder of Chroma."""
METRICS: dict[str, Metric] = {"cosine": "cosine", "ip": "dot", "l2": "l2"}


class ChromaCollection:
    """One collection of a folder. name: where there are several. fields: names metadata that are text or title."""

    def __init__(self, folder: Path, name: str | None, fields: Fields) -> None:
        try:
            import chromadb
            from chromadb.config import Settings
            from chromadb.errors import ChromaError
        except ImportError:
            raise MissingExtraError("chromadb", "import") from None
        self._folder = folder
        self._errors = (ChromaError, ValueError, RuntimeError, OSError)
        self._fields = fields
        try:
            client = chromadb.PersistentClient(str(folder), Settings(anonymized_telemetry=False))
            names = sorted(str(getattr(each, "name", each)) for each in client.list_collections())
            table = chosen(names, name, folder, "collection")
            self._collection = client.get_collection(table, embedding_function=None)
            self.about = self._described(table, [each for each in names if each != table])
        except self._errors as error:
            raise InputError(f"Chroma cannot read this: {error}", path=folder) from None

    def _described(self, table: str, others: list[str]) -> Description:
        held = self._collection.count()
        first = self._collection.get(limit=1, include=["embeddings"])
        vectors = first["embeddings"]
        dimension = len(vectors[0]) if held and vectors is not None and len(vectors) else 0
        configured = (self._collection.configuration_json or {}).get("hnsw") or {}
        space = configured.get("space") or (self._collection.metadata or {}).get("hnsw:space") or "l2"
        about = Description("Chroma", table, held, dimension, METRICS[space])
        if others:
            about.notes.append(f"other collections were not read: {', '.join(others)} (--table names one)")
        if own := {name: value for name, value in (self._collection.metadata or {}).items() if ":" not in name}:
            about.notes.append(f"the collection's own metadata did not come along: {', '.join(own)}")
        return about

    def blocks(self) -> Iterator[list[Entry]]:
        """See ForeignStore."""
        try:
            ids = self._collection.get(include=[])["ids"]
            for start in range(0, len(ids), AT_ONCE):
                yield self._block(ids[start : start + AT_ONCE])
        except self._errors as error:
            raise InputError(f"Chroma cannot read this: {error}", path=self._folder) from None

    def _block(self, ids: list[str]) -> list[Entry]:
        got = self._collection.get(ids=ids, include=["documents", "embeddings", "metadatas", "uris"])
        places = {identifier: place for place, identifier in enumerate(got["ids"])}
        return [self._entry(got, places[identifier], identifier) for identifier in ids if identifier in places]

    def _entry(self, got: Any, place: int, identifier: str) -> Entry:
        metadata = dict(_at(got["metadatas"], place) or {})
        text = _at(got["documents"], place) or ""
        title = taken(metadata, self._fields.title)
        named = taken(metadata, self._fields.text)
        if (uri := _at(got["uris"], place)) is not None:
            metadata["uri"] = uri
        return Entry(identifier, text or named, title, metadata, as_vector(_at(got["embeddings"], place)))


def chosen(names: list[str], name: str | None, folder: Path, what: str) -> str:
    """The name that is meant: the given one, or the only one there is. Raises InputError, naming those there."""
    listed = ", ".join(names)
    if not names:
        raise InputError(f"there is no {what} in it", path=folder)
    if name is None and len(names) > 1:
        raise InputError(f"it has several {what}s; name one with --table (Python: table=…): {listed}", path=folder)
    if name is not None and name not in names:
        raise InputError(f"there is no {what} {name!r} in it; there are {listed}", path=folder)
    return name or names[0]


def _at(values: Any, place: int) -> Any:
    return None if values is None else values[place]
