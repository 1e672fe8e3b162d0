"""Load on a server over HTTP: asynchronous clients in a process of their own, each with a connection that stays open.

In a closed loop a client asks again as soon as it has an answer. With a rate, requests are due at equal intervals
whatever the server does, and the time of each is counted from when it was due.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twofold.errors import ServiceError, brief

ANSWERED, NO_ANSWER = 200, 0
"""Statuses: of an answer, and of a connection that failed."""
PATIENCE = 60.0
"""Seconds that an answer may take."""
HEADER_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens."""

    host: str
    port: int

    def request(self, method: str, path: str, body: Any = None) -> bytes:
        """A whole request of HTTP/1.1."""
        content = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\nContent-Length: {len(content)}\r\n"
        return f"{head}Content-Type: application/json\r\n\r\n".encode() + content


@dataclass(frozen=True, slots=True)
class Load:
    """Requests for one server.

    requests: whole ones, taken in turn. clients: connections. seconds: until no further request is begun; the open ones
    are waited for. rate: requests a second that are due, where None is a closed loop that ends with the requests, too.
    """

    address: Address
    requests: Sequence[bytes]
    clients: int
    seconds: float
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class Answers:
    """What came back. taken: seconds of each answer, float64. lasted: seconds from the first request to the last
    answer. statuses: HTTP status → requests, where 0 is none.
    """

    taken: NDArray[np.float64]
    lasted: float
    statuses: Mapping[int, int] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.taken) / self.lasted

    @property
    def errors(self) -> int:
        """Requests with any status other than 200."""
        return sum(count for status, count in self.statuses.items() if status != ANSWERED)


def put(load: Load) -> Answers:
    """Puts the load on the server, in an event loop of this process."""
    return asyncio.run(_Clients(load).run())


def asked(address: Address, method: str, path: str, body: Any = None) -> Any:
    """The value of one answer. Raises ServiceError for any status other than 200, and where there is no answer."""
    status, content = asyncio.run(_asked_once(address, address.request(method, path, body)))
    if status not in (ANSWERED, 201):
        told = brief(content.decode("utf-8", "replace"))
        raise ServiceError(f"http://{address.host}:{address.port}{path} answers {status or 'nothing'}: {told}")
    return json.loads(content) if content else None


def due(load: Load) -> Iterator[tuple[float, bytes]]:
    """The requests of a load with the seconds after its start at which they are due."""
    if load.rate is None:
        yield from ((0.0, request) for request in load.requests)
    else:
        taken = islice(cycle(load.requests), int(load.rate * load.seconds))
        yield from ((place / load.rate, request) for place, request in enumerate(taken))


async def _asked_once(address: Address, request: bytes) -> tuple[int, bytes]:
    connection = _Connection(address)
    try:
        return await connection.answer(request)
    finally:
        connection.close()


class _Connection:
    """One connection, opened with the first request, and again after a failure."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._open: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def answer(self, request: bytes) -> tuple[int, bytes]:
        """Status and body; 0 where the connection failed or the answer took too long."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._answer(request)
        except (OSError, EOFError, TimeoutError, ValueError, asyncio.LimitOverrunError):
            self.close()
            return NO_ANSWER, b""

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The streams."""
        if self._open is None:
            self._open = await asyncio.open_connection(self._address.host, self._address.port, limit=HEADER_BYTES)
        return self._open

    def close(self) -> None:
        """Ends it."""
        if self._open is not None:
            self._open[1].close()
            self._open = None

    async def _answer(self, request: bytes) -> tuple[int, bytes]:
        reader, writer = await self.open()
        writer.write(request)
        lines = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
        status = int(lines[0].split(b" ", 2)[1])
        said = {name.strip().lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines[1:])}
        content = b""
        if said.get(b"transfer-encoding") == b"chunked":
            while size := int(await reader.readuntil(b"\r\n"), 16):
                content += (await reader.readexactly(size + 2))[:-2]
            await reader.readexactly(2)
        else:
            content = await reader.readexactly(int(said.get(b"content-length", b"0")))
        if said.get(b"connection") == b"close":
            self.close()
        return status, content


class _Clients:
    """The clients of one load, who take the requests in turn."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._taken: list[float] = []
        self._statuses: Counter[int] = Counter()
        self._turns = due(load)

    async def run(self) -> Answers:
        connections = [_Connection(self._load.address) for _ in range(self._load.clients)]
        if self._load.rate is None:
            await asyncio.gather(*(each.open() for each in connections), return_exceptions=True)
        start = time.perf_counter()
        await asyncio.gather(*(self._client(each, start) for each in connections))
        lasted = time.perf_counter() - start
        for each in connections:
            each.close()
        return Answers(np.array(self._taken), lasted, dict(self._statuses))

    async def _client(self, connection: _Connection, start: float) -> None:
        for due, request in self._turns:
            now = time.perf_counter() - start
            if now > self._load.seconds:
                return
            if due > now:
                await asyncio.sleep(due - now)
            elif self._load.rate is None:
                due = now
            status, _ = await connection.answer(request)
            self._statuses[status] += 1
            if status == ANSWERED:
                self._taken.append(time.perf_counter() - start - due)
