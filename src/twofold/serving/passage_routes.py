"""/v1/collections/NAME/passages: what a document was divided into."""

from __future__ import annotations

from functools import partial
from typing import Any

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from twofold.documents import Passage
from twofold.errors import LimitError
from twofold.outline import heading_paths
from twofold.serving.asking import Strict
from twofold.serving.collection_routes import PAGE, Name
from twofold.serving.replies import reply
from twofold.serving.routing import As, InHall, Route

router = APIRouter(prefix="/v1/collections", tags=["collections"], route_class=Route)


class PassagesBody(Strict):
    """A stored document, and which of its passages."""

    id: str
    limit: int = Field(default=PAGE, ge=0)
    offset: int = Field(default=0, ge=0)


@router.post("/{name}/passages", summary="The passages of a document, each with a vector of its own")
async def passages(name: Name, body: PassagesBody, hall: InHall, access: As) -> Response:
    """In the order of the text: start, end, text, the headings above it, the page; `count` is of all of them."""
    served, most = hall.served(name, access), hall.settings.limits.batch
    if body.limit > most:
        raise LimitError(f"this server gives {most:,} passages at once; ask for pages, by limit and offset")
    found = await served.read(partial(served.seen(access).passages, body.id))
    page = found[body.offset :][: body.limit]
    return reply({"passages": await served.read(partial(_shown, page)), "count": len(found)})


def _shown(passages: list[Passage]) -> list[dict[str, Any]]:
    if not passages:
        return []
    paths = heading_paths(passages[0].whole, [each.start for each in passages])
    return [
        {**each.to_json(), "headings": [heading.title for heading in path], "page": each.page}
        for each, path in zip(passages, paths, strict=True)
    ]
