"""Where a collection is: a folder, or an address at a server such as postgresql://host/database?collection=wiki."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlsplit

from twofold.errors import InputError
from twofold.files import absolute

POSTGRES = ("postgresql", "postgres", "postgresql+psycopg")
"""What an address of a collection in PostgreSQL begins with: libpq's two names, and that of SQLAlchemy with psycopg."""
NAME = "collection"
"""The parameter of an address that names the collection; every other parameter is the client library's."""
USUAL_NAME = "twofold"
"""The collection of an address that names none."""
_SECRETS = ("password", "sslpassword", "scram_client_key", "scram_server_key", "oauth_client_secret")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_TAKEN = ("public", "information_schema")
_NAMES = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a collection at a server is; `str` of it shows no password.

    scheme: in lower case. host: what stands before the path, with user and password. path: what stands between host and
    ?, without the slash. parameters: the others than `collection`. name: the collection's. Raises InputError.
    """

    scheme: str
    host: str
    path: str
    parameters: tuple[tuple[str, str], ...]
    name: str

    @classmethod
    def of(cls, text: str) -> Address:
        """The address that a text is. Raises InputError for one of no engine, and for a name that is none."""
        parts = urlsplit(text)
        if parts.scheme not in POSTGRES:
            raise InputError(
                f"no engine is at {parts.scheme}://; collections are in folders and at postgresql://host/database. "
                "A server of Twofold is reached by twofold.connect"
            )
        given = parse_qsl(parts.query, keep_blank_values=True)
        names = [value for key, value in given if key == NAME] or [USUAL_NAME]
        others = tuple((key, value) for key, value in given if key != NAME)
        address = cls(parts.scheme, parts.netloc, parts.path.removeprefix("/"), others, names[-1])
        taken = address.name in _TAKEN or address.name.startswith("pg_")
        if parts.fragment or len(names) > 1 or taken or not _NAMES.fullmatch(address.name):
            raise InputError(
                f"{address}: a collection is named once, by ?{NAME}=NAME: lower-case letters, digits and underscores, "
                "a letter first, 40 at most, and none that the server uses itself"
            )
        return address

    def url(self, scheme: str) -> str:
        """The whole address with its secrets, without the collection's name, for a client library."""
        return self._written(scheme, self.host, self.parameters)

    def __str__(self) -> str:
        user, at, server = self.host.rpartition("@")
        public = tuple((key, value) for key, value in self.parameters if key not in _SECRETS)
        host = f"{user.partition(':')[0]}{at}{server}"
        return self._written(self.scheme, host, (*public, (NAME, self.name)))

    def _written(self, scheme: str, host: str, parameters: tuple[tuple[str, str], ...]) -> str:
        query = "&".join(f"{quote(key)}={quote(value, safe='/')}" for key, value in parameters)
        return f"{scheme}://{host}/{self.path}{'?' if query else ''}{query}"


Place = Path | Address
"""Where a collection is."""


def has_password(place: object) -> bool:
    """Whether this is an address with a password in it."""
    if not isinstance(place, str) or not is_address(place):
        return False
    parts = urlsplit(place)
    user = parts.netloc.rpartition("@")[0]
    return bool(user.partition(":")[2]) or any(key in _SECRETS for key, _ in parse_qsl(parts.query))


def is_address(place: object) -> bool:
    """Whether this is an address and no folder."""
    return isinstance(place, Address) or (isinstance(place, str) and _SCHEME.match(place) is not None)


def place_of(place: str | Path | Address) -> Place:
    """The place that a text or path names; a folder from the root on. Raises InputError."""
    if isinstance(place, Address):
        return place
    if isinstance(place, str) and is_address(place):
        return Address.of(place)
    if isinstance(place, Path) and place.as_posix().startswith(tuple(f"{scheme}:/" for scheme in POSTGRES)):
        raise InputError(f"an address is given as text, since a Path loses one of its slashes: {str(place)!r}")
    return absolute(place)


def folder_of(place: Place) -> Path:
    """The folder that a place is. Raises InputError for an address."""
    if isinstance(place, Address):
        raise InputError(f"{place} is no folder; info().path is the address of a collection at a server")
    return place


def name_of(place: str) -> str:
    """What a collection is called: its folder's name, or what its address names it."""
    return Address.of(place).name if is_address(place) else Path(place).name
