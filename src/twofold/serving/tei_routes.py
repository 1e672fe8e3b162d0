"""/embed, /rerank, /info, /similarity and /tokenize, as Hugging Face's text-embeddings-inference has them.

They speak of one model: the encoder of the first collection that the key may use.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any, Literal

import numpy as np
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from twofold.errors import InputError
from twofold.scores import unit_vectors
from twofold.serving.encoding_texts import check_dimensions, check_texts, encoded, spans_of
from twofold.serving.ranking_texts import best_first, ranked
from twofold.serving.replies import reply
from twofold.serving.routing import As, InHall, Route

router = APIRouter(tags=["text-embeddings-inference"], route_class=Route)


class _Body(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


Direction = Literal["Right", "right"]
"""The end at which texts are cut; the models here are read from the beginning."""
Prompt = Literal["query", "document", "passage"]
"""What a text is encoded as."""


class EmbedBody(_Body):
    """prompt_name: "query" encodes as a query, the others as a document. normalize: to unit length."""

    inputs: str | list[str]
    truncate: bool | None = False
    truncation_direction: Direction | None = None
    normalize: bool = True
    prompt_name: Prompt | None = None
    dimensions: int | None = Field(default=None, ge=1)


class RerankBody(_Body):
    """A query and texts."""

    query: str
    texts: list[str]
    raw_scores: bool = False
    return_text: bool = False
    truncate: bool | None = False
    truncation_direction: Direction | None = None


class Sentences(_Body):
    """A sentence, and those that it is compared with."""

    source_sentence: str
    sentences: list[str]


class SimilarityParameters(_Body):
    """How they are encoded."""

    truncate: bool | None = False
    truncation_direction: Direction | None = None
    prompt_name: Prompt | None = None


class SimilarityBody(_Body):
    """Sentences to compare."""

    inputs: Sentences
    parameters: SimilarityParameters | None = None


class TokenizeBody(_Body):
    """Texts to divide into tokens; special ones belong to the model's input, not to a text, and are not given."""

    inputs: str | list[str]
    add_special_tokens: Literal[False] | None = None


@router.post("/embed", summary="Vectors of texts")
async def embed(body: EmbedBody, hall: InHall, access: As) -> Response:
    """A list of numbers for each."""
    served = hall.encoder_of(None, access)
    check_dimensions(served, body.dimensions)
    texts = [body.inputs] if isinstance(body.inputs, str) else body.inputs
    side = _side(body.prompt_name)
    vectors, _ = await encoded(served, texts, hall.settings.limits, side=side, truncate=bool(body.truncate))
    return reply((unit_vectors(vectors) if body.normalize else vectors).tolist())


@router.post("/rerank", summary="Texts by relevance to a query")
async def rerank(body: RerankBody, hall: InHall, access: As) -> Response:
    """Index and score, the best first."""
    served = None if hall.ranker_name is not None else hall.encoder_of(None, access)
    scored = await ranked(hall, served, body.query, body.texts, raw=body.raw_scores)
    if not body.truncate:
        scored.check_whole()
    found: list[dict[str, Any]] = [{"index": place, "score": score} for place, score in best_first(scored)]
    if body.return_text:
        for each in found:
            each["text"] = body.texts[each["index"]]
    return reply(found)


@router.post("/similarity", summary="How similar a sentence is to others")
async def similarity(body: SimilarityBody, hall: InHall, access: As) -> Response:
    """The cosine with each."""
    served = hall.encoder_of(None, access)
    texts = [body.inputs.source_sentence, *body.inputs.sentences]
    if len(texts) == 1:
        raise InputError("there is no sentence to compare with")
    asked = body.parameters or SimilarityParameters()
    side, truncate = _side(asked.prompt_name), bool(asked.truncate)
    vectors, _ = await encoded(served, texts, hall.settings.limits, side=side, truncate=truncate)
    unit = unit_vectors(vectors)
    return reply([float(each) for each in np.clip(unit[1:] @ unit[0], -1, 1)])


@router.post("/tokenize", summary="The tokens of texts")
async def tokenize(body: TokenizeBody, hall: InHall, access: As) -> Response:
    """Text, start and end of each, in characters."""
    served = hall.encoder_of(None, access)
    texts = [body.inputs] if isinstance(body.inputs, str) else body.inputs
    check_texts(texts, hall.settings.limits)
    spans = await spans_of(served, texts)
    if spans is None:
        raise InputError("this model does not say how it divides texts")
    return reply(
        [
            [{"text": text[start:end], "start": start, "stop": end, "special": False} for start, end in each.tolist()]
            for text, each in zip(texts, spans, strict=True)
        ]
    )


@router.get("/info", summary="The model, and what the server allows")
async def info(hall: InHall, access: As) -> Response:
    """As text-embeddings-inference says it."""
    served, limits = hall.encoder_of(None, access), hall.settings.limits
    contract = served.collection.contract
    return reply(
        {
            "model_id": hall.model_name(served),
            "model_sha": contract.weights,
            "model_dtype": await served.read(lambda: served.collection.encoder.precision),
            "model_type": {"embedding": {"pooling": contract.pooling}},
            "max_concurrent_requests": limits.waiting,
            "max_input_length": contract.max_tokens,
            "max_batch_tokens": (contract.max_tokens or 0) * hall.settings.batch,
            "max_client_batch_size": limits.batch,
            "auto_truncate": False,
            "tokenization_workers": 1,
            "version": version("twofold"),
        }
    )


def _side(prompt_name: str | None) -> str:
    return "query" if prompt_name == "query" else "document"
