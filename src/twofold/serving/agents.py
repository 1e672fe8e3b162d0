"""Tools for agents, by the Model Context Protocol: search and read collections, change them where it is allowed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations

from twofold.collection.collection import Collection
from twofold.errors import TwofoldError
from twofold.rankings import Hit
from twofold.serving.statuses import message_of

READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
CHANGES = ToolAnnotations(read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=False)
TEXT = 4_000
"""Characters of a passage, at most."""
MOST = 50
"""Hits of one search, at most."""


class Tools:
    """What an agent may do with the collections, by name. Optional arguments may be null or empty."""

    def __init__(self, collections: Mapping[str, Collection]) -> None:
        self._collections = collections

    def search(
        self,
        query: str,
        collection: str | None = None,
        k: int | None = None,
        min_relevance: float | None = None,
        where: dict[str, Any] | None = None,
        *,
        unit: Literal["document", "passage"] | None = None,
        passages: int | None = None,
        context: int | None = None,
    ) -> dict[str, Any]:
        """Finds the passages that answer a query.

        collection: needed where there are several. min_relevance: 0 to 1. where: a filter on metadata, such as
        {"year": {"$gte": 1990}}. unit: what a hit is, a document with its best passage, or a passage. passages: so many
        of each document. context: neighbours of each passage, on each side.
        """
        options = {
            "k": min(k or 5, MOST),
            "min_relevance": min_relevance,
            "where": where or None,
            "unit": unit or "document",
            "passages": min(passages, MOST) if passages else None,
            "context": min(context or 0, MOST),
        }
        return self._told(lambda: self._found(query, collection, options))

    def get_document(self, id: str, collection: str | None = None) -> dict[str, Any]:  # noqa: A002 - the field's name
        """The whole text, title and metadata of a document that a search found."""
        return self._told(lambda: self._named(collection)[id].to_json())

    def list_collections(self) -> dict[str, Any]:
        """The collections that can be searched, with their numbers of documents."""
        return {"collections": [{"name": name, "documents": len(each)} for name, each in self._collections.items()]}

    def add_documents(self, documents: list[dict[str, Any]], collection: str | None = None) -> dict[str, Any]:
        """Adds documents (id, text, title, metadata), or replaces those with the same id."""
        return self._told(lambda: self._named(collection).add(documents).to_json())

    def delete_documents(self, ids: list[str], collection: str | None = None) -> dict[str, Any]:
        """Deletes documents by their ids, and says how many."""
        return self._told(lambda: {"deleted": self._named(collection).delete(ids)})

    def _found(self, query: str, collection: str | None, options: dict[str, Any]) -> dict[str, Any]:
        hits = self._named(collection).search(query, **options)
        return {"hits": [_shown(hit) for hit in hits]}

    def _named(self, name: str | None) -> Collection:
        if not name and len(self._collections) == 1:
            return next(iter(self._collections.values()))
        if not name or name not in self._collections:
            raise ToolError(f"name one of the collections: {', '.join(self._collections)}")
        return self._collections[name]

    def _told(self, work: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = work()
        except TwofoldError as error:
            raise ToolError(message_of(error)) from None
        return answer


def agent_server(collections: Mapping[str, Collection], *, write: bool) -> MCPServer[Any]:
    """A server with the tools. write: those that change documents, too."""
    server: MCPServer[Any] = MCPServer("twofold", instructions="Search collections of documents; cite ids.")
    tools = Tools(collections)
    for tool in (tools.search, tools.get_document, tools.list_collections):
        server.add_tool(tool, annotations=READS)
    if write:
        server.add_tool(tools.add_documents, annotations=CHANGES)
        server.add_tool(tools.delete_documents, annotations=CHANGES)
    return server


def _shown(hit: Hit) -> dict[str, Any]:
    """The hit with at most TEXT characters of each of its texts; `end` is where they end, and `shortened` says so."""
    told = _shortened(hit.to_json())
    if "passages" in told:
        told["passages"] = [_shortened(passage) for passage in told["passages"]]
    return told


def _shortened(told: dict[str, Any]) -> dict[str, Any]:
    if "context" in told:
        told = {**told, "context": _shortened(told["context"])}
    if len(told["text"]) <= TEXT:
        return told
    return {**told, "text": told["text"][:TEXT], "end": told["start"] + TEXT, "shortened": True}
