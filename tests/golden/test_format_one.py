"""Format 1 as files: every later version must read them, and docs/formats.md must tell the truth about their bytes.

The second half reads them with the standard library alone, by what that page says.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import struct
import zlib
from contextlib import closing
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from twofold.block import Block, Part
from twofold.documents import Document
from twofold.engines.local.engine import Store
from twofold.filters import parse

GOLDEN = Path(__file__).parent / "format_one"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(GOLDEN, tmp_path / "c")
    return tmp_path / "c"


def test_a_collection_of_format_1_is_read_whole(folder: Path) -> None:
    with Store.open(folder) as store:
        assert store.verify().damage == []
        assert store.space.contract == {"weights": "golden", "dimension": 3}
        assert store.space.source == {"kind": "given-vectors", "dimension": 3}
        assert store.description.settings == {"passages": "auto", "depth": 200}
        with store.snapshot() as snapshot:
            assert list(snapshot.each()) == [
                Document("Würde/東京 🙂", "Zwei Abschnitte: dieser und jener.", "",
                         {"author": {"name": "Hopper"}, "ratio": 0.1}),
                Document("empty", "", "", {"nothing": None, "yes": True}),
                Document("plain", "A text that took its place.", "Plain", {"year": 1953, "large": 2**63 - 1}),
            ]  # fmt: skip
            assert snapshot.commit == 6
            assert snapshot.row_mask(None).tolist() == [False, True, True, False, True]
            assert snapshot.documents_of(np.arange(5)).tolist() == [0, 1, 1, 3, 4]
            assert snapshot.spans(np.arange(5)).tolist() == [[0, 35], [0, 16], [17, 34], [0, 20], [0, 27]]
            assert snapshot.vectors(np.asarray([1, 4])).tolist() == [[-0.625, -0.5, -0.375], [10, 10.125, 10.25]]
            assert snapshot.head.truncated == 1
            assert snapshot.head.tokens_cut == 4
            assert snapshot.state("fusion") == {"k": 60}
            assert snapshot.count(parse({"author.name": "Hopper", "$truncated": True})) == 1
            other = snapshot.in_space("other")
            assert other.vectors(np.asarray([0])).tolist() == [[1, 1.125]]
            assert other.documents_of(np.asarray([0])).tolist() == [1]
            assert (other.head.filled, other.head.complete, other.head.tokens_cut) == (2, False, 7)


def test_a_collection_of_format_1_can_be_continued(folder: Path) -> None:
    added = Block(
        documents=[Document("new", "text")],
        text_hashes=[b"12345678"],
        parts={
            "main": Part(
                truncated=[0],
                counts=np.asarray([1]),
                spans=np.asarray([[0, 4]], np.int32),
                vectors=np.ones((1, 3), np.float32),
            )
        },
    )
    with Store.open(folder) as store, store.writing() as writer:
        assert writer.known(["plain"])["plain"].text_hash == b"hash-000"
        assert writer.commit(added).tolist() == [5]
        assert store.verify().clean
        with store.snapshot() as snapshot:
            assert snapshot.ids(snapshot.document_numbers()) == ["Würde/東京 🙂", "empty", "plain", "new"]


def hashed(content: bytes) -> int:
    return int.from_bytes(blake2b(content, digest_size=8).digest(), "little", signed=True)


def row_checksum(columns: list[Any]) -> int:
    """A row of any table but documents: each column as a letter for its type, its length, its bytes."""
    parts = b""
    for column in columns:
        match column:
            case int():
                kind, content = b"i", struct.pack("<q", column)
            case str():
                kind, content = b"t", column.encode()
            case _:
                kind, content = b"b", column
        parts += kind + struct.pack("<q", len(content)) + content
    return hashed(parts)


def document_checksum(line: sqlite3.Row) -> int:
    contents = [line[name].encode() for name in ("id", "title", "metadata", "text")] + [line["text_hash"]]
    numbers = [line[name] for name in ("number", "added")]
    checksum = hashed(struct.pack("<7q", *numbers, *map(len, contents)) + b"".join(contents))
    if line["deleted"] is not None:
        checksum += hashed(struct.pack("<2q", line["number"], line["deleted"]))
    return checksum


def wrapped(value: int) -> int:
    return (value + 2**63) % 2**64 - 2**63


def test_collection_json_is_as_the_page_says(folder: Path) -> None:
    fields = json.loads((folder / "collection.json").read_bytes())
    checksum = fields.pop("checksum")
    canonical = json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert checksum == blake2b(canonical.encode(), digest_size=16).hexdigest()
    assert sorted(fields) == ["created", "default", "format", "id", "revision", "settings", "spaces"]
    assert (fields["format"], fields["revision"], fields["default"]) == (1, 1, "main")
    main, other = fields["spaces"]
    assert main == {
        "name": "main", "unit": "passage", "numbers": "float16", "dimension": 3, "precision": "", "probes": None,
        "contract": {"weights": "golden", "dimension": 3}, "source": {"kind": "given-vectors", "dimension": 3},
    }  # fmt: skip
    assert (other["name"], other["dimension"]) == ("other", 2)


def test_a_segment_file_is_as_the_page_says(folder: Path) -> None:
    content = (folder / "vectors" / "main" / "000001.f16").read_bytes()
    magic, version, kind, dimension, number, identifier = struct.unpack_from("<8sIIIIq", content)
    assert (magic, version, kind, dimension, number) == (b"TWOFOLDV", 1, 1, 3, 1)
    with closing(sqlite3.connect(folder / "catalogue.sqlite")) as connection:
        lines = connection.execute("SELECT number, id, first_row FROM segments WHERE space = 'main'").fetchall()
    assert lines == [(1, identifier, 0)]
    assert content[32:60] == bytes(28)
    assert struct.unpack_from("<I", content, 60)[0] == zlib.crc32(content[:60])
    assert len(content) == 64 + 5 * 3 * 2
    assert np.frombuffer(content, "<f2", offset=64).reshape(5, 3)[4].tolist() == [10, 10.125, 10.25]


def test_the_catalogue_is_as_the_page_says(folder: Path) -> None:
    vectors, others = ((folder / "vectors" / name / "000001.f16").read_bytes()[64:] for name in ("main", "other"))
    with closing(sqlite3.connect(folder / "catalogue.sqlite")) as connection:
        connection.row_factory = sqlite3.Row
        assert connection.execute("PRAGMA application_id").fetchone()[0] == 0x32464C44
        assert connection.execute("PRAGMA user_version").fetchone()[0] == 1
        total = 0
        for line in connection.execute("SELECT * FROM documents"):
            assert line["checksum"] == wrapped(document_checksum(line))
            total += line["checksum"]
        for table in ("blocks", "segments", "truncations"):
            for line in connection.execute(f"SELECT * FROM {table}"):
                assert line["checksum"] == row_checksum(list(line)[:-1])
                total += line["checksum"]
        block, of_other = connection.execute("SELECT * FROM blocks ORDER BY space").fetchall()
        assert (block["first_row"], block["rows"], block["segment"]) == (0, 5, 1)
        assert struct.unpack("<5I", block["documents"]) == (0, 1, 1, 3, 4)
        assert struct.unpack("<10i", block["spans"]) == (0, 35, 0, 16, 17, 34, 0, 20, 0, 27)
        assert block["vectors_crc"] == zlib.crc32(vectors)
        assert [of_other[name] for name in ("space", "first_row", "rows", "first_document")] == ["other", 0, 1, 1]
        assert of_other["vectors_crc"] == zlib.crc32(others)
        cut = connection.execute("SELECT space, document, tokens FROM truncations ORDER BY space").fetchall()
        assert [tuple(line) for line in cut] == [("main", 1, 4), ("other", 1, 7)]
        state = {line["key"]: line for line in connection.execute("SELECT * FROM state")}
        assert sorted(state) == ["head", "user:fusion"]
        for line in state.values():
            assert line["checksum"] == row_checksum([line["key"], line["value"]])
        head = json.loads(state["head"]["value"])
        assert head.pop("total") == wrapped(total + state["user:fusion"]["checksum"])
        main, other = head.pop("spaces").values()
        assert main.pop("longest") >= 10
        assert main == {"begun": 0, "filled": 5, "next_row": 5, "rows": 3, "truncated": 1, "tokens_cut": 4}
        assert other.pop("longest") >= 1.5
        assert other == {"begun": 5, "filled": 2, "next_row": 1, "rows": 1, "truncated": 1, "tokens_cut": 7}
        assert head == {"commit": 6, "next_document": 5, "documents": 3, "generation": 0}
