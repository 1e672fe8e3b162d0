"""Requests of a client to a server: the key, what is asked again, and the error that an answer stands for."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any, TypeVar

from twofold.errors import BusyError, InputError, LateError, MissingExtraError, ServiceError, TwofoldError, brief
from twofold.serving.calls import Call, Steps
from twofold.serving.statuses import error_named

if TYPE_CHECKING:
    import httpx

Result = TypeVar("Result")
ATTEMPTS = 4
"""Times that a request is made which the server has no room for; it did nothing with those that it refused."""
LONGEST_WAIT = 10.0
"""Seconds of Retry-After that are waited for, at most."""


class Address:
    """A server. url: such as "http://127.0.0.1:8080". timeout: seconds that an answer may take. Raises InputError."""

    def __init__(self, url: str, key: str | None, timeout: float) -> None:
        if not isinstance(url, str) or not url.startswith(("http://", "https://")):
            raise InputError(f"a server has an address such as http://127.0.0.1:8080, not {url!r}")
        if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not timeout > 0:
            raise InputError(f"timeout is a number of seconds above 0, not {timeout!r}")
        if key is not None and (not isinstance(key, str) or not key.isascii() or not key.isprintable()):
            raise InputError("a key is a text as `twofold key NAME` prints it")
        self.url = url.rstrip("/")
        self._key, self._timeout = key, float(timeout)

    def settings(self) -> dict[str, Any]:
        """What a client of httpx is made with."""
        headers = {"Content-Type": "application/json"}
        if self._key is not None:
            headers["Authorization"] = f"Bearer {self._key}"
        return {"base_url": self.url, "headers": headers, "timeout": self._timeout, "follow_redirects": False}

    def failed(self, error: Exception) -> TwofoldError:
        """The error for a request that had no answer."""
        if _httpx_kind(error, "TimeoutException"):
            return LateError(f"{self.url} did not answer within {self._timeout:g} s")
        return ServiceError(
            f"{self.url} cannot be reached ({brief(str(error)) or type(error).__name__}); "
            "is `twofold serve COLLECTION` running there?"
        )


class Waiting:
    """A connection whose requests are waited for. Raises MissingExtraError without httpx."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._client = _imported().Client(**address.settings())

    def run(self, steps: Steps[Result]) -> Result:
        """The result of the calls. Raises the error that the server told, ServiceError."""
        try:
            call = next(steps)
            while True:
                try:
                    answer = self._answer(call)
                except TwofoldError as error:
                    call = steps.throw(error)
                else:
                    call = steps.send(answer)
        except StopIteration as ended:
            result: Result = ended.value
            return result

    def _answer(self, call: Call) -> Any:
        attempt = 1
        while True:
            try:
                response = self._client.request(call.method, call.path, content=_content(call))
                return _value(response, self._address.url)
            except BusyError as error:
                if attempt == ATTEMPTS:
                    raise
                time.sleep(min(error.retry_after, LONGEST_WAIT))
            except _imported().HTTPError as error:
                raise self._address.failed(error) from error
            attempt += 1

    def close(self) -> None:
        """Closes the connection."""
        self._client.close()


class Awaited:
    """A connection whose requests are awaited. Raises MissingExtraError without httpx."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._client = _imported().AsyncClient(**address.settings())

    async def run(self, steps: Steps[Result]) -> Result:
        """As `Waiting.run`."""
        try:
            call = next(steps)
            while True:
                try:
                    answer = await self._answer(call)
                except TwofoldError as error:
                    call = steps.throw(error)
                else:
                    call = steps.send(answer)
        except StopIteration as ended:
            result: Result = ended.value
            return result

    async def _answer(self, call: Call) -> Any:
        attempt = 1
        while True:
            try:
                response = await self._client.request(call.method, call.path, content=_content(call))
                return _value(response, self._address.url)
            except BusyError as error:
                if attempt == ATTEMPTS:
                    raise
                await asyncio.sleep(min(error.retry_after, LONGEST_WAIT))
            except _imported().HTTPError as error:
                raise self._address.failed(error) from error
            attempt += 1

    async def close(self) -> None:
        """Closes the connection."""
        await self._client.aclose()


def _content(call: Call) -> bytes | None:
    if call.body is None:
        return None
    try:
        return json.dumps(call.body, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise InputError(f"this cannot be sent as JSON: {brief(str(error))}") from None


def _value(response: httpx.Response, url: str) -> Any:
    """The value of an answer. Raises the error that it tells, ServiceError for what is no answer of Twofold."""
    try:
        value = response.json()
    except ValueError:
        value = None
    if response.status_code == 200 and value is not None:
        return value
    told = value.get("error") if isinstance(value, dict) else None
    if not isinstance(told, dict) or not isinstance(told.get("message"), str):
        raise ServiceError(f"{url} answers {response.status_code}, and not as a server of Twofold does")
    wait = response.headers.get("retry-after", "1")
    raise error_named(str(told.get("code")), told["message"], float(wait) if wait.isdigit() else 1.0)


def _httpx_kind(error: Exception, name: str) -> bool:
    return isinstance(error, getattr(_imported(), name))


def _imported() -> Any:
    try:
        import httpx
    except ImportError:
        raise MissingExtraError("httpx", "client") from None
    return httpx
