"""/v2/rerank as Cohere's API has it, and /v1/rerank as Jina's and Infinity's have it."""

from __future__ import annotations

import uuid
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from twofold.errors import InputError, brief
from twofold.serving.counted import Counted
from twofold.serving.encoding_texts import check_texts
from twofold.serving.hall import Hall
from twofold.serving.ranking_texts import best_first, ranked, shortened
from twofold.serving.replies import reply
from twofold.serving.routing import As, InHall, Route

router = APIRouter(tags=["reranking"], route_class=Route)


class RerankBody(BaseModel):
    """A query and texts. max_tokens_per_doc: the rest of each text is not read. priority: has no effect."""

    model_config = ConfigDict(strict=True, extra="forbid")

    query: str
    documents: list[str | dict[str, Any]] = Field(min_length=1)
    model: str | None = None
    top_n: int | None = Field(default=None, ge=1)
    max_tokens_per_doc: int | None = Field(default=None, ge=1)
    priority: int | None = None


class RerankBodyV1(RerankBody):
    """As that of Cohere. return_documents: puts each text beside its score."""

    return_documents: bool = False


@router.post("/v2/rerank", summary="Texts by relevance to a query (Cohere)")
async def rerank_v2(body: RerankBody, hall: InHall, access: As) -> Response:
    """Index and relevance, the most relevant first."""
    texts = _texts(body)
    best, scored = await _best(hall, access, body, texts)
    results = [{"index": place, "relevance_score": score} for place, score in best]
    meta: dict[str, Any] = {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}}
    if scored.warnings:
        meta["warnings"] = scored.warnings
    return reply({"id": str(uuid.uuid4()), "results": results, "meta": meta})


@router.post("/v1/rerank", summary="Texts by relevance to a query (Jina, Infinity)")
async def rerank_v1(body: RerankBodyV1, hall: InHall, access: As) -> Response:
    """Index and relevance, the most relevant first."""
    texts = _texts(body)
    results: list[dict[str, Any]] = []
    best, scored = await _best(hall, access, body, texts)
    for place, score in best:
        results.append({"index": place, "relevance_score": score})
        if body.return_documents:
            results[-1]["document"] = {"text": texts[place]}
    answer = {
        "id": str(uuid.uuid4()),
        "object": "rerank",
        "model": body.model or hall.ranker_name or "",
        "results": results,
        "usage": {"total_tokens": scored.tokens, "prompt_tokens": scored.tokens},
    }
    if scored.warnings:
        answer["meta"] = {"warnings": scored.warnings}
    return reply(answer)


async def _best(hall: Hall, access: As, body: RerankBody, texts: list[str]) -> tuple[list[tuple[int, float]], Counted]:
    if body.model not in (None, hall.ranker_name) or hall.ranker_name is None:
        named = hall.encoder_of(body.model, access)  # scores by its vectors
    else:
        named = None
    check_texts(texts, hall.settings.limits)
    read = await shortened(hall, named, texts, body.max_tokens_per_doc)
    scored = await ranked(hall, named, body.query, read)
    return best_first(scored)[: body.top_n], scored


def _texts(body: RerankBody) -> list[str]:
    """The text of each: itself, or the field `text` of an object."""
    texts = []
    for place, each in enumerate(body.documents):
        text = each if isinstance(each, str) else each.get("text")
        if not isinstance(text, str):
            raise InputError(f"document {place} is no text and has no field text: {brief(repr(each))}")
        texts.append(text)
    return texts
