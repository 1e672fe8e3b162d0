"""Getting, listing, updating and counting from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import twofold as library
from twofold.encoders.given_vectors import GivenVectors

Twofold = Callable[..., Any]


def lines(path: Path, *records: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(each) + "\n" for each in records))
    return path


def metadata_of(twofold: Twofold, collection: Path, *ids: str) -> list[Any]:
    return [each["metadata"] for each in twofold("get", collection, *ids, "--json").json["documents"]]


def test_documents_are_printed_whole_by_their_ids(hashed: Path, twofold: Twofold) -> None:
    done = twofold("get", hashed, "moon", "compiler")
    assert (done.status, done.err) == (0, "")
    assert done.out == (
        "id: moon\ntitle: Apollo 11\nyear: 1969\n\nTwo people walked on the Moon while a third waited.\n\n"
        "id: compiler\ntitle: A-0\nyear: 1952\n\nGrace Hopper wrote the first compiler in 1952.\n"
    )
    document = twofold("get", hashed, "compiler", "--json").json["documents"][0]
    assert document["metadata"] == {"year": 1952}
    assert set(document) == {"id", "title", "text", "metadata"}


@pytest.mark.parametrize("how", [(), ("--json",)])
def test_an_unknown_id_is_an_error(how: tuple[str, ...], hashed: Path, twofold: Twofold) -> None:
    done = twofold("get", hashed, "moon", "sun", *how)
    assert (done.status, done.out) == (1, "")
    assert "there is no document 'sun' here" in done.err


def test_a_text_keeps_its_lines_and_no_control_character_reaches_the_terminal(tmp_path: Path, twofold: Twofold) -> None:
    data = lines(tmp_path / "a.jsonl", {"id": "a", "text": "one\n  two\x1b[31m", "title": "t\x07", "x\x1b": ["\x9b"]})
    twofold("index", data, "--to", tmp_path / "c", "--encoder", "hashed-words:16")
    for done in (twofold("get", tmp_path / "c", "a"), twofold("list", tmp_path / "c")):
        assert done.status == 0
        assert not {"\x1b", "\x07", "\x9b"} & set(done.out)
    assert twofold("get", tmp_path / "c", "a").out.endswith("\n\none\n  two\\x1b[31m\n")
    assert twofold("facets", tmp_path / "c", "x\x1b").out == "1  \\x9b\n"


def test_a_collection_is_listed_page_by_page_and_by_filter(hashed: Path, twofold: Twofold) -> None:
    done = twofold("list", hashed)
    assert (done.status, done.err) == (0, "")
    assert done.out.splitlines()[:2] == ["compiler  A-0", " " * 8 + "Grace Hopper wrote the first compiler in 1952."]
    assert len([line for line in done.out.splitlines() if line[0] != " "]) == 8
    done = twofold("list", hashed, "--limit", 2, "--offset", 1)
    assert [line for line in done.out.splitlines() if line[0] != " "] == ["moon  Apollo 11", "cell  Mitochondrion"]
    assert done.err == "2 documents of 8; --limit and --offset show others\n"
    done = twofold("list", hashed, "--ids", "--where", '{"title": {"$contains": "B"}, "year": {"$exists": true}}')
    assert (done.out, done.err) == ("bread\n", "")
    found = twofold("list", hashed, "--where", '{"id": {"$in": ["tea", "law"]}}', "--limit", 1, "--json").json
    assert found["count"] == 2
    assert [each["id"] for each in found["documents"]] == ["tea"]
    ids = twofold("list", hashed, "--ids", "--json", "--offset", 6).json
    assert ids == {"count": 8, "ids": ["tokyo", "law"]}
    assert twofold("list", hashed, "--limit", 0, "--json").json == {"count": 8, "documents": []}


def test_a_long_collection_is_listed_in_part_and_says_so(tmp_path: Path, twofold: Twofold) -> None:
    data = lines(tmp_path / "a.jsonl", *({"id": n, "text": f"text {n}"} for n in range(30)))
    twofold("index", data, "--to", tmp_path / "c", "--encoder", "hashed-words:16")
    done = twofold("list", tmp_path / "c")
    assert len(done.out.splitlines()) == 40
    assert "20 documents of 30" in done.err
    assert len(twofold("list", tmp_path / "c", "--ids").out.splitlines()) == 30


def test_facets_are_printed_the_most_frequent_first(tmp_path: Path, twofold: Twofold) -> None:
    records: list[dict[str, Any]] = [{"id": n, "text": "x", "tags": ["b", "a" if n % 4 else "c"]} for n in range(12)]
    twofold("index", lines(tmp_path / "a.jsonl", *records), "--to", tmp_path / "c", "--encoder", "hashed-words:16")
    assert twofold("facets", tmp_path / "c", "tags").out == "12  b\n 9  a\n 3  c\n"
    found = twofold("facets", tmp_path / "c", "tags", "--where", '{"tags": "c"}', "--limit", 1, "--json").json
    assert found == {"field": "tags", "facets": [{"value": "b", "count": 3}]}
    done = twofold("facets", tmp_path / "c", "tagz")
    assert (done.status, done.out, done.err) == (0, "", "no document has a value under tagz\n")
    done = twofold("facets", tmp_path / "c", "tagz", "--strict")
    assert (done.status, done.out) == (1, "")
    assert "did you mean 'tags'" in done.err
    assert twofold("facets", tmp_path / "c", "$truncated").status == 1


def test_an_update_changes_the_fields_that_it_names_and_keeps_the_others(
    tmp_path: Path, hashed: Path, twofold: Twofold
) -> None:
    changes = lines(
        tmp_path / "changes.jsonl",
        {"_id": "moon", "crew": 3, "year": None},
        {"id": "tea", "title": "Green tea"},
        {"id": "law", "metadata": {"place": "Bonn"}},
    )
    done = twofold("update", hashed, changes)
    assert (done.status, done.err) == (0, "")
    assert "3 documents: 3 replaced" in done.out
    assert metadata_of(twofold, hashed, "moon", "law") == [{"crew": 3}, {"year": 1949, "place": "Bonn"}]
    assert twofold("get", hashed, "tea").out.startswith("id: tea\ntitle: Green tea\n\nLeaves steeped")
    again = twofold("update", hashed, changes, "--json").json
    assert (again["unchanged"], again["replaced"], again["documents"]) == (3, 0, 8)
    done = twofold("update", hashed, "-", stdin='{"id": "moon", "text": "It is far away."}')
    assert "1 passage encoded" in done.out
    assert twofold("get", hashed, "moon").out.endswith("crew: 3\n\nIt is far away.\n")


def test_an_update_reads_tables_with_fields_of_other_names(tmp_path: Path, hashed: Path, twofold: Twofold) -> None:
    (tmp_path / "a.csv").write_text("key,name,rank,text\nmoon,Luna,1,inner\ntea,Tea,,\n")
    done = twofold(
        *("update", hashed, tmp_path / "a.csv", "--id", "key", "--title", "name", "--types", "rank=int"),
    )
    assert (done.status, done.err) == (0, "")
    moon, tea = twofold("get", hashed, "moon", "tea", "--json").json["documents"]
    assert (moon["title"], moon["text"], moon["metadata"]) == ("Luna", "inner", {"year": 1969, "rank": 1})
    assert (tea["title"], tea["text"][:6], tea["metadata"]) == ("Tea", "Leaves", {})  # empty cells change nothing
    done = twofold("update", hashed, tmp_path / "a.csv", "--id", "key", "--text", "name", "--title", "rank")
    moon = twofold("get", hashed, "moon", "--json").json["documents"][0]
    assert (moon["title"], moon["text"], moon["metadata"]["text"]) == ("1", "Luna", "inner")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"id": "sun", "year": 1}\n', "there is no document 'sun' here; update changes documents that are there"),
        ('{"id": "moon", "year": 1}\n{"year": 1}\n', "line 2: no id"),
        ('{"id": "moon", "text": null}\n', "line 1: document 'moon': text must be text, not null"),
        ('{"id": "moon", "text": 5}\n', "line 1: document 'moon': text must be text, not number"),
        (
            '{"id": "moon", "metadata": {"a": 1}, "a": 2}\n',
            "line 1: document 'moon': the field 'a' is given both beside and inside metadata",
        ),
        ("", "no documents in"),
    ],
)
def test_an_update_that_cannot_be_made_is_an_error(
    content: str, said: str, tmp_path: Path, hashed: Path, twofold: Twofold
) -> None:
    (tmp_path / "a.jsonl").write_text(content)
    done = twofold("update", hashed, tmp_path / "a.jsonl")
    assert (done.status, done.out) == (1, "")
    assert said in done.err
    assert metadata_of(twofold, hashed, "moon") == [{"year": 1969}]


def test_an_update_skips_bad_records_where_it_is_told_to(tmp_path: Path, hashed: Path, twofold: Twofold) -> None:
    (tmp_path / "a.jsonl").write_text('{"id": "moon", "text": 5}\n{"id": "moon", "crew": 3}\n')
    done = twofold("update", hashed, tmp_path / "a.jsonl", "--skip-bad")
    assert done.status == 0
    assert "1 bad record skipped" in done.out
    assert metadata_of(twofold, hashed, "moon") == [{"year": 1969, "crew": 3}]


def test_an_empty_cell_of_a_table_names_no_field(tmp_path: Path, twofold: Twofold) -> None:
    kept, table = tmp_path / "c.twofold", tmp_path / "u.csv"
    first = lines(tmp_path / "a.jsonl", {"id": "3", "title": "Tt", "text": "body", "y": 1, "content": "c"})
    assert twofold("index", first, "--to", kept, "--encoder", "hashed-words:16").status == 0
    table.write_text("id,title,text,y,content\n3,,,5,new\n")
    assert twofold("update", kept, table, "--types", "y=int").status == 0
    (document,) = twofold("get", kept, "3", "--json").json["documents"]
    assert document == {"id": "3", "title": "Tt", "text": "body", "metadata": {"y": 5, "content": "new"}}


def test_text_files_are_whole_documents_and_no_update(tmp_path: Path, hashed: Path, twofold: Twofold) -> None:
    (tmp_path / "moon.txt").write_text("text")
    done = twofold("update", hashed, tmp_path / "moon.txt")
    assert (done.status, done.out) == (1, "")
    assert "a text file is a whole document; put it in again: `twofold add " in done.err


def test_an_update_in_a_collection_of_own_vectors_keeps_them(tmp_path: Path, twofold: Twofold) -> None:
    with library.create(tmp_path / "c", GivenVectors(2)) as collection:
        collection.add([("a", "one"), ("b", "two")], vectors=np.eye(2, dtype=np.float32))
    done = twofold("update", tmp_path / "c", lines(tmp_path / "u.jsonl", {"id": "b", "year": 1}))
    assert (done.status, done.err) == (0, "")
    assert metadata_of(twofold, tmp_path / "c", "a", "b") == [{}, {"year": 1}]
    with library.open(tmp_path / "c") as collection:
        assert collection.vectors(["b"])["b"].tolist() == [[0.0, 1.0]]


def test_a_collection_that_is_not_there_is_an_error_and_none_is_made(tmp_path: Path, twofold: Twofold) -> None:
    data = lines(tmp_path / "a.jsonl", {"id": "a"})
    for words in (("get", "c", "a"), ("list", "c"), ("facets", "c", "a"), ("update", "c", data)):
        done = twofold(words[0], tmp_path / words[1], *words[2:])
        assert (done.status, done.out) == (1, "")
    assert not (tmp_path / "c").exists()
