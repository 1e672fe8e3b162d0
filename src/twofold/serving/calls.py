"""What a client asks of a server, and what it makes of the answers; no connection is opened here.

Each function is a generator: it yields calls, is sent their answers, and returns the result. One function so serves the
client that waits and the one that is awaited (client.py).
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypedDict, TypeVar
from urllib.parse import quote

import numpy as np

from twofold.collection.choosing import listed
from twofold.collection.reading import check_page
from twofold.documents import Document, Passage, as_documents, identified, identifier_of
from twofold.errors import InputError, LimitError, NoDocumentError, QueryError
from twofold.hits import Highlighting, Hits
from twofold.index_report import IndexReport
from twofold.rankings import Hit, Marking
from twofold.reports import AddReport
from twofold.scores import Vectors
from twofold.searching.hybrid import SearchMode
from twofold.values import Scalar

Result = TypeVar("Result")
Records = list[dict[str, Any]]
Where = Mapping[str, Any]
AT_ONCE = 500
"""Documents, ids or queries of one request; a server refuses more than its limit."""
BYTES = 4 * 2**20
"""Bytes of the documents of one request, unless one alone has more."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request. path: after the server's address. body: as JSON, None for none."""

    method: str
    path: str
    body: Any = None


Steps = Generator[Call, Any, Result]


class SearchOptions(TypedDict, total=False):
    """The options of `Collection.search`; ranker: True, or the name of the server's cross-encoder."""

    k: int
    offset: int
    where: Where | None
    depth: int | None
    exact: bool
    mode: SearchMode | None
    ranker: bool | str | None
    rerank_depth: int | None
    rerank_weight: float
    strict: bool
    unit: Literal["document", "passage"]
    passages: int | None
    context: int
    min_score: float | None
    min_relevance: float | None


class LikeOptions(TypedDict, total=False):
    """The options of `Collection.like`."""

    k: int
    offset: int
    where: Where | None
    depth: int | None
    strict: bool


@dataclass(frozen=True, slots=True)
class Marked(Highlighting, Marking):
    """Where texts have terms of the query, and the best sentence of each passage, as the server found them."""

    known: Mapping[str, list[tuple[int, int]]]
    sentences: Mapping[tuple[int, int], tuple[int, int]] = field(default_factory=dict)

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Start and end in characters; none for a text that was not found."""
        return self.known.get(text, [])

    def sentence(self, text: str, start: int, end: int) -> tuple[int, int]:  # noqa: ARG002 - as `Marking` has it
        """Start and end of the sentence in the document's text; the span itself where it was not found."""
        return self.sentences.get((start, end), (start, end))


class Calls:
    """The calls of one collection. name: as the server lists it. Raises InputError for what cannot be a name."""

    def __init__(self, name: str) -> None:
        if not isinstance(name, str) or not name:
            raise InputError(f"a collection is named by a text, as the server lists it, not {name!r}")
        self.path = f"/v1/collections/{quote(name, safe='')}"

    def info(self) -> Steps[dict[str, Any]]:
        """The collection's figures."""
        answer: dict[str, Any] = yield Call("GET", self.path)
        return answer

    def search(self, query: str | Vectors, vector: Vectors | None, options: SearchOptions) -> Steps[Hits]:
        """The hits of a query."""
        body = {**_told(options), "query": _question(query), "whole": True, "marks": True, "explain": True}
        if vector is not None:
            body["vector"] = _numbers(vector, 1)
        answer = yield Call("POST", f"{self.path}/search", body)
        return _hits(answer["hits"], query)

    def search_many(
        self, queries: Sequence[str] | Vectors, vectors: Sequence[Vectors] | Vectors | None, options: SearchOptions
    ) -> Steps[list[Hits]]:
        """The hits of each query."""
        if isinstance(queries, str):
            raise QueryError("search_many takes a list of texts; for one text there is search")
        asked = [_question(each) for each in queries]
        given = None if vectors is None else _numbers(vectors, 2)
        if given is not None and len(given) != len(asked):
            raise QueryError(f"there are {len(asked):,} queries and {len(given):,} vectors")
        found: list[Hits] = []
        for start in range(0, len(asked), AT_ONCE):
            part = slice(start, start + AT_ONCE)
            body = {**_told(options), "queries": asked[part], "whole": True, "marks": True, "explain": True}
            if given is not None:
                body["vectors"] = given[part]
            answer = yield Call("POST", f"{self.path}/search", body)
            found += [_hits(each["hits"], query) for each, query in zip(answer["results"], asked[part], strict=True)]
        return found

    def like(self, document_id: str, options: LikeOptions) -> Steps[Hits]:
        """The documents nearest to a stored one."""
        answer = yield Call("POST", f"{self.path}/like", {**_told(options), "id": identifier_of(document_id)})
        return _hits(answer["hits"], None)

    def add(self, documents: Any) -> Steps[AddReport]:
        """Adds documents, or replaces those with the same id."""
        return (yield from self._changed("POST", (each.to_json() for each in as_documents(documents))))

    def update(self, documents: Any) -> Steps[AddReport]:
        """Changes fields of documents that are there."""
        given = [documents] if isinstance(documents, Mapping) else documents
        named = (identified(each, place) for place, each in enumerate(given))
        return (yield from self._changed("PATCH", ({**fields, "id": name} for name, fields in named)))

    def _changed(self, method: str, records: Iterable[dict[str, Any]]) -> Steps[AddReport]:
        total = AddReport()
        for part in _parts(records):
            yield from self._sent(method, part, total)
        return total

    def _sent(self, method: str, records: Records, total: AddReport) -> Steps[None]:
        """One request, or several where the server takes fewer at once."""
        try:
            answer = yield Call(method, f"{self.path}/documents", {"documents": records})
        except LimitError:
            if len(records) == 1:
                raise
            half = len(records) // 2
            yield from self._sent(method, records[:half], total)
            yield from self._sent(method, records[half:], total)
            return
        _count(total, answer)

    def delete(self, ids: Any, where: Where | None, *, everything: bool, strict: bool) -> Steps[int]:
        """Deletes documents by id, by filter, or all of them."""
        names = None if ids is None else list(dict.fromkeys(listed(ids)))
        if names is None or where is not None or everything:
            body = {"ids": names, "where": where, "all": everything, "strict": strict}
            return int((yield Call("POST", f"{self.path}/documents/delete", body))["deleted"])
        deleted = 0
        for start in range(0, len(names), AT_ONCE):
            part = names[start : start + AT_ONCE]
            deleted += (yield Call("POST", f"{self.path}/documents/delete", {"ids": part}))["deleted"]
        return deleted

    def get_one(self, document_id: str) -> Steps[Document | None]:
        """A document by its id."""
        (found,) = yield from self.get_listed([identifier_of(document_id)])
        return found

    def get_known(self, document_id: str) -> Steps[Document]:
        """A document by its id, or NoDocumentError."""
        found = yield from self.get_one(document_id)
        if found is None:
            raise NoDocumentError(identifier_of(document_id))
        return found

    def get_listed(self, ids: Sequence[str]) -> Steps[list[Document | None]]:
        """Documents by their ids."""
        names, found = listed(ids), []
        for start in range(0, len(names), AT_ONCE):
            part = {"ids": names[start : start + AT_ONCE]}
            answer = yield Call("POST", f"{self.path}/documents/get", part)
            found += [None if each is None else _document(each) for each in answer["documents"]]
        return found

    def page(self, kind: Literal["documents", "ids"], where: Where | None, page: Page) -> Steps[list[Any]]:
        """Documents, or ids, in the order in which they were added."""
        check_page(page.limit, page.offset)
        found: list[Any] = []
        while page.limit is None or len(found) < page.limit:
            limit = AT_ONCE if page.limit is None else min(AT_ONCE, page.limit - len(found))
            asked = {"where": where, "limit": limit, "offset": page.offset + len(found), "strict": page.strict}
            answer = yield Call("POST", f"{self.path}/documents/get", {**asked, "only_ids": kind == "ids"})
            found += answer[kind] if kind == "ids" else [_document(each) for each in answer[kind]]
            if len(answer[kind]) < limit:
                break
        return found

    def count(self, ids: Any, where: Where | None, *, strict: bool) -> Steps[int]:
        """How many documents there are."""
        if ids is None or where is not None:
            body = {"ids": None if ids is None else listed(ids), "where": where, "strict": strict}
            return int((yield Call("POST", f"{self.path}/count", body))["count"])
        names, counted = list(dict.fromkeys(listed(ids))), 0
        for start in range(0, len(names), AT_ONCE):
            counted += (yield Call("POST", f"{self.path}/count", {"ids": names[start : start + AT_ONCE]}))["count"]
        return counted

    def facets(self, field: str, where: Where | None, limit: int | None, *, strict: bool) -> Steps[dict[Scalar, int]]:
        """value → documents."""
        body = {"fields": [field], "where": where, "limit": limit, "strict": strict}
        answer = yield Call("POST", f"{self.path}/facets", body)
        return {each["value"]: each["count"] for each in answer["facets"][field]}


@dataclass(frozen=True, slots=True)
class Page:
    """A page of documents. limit: None for all. strict: refuse a filter whose fields no document has."""

    limit: int | None = None
    offset: int = 0
    strict: bool = False


def _parts(records: Iterable[dict[str, Any]]) -> Iterator[Records]:
    """The records in lists of AT_ONCE and BYTES at most."""
    part: Records = []
    size = 0
    for record in records:
        bytes_of = len(json.dumps(record, default=repr))
        if part and (len(part) == AT_ONCE or size + bytes_of > BYTES):
            yield part
            part, size = [], 0
        part.append(record)
        size += bytes_of
    if part:
        yield part


def _count(total: AddReport, answer: Mapping[str, Any]) -> None:
    for name in AddReport.__slots__:
        value = answer[name]
        if name == "index":
            total.index = total.index if value is None else IndexReport.from_json(value)
        elif isinstance(value, int):
            setattr(total, name, getattr(total, name) + value)
        else:
            setattr(total, name, getattr(total, name) or value)


def _told(options: SearchOptions | LikeOptions) -> dict[str, Any]:
    """Those that were given; the server's own stand for the others."""
    return {name: value for name, value in options.items() if value is not None}


def _question(query: Any) -> Any:
    return query if isinstance(query, str) else _numbers(query, 1)


def _numbers(values: Any, dimensions: int) -> Any:
    try:
        with np.errstate(over="ignore"):  # refused below
            array = np.asarray(values, np.float32)
    except (TypeError, ValueError):
        raise QueryError(f"a query is a text or a vector of numbers, not {type(values).__name__}") from None
    if array.ndim != dimensions:
        raise QueryError(f"vectors have {dimensions} dimensions here, not {array.ndim}")
    if not np.isfinite(array).all():
        raise QueryError("a vector holds a value that is not finite")
    return array.tolist()


def _document(values: Mapping[str, Any]) -> Document:
    return Document(values["id"], values["text"], values["title"], values["metadata"])


def _passage(values: Mapping[str, Any], whole: str) -> Passage:
    context = values.get("context")
    around = None if context is None else _passage(context, whole)
    span = Passage.of(whole, values["start"], values["end"])
    return replace(span, score=values.get("score") if "id" not in values else None, context=around)


def _hit(values: Mapping[str, Any]) -> Hit:
    whole = values["document"]
    document = Document(values["id"], whole, values["title"], values["metadata"])
    told = values.get("passages") or [values]
    best, *more = [_passage(each, whole) for each in told]
    parts, relevance = values.get("parts", {}), values["relevance"]
    return Hit(values["score"], document, best, parts, relevance, tuple(more), _marking(told))


def _marking(passages: Records) -> Marked | None:
    """What the server says of passages of one document; None where the query was no text."""
    marked = [each for each in passages if each.get("sentence") is not None]
    known = {
        each["text"]: [(start - each["start"], end - each["start"]) for start, end in each["highlights"]]
        for each in marked
    }
    sentences = {(each["start"], each["end"]): (each["sentence"]["start"], each["sentence"]["end"]) for each in marked}
    return Marked(known, sentences) if marked else None


def _hits(found: Records, query: Any) -> Hits:
    hits = [_hit(each) for each in found]
    marks = {each["text"]: [(start, end) for start, end in each["marks"]] for each in found if each.get("marks")}
    return Hits(hits, Marked(marks) if marks and isinstance(query, str) else None)
