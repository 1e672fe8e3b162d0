"""What a server is started with: collections, address, limits."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass, field

from twofold.addresses import is_address, name_of
from twofold.errors import InputError

MEBIBYTE = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one request may ask for, and how many requests may wait.

    body: bytes of a request. depth: levels of its JSON. batch: texts, queries, ids or documents in it. text: characters
    of one text. k: hits, offset included. seconds: until a request is given up. upload: seconds for a request's body to
    arrive. waiting: texts and queries that wait to be answered; writes: writing calls that wait.
    """

    body: int = 32 * MEBIBYTE
    depth: int = 32
    batch: int = 2_048
    text: int = 200_000
    k: int = 1_000
    seconds: float = 30.0
    upload: float = 30.0
    waiting: int = 1_024
    writes: int = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """A server: its collections' folders, its address and its limits.

    host, port: where it listens; port 0 takes a free one. hosts: further names under which requests may ask for it.
    ranker: the cross-encoder of the second stage, a folder or hub name, and of the rerank endpoints. keys: a file of
    API keys. batch: queries that are encoded together at most. kept_queries: vectors of queries that are kept.
    maintenance: whether due maintenance is done in the background. threads: of each encoder, None for all cores.
    """

    collections: tuple[str, ...]
    host: str = "127.0.0.1"
    port: int = 8080
    hosts: tuple[str, ...] = ()
    ranker: str | None = None
    keys: str | None = None
    batch: int = 32
    kept_queries: int = 10_000
    maintenance: bool = True
    workers: int = 1
    limits: Limits = field(default_factory=Limits)

    def names(self) -> dict[str, str]:
        """Name → folder of each collection: the folder's name without its suffix. Raises InputError for equal names."""
        named: dict[str, str] = {}
        for folder in self.collections:
            place = folder if is_address(folder) else os.path.abspath(folder)
            name = name_of(place).removesuffix(".twofold")
            if name in named:
                raise InputError(
                    f"{named[name]} and {folder} would both be served as {name!r}; rename one of the folders"
                )
            named[name] = folder
        return named

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
