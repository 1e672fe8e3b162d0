"""Documents and passages: what people put in, and what comes back from a search.

A document is checked once, when it is made; every room above may trust it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from twofold.errors import DocumentError

MAX_ID_BYTES = 512
INT64 = range(-(2**63), 2**63)

type_names = {
    str: "text",
    bool: "boolean",
    int: "number",
    float: "number",
    type(None): "null",
    list: "list",
    dict: "object",
}

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


@dataclass(frozen=True, slots=True)
class Document:
    """One document: an id, a text, a title and metadata, all checked.

    id: 1 to 512 bytes of UTF-8, no control characters. text, title: any text that UTF-8 can carry. metadata: JSON
    values (numbers finite, integers of 64 bits). Raises DocumentError, naming the id, for anything else.
    """

    id: str
    text: str = ""
    title: str = ""
    metadata: Mapping[str, Json] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_id(self.id)
        for name in ("text", "title"):
            _check_text(getattr(self, name), name, self.id)
        if not isinstance(self.metadata, Mapping):
            raise DocumentError(f"metadata must be an object, not {type(self.metadata).__name__}", document_id=self.id)
        _check_json(dict(self.metadata), "metadata", self.id)

    @property
    def has_content(self) -> bool:
        """Whether there is anything to encode."""
        return bool(self.text.strip() or self.title.strip())

    def metadata_json(self) -> str:
        """The metadata as canonical JSON: sorted keys, no spaces; equal metadata give equal text."""
        return json.dumps(dict(self.metadata), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Passage:
    """A span of a document that got a vector of its own: `text` is the document's text[start:end]."""

    start: int
    end: int
    text: str


def as_documents(items: Iterable[Document | Mapping[str, Any] | tuple[str, str]]) -> Iterator[Document]:
    """Documents from whatever people hold: Documents, dicts with id, text, title and more, or (id, text) pairs.

    A dict's id may stand under `id` or `_id`; keys other than id, title, text and metadata become metadata. Raises
    DocumentError for anything else, naming the position.
    """
    for position, item in enumerate(items):
        match item:
            case Document():
                yield item
            case Mapping():
                yield _from_mapping(item, position)
            case (identifier, text):
                yield Document(identifier, text)
            case _:
                raise DocumentError(
                    f"item {position} is a {type(item).__name__}; documents are Document objects, "
                    "dicts with an id and a text, or (id, text) pairs"
                )


def identifier_of(value: object) -> str:
    """The id that a JSON value stands for: a string as it is, an integer as its decimal string.

    Raises DocumentError for anything else.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise DocumentError(f"an id must be text or an integer, not {type_names.get(type(value), type(value).__name__)}")


def _from_mapping(item: Mapping[str, Any], position: int) -> Document:
    rest = dict(item)
    key = "id" if "id" in rest else "_id"
    if key not in rest:
        raise DocumentError(
            f"item {position} has no id (looked for 'id' and '_id'; it has {', '.join(map(repr, rest))})"
        )
    identifier = identifier_of(rest.pop(key))
    text, title, metadata = rest.pop("text", ""), rest.pop("title", ""), rest.pop("metadata", {})
    if not isinstance(metadata, Mapping):
        rest, metadata = {**rest, "metadata": metadata}, {}
    return Document(identifier, text, title, {**metadata, **rest})


def _check_id(identifier: object) -> None:
    if not isinstance(identifier, str):
        raise DocumentError(f"an id must be text, not {type_names.get(type(identifier), type(identifier).__name__)}")
    _check_text(identifier, "id", identifier[:40].encode("utf-8", "replace").decode())
    size = len(identifier.encode())
    if not 0 < size <= MAX_ID_BYTES:
        raise DocumentError(
            f"an id has 1 to {MAX_ID_BYTES} bytes of UTF-8, this one has {size}", document_id=identifier[:40]
        )
    if any(ord(character) < 32 or ord(character) == 127 for character in identifier):
        raise DocumentError("an id has no control characters", document_id=identifier)


def _check_text(value: object, name: str, identifier: str) -> None:
    if not isinstance(value, str):
        kind = type_names.get(type(value), type(value).__name__)
        raise DocumentError(f"{name} must be text, not {kind}", document_id=identifier)
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise DocumentError(
            f"{name} has a lone surrogate (U+{ord(value[error.start]):04X}) at character {error.start}, "
            "which UTF-8 cannot carry; clean the text first",
            document_id=identifier,
        ) from None


def _check_json(value: object, place: str, identifier: str) -> None:
    match value:
        case None | bool():
            return
        case str():
            _check_text(value, place, identifier)
        case int():
            if value not in INT64:
                raise DocumentError(f"{place} holds {value}, which is beyond 64 bits", document_id=identifier)
        case float():
            if not math.isfinite(value):
                raise DocumentError(f"{place} holds {value}, which JSON does not know", document_id=identifier)
        case list() | tuple():
            for position, element in enumerate(value):
                _check_json(element, f"{place}[{position}]", identifier)
        case dict():
            for key, element in value.items():
                if not isinstance(key, str):
                    raise DocumentError(f"{place} has the key {key!r}, which is not text", document_id=identifier)
                _check_text(key, f"a key of {place}", identifier)
                _check_json(element, f"{place}.{key}", identifier)
        case _:
            raise DocumentError(
                f"{place} holds a {type(value).__name__}, which JSON does not know", document_id=identifier
            )
