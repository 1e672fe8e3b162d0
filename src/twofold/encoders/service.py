"""Requests to an embeddings API: the key, the waits, and what a refusal means.

The key is read from the environment for each request. It is sent to the address that the program names; an address that
comes from a collection's files, which may be someone else's, gets it only where the environment says so.
"""

from __future__ import annotations

import json
import math
import os
import random
import re
import ssl
import time
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from itertools import count
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from twofold.errors import InputError, ModelError, brief
from twofold.logs import logger_of

logger = logger_of(__name__)

AGAIN = {408, 409, 429, 500, 502, 503, 504, 529}
"""Statuses after which the same request may succeed."""
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
"""Seconds before the first repetition, doubled before each later one, and the most of them."""
LONGEST_ASKED = 300.0
"""Seconds of Retry-After at most; a service that asks for more is an error."""
HOSTS = {"OPENAI_API_KEY": "api.openai.com"}
"""Variables of keys → the host, over https, that such a key is for."""


class _AgainError(Exception):
    """A request failed, and may be repeated. wait: seconds that the service asks for, None where it does not say."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect is an error: the key must not follow it to another host."""

    def redirect_request(self, *_: Any) -> None:
        """None: the answer becomes an HTTPError."""


class Service:
    """POST {url}/embeddings, with the key in an environment variable. Settings: see ApiEncoder.

    url_is_stored: the address was read from a collection. Raises InputError for invalid settings.
    """

    def __init__(self, url: str, key_from: str, *, timeout: float, retries: int) -> None:
        _check_url(url)
        if not isinstance(key_from, str) or not re.fullmatch(r"(?a:[A-Za-z_]\w*)?", key_from):
            raise InputError("key_from is the name of an environment variable that holds the key, not the key itself")
        for name, value, kind in (("timeout", timeout, int | float), ("retries", retries, int)):
            if isinstance(value, bool) or not isinstance(value, kind) or not 0 <= value < math.inf:
                raise InputError(f"{name} must be a number of at least 0, not {value!r}")
        if not timeout:
            raise InputError("timeout must be above 0 seconds")
        self.url = url.rstrip("/")
        self.key_from = key_from
        self.url_is_stored = False
        self._timeout, self._retries = timeout, retries
        self._opener = urllib.request.build_opener(_NoRedirects)

    def post(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """The JSON object that answers. Raises ModelError, InputError for a key that cannot be one."""
        body = json.dumps(asked).encode()
        for tried in count(1):
            try:
                return self._answer(body)
            except _AgainError as error:
                if tried > self._retries:
                    times = "once" if tried == 1 else f"{tried} times"
                    raise ModelError(f"{error}; it was tried {times}. Try again later") from error
                wait = min(FIRST_WAIT * 2 ** (tried - 1), LONGEST_WAIT) * random.uniform(0.5, 1)  # noqa: S311 - no secret
                wait = wait if error.wait is None else error.wait
                if wait > LONGEST_ASKED:
                    raise ModelError(f"{error}; it asks to wait {wait:,.0f} seconds. Try again then") from error
                # Without the service's message, which may repeat a text.
                logger.warning("a request to %s failed and is repeated in %.1f seconds", self.url, wait)
                time.sleep(wait)
        raise AssertionError("unreachable")

    def _answer(self, body: bytes) -> dict[str, Any]:
        key = self._key()
        request = urllib.request.Request(f"{self.url}/embeddings", body, {"Content-Type": "application/json"})  # noqa: S310 - the scheme was checked
        if key:
            request.add_unredirected_header("Authorization", f"Bearer {key}")
        try:
            with self._opener.open(request, timeout=self._timeout) as answer:
                content = answer.read()
        except HTTPError as error:
            raise self._refused(error, key) from None
        except (OSError, HTTPException) as error:
            raise self._unreached(error) from None
        try:
            found = json.loads(content)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            shown = _without(key, brief(content.decode(errors="replace")))
            raise ModelError(f"{request.full_url} answered what is no JSON object: {shown!r}; is the address right?")
        return found

    def _key(self) -> str:
        """The key, "" without one. Raises InputError, ModelError."""
        key = os.environ.get(self.key_from, "").strip() if self.key_from else ""
        if not key:
            return ""
        if not re.fullmatch(r"[!-~]+", key):
            raise InputError(f"the environment variable {self.key_from} holds spaces or characters that no key has")
        parts, allowed = urlsplit(self.url), os.environ.get(f"{self.key_from}_HOST")
        ours = parts.netloc.lower() == allowed.strip().lower() if allowed else is_key_for(self.key_from, self.url)
        if self.url_is_stored and not ours:
            raise ModelError(
                f"the address {self.url} comes from the collection, so the key in {self.key_from} is not sent there. "
                f"If you trust it, set {self.key_from}_HOST={parts.netloc}, or name the encoder when you "
                "open the collection: encoder=twofold.ApiEncoder(URL, MODEL), or --encoder api:URL#MODEL"
            )
        return key

    def _refused(self, error: HTTPError, key: str) -> Exception:
        try:
            with error:
                content = error.read()
        except (OSError, HTTPException):
            content = b""
        said = _without(key, _message(content))
        text = f"{self.url}/embeddings answered {error.code} {error.reason}" + (f": {said}" if said else "")
        if error.code in AGAIN:
            return _AgainError(text, _asked_wait(error.headers))
        return ModelError(f"{text}. {self._advice(error.code, key)}")

    def _advice(self, status: int, key: str) -> str:
        if status in (401, 403):
            where = f"the environment variable {self.key_from}" if self.key_from else "a variable, key_from="
            return f"Is the key in {where} right?" if key else f"No key was sent; put it into {where}"
        if 300 <= status < 400:
            return "Redirects are not followed; give the address that it redirects to"
        if status in (404, 405):
            return "Is this the address before /embeddings, and does the service have this model?"
        return "Does the model take texts this long, this many a request (batch=), and these dimensions?"

    def _unreached(self, error: Exception) -> Exception:
        reason = error.reason if isinstance(error, URLError) else error
        if isinstance(reason, TimeoutError):
            return _AgainError(f"{self.url}/embeddings did not answer within {self._timeout:g} seconds")
        text = f"{self.url}/embeddings cannot be reached: {reason or type(reason).__name__}"
        if isinstance(reason, ssl.SSLCertVerificationError):
            return ModelError(text)
        return _AgainError(text)


def _check_url(url: object) -> None:
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:  # no port, no address
        usable = False
    if not usable or not isinstance(url, str) or not re.fullmatch(r"[!-~]+", url):
        raise InputError(f"url is an address such as https://api.openai.com/v1, not {url!r}")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise InputError("url is stored in the collection: it takes no user, password, ? or #; the key has key_from=")


def is_key_for(key_from: str, url: str) -> bool:
    """Whether the key of this variable is known to be for this address."""
    parts = urlsplit(url)
    return parts.scheme == "https" and parts.netloc.lower() == HOSTS.get(key_from)


def _without(key: str, text: str) -> str:
    """The text without the key, which a service may repeat."""
    return text.replace(key, "…") if key else text


def _message(content: bytes) -> str:
    """What a service says of an error: {"error": {"message": …}} or another text; shortened."""
    text = content.decode(errors="replace").strip()
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return brief(text)
    for name in ("error", "message", "detail"):
        if isinstance(found, dict) and found.get(name):
            found = found[name]
    return brief(found if isinstance(found, str) else json.dumps(found, ensure_ascii=False))


def _asked_wait(headers: Message) -> float | None:
    """The seconds of Retry-After, a number or a date; None where there is none."""
    said = headers.get("Retry-After", "").strip()
    try:
        wait = float(said)
    except ValueError:
        try:
            wait = (parsedate_to_datetime(said).astimezone(UTC) - datetime.now(UTC)).total_seconds()
        except ValueError:
            return None
    return max(0.0, wait) if math.isfinite(wait) else None
