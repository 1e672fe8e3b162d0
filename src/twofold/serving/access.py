"""API keys: who may read and write which collections, and which of their documents.

A key is known by its SHA-256 alone, in a file with one JSON object a line, or in the environment variable
TWOFOLD_API_KEYS (the same lines). Keys have 256 random bits, so a fast hash tells nothing about them.
"""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from twofold import filters
from twofold.errors import AccessError, InputError, UnknownKeyError
from twofold.strict_json import parse_json

VARIABLE = "TWOFOLD_API_KEYS"
PREFIX = "tf-"
SCOPES = ("read", "write")
FIELDS = {"name", "sha256", "scopes", "collections", "where"}


@dataclass(frozen=True, slots=True)
class Access:
    """What a request may do.

    name: of the key. write: whether it may change documents. collections: those it may use, None for all. where: a
    filter that holds for every document that it reads or writes, None for all.
    """

    name: str = ""
    write: bool = True
    collections: tuple[str, ...] | None = None
    where: Mapping[str, Any] | None = None

    def check_write(self) -> None:
        """Raises AccessError where the key only reads."""
        if not self.write:
            raise AccessError(f"the key {self.name!r} may only read")

    def sees(self, collection: str) -> bool:
        """Whether the key may use a collection."""
        return self.collections is None or collection in self.collections


ANYBODY = Access()
"""Where no keys are asked for."""


class Keys:
    """The keys of a server; none means that none is asked for. lines: as in the file. Raises InputError."""

    def __init__(self, lines: str = "", place: str = VARIABLE) -> None:
        self._known: list[tuple[bytes, Access]] = []
        for number, line in enumerate(lines.splitlines(), 1):
            if line.strip():
                self._known.append(_read(line, place, number))

    @classmethod
    def of(cls, path: str | None) -> Keys:
        """Those of a file, or of the environment. Raises InputError."""
        if path is None:
            return cls(os.environ.get(VARIABLE, ""))
        try:
            return cls(Path(path).read_text(encoding="utf-8"), path)
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"the keys cannot be read: {error}", path=path) from None

    def __len__(self) -> int:
        return len(self._known)

    def access(self, given: str | None) -> Access:
        """What a presented key may do. Raises UnknownKeyError."""
        if not self._known:
            return ANYBODY
        if not given:
            raise UnknownKeyError("this server wants an API key: send the header Authorization: Bearer KEY")
        digest = sha256(given.encode()).digest()
        # All are compared, each in constant time, so that the time tells nothing about which one was nearly right.
        found = [access for known, access in self._known if hmac.compare_digest(known, digest)]
        if not found:
            raise UnknownKeyError("this server does not know the API key that was sent")
        return found[0]


def new_key() -> tuple[str, str]:
    """A random key, and the SHA-256 by which a server knows it."""
    key = PREFIX + secrets.token_urlsafe(32)
    return key, sha256(key.encode()).hexdigest()


def _read(line: str, place: str, number: int) -> tuple[bytes, Access]:
    def wrong(what: str) -> InputError:
        return InputError(what, path=place, line=number)

    try:
        entry = parse_json(line, hint="Each line is an object as `twofold key NAME` prints it")
    except InputError as error:
        raise wrong(str(error)) from None
    if not isinstance(entry, dict) or not {"name", "sha256"} <= entry.keys() or entry.keys() - FIELDS:
        raise wrong(
            "a key has name and sha256, and may have scopes, collections and where; make one: `twofold key NAME`"
        )
    name, digest, scopes = entry["name"], entry["sha256"], entry.get("scopes", ["read"])
    collections, where = entry.get("collections"), entry.get("where")
    if not isinstance(name, str) or not isinstance(digest, str) or len(digest) != 64:
        raise wrong("name is a text, and sha256 has 64 hexadecimal digits")
    if not isinstance(scopes, list) or not scopes or set(map(str, scopes)) - set(SCOPES):
        raise wrong(f"scopes is a list of {' and '.join(SCOPES)}")
    if collections is not None and not (
        isinstance(collections, list) and all(isinstance(each, str) for each in collections)
    ):
        raise wrong("collections is a list of names")
    if where is not None and (
        not isinstance(where, dict)
        or filters.says_nothing(condition := filters.parse(where))
        or filters.TRUNCATED in filters.fields(condition)
    ):
        raise wrong('where is a filter on fields of documents that says something, such as {"tenant": "a"}')
    try:
        known = bytes.fromhex(digest)
    except ValueError:
        raise wrong("sha256 has 64 hexadecimal digits") from None
    return known, Access(name, "write" in scopes, None if collections is None else tuple(collections), where)
