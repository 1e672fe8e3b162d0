"""Tools for agents, asked by the protocol's own client over standard input and output."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("mcp", reason='tools for agents are an extra: pip install "twofold[serve]"')

from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters

import twofold
from twofold.encoders.hashed_words import HashedWords


def test_an_agent_searches_reads_and_writes_only_where_it_may(tmp_path: Path) -> None:
    folder = tmp_path / "notes.twofold"
    with twofold.create(folder, HashedWords(64)) as notes:
        notes.add([("tea", "Green tea is steeped."), ("milk", "Milk is white.")])

    async def asked(*options: str) -> tuple[set[str], list[Any]]:
        parameters = StdioServerParameters(command=sys.executable, args=["-m", "twofold", "mcp", str(folder), *options])
        async with Client(parameters) as client:
            names = {tool.name for tool in (await client.list_tools()).tools}
            calls: list[tuple[str, dict[str, Any]]] = [
                ("search", {"query": "green tea", "k": 1, "collection": ""}),
                ("search", {"query": "green tea", "where": {"id": "milk"}, "k": None}),
                ("search", {"query": "milk", "unit": "passage", "passages": None, "context": 1, "k": 1}),
                ("get_document", {"id": "milk", "collection": None}),
                ("get_document", {"id": "none"}),
                ("delete_documents", {"ids": ["milk"]}),
            ]
            return names, [await client.call_tool(name, arguments) for name, arguments in calls]

    names, (found, filtered, passage, document, missing, deleted) = asyncio.run(asked())
    assert names == {"search", "get_document", "list_collections"}
    assert [hit["id"] for hit in found.structured_content["hits"]] == ["tea"]
    assert [hit["id"] for hit in filtered.structured_content["hits"]] == ["milk"]
    (milk,) = passage.structured_content["hits"]
    assert milk["context"] == {"start": 0, "end": 14, "text": "Milk is white."}
    assert document.structured_content["text"] == "Milk is white."
    assert missing.is_error
    assert deleted.is_error
    names, (*_, deleted) = asyncio.run(asked("--write"))
    assert {"add_documents", "delete_documents"} < names
    assert deleted.structured_content == {"deleted": 1}
