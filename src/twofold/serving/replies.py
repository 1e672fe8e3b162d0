"""Answers and errors as JSON, in the shape that each family of addresses has."""

from __future__ import annotations

import json
import math
from typing import Any

from starlette.responses import Response

from twofold import errors
from twofold.serving.statuses import message_of, status_of

TEI = {"/embed", "/rerank", "/info", "/similarity", "/tokenize"}
TEI_TYPES = {401: "Unauthorized", 403: "Unauthorized", 413: "Validation", 429: "Overloaded", 503: "Unhealthy"}


def reply(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """An answer of JSON."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Response(text.encode("utf-8", "replace"), status, headers, "application/json")


def refusal(path: str, error: BaseException) -> Response:
    """The answer that an error becomes, as the family of this path has it."""
    status, message = status_of(error), message_of(error)
    if path in TEI and status == 400:
        status = 422
    headers = {}
    if isinstance(error, errors.BusyError):
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after)))
    if status == 503:
        headers["Retry-After"] = "1"
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return reply(_body(path, status, message, error), status, headers)


def _body(path: str, status: int, message: str, error: BaseException) -> dict[str, Any]:
    if path in TEI:
        kind = TEI_TYPES.get(status, "Validation" if status < 500 else "Backend")
        return {"error": message, "error_type": kind}
    if path.startswith("/v2/"):
        return {"message": message}
    code = type(error).__name__ if isinstance(error, errors.TwofoldError) else "ServiceError"
    kinds = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}
    kind = kinds.get(status, "invalid_request_error" if status < 500 else "server_error")
    return {"error": {"message": message, "type": kind, "param": getattr(error, "param", None), "code": code}}
