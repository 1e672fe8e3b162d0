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
    assert "headings" not in short
    assert short["text"] == "tea and compilers"[short["start"] : short["end"]]


def test_an_agent_is_told_headings_and_page_of_each_passage() -> None:
    mars, venus = "Two moons circle it, and both are small. " * 4, "No moon is there at all. " * 5
    text = f"# Mars\n\n{mars}\f# Venus\n\n{venus}"
    with twofold.create(None, HashedWords(64), passages={"tokens": 32, "overlap": 0}) as collection:
        collection.add([("planets", text)])
        (hit,) = Tools({"c": collection}).search("moon of Venus", passages=3)["hits"]
    assert (hit["headings"], hit["page"]) == (["Venus"], 2)
    places = {(each["start"], *each["headings"], each["page"]) for each in hit["passages"]}
    assert {each[1:] for each in places} == {("Mars", 1), ("Venus", 2)}
