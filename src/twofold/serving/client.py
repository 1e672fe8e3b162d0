"""A collection at a server: the methods of `Collection` for reading, searching and changing documents, over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any, Unpack, overload

from twofold.collection.collection import Documents
from twofold.documents import Document
from twofold.errors import InputError
from twofold.hits import Hits
from twofold.reports import AddReport
from twofold.scores import Vectors
from twofold.serving.calls import AT_ONCE, Calls, LikeOptions, Page, SearchOptions
from twofold.serving.transport import Address, Awaited, Waiting
from twofold.values import Scalar

SECONDS = 60.0
"""The longest that an answer may take, by default; the server ends what takes more than 30."""


def connect(url: str, name: str, *, key: str | None = None, timeout: float = SECONDS) -> RemoteCollection:
    """A collection that `twofold serve` serves, with the methods of a local one.

    url: of the server, such as "http://127.0.0.1:8080". name: of the collection, as the server lists it. key: an API
    key, where the server wants one. timeout: seconds that an answer may take. Close it, or use it in a `with` block.

    Raises InputError, also for a collection that is not there, ServiceError where the server cannot be reached or does
    not know the key, MissingExtraError without httpx.
    """
    calls, connection = Calls(name), Waiting(Address(url, key, timeout))
    try:
        connection.run(calls.count(None, None, strict=False))
    except BaseException:
        connection.close()
        raise
    return RemoteCollection(url, name, calls, connection)


async def connect_async(url: str, name: str, *, key: str | None = None, timeout: float = SECONDS) -> AsyncCollection:
    """A collection that `twofold serve` serves, whose methods are awaited; as in `connect`.

    url: of the server. name: of the collection. key: an API key, where the server wants one. timeout: seconds that an
    answer may take. Use it in an `async with` block, or await `close`. Raises what `connect` raises.
    """
    calls, connection = Calls(name), Awaited(Address(url, key, timeout))
    try:
        await connection.run(calls.count(None, None, strict=False))
    except BaseException:
        await connection.close()
        raise
    return AsyncCollection(url, name, calls, connection)


class RemoteCollection(AbstractContextManager["RemoteCollection"]):
    """A collection at a server; made by `twofold.connect`. Threads may share one object.

    Methods take what those of `Collection` take, return the same, and raise the errors that the server tells. A request
    that the server has no room for is made again after the time that it names; large additions are sent in parts, each
    acknowledged alone. A ranker is the server's own: `ranker=True`.
    """

    def __init__(self, url: str, name: str, calls: Calls, connection: Waiting) -> None:
        self.url, self.name = url, name
        self._calls, self._connection = calls, connection

    def search(self, query: str | Vectors, *, vector: Vectors | None = None, **options: Unpack[SearchOptions]) -> Hits:
        """The k best documents, best first; options as in `Collection.search`."""
        return self._connection.run(self._calls.search(query, vector, options))

    def search_many(
        self,
        queries: Sequence[str] | Vectors,
        *,
        vectors: Sequence[Vectors] | Vectors | None = None,
        **options: Unpack[SearchOptions],
    ) -> list[Hits]:
        """The hits of each query, in their order; at most 500 are asked of one commit."""
        return self._connection.run(self._calls.search_many(queries, vectors, options))

    def like(self, document_id: str, **options: Unpack[LikeOptions]) -> Hits:
        """The documents nearest to a stored one; options as in `Collection.like`."""
        return self._connection.run(self._calls.like(document_id, options))

    def add(self, documents: Documents) -> AddReport:
        """Adds documents, or replaces those with the same id; returns a report with counts."""
        return self._connection.run(self._calls.add(documents))

    def update(self, documents: Documents | Mapping[str, Any]) -> AddReport:
        """Changes fields of documents that are there, and keeps the others."""
        return self._connection.run(self._calls.update(documents))

    def delete(
        self,
        ids: Iterable[str] | None = None,
        *,
        where: Mapping[str, Any] | None = None,
        all: bool = False,  # noqa: A002 - as `Collection.delete` has it
        strict: bool = False,
    ) -> int:
        """Deletes documents by id, by filter, or all of them (one of the three), and returns their number."""
        return self._connection.run(self._calls.delete(ids, where, everything=all, strict=strict))

    @overload
    def get(self, ids: str, /) -> Document | None: ...
    @overload
    def get(self, ids: list[str] | tuple[str, ...], /) -> list[Document | None]: ...
    @overload
    def get(
        self,
        ids: None = None,
        /,
        *,
        where: Mapping[str, Any] | None = None,
        limit: int | None = None,
        offset: int = 0,
        strict: bool = False,
    ) -> list[Document]: ...
    def get(
        self,
        ids: str | list[str] | tuple[str, ...] | None = None,
        /,
        *,
        where: Mapping[str, Any] | None = None,
        limit: int | None = None,
        offset: int = 0,
        strict: bool = False,
    ) -> Document | list[Document] | list[Document | None] | None:
        """One document by its id, or None; several by a list of ids; or those that pass a filter."""
        if ids is None:
            return self._connection.run(self._calls.page("documents", where, Page(limit, offset, strict)))
        _check_ids(where, limit, offset)
        if isinstance(ids, str | int):
            return self._connection.run(self._calls.get_one(ids))
        return self._connection.run(self._calls.get_listed(ids))

    def ids(
        self,
        *,
        where: Mapping[str, Any] | None = None,
        limit: int | None = None,
        offset: int = 0,
        strict: bool = False,
    ) -> list[str]:
        """The ids of all documents, or of those that pass a filter, in the order in which they were added."""
        return self._connection.run(self._calls.page("ids", where, Page(limit, offset, strict)))

    def count(
        self, ids: Iterable[str] | None = None, *, where: Mapping[str, Any] | None = None, strict: bool = False
    ) -> int:
        """How many documents there are: in all, of these ids, or of those that pass a filter."""
        return self._connection.run(self._calls.count(ids, where, strict=strict))

    def facets(
        self, field: str, *, where: Mapping[str, Any] | None = None, limit: int | None = None, strict: bool = False
    ) -> dict[Scalar, int]:
        """value → how many documents hold it, most frequent first."""
        return self._connection.run(self._calls.facets(field, where, limit, strict=strict))

    def info(self) -> dict[str, Any]:
        """The collection's figures by name, as `Info.to_json` gives them, without folders of the server."""
        return self._connection.run(self._calls.info())

    def close(self) -> None:
        """Closes the connection."""
        self._connection.close()

    def __getitem__(self, document_id: str) -> Document:
        """The document with this id. Raises NoDocumentError, which is a KeyError."""
        return self._connection.run(self._calls.get_known(document_id))

    def __len__(self) -> int:
        return self.count()

    def __contains__(self, document_id: object) -> bool:
        named = isinstance(document_id, str | int) and not isinstance(document_id, bool)
        return named and self.get(str(document_id)) is not None

    def __iter__(self) -> Iterator[Document]:
        """Every document, oldest first, by pages: what is deleted meanwhile may make it pass over others."""
        offset = 0
        while page := self.get(limit=AT_ONCE, offset=offset):
            yield from page
            offset += len(page)

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<RemoteCollection {self.name} at {self.url}>"


class AsyncCollection(AbstractAsyncContextManager["AsyncCollection"]):
    """A collection at a server, whose methods are awaited; made by `twofold.connect_async`. See RemoteCollection."""

    def __init__(self, url: str, name: str, calls: Calls, connection: Awaited) -> None:
        self.url, self.name = url, name
        self._calls, self._connection = calls, connection

    async def search(
        self, query: str | Vectors, *, vector: Vectors | None = None, **options: Unpack[SearchOptions]
    ) -> Hits:
        """The k best documents, best first."""
        return await self._connection.run(self._calls.search(query, vector, options))

    async def search_many(
        self,
        queries: Sequence[str] | Vectors,
        *,
        vectors: Sequence[Vectors] | Vectors | None = None,
        **options: Unpack[SearchOptions],
    ) -> list[Hits]:
        """The hits of each query, in their order."""
        return await self._connection.run(self._calls.search_many(queries, vectors, options))

    async def like(self, document_id: str, **options: Unpack[LikeOptions]) -> Hits:
        """The documents nearest to a stored one."""
        return await self._connection.run(self._calls.like(document_id, options))

    async def add(self, documents: Documents) -> AddReport:
        """Adds documents, or replaces those with the same id."""
        return await self._connection.run(self._calls.add(documents))

    async def update(self, documents: Documents | Mapping[str, Any]) -> AddReport:
        """Changes fields of documents that are there."""
        return await self._connection.run(self._calls.update(documents))

    async def delete(
        self,
        ids: Iterable[str] | None = None,
        *,
        where: Mapping[str, Any] | None = None,
        all: bool = False,  # noqa: A002 - as `Collection.delete` has it
        strict: bool = False,
    ) -> int:
        """Deletes documents by id, by filter, or all of them, and returns their number."""
        return await self._connection.run(self._calls.delete(ids, where, everything=all, strict=strict))

    async def get(self, document_id: str) -> Document | None:
        """A document by its id, or None."""
        return await self._connection.run(self._calls.get_one(document_id))

    async def get_many(self, ids: Sequence[str]) -> list[Document | None]:
        """Documents by their ids, None in place of each that is not there."""
        return await self._connection.run(self._calls.get_listed(ids))

    async def page(
        self,
        *,
        where: Mapping[str, Any] | None = None,
        limit: int | None = None,
        offset: int = 0,
        strict: bool = False,
    ) -> list[Document]:
        """The documents that pass a filter, in the order in which they were added."""
        return await self._connection.run(self._calls.page("documents", where, Page(limit, offset, strict)))

    async def ids(
        self,
        *,
        where: Mapping[str, Any] | None = None,
        limit: int | None = None,
        offset: int = 0,
        strict: bool = False,
    ) -> list[str]:
        """The ids of all documents, or of those that pass a filter."""
        return await self._connection.run(self._calls.page("ids", where, Page(limit, offset, strict)))

    async def count(
        self, ids: Iterable[str] | None = None, *, where: Mapping[str, Any] | None = None, strict: bool = False
    ) -> int:
        """How many documents there are."""
        return await self._connection.run(self._calls.count(ids, where, strict=strict))

    async def facets(
        self, field: str, *, where: Mapping[str, Any] | None = None, limit: int | None = None, strict: bool = False
    ) -> dict[Scalar, int]:
        """value → how many documents hold it, most frequent first."""
        return await self._connection.run(self._calls.facets(field, where, limit, strict=strict))

    async def info(self) -> dict[str, Any]:
        """The collection's figures by name."""
        return await self._connection.run(self._calls.info())

    async def close(self) -> None:
        """Closes the connection."""
        await self._connection.close()

    async def __aiter__(self) -> AsyncIterator[Document]:
        """Every document, oldest first, by pages."""
        offset = 0
        while page := await self.page(limit=AT_ONCE, offset=offset):
            for each in page:
                yield each
            offset += len(page)

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<AsyncCollection {self.name} at {self.url}>"


def _check_ids(where: Mapping[str, Any] | None, limit: int | None, offset: int) -> None:
    if (limit, offset) != (None, 0):
        raise InputError("a page (limit, offset) is of all documents, or of those that pass a filter, not of ids")
    if where is not None:
        raise InputError("give ids or a filter, not both")
