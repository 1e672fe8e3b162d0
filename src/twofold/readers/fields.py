"""The fields of a record that are its id, title and text; all others become metadata."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from twofold.documents import TEXT_FIELDS, WHOLE, Document, flat_metadata, identifier_of
from twofold.errors import DocumentError, InputError

GUESSES = {"id": ("_id", "id"), "title": ("title",), "text": TEXT_FIELDS}
"""Where a name is not given, the first of these that a record has; two possible ids are refused."""


@dataclass(frozen=True, slots=True)
class Fields:
    """The names of the fields that hold id, title and text.

    id: by default `_id` or `id`. title: by default `title`. text: by default the first of `text`, `content`,
    `contents`, `page_content` and `body`. Raises InputError when made with an empty name, or with one name for two
    things.
    """

    id: str | None = None
    title: str | None = None
    text: str | None = None

    names: ClassVar[tuple[str, ...]] = ("id", "title", "text")

    def __post_init__(self) -> None:
        given = self.given()
        if "" in given:
            raise InputError("a field's name is not empty")
        if len(set(given)) != len(given):
            raise InputError(f"{', '.join(given)}: one field cannot be two of id, title and text")

    def given(self) -> list[str]:
        """The names that were given, not guessed."""
        return [name for name in (self.id, self.title, self.text) if name is not None]

    def to_json(self) -> dict[str, str | None]:
        """The names as JSON values; `from_json` gives an equal object back."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, str | None]) -> Fields:
        """The fields that `to_json` wrote."""
        return cls(**values)

    def document(self, record: Mapping[str, Any], *, ids_alone: bool = False) -> Document:
        """The document that a record holds.

        A text or title that is null is empty. An object under `metadata` is merged with the other fields. Raises
        InputError or DocumentError where there is no id, a value that a document cannot hold, or no text field,
        unless ids alone are enough.
        """
        rest = dict(record)
        identifier = identifier_of(rest.pop(self._id_of(rest)))
        if not ids_alone and self._lacks_text(rest):
            raise DocumentError(f"{self._no_text(rest)}. {WHOLE}", document_id=identifier)
        text, title = self._taken(rest, "text"), self._taken(rest, "title")
        return Document(identifier, text, title, flat_metadata(rest, identifier))

    def split(self, record: Mapping[str, Any]) -> tuple[Any, Any, Any, dict[str, Any]]:
        """Id, text, title and the other fields of a record, none of them checked; a text or title of null is empty.

        Raises InputError where there is no id.
        """
        rest = dict(record)
        identifier = rest.pop(self._id_of(rest))
        text, title = self._taken(rest, "text"), self._taken(rest, "title")
        return identifier, text, title, rest

    def change(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """What a record changes of the document of its id, as `Collection.update` takes it.

        `id`; `text` and `title` where the record has them; what is left is under `metadata`. Raises InputError or
        DocumentError where there is no id, and for a value that a document cannot hold.
        """
        rest = dict(record)
        identifier = identifier_of(rest.pop(self._id_of(rest)))
        named = {what: self._name_of(rest, what) for what in ("text", "title")}
        change = {what: rest.pop(name) for what, name in named.items() if name is not None}
        # Under its own name, as a document may have metadata of that name.
        text = (named["text"] if self.text is None else None) or "text"
        if change.get("title", "") is None:
            change["title"] = ""
        metadata = flat_metadata(rest, identifier)
        Document(identifier, metadata=metadata, **change)
        own = {text if what == "text" else what: value for what, value in change.items()}
        return {"id": identifier, **own, **({"metadata": metadata} if metadata else {})}

    def check_columns(self, columns: Iterable[str], *, ids_alone: bool = False) -> None:
        """Raises InputError, naming the columns there, where a header lacks what every document needs.

        ids_alone: neither title nor text is needed.
        """
        there = list(columns)
        self._id_of(dict.fromkeys(there))
        for name in self.given():
            if name not in there:
                raise InputError(f"no field {name!r}; there are {_listed(there)}")
        if not ids_alone and self._lacks_text(there):
            raise InputError(self._no_text(there))

    def _lacks_text(self, names: Iterable[str]) -> bool:
        return not any(name in self._candidates("text") for name in names)

    def _no_text(self, names: Iterable[str]) -> str:
        return (
            f"no text (looked for {_listed(self._candidates('text'))}; there are {_listed(names)}). "
            "Name the field that holds it: --text FIELD (Python: Fields(text=…))"
        )

    def _candidates(self, what: str) -> tuple[str, ...]:
        given = getattr(self, what)
        return GUESSES[what] if given is None else (given,)

    def _id_of(self, record: Mapping[str, Any]) -> str:
        found = [name for name in self._candidates("id") if name in record]
        if len(found) > 1:
            raise InputError(
                f"both {' and '.join(map(repr, found))}; name the one to take: --id FIELD (Python: Fields(id=…))"
            )
        if not found:
            raise InputError(
                f"no id (looked for {_listed(self._candidates('id'))}; there are {_listed(record)}). "
                "Name the field that holds it: --id FIELD (Python: Fields(id=…))"
            )
        return found[0]

    def _taken(self, rest: dict[str, Any], what: str) -> Any:
        name = self._name_of(rest, what)
        value = None if name is None else rest.pop(name)
        return "" if value is None else value

    def _name_of(self, record: Mapping[str, Any], what: str) -> str | None:
        """The field of the record that holds this, None where none does."""
        return next((name for name in self._candidates(what) if name in record), None)


def _listed(names: Iterable[str]) -> str:
    shown = list(names)
    more = "" if len(shown) <= 12 else f" and {len(shown) - 12} more"
    return ", ".join(map(repr, shown[:12])) + more if shown else "none"
