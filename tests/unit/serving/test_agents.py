"""What agents are shown of a hit: as much of a passage as a model's context bears, and where that ends."""

from __future__ import annotations

import pytest

import twofold
from twofold.encoders.hashed_words import HashedWords

pytest.importorskip("mcp", reason="mcp is not installed")

from twofold.serving.agents import TEXT, Tools


def test_a_long_passage_is_shortened_and_says_where_it_ends() -> None:
    text = "compilers " + f"{'a' * 60} " * 100
    with twofold.create(None, HashedWords(64)) as collection:
        collection.add([("long", text), ("short", "tea and compilers")])
        hits = {each["id"]: each for each in Tools({"c": collection}).search("compilers")["hits"]}
    long, short = hits["long"], hits["short"]
    assert (len(long["text"]), long["shortened"]) == (TEXT, True)
    assert long["text"] == text[long["start"] : long["end"]]
    assert "shortened" not in short
    assert short["text"] == "tea and compilers"[short["start"] : short["end"]]
