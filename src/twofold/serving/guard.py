"""What every request passes before the application: host, key, size, depth and time; and what every answer carries."""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from twofold.errors import AccessError, InputError, LateError, LimitError, TwofoldError, brief
from twofold.logs import logger_of
from twofold.serving.access import ANYBODY
from twofold.serving.hall import Hall
from twofold.serving.replies import refusal
from twofold.serving.settings import is_loopback
from twofold.strict_json import parse_json

logger = logger_of(__name__)

STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
OPEN = {"/", "/health", "/ready"}
"""Addresses that need no key; those of the page's own files, too."""
PAGE = "/page/"
LARGE = 256 * 1024
"""Bytes from which on a body is read in a thread."""
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
WRITES = re.compile(r"/v1/collections/[^/]+/documents(/delete|/[^/]*)?$")


class Guard:
    """The outermost application: refuses what must not pass, and answers for what failed within."""

    def __init__(self, app: ASGIApp, hall: Hall) -> None:
        self._app, self._hall = app, hall
        self._limits = hall.settings.limits
        self._hosts = {name.lower() for name in hall.settings.hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await _Exchange(self, scope, receive, send).run()
        else:
            await send({"type": "websocket.close", "code": 1008})

    @property
    def hall(self) -> Hall:
        """What the server holds."""
        return self._hall

    def check_host(self, headers: Headers) -> None:
        """Raises AccessError for a name that is not this server's: a page of another site may have been made to ask."""
        host = headers.get("host", "")
        name = _host_name(host)
        if self._hosts:
            known = name in self._hosts or is_loopback(name)
        else:
            known = is_loopback(name) or not self._hall.settings.on_loopback
        if not known:
            raise AccessError(f"this server does not answer for the host {brief(name)!r}; name it with --host-name")
        origin = headers.get("origin")
        if origin is not None and origin.partition("//")[2] != host:
            raise AccessError("this server answers no requests of other sites' pages")

    async def body(self, headers: Headers, receive: Receive) -> bytes:
        """The whole body. Raises LimitError, LateError for one that is too large or takes too long."""
        most = self._limits.body
        if headers.get("content-length", "0").isdigit() and int(headers.get("content-length", "0")) > most:
            raise LimitError(f"this server takes bodies of {most:,} bytes at most")
        parts, size = [], 0
        try:
            async with asyncio.timeout(self._limits.upload):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise _LeftError
                    parts.append(message.get("body", b""))
                    size += len(parts[-1])
                    if size > most:
                        raise LimitError(f"this server takes bodies of {most:,} bytes at most")
                    if not message.get("more_body"):
                        return b"".join(parts)
        except TimeoutError:
            raise LateError(f"the request's body did not arrive within {self._limits.upload:g} s") from None

    def parsed(self, body: bytes) -> Any:
        """The value of a body of JSON. Raises InputError, LimitError."""
        if body.count(b"[") + body.count(b"{") > self._limits.depth:
            depth = deepest = 0
            for bracket in re.findall(rb"[\[\]{}]", STRING.sub(b"", body)):
                depth += 1 if bracket in b"[{" else -1
                deepest = max(deepest, depth)
            if deepest > self._limits.depth:
                raise LimitError(f"this server reads JSON of {self._limits.depth} levels at most")
        try:
            text = body.decode()
        except UnicodeDecodeError:
            raise InputError("the body is no UTF-8") from None
        return parse_json(text, hint="The body is JSON")


class _LeftError(Exception):
    """The client left before its request was whole."""


class _Exchange:
    """One request and its answer."""

    def __init__(self, guard: Guard, scope: Scope, receive: Receive, send: Send) -> None:
        self._guard, self._scope, self._receive, self._send = guard, scope, receive, send
        self._status = 0

    async def run(self) -> None:
        """Answers, and counts the answer."""
        metrics, start = self._guard.hall.metrics, time.perf_counter()
        metrics.open.add(1)
        try:
            await self._answer()
        except _LeftError:
            pass
        except TwofoldError as error:
            await self._refuse(error)
        except Exception as error:  # noqa: BLE001 - whatever fails within is logged, and answered without its words
            await self._refuse(error)
        finally:
            metrics.open.add(-1)
            route = getattr(self._scope.get("route"), "path", "other")
            metrics.requests.add(1, route=route, method=self._scope["method"], status=str(self._status))
            metrics.seconds.observe(time.perf_counter() - start, route=route)

    async def _answer(self) -> None:
        scope, guard = self._scope, self._guard
        headers = Headers(scope=scope)
        guard.check_host(headers)
        open_to_all = scope["path"] in OPEN or scope["path"].startswith(PAGE)
        access = ANYBODY if open_to_all else guard.hall.keys.access(_key(headers))
        body = await guard.body(headers, self._receive)
        scope.setdefault("state", {})["access"] = access
        if body and "json" in headers.get("content-type", ""):
            parse = asyncio.to_thread(guard.parsed, body) if len(body) > LARGE else None
            scope["state"]["json"] = guard.parsed(body) if parse is None else await parse
        await self._run(body)

    async def _run(self, body: bytes) -> None:
        """Runs the application until it has answered, the client has left, or it is late; writing goes to its end."""
        sent = False

        async def again() -> Message:
            nonlocal sent
            if sent:
                return {"type": "http.disconnect"}
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        writes = self._scope["method"] != "GET" and WRITES.search(self._scope["path"]) is not None
        work = asyncio.ensure_future(self._guard._app(self._scope, again, self._sent))
        left = asyncio.ensure_future(self._left())
        seconds = None if writes else self._guard.hall.settings.limits.seconds
        try:
            await asyncio.wait({work, left}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if work.done() or writes:
                await work
                return
            gone = left.done()
            work.cancel()
            await asyncio.wait({work})
            if not gone:
                raise LateError(f"there was no answer within {seconds:g} s")
        finally:
            left.cancel()

    async def _left(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _sent(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("Cache-Control", "no-store")
        await self._send(message)

    async def _refuse(self, error: Exception) -> None:
        if self._status:
            if not isinstance(error, TwofoldError):
                logger.error("a request failed", exc_info=error)
            return
        response = refusal(self._scope["path"], error)
        if response.status_code >= 500 and not isinstance(error, LateError):
            logger.error("%s %s failed", self._scope["method"], self._scope["path"], exc_info=error)
        if response.status_code == 413 or isinstance(error, LateError):
            response.headers["Connection"] = "close"  # the rest of its body is not read
        await response(self._scope, self._receive, self._sent)


def _key(headers: Headers) -> str | None:
    scheme, _, key = headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else headers.get("x-api-key")


def _host_name(host: str) -> str:
    """The name in a Host header, without its port."""
    if host.startswith("["):
        return host.partition("]")[0].lstrip("[").lower()
    return host.partition(":")[0].lower()
