"""The application: routes, and errors in one shape."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp

from twofold.errors import AccessError, InputError, LimitError, NotServedError, TwofoldError, brief
from twofold.serving import (
    collection_routes,
    health_routes,
    openai_routes,
    page_routes,
    passage_routes,
    rerank_routes,
    tei_routes,
)
from twofold.serving.guard import Guard
from twofold.serving.hall import Hall
from twofold.serving.replies import refusal
from twofold.serving.settings import ServerSettings

REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"description": text, "content": {"application/json": {"schema": {"type": "object"}}}}
    for status, text in {"4XX": "The request cannot be answered, and why.", "5XX": "The server failed."}.items()
}
"""What every address may answer besides, for its description."""


def make_app(settings: ServerSettings) -> ASGIApp:
    """The server's application, its collections opened. Raises what opening them raises."""
    hall = Hall(settings)

    @asynccontextmanager
    async def running(_: FastAPI) -> AsyncIterator[None]:
        async with hall.running():
            yield

    app = FastAPI(
        title="Twofold",
        version=version("twofold"),
        summary="Dense, lexical and hybrid search, embeddings and reranking.",
        lifespan=running,
        docs_url=None,  # the usual page loads its scripts from another host
        redoc_url=None,
        openapi_url="/openapi.json",
    )
    app.state.hall = hall
    routers = (page_routes, health_routes, collection_routes, passage_routes, openai_routes, rerank_routes, tei_routes)
    for routes in routers:
        app.include_router(routes.router, responses=REFUSALS)
    app.add_exception_handler(TwofoldError, _told)
    app.add_exception_handler(Exception, _told)  # answered in one shape; guard.py logs it
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _refused)
    return Guard(app, hall)


async def _told(request: Request, error: Exception) -> Response:
    return refusal(request.url.path, error)


async def _invalid(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"] if part != "body")
    found = InputError(brief(f"{where}: {first['msg']}" if where else str(first["msg"])))
    found.param = where or None  # type: ignore[attr-defined]
    return refusal(request.url.path, found)


async def _refused(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    path = brief(request.url.path)
    if status == 404:
        response = refusal(request.url.path, NotServedError(f"there is nothing at {path}; see /openapi.json"))
    elif status == 405:
        response = refusal(request.url.path, AccessError(f"{request.method} is not possible at {path}"))
        response.status_code = 405
        response.headers.update(getattr(error, "headers", None) or {})
    elif status == 413:
        response = refusal(request.url.path, LimitError("the request is too large"))
    else:
        response = refusal(request.url.path, InputError("the request cannot be read"))
    return response
