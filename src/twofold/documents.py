"""Documents and passages: what is added, and what a search returns.

A document is checked once, when it is created; every package above relies on that.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from twofold.errors import DocumentError, InputError, brief
from twofold.outline import heading_paths, page_at
from twofold.rows import no_document, row_of, rows_of
from twofold.values import Json, is_missing, kind_of, plain, plain_text

MAX_ID_BYTES = 512
CONTROL = re.compile("[\0-\x1f\x7f]")
TEXT_FIELDS = ("text", "content", "contents", "page_content", "body")
"""The names under which a record may hold its text; the first that is there is taken, the others are metadata."""
WHOLE = 'A record replaces the whole document of its id: give its text again, or "text": "" where there is none'


@dataclass(frozen=True, slots=True)
class Document:
    """One document: an id, a text, a title and metadata, all checked.

    id: 1 to 512 bytes of UTF-8, no control characters. text, title: any text that UTF-8 can carry. metadata: JSON
    values (numbers finite, integers of 64 bits, 100 levels at most), of which the document keeps a deep copy in plain
    types (values.py). Raises DocumentError, naming the id, for anything else.
    """

    id: str
    text: str = ""
    title: str = ""
    metadata: Mapping[str, Json] = field(default_factory=dict)

    def __post_init__(self) -> None:
        own = object.__setattr__  # frozen for everybody else
        own(self, "id", _checked_id(self.id))
        for name in ("text", "title"):
            own(self, name, _checked_text(getattr(self, name), name, self.id))
        own(self, "metadata", _checked_metadata(self.metadata, self.id))

    @property
    def has_content(self) -> bool:
        """Whether there is anything to encode."""
        return bool(self.text.strip() or self.title.strip())

    def to_json(self) -> dict[str, Any]:
        """Id, title, text and metadata as JSON values; a record that `add` reads as the same document."""
        return {"id": self.id, "title": self.title, "text": self.text, "metadata": dict(self.metadata)}

    def metadata_json(self) -> str:
        """The metadata as canonical JSON: sorted keys, no spaces; equal metadata give equal text.

        They are checked again, since they may have been changed. Raises DocumentError.
        """
        metadata = _checked_metadata(self.metadata, self.id)
        return json.dumps(metadata, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Passage:
    """A span of a document that got a vector of its own: `text` is the document's text[start:end].

    whole: the document's text, which tells the headings and the page; empty where it is not known. score: how well it
    answers the query, on the scale of the hit's score, where that was asked for. context: the same with its neighbours,
    where these were asked for; `context.text` has their overlaps once.
    """

    start: int
    end: int
    text: str
    whole: str = field(default="", repr=False, compare=False)
    score: float | None = field(default=None, compare=False)
    context: Passage | None = field(default=None, compare=False)

    @classmethod
    def of(cls, whole: str, start: int, end: int) -> Passage:
        """The span of a document's text."""
        return cls(start, end, whole[start:end], whole)

    @property
    def headings(self) -> tuple[str, ...]:
        """The headings under which it stands, the highest first; that with which it begins is the last one."""
        return tuple(heading.title for heading in heading_paths(self.whole, [self.start])[0])

    @property
    def page(self) -> int | None:
        """The page on which it begins, from 1 on; None for a text without form feeds, which divide pages."""
        return page_at(self.whole, self.start)

    def to_json(self) -> dict[str, Any]:
        """Start, end and text as JSON values; headings, page, score and context where there are any."""
        told: dict[str, Any] = {"start": self.start, "end": self.end, "text": self.text, **self.place_json()}
        if self.score is not None:
            told["score"] = self.score
        return told if self.context is None else {**told, "context": self.context.to_json()}

    def place_json(self) -> dict[str, Any]:
        """Headings and page as JSON values, where there are any."""
        told: dict[str, Any] = {}
        if headings := self.headings:
            told["headings"] = list(headings)
        if (page := self.page) is not None:
            told["page"] = page
        return told


def titled(title: str, text: str) -> str:
    """A title, a space, and a text or passage, as models and lexical search read them; one alone where the other is
    empty."""
    return f"{title} {text}" if title and text else title or text


def as_documents(
    items: Iterable[Document | Mapping[str, Any] | tuple[str, str]], *, text_required: bool = True
) -> Iterator[Document]:
    """Documents from Documents, dicts with id, text, title and more, (id, text) pairs, one or several, or a table.

    A dict's id may stand under `id` or `_id` (not both), its text under any of TEXT_FIELDS; keys other than these,
    title and metadata become metadata. A table's rows are such dicts (rows.py). text_required: refuse a dict without a
    text field, as it could replace a document that has a text by one without; "" is an explicitly empty text. Each
    document is copied as it comes. Raises DocumentError for anything else, naming the position.
    """
    for position, item in enumerate([items] if isinstance(items, Document) else rows_of(items)):
        match row_of(item):
            case Document():
                yield replace(item)
            case Mapping() as record:
                yield _from_mapping(record, position, text_required=text_required)
            case (identifier, text):
                yield Document(identifier, text)
            case _:
                raise no_document(item, position)


def identifier_of(value: object) -> str:
    """The id that a value stands for: a string as it is, an integer as its decimal string.

    Raises DocumentError for anything else.
    """
    match value:
        case str():
            return str.__str__(value)
        case int() | np.integer() if not isinstance(value, bool):
            return int.__repr__(int(value))
    raise DocumentError(f"an id must be text or an integer, not {kind_of(value)}")


def flat_metadata(rest: dict[str, Any], identifier: str) -> dict[str, Any]:
    """The other fields of a record as metadata, merged with an object under `metadata`.

    Raises DocumentError if a field is in both.
    """
    inner = rest.get("metadata")
    if not isinstance(inner, Mapping):
        return rest
    beside = {name: value for name, value in rest.items() if name != "metadata"}
    twice = sorted(inner.keys() & beside.keys())
    if twice:
        raise DocumentError(
            f"the field {brief(twice[0])!r} is given both beside and inside metadata", document_id=identifier
        )
    return {**inner, **beside}


def identified(record: Mapping[Any, Any], position: int) -> tuple[str, dict[str, Any]]:
    """The id of a record, under `id` or `_id`, and its other fields. Raises DocumentError, naming the position."""
    rest = dict(record)
    if "id" in rest and "_id" in rest:
        raise DocumentError(
            f"item {position} has both 'id' and '_id'; leave one of them out, or put it into \"metadata\""
        )
    key = "id" if "id" in rest else "_id"
    if key not in rest:
        there = brief(", ".join(map(repr, rest)))
        raise DocumentError(f"item {position} has no id (looked for 'id' and '_id'; it has {there})")
    return identifier_of(rest.pop(key)), rest


def without_text(fields: dict[str, Any], identifier: str, others: Collection[str] = ()) -> tuple[Any, dict[str, Any]]:
    """The text of a record's fields, under any of TEXT_FIELDS, and the others; None where there is none of these.

    others: names that are metadata of this document. Raises DocumentError for one that is missing.
    """
    name = next((name for name in TEXT_FIELDS if name in fields and name not in others), None)
    if name is None:
        return None, dict(fields)
    rest = dict(fields)
    text = rest.pop(name)
    if is_missing(text):
        raise DocumentError(f'its {name} is missing ({text}); "" says that there is none', document_id=identifier)
    return text, rest


def _from_mapping(item: Mapping[Any, Any], position: int, *, text_required: bool) -> Document:
    identifier, fields = identified(item, position)
    text, rest = without_text(fields, identifier)
    if text is None and text_required:
        raise DocumentError(
            f"item {position} has no text (looked for {', '.join(map(repr, TEXT_FIELDS))}). {WHOLE}",
            document_id=identifier,
        )
    title = rest.pop("title", "")
    metadata = flat_metadata(rest, identifier)
    return Document(identifier, "" if text is None else text, "" if is_missing(title) else title, metadata)


def _checked_id(identifier: object) -> str:
    if not isinstance(identifier, str):
        raise DocumentError(f"an id must be text, not {kind_of(identifier)}")
    identifier = _checked_text(identifier, "id", identifier[:40].encode("utf-8", "replace").decode())
    size = len(identifier.encode())
    if not 0 < size <= MAX_ID_BYTES:
        raise DocumentError(
            f"an id has 1 to {MAX_ID_BYTES} bytes of UTF-8, this one has {size}", document_id=identifier[:40]
        )
    if CONTROL.search(identifier):
        raise DocumentError("an id has no control characters", document_id=identifier)
    return identifier


def _checked_text(value: object, name: str, identifier: str) -> str:
    if not isinstance(value, str):
        raise DocumentError(f"{name} must be text, not {kind_of(value)}", document_id=identifier)
    try:
        return plain_text(value, name)
    except InputError as error:
        raise DocumentError(str(error), document_id=identifier) from None


def _checked_metadata(metadata: object, identifier: str) -> Json:
    if not isinstance(metadata, Mapping):
        raise DocumentError(f"metadata must be an object, not {type(metadata).__name__}", document_id=identifier)
    try:
        return plain(metadata, "metadata")
    except InputError as error:
        raise DocumentError(str(error), document_id=identifier) from None
