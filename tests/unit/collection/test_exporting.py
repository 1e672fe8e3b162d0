"""An export holds every live document, passage and vector of one commit, in an order that its files share."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest

from twofold.collection import exporting
from twofold.collection.collection import Collection
from twofold.collection.opening import create
from twofold.contract import Contract
from twofold.documents import Document
from twofold.encoders.given_vectors import GivenVectors
from twofold.encoders.hashed_words import HashedWords
from twofold.errors import InputError
from twofold.readers.reading import read

NAMES = ["documents.jsonl", "export.json", "passages.jsonl", "vectors.faiss", "vectors.npy"]
DOCUMENTS = [
    Document("long", "one two three four five six seven eight " * 30, "A title", {"year": 1952, "tags": ["x", "ü"]}),
    Document("gone", "this one is deleted " * 40),
    Document(
        "odd", "tab\there, a line\nbreak, \u2028 and 東京 😀", metadata={"metadata": {"id": 1}, "deep": {"a": None}}
    ),
    Document("nothing", ""),
    Document("last", "the last one", "Last"),
]


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "AT_ONCE", 2)


@pytest.fixture
def collection(tmp_path: Path) -> Iterator[Collection]:
    with create(tmp_path / "c", HashedWords(16, max_words=50)) as made:
        made.add(DOCUMENTS)
        made.delete(["gone"])
        made.add([("last", "the last one, replaced")])
        yield made


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().decode().split("\n") if line]


def test_every_passage_has_its_line_its_vector_and_its_number(collection: Collection, tmp_path: Path) -> None:
    report = collection.export(tmp_path / "out")
    passages, vectors = lines(tmp_path / "out" / "passages.jsonl"), np.load(tmp_path / "out" / "vectors.npy")
    index = faiss.read_index(str(tmp_path / "out" / "vectors.faiss"))
    assert vectors.dtype == np.float16
    assert vectors.shape == (len(passages), 16)
    assert np.array_equal(index.reconstruct_n(0, index.ntotal), vectors.astype(np.float32))
    assert [passage["row"] for passage in passages] == list(range(len(passages)))
    assert len(passages) > len(DOCUMENTS)
    assert {passage["id"] for passage in passages} == {"long", "odd", "last"}
    # Each document is nearest to itself, by the passage that the export says.
    for row, passage in enumerate(passages):
        hit = collection.search(vectors[row].astype(np.float32), k=1)[0]
        assert hit.id == passage["id"]
        assert (hit.passage.start, hit.passage.end) in {
            (other["start"], other["end"])
            for n, other in enumerate(passages)
            if other["id"] == hit.id and np.array_equal(vectors[n], vectors[row])
        }
    assert (report.documents, report.passages, report.commit) == (4, len(passages), collection.info().commit)


def test_documents_come_back_from_the_export_as_they_were(collection: Collection, tmp_path: Path) -> None:
    collection.export(tmp_path / "out")
    assert list(read(tmp_path / "out" / "documents.jsonl")) == list(collection)
    assert [record["id"] for record in lines(tmp_path / "out" / "documents.jsonl")] == [
        "long",
        "odd",
        "nothing",
        "last",
    ]


def test_an_export_of_one_vector_a_document_becomes_the_same_collection(tmp_path: Path) -> None:
    vectors = np.random.default_rng(3).standard_normal((5, 8)).astype(np.float32)
    with create(tmp_path / "c", GivenVectors(8)) as first, create(tmp_path / "d", GivenVectors(8)) as second:
        first.add([(f"d{n}", f"text {n}") for n in range(5)], vectors=vectors)
        first.delete(["d2"])
        first.export(tmp_path / "out")
        second.add(list(read(tmp_path / "out" / "documents.jsonl")), vectors=tmp_path / "out" / "vectors.npy")
        answers = [[(hit.id, round(hit.score, 3)) for hit in each.search(vectors[0], k=5)] for each in (first, second)]
    assert answers[0] == answers[1]
    assert len(answers[0]) == 4


def test_the_description_says_what_made_the_vectors(collection: Collection, tmp_path: Path) -> None:
    report = collection.export(tmp_path / "out")
    described = json.loads((tmp_path / "out" / "export.json").read_text(encoding="utf-8"))
    assert Contract.from_json(described.pop("contract")) == collection.contract
    assert described == {
        "version": 1, "commit": 3, "documents": 4, "passages": report.passages, "dimension": 16, "numbers": "float16",
    }  # fmt: skip
    assert sorted(os.listdir(tmp_path / "out")) == NAMES
    assert report.bytes == {name: (tmp_path / "out" / name).stat().st_size for name in NAMES}
    assert report.to_json()["bytes"] == report.bytes


def test_what_is_added_meanwhile_is_not_in_the_export(collection: Collection, tmp_path: Path) -> None:
    calls: list[tuple[int, int | None]] = []

    def write_too(done: int, total: int | None) -> None:
        collection.add([(f"late {len(calls)}", "too late")])
        collection.delete(["odd"])
        calls.append((done, total))

    report = collection.export(tmp_path / "out", write_too)
    assert {record["id"] for record in lines(tmp_path / "out" / "documents.jsonl")} == {
        "long",
        "odd",
        "nothing",
        "last",
    }
    assert len(np.load(tmp_path / "out" / "vectors.npy")) == report.passages
    assert calls[-1] == (4 + report.passages, 4 + report.passages)
    assert collection.count() == 3 + len(calls)


def test_an_empty_collection_has_an_export(tmp_path: Path) -> None:
    with create(None, HashedWords(4)) as empty:
        empty.export(tmp_path / "out")
    assert np.load(tmp_path / "out" / "vectors.npy").shape == (0, 4)
    assert faiss.read_index(str(tmp_path / "out" / "vectors.faiss")).ntotal == 0
    assert (tmp_path / "out" / "documents.jsonl").read_bytes() == b""


def test_a_folder_in_use_or_inside_the_collection_is_refused(collection: Collection, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="something here already"):
        collection.export(tmp_path)
    with pytest.raises(InputError, match="inside the collection"):
        collection.export(tmp_path / "c" / "out")
    assert os.listdir(tmp_path) == ["c"]


def test_an_interrupted_export_leaves_nothing(collection: Collection, tmp_path: Path) -> None:
    def interrupt(done: int, total: int | None) -> None:
        if done > 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        collection.export(tmp_path / "out", interrupt)
    assert os.listdir(tmp_path) == ["c"]
