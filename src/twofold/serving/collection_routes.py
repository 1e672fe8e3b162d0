"""/v1/collections: searching, reading and changing documents."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import Field
from starlette.responses import Response

from twofold.errors import InputError, LimitError, NoDocumentError
from twofold.hits import Hits
from twofold.rankings import Hit
from twofold.serving.answers import HitsTold, ResultsTold
from twofold.serving.asking import SearchBody, Strict, Where, check_text, questions_of
from twofold.serving.describing import described
from twofold.serving.hall import Hall
from twofold.serving.replies import reply
from twofold.serving.routing import As, InHall, Route
from twofold.strict_json import parse_json

router = APIRouter(prefix="/v1/collections", tags=["collections"], route_class=Route)
Name = Annotated[str, Path(description="The collection's name.")]
Records = list[dict[str, Any]]
PAGE = 100
"""Documents of a page, by default."""


class LikeBody(Strict):
    """A stored document."""

    id: str
    k: int = Field(default=10, ge=1)
    offset: int = Field(default=0, ge=0)
    where: Where | None = None
    depth: int | None = Field(default=None, ge=1)
    strict: bool = False


class ReadBody(Strict):
    """Documents: of these ids, or a page of those that pass a filter."""

    ids: list[str] | None = None
    where: Where | None = None
    limit: int = Field(default=PAGE, ge=0)
    offset: int = Field(default=0, ge=0)
    strict: bool = False
    only_ids: bool = False


class CountBody(Strict):
    """Documents: of these ids, or those that pass a filter, or all."""

    ids: list[str] | None = None
    where: Where | None = None
    strict: bool = False


class FacetsBody(Strict):
    """Fields of the metadata."""

    fields: list[str] = Field(min_length=1, max_length=32)
    where: Where | None = None
    limit: int | None = Field(default=None, ge=0)
    strict: bool = False


class DocumentsBody(Strict):
    """Documents as `Collection.add` reads them: id, text, title; anything else is metadata."""

    documents: Records = Field(examples=[[{"id": "a", "text": "Green tea is steeped at eighty degrees."}]])


class DeleteBody(Strict):
    """Documents: of these ids, those that pass a filter, or all; one of the three."""

    ids: list[str] | None = None
    where: Where | None = None
    all: bool = False
    strict: bool = False


@router.get("", summary="The collections of this server")
async def listing(hall: InHall, access: As) -> Response:
    """Name and number of documents of each, and the cross-encoder that searches may ask for."""
    found = []
    for each in hall.seen_by(access):
        count = await each.read(partial(each.seen(access).count, None, None, strict=False))
        found.append({"name": each.name, "documents": count})
    return reply({"collections": found, "ranker": hall.ranker_name})


@router.get("/{name}", summary="The figures of a collection")
async def info(name: Name, hall: InHall, access: As) -> Response:
    """Documents, bytes, contract, index with its measured recall, lexical settings."""
    served = hall.served(name, access)
    return reply(await served.read(partial(described, served, access)))


@router.post(
    "/{name}/search",
    summary="The documents that answer a query, or each of several",
    responses={200: {"model": HitsTold | ResultsTold}},
)
async def search(name: Name, body: SearchBody, hall: InHall, access: As) -> Response:
    """Hits, best first; `results` where `queries` were given."""
    served = hall.served(name, access)
    where = served.seen(access).where(body.where)
    questions = questions_of(body, where, hall.ranker_for, hall.settings.limits)
    found = [_shown(hits, body) for hits in await served.search(questions)]
    return reply({"hits": found[0]} if body.queries is None else {"results": [{"hits": each} for each in found]})


@router.post("/{name}/like", summary="The documents nearest to a stored one", responses={200: {"model": HitsTold}})
async def like(name: Name, body: LikeBody, hall: InHall, access: As) -> Response:
    """Hits, by dense scores."""
    served = hall.served(name, access)
    if body.k + body.offset > hall.settings.limits.k or (body.depth or 0) > hall.settings.limits.k:
        raise LimitError(f"this server ranks {hall.settings.limits.k:,} documents at most")
    options = {"k": body.k, "offset": body.offset, "depth": body.depth, "strict": body.strict}
    hits = await served.read(partial(served.seen(access).like, body.id, body.where, options))
    return reply({"hits": _shown(hits, SearchBody(whole=True, explain=True))})


@router.get("/{name}/documents", summary="A page of the documents")
async def page(
    name: Name,
    hall: InHall,
    access: As,
    where: Annotated[str | None, Query(description="A filter, as JSON.")] = None,
    limit: Annotated[int, Query(ge=0)] = PAGE,
    offset: Annotated[int, Query(ge=0, le=2**62)] = 0,
) -> Response:
    """In the order in which they were added."""
    condition = None if where is None else parse_json(where, hint="where is a JSON object")
    if condition is not None and not isinstance(condition, dict):
        raise InputError("where is a JSON object")
    return await _read(hall, name, access, ReadBody(where=condition, limit=limit, offset=offset))


@router.post("/{name}/documents/get", summary="Documents by their ids, or a page of those that pass a filter")
async def get(name: Name, body: ReadBody, hall: InHall, access: As) -> Response:
    """null in place of an id that is not there."""
    return await _read(hall, name, access, body)


@router.get("/{name}/documents/{document_id:path}", summary="A document")
async def document(name: Name, document_id: str, hall: InHall, access: As) -> Response:
    """Id, title, text, metadata."""
    served = hall.served(name, access)
    (found,) = await served.read(partial(served.seen(access).get, [document_id]))
    if found is None:
        raise NoDocumentError(document_id)
    return reply(found.to_json())


@router.post("/{name}/documents", summary="Adds documents, or replaces those of equal ids")
async def add(name: Name, body: DocumentsBody, hall: InHall, access: As) -> Response:
    """The answer is the acknowledgement: what it counts is stored."""
    served = hall.served(name, access, write=True)
    _check_documents(hall, body.documents)
    report = await served.write(partial(served.seen(access).add, body.documents))
    return reply(report.to_json())


@router.patch("/{name}/documents", summary="Changes fields of documents")
async def update(name: Name, body: DocumentsBody, hall: InHall, access: As) -> Response:
    """Fields that are not named stay; null removes one."""
    served = hall.served(name, access, write=True)
    _check_documents(hall, body.documents)
    report = await served.write(partial(served.seen(access).update, body.documents))
    return reply(report.to_json())


@router.post("/{name}/documents/delete", summary="Deletes documents")
async def delete(name: Name, body: DeleteBody, hall: InHall, access: As) -> Response:
    """How many were deleted."""
    served = hall.served(name, access, write=True)
    _check_count(hall, body.ids, "ids")
    seen = served.seen(access)
    work = partial(seen.delete, body.ids, body.where, everything=body.all, strict=body.strict)
    return reply({"deleted": await served.write(work)})


@router.delete("/{name}/documents/{document_id:path}", summary="Deletes a document")
async def delete_one(name: Name, document_id: str, hall: InHall, access: As) -> Response:
    """1, or 0 where it was not there."""
    served = hall.served(name, access, write=True)
    work = partial(served.seen(access).delete, [document_id], None, everything=False, strict=False)
    return reply({"deleted": await served.write(work)})


@router.post("/{name}/count", summary="How many documents there are")
async def count(name: Name, body: CountBody, hall: InHall, access: As) -> Response:
    """Of these ids, of those that pass a filter, or in all."""
    served = hall.served(name, access)
    _check_count(hall, body.ids, "ids")
    work = partial(served.seen(access).count, body.ids, body.where, strict=body.strict)
    return reply({"count": await served.read(work)})


@router.post("/{name}/facets", summary="How many documents hold each value of a field")
async def facets(name: Name, body: FacetsBody, hall: InHall, access: As) -> Response:
    """The most frequent value first."""
    served, found = hall.served(name, access), {}
    for field in body.fields:
        work = partial(served.seen(access).facets, field, body.where, body.limit, strict=body.strict)
        values = await served.read(work)
        found[field] = [{"value": value, "count": number} for value, number in values.items()]
    return reply({"facets": found})


async def _read(hall: Hall, name: str, access: As, body: ReadBody) -> Response:
    served = hall.served(name, access)
    seen, most = served.seen(access), hall.settings.limits.batch
    if body.ids is not None:
        _check_count(hall, body.ids, "ids")
        if body.where is not None or body.offset:
            raise InputError("a page (limit, offset) and a filter are of all documents, not of ids")
        found = await served.read(partial(seen.get, body.ids))
        return reply({"documents": [None if each is None else each.to_json() for each in found]})
    if body.limit > most:
        raise LimitError(f"this server gives {most:,} documents at once; ask for pages, by limit and offset")
    if body.only_ids:
        work = partial(seen.ids, body.where, body.limit, body.offset, strict=body.strict)
        return reply({"ids": await served.read(work)})
    page = partial(seen.listed, body.where, body.limit, body.offset, strict=body.strict)
    return reply({"documents": [each.to_json() for each in await served.read(page)]})


def _shown(hits: Hits, body: SearchBody) -> list[dict[str, Any]]:
    shown = []
    for hit in hits:
        one = hit.to_json()
        if body.explain:
            one["parts"] = dict(hit.parts)
        if body.whole:
            one["document"] = hit.document.text
        if body.marks:
            one["marks"] = [] if hits.highlighting is None else hits.highlighting.spans(hit.text)
            one |= _marks(hit)
            for passage, told in zip(hit.passages, one.get("passages", ()), strict=False):
                told |= _marks(replace(hit, passage=passage))
        shown.append(one)
    return shown


def _marks(hit: Hit) -> dict[str, Any]:
    """What the query says about the passage, in characters of the document's text."""
    sentence = hit.sentence
    return {"highlights": hit.highlights, "sentence": None if sentence is None else sentence.to_json()}


def _check_documents(hall: Hall, documents: Records) -> None:
    _check_count(hall, documents, "documents")
    for record in documents:
        for value in record.values():
            check_text(value, hall.settings.limits)


def _check_count(hall: Hall, given: list[Any] | None, what: str) -> None:
    if given is not None and len(given) > hall.settings.limits.batch:
        raise LimitError(f"this server takes {hall.settings.limits.batch:,} {what} at once, not {len(given):,}")
