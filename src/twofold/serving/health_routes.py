"""/health, /ready and /metrics: for what watches over the server."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter
from starlette.responses import PlainTextResponse, Response

from twofold.serving.describing import described
from twofold.serving.hall import check_whole
from twofold.serving.replies import reply
from twofold.serving.routing import As, InHall, Route

router = APIRouter(tags=["server"], route_class=Route)


@router.get("/health", summary="Whether the process answers")
async def health() -> Response:
    """200, as long as it does."""
    return reply({"status": "ok"})


@router.get("/ready", summary="Whether searches are answered at once")
async def ready(hall: InHall) -> Response:
    """200 once the encoders are loaded; 503 before, and while the server stops."""
    return reply({"status": "ready"} if hall.ready else {"status": "loading"}, 200 if hall.ready else 503)


@router.get("/metrics", response_class=PlainTextResponse, summary="Counts and times, for Prometheus")
async def metrics(hall: InHall, access: As) -> Response:
    """Requests, latency by stage, queues, batch sizes, the cache of query vectors, documents, bytes."""
    check_whole(access)
    counted = hall.metrics
    for each in hall.seen_by(access):
        info = await each.read(partial(described, each, access))
        counted.documents.put(info["documents"], collection=each.name)
        for part, size in info["bytes"].items():
            counted.bytes.put(size, collection=each.name, part=part)
        for queue, batches in (("search", each.searches), ("rank", each.rankings), ("encode", each.encodings)):
            counted.waiting.put(batches.waiting, queue=f"{queue} {each.name}")
        kept = each.collection.encoder.queries
        if kept is not None:
            counted.cache.put(kept.hits, collection=each.name, outcome="kept")
            counted.cache.put(kept.misses, collection=each.name, outcome="encoded")
    return PlainTextResponse(counted.text(), media_type="text/plain; version=0.0.4")
