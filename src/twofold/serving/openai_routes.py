"""/v1/embeddings and /v1/models, as OpenAI's API has them."""

from __future__ import annotations

import base64
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from twofold.errors import InputError
from twofold.serving.encoding_texts import check_dimensions, encoded
from twofold.serving.replies import reply
from twofold.serving.routing import As, InHall, Route

router = APIRouter(prefix="/v1", tags=["OpenAI"], route_class=Route)


class EmbeddingsBody(BaseModel):
    """What OpenAI's clients send, and two fields more.

    input_type: "query" or "document", for models that encode both differently. truncate: cut texts that are too long.
    user: has no effect.
    """

    model_config = ConfigDict(strict=True, extra="forbid")

    input: str | list[str] | list[int] | list[list[int]]
    model: str
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = Field(default=None, ge=1)
    user: str | None = None
    input_type: Literal["query", "document"] = "document"
    truncate: bool = False


@router.post("/embeddings", summary="Vectors of texts")
async def embeddings(body: EmbeddingsBody, hall: InHall, access: As) -> Response:
    """One for each input, in their order."""
    served = hall.encoder_of(body.model, access)
    check_dimensions(served, body.dimensions)
    vectors, tokens = await encoded(
        served, _texts(body), hall.settings.limits, side=body.input_type, truncate=body.truncate
    )
    if body.encoding_format == "base64":
        values: list[object] = [base64.b64encode(line.astype("<f4").tobytes()).decode() for line in vectors]
    else:
        values = list(vectors.tolist())
    data = [{"object": "embedding", "index": place, "embedding": value} for place, value in enumerate(values)]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return reply({"object": "list", "data": data, "model": hall.model_name(served), "usage": usage})


@router.get("/models", summary="The models that /v1/embeddings takes")
async def models(hall: InHall, access: As) -> Response:
    """Names of encoders; those of collections mean the encoder of that collection."""
    able = [each for each in hall.seen_by(access) if each.collection.encoder.can_encode]
    names = dict.fromkeys([*(hall.model_name(each) for each in able), *(each.name for each in able)])
    listed = [{"id": name, "object": "model", "created": 0, "owned_by": "twofold"} for name in names]
    return reply({"object": "list", "data": listed})


def _texts(body: EmbeddingsBody) -> list[str]:
    if isinstance(body.input, str):
        return [body.input]
    texts = [each for each in body.input if isinstance(each, str)]
    if len(texts) != len(body.input):
        raise InputError(
            "input holds token ids, and those of one tokenizer mean nothing to another; send texts (in LangChain: "
            "check_embedding_ctx_length=False)"
        )
    return texts
