"""What comes along from other stores of vectors, what does not, and that both are counted."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest

import twofold
from twofold.cli.main import main
from twofold.collection.importing import Importing, ImportReport
from twofold.contract import Contract
from twofold.documents import Document
from twofold.encoders.given_vectors import GivenVectors
from twofold.encoders.hashed_words import HashedWords
from twofold.errors import InputError, MissingExtraError
from twofold.readers.fields import Fields
from twofold.scores import Vectors, unit_vectors
from twofold.stores.entries import Description, Entry

COUNT, DIMENSION = 300, 16
DRAWN = np.random.default_rng(7).normal(size=(COUNT, DIMENSION))
HALVES = DRAWN.astype(np.float16).astype(np.float32)
"""Vectors that are stored as they are, compared by dot products."""
UNITS = unit_vectors(DRAWN.astype(np.float32))
TEXTS = [f"text {n} of word{n % 9}" for n in range(COUNT)]
IDS = [f"e{n}" for n in range(COUNT)]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("faiss_files", "chroma", "lance"):
        monkeypatch.setattr(f"twofold.stores.{module}.AT_ONCE", 64)
    monkeypatch.setattr("twofold.collection.adding.GIVEN_AT_ONCE", 100)


def faiss_folder(folder: Path, vectors: Vectors, index: Any = None) -> Path:
    """An index, and its documents in the same order."""
    folder.mkdir()
    index = faiss.IndexFlatIP(DIMENSION) if index is None else index
    index.add(vectors)
    faiss.write_index(index, str(folder / "store.faiss"))
    lines = [{"id": name, "text": text, "n": n} for n, (name, text) in enumerate(zip(IDS, TEXTS, strict=True))]
    (folder / "documents.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def stored(path: Path) -> Vectors:
    with twofold.open(path) as collection:
        found = collection.vectors(IDS)
    return np.concatenate([found[name] for name in IDS])


def test_an_index_of_faiss_comes_along_with_its_documents_and_its_rankings(tmp_path: Path) -> None:
    source = faiss_folder(tmp_path / "s", HALVES)
    report = twofold.import_from(source, tmp_path / "c")
    assert (report.kind, report.table, report.entries, report.documents) == ("FAISS", "documents.jsonl", COUNT, COUNT)
    assert (report.left_out, report.changed, report.notes) == ({}, {}, [])
    assert report.ranking is not None
    assert (report.ranking.questions, report.ranking.overlap) == (100, 1)
    assert report.ranking.score < 1e-5
    assert np.array_equal(stored(tmp_path / "c"), HALVES)
    with twofold.open(tmp_path / "c") as collection:
        assert collection["e7"] == Document("e7", TEXTS[7], metadata={"n": 7})
        assert collection.contract.similarity == "dot"
        asked = np.random.default_rng(8).normal(size=(100, DIMENSION)).astype(np.float32)
        _, theirs = faiss.read_index(str(source / "store.faiss")).search(asked, 10)
        found = collection.search_many(asked, k=10, mode="dense")
        assert [[hit.id for hit in hits] for hits in found] == [[IDS[n] for n in line] for line in theirs]
    assert twofold.import_from(source / "store.faiss", tmp_path / "c").added.unchanged == COUNT


@pytest.mark.parametrize("kind", ["IDMap,Flat", "IVF4,Flat", "HNSW8", "SQfp16"])
def test_kinds_of_faiss_that_hold_vectors_give_them_back(tmp_path: Path, kind: str) -> None:
    index = faiss.index_factory(DIMENSION, kind, faiss.METRIC_INNER_PRODUCT)
    index.train(HALVES)
    if kind.startswith("IDMap"):
        index.add_with_ids(HALVES, np.arange(1000, 1000 + COUNT))
        empty = faiss.IndexFlatIP(DIMENSION)
        source = faiss_folder(tmp_path / "s", HALVES, empty)
        faiss.write_index(index, str(source / "store.faiss"))
    else:
        source = faiss_folder(tmp_path / "s", HALVES, index)
    report = twofold.import_from(source, tmp_path / "c")
    assert np.array_equal(stored(tmp_path / "c"), HALVES)
    assert report.notes == []


def test_codes_come_along_as_what_they_decode_to_and_that_is_said(tmp_path: Path) -> None:
    index = faiss.index_factory(DIMENSION, "SQ8", faiss.METRIC_INNER_PRODUCT)
    index.train(HALVES)
    report = twofold.import_from(faiss_folder(tmp_path / "s", HALVES, index), tmp_path / "c")
    assert "the index holds codes (IndexScalarQuantizer)" in report.notes[0]
    assert not np.array_equal(stored(tmp_path / "c"), HALVES)


def test_distances_of_unit_vectors_rank_as_cosines_and_others_are_refused(tmp_path: Path) -> None:
    source = faiss_folder(tmp_path / "units", UNITS, faiss.IndexFlatL2(DIMENSION))
    report = twofold.import_from(source, tmp_path / "c")
    assert report.ranking is not None
    assert report.ranking.overlap > 0.99
    assert report.ranking.score < 1e-3
    assert np.array_equal(stored(tmp_path / "c"), UNITS.astype(np.float16))
    other = faiss_folder(tmp_path / "others", HALVES, faiss.IndexFlatL2(DIMENSION))
    with pytest.raises(InputError, match="neither cosines nor dot products rank them alike"):
        twofold.import_from(other, tmp_path / "d")
    assert not (tmp_path / "d").exists()
    report = twofold.import_from(other, tmp_path / "d", similarity="cosine")
    assert report.ranking is not None
    assert report.ranking.overlap < 0.9
    assert report.changed == {"had vectors of another length than 1, which are scaled to 1": COUNT}


def test_documents_that_do_not_pair_with_vectors_are_refused(tmp_path: Path) -> None:
    source = faiss_folder(tmp_path / "s", HALVES)
    lines = (source / "documents.jsonl").read_text().splitlines(keepends=True)
    for kept in (lines[:-1], [*lines, lines[0]]):
        (source / "documents.jsonl").write_text("".join(kept))
        with pytest.raises(InputError, match=f"holds {len(kept)} documents, the index 300 vectors"):
            twofold.import_from(source, tmp_path / f"c{len(kept)}")


def test_what_is_no_store_or_is_pickled_is_refused_in_words(tmp_path: Path) -> None:
    source = faiss_folder(tmp_path / "s", HALVES)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no store that can be imported; those are a folder of Chroma"):
        twofold.import_from(tmp_path / "empty", tmp_path / "c")
    with pytest.raises(InputError, match="there is nothing here"):
        twofold.import_from(tmp_path / "gone", tmp_path / "c")
    with pytest.raises(InputError, match="a column of vectors is named of a table of LanceDB only"):
        twofold.import_from(source, tmp_path / "c", vector="v")
    (source / "documents.jsonl").rename(source / "index.pkl")
    with pytest.raises(InputError, match="nothing is unpickled here"):
        twofold.import_from(source, tmp_path / "c")
    (source / "store.faiss").write_bytes(b"IxF2 and nothing else")
    with pytest.raises(InputError, match="FAISS cannot read this"):
        twofold.import_from(source, tmp_path / "c")
    assert not (tmp_path / "c").exists()


def llama_folder(folder: Path, vectors: dict[str, list[float]], nodes: dict[str, dict[str, Any]]) -> Path:
    """As LlamaIndex persists a simple store."""
    folder.mkdir()
    data = {name: {"__data__": {"id_": name, **node}, "__type__": "1"} for name, node in nodes.items()}
    (folder / "docstore.json").write_text(json.dumps({"docstore/data": data, "docstore/metadata": {}}))
    (folder / "default__vector_store.json").write_text(json.dumps({"embedding_dict": vectors}))
    return folder


def test_every_loss_is_counted_with_its_reason_and_its_ids(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    vectors = {name: UNITS[n].tolist() for n, name in enumerate(IDS[:20])}
    nodes = {name: {"text": TEXTS[n], "metadata": {"n": n, "tags": ["a"]}} for n, name in enumerate(vectors)}
    vectors["e1"] = [1.0, 2.0]
    vectors["e2"] = [0.0] * DIMENSION
    vectors["e3"] = [2.0 * number for number in vectors["e3"]]
    vectors["bad\x00id"] = vectors.pop("e5")
    nodes["bad\x00id"] = nodes.pop("e5")
    nodes["e4"]["text"] = ""
    nodes["e6"]["metadata"] = {"n": 6, "huge": 2**70, "deep": {"a": [1, 2]}}
    nodes["spare"] = {"text": "without a vector"}
    source = llama_folder(tmp_path / "s", vectors, nodes)
    assert main(["import", str(source), "--to", str(tmp_path / "c"), "--quiet"]) == 0
    told = capsys.readouterr().out
    assert "LlamaIndex default__vector_store.json: 17 of 20 entries came along" in told
    assert "left out: 1 have a vector of another shape than 16 numbers (e1)" in told
    assert "left out: 1 have a vector of zeros, which has no direction (e2)" in told
    assert "left out: 1 cannot be documents" in told
    assert "came along: 1 had vectors of another length than 1, which are scaled to 1 (e3)" in told
    assert "came along: 1 have no text: they are found by vectors only (e4)" in told
    assert "lost a field of their metadata" in told
    assert "overlap@10 " in told
    with twofold.open(tmp_path / "c") as collection:
        assert len(collection) == 17
        assert collection["e6"].metadata == {"n": 6, "deep": {"a": [1, 2]}}
        assert collection["e0"].metadata == {"n": 0, "tags": ["a"]}
    assert main(["import", str(source), "--to", str(tmp_path / "c"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["added"]["unchanged"], sum(found["left_out"].values())) == (17, 3)
    assert found["notes"] == ["1 nodes have no vector"]


def test_what_llama_index_keeps_in_faiss_is_found_by_its_numbers(tmp_path: Path) -> None:
    nodes = {name: {"text": TEXTS[n], "metadata": {"n": n}} for n, name in enumerate(IDS)}
    source = llama_folder(tmp_path / "s", {}, nodes)
    index = faiss.IndexFlatL2(DIMENSION)
    index.add(UNITS)
    faiss.write_index(index, str(source / "default__vector_store.json"))
    numbered = json.dumps({"index_id": "i", "nodes_dict": {str(n): name for n, name in enumerate(IDS)}})
    store = {"index_store/data": {"i": {"__type__": "vector_store", "__data__": numbered}}}
    (source / "index_store.json").write_text(json.dumps(store))
    report = twofold.import_from(source, tmp_path / "c")
    assert (report.kind, report.documents, report.notes) == ("LlamaIndex with FAISS", COUNT, [])
    assert np.array_equal(stored(tmp_path / "c"), UNITS.astype(np.float16))
    with twofold.open(tmp_path / "c") as collection:
        assert collection["e9"] == Document("e9", TEXTS[9], metadata={"n": 9})


def test_the_encoder_that_made_the_vectors_answers_texts_and_another_one_is_refused(tmp_path: Path) -> None:
    encoder = HashedWords(DIMENSION)
    source = faiss_folder(tmp_path / "s", encoder.encode_documents(TEXTS))
    report = twofold.import_from(source, tmp_path / "c", encoder=encoder)
    assert report.cosine == pytest.approx(1, abs=1e-5)
    with twofold.open(tmp_path / "c") as collection, twofold.create(None, encoder) as own:
        own.add([{"id": name, "text": text} for name, text in zip(IDS, TEXTS, strict=True)])
        asked = "text 17 of word3"
        scores = [[hit.score for hit in each.search(asked, mode="dense")] for each in (collection, own)]
        assert scores[0] == scores[1]
    strange = faiss_folder(tmp_path / "strange", UNITS)
    with pytest.raises(InputError, match="these vectors are not this encoder's"):
        twofold.import_from(strange, tmp_path / "d", encoder=encoder)
    with pytest.raises(InputError, match="vectors of 16 numbers, and this encoder makes 8"):
        twofold.import_from(source, tmp_path / "d", encoder=HashedWords(8))
    with pytest.raises(InputError, match="this encoder compares by cosine, not by dot"):
        twofold.import_from(source, tmp_path / "d", encoder=encoder, similarity="dot")
    assert not (tmp_path / "d").exists()


class Forgetful:
    """A store that counts more than it gives."""

    about = Description("Forgetful", "t", 3, 4, "dot")

    def blocks(self) -> Iterator[list[Entry]]:
        yield [Entry(name, "", "", {}, np.ones(4, np.float32)) for name in ("a", "b")]


def test_a_store_that_gives_fewer_entries_than_it_counts_is_an_error() -> None:
    contract: Contract = GivenVectors(4, similarity="dot").contract
    importing = Importing(Forgetful(), contract, ImportReport(kind="Forgetful", table="t", entries=3))
    assert [each.id for each in importing.entries()] == ["a", "b"]
    assert importing.take(0, 2).vectors.shape == (2, 4)
    with pytest.raises(InputError, match="counts 3 entries and gave 2; the collection is incomplete"):
        importing.check_count()


@pytest.mark.parametrize(("package", "file"), [("chromadb", "chroma.sqlite3"), ("lancedb", "t.lance/x")])
def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str, file: str) -> None:
    (tmp_path / "s" / file).parent.mkdir(parents=True)
    (tmp_path / "s" / file).touch()
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=rf'needs {package}.*pip install "twofold\[import\]"'):
        twofold.import_from(tmp_path / "s", tmp_path / "c")


@pytest.mark.filterwarnings("ignore")
def test_a_collection_of_chroma_comes_along(tmp_path: Path) -> None:
    chromadb = pytest.importorskip("chromadb", reason="chromadb is not installed, which makes and reads this store")
    client = chromadb.PersistentClient(str(tmp_path / "s"), chromadb.config.Settings(anonymized_telemetry=False))
    settings = {"hnsw": {"space": "ip", "ef_search": COUNT}}
    made = client.create_collection("wiki", embedding_function=None, configuration=settings, metadata={"by": "me"})
    client.create_collection("others", embedding_function=None)
    metadata: list[Any] = [{"n": n, "part": n / 8, "even": n % 2 == 0, "name": f"no. {n}"} for n in range(COUNT)]
    texts: list[Any] = [*TEXTS]
    made.add(ids=IDS, embeddings=HALVES, documents=texts, metadatas=metadata)
    made.add(ids=["bare"], embeddings=HALVES[:1] / 2)
    with pytest.raises(InputError, match=r"has several collections; name one with --table .*: others, wiki"):
        twofold.import_from(tmp_path / "s", tmp_path / "c")
    report = twofold.import_from(tmp_path / "s", tmp_path / "c", table="wiki", fields=Fields(title="name"))
    assert (report.kind, report.entries, report.documents) == ("Chroma", COUNT + 1, COUNT + 1)
    assert report.notes == [
        "other collections were not read: others (--table names one)",
        "the collection's own metadata did not come along: by",
    ]
    assert report.changed == {"have no text: they are found by vectors only": 1}
    assert report.ranking is not None
    assert report.ranking.overlap == 1
    assert np.array_equal(stored(tmp_path / "c"), HALVES)
    with twofold.open(tmp_path / "c") as collection:
        assert collection["e3"] == Document("e3", TEXTS[3], "no. 3", {"n": 3, "part": 0.375, "even": False})
        asked = np.random.default_rng(8).normal(size=(100, DIMENSION)).astype(np.float32)
        theirs = made.query(query_embeddings=asked, n_results=10)
        found = collection.search_many(asked, k=10, mode="dense")
        assert [[hit.id for hit in hits] for hits in found] == theirs["ids"]
        scores = [[hit.score for hit in hits] for hits in found]
        assert np.allclose(scores, 1 - np.array(theirs["distances"]), atol=1e-5)


@pytest.mark.filterwarnings("ignore")
def test_a_table_of_lancedb_comes_along(tmp_path: Path) -> None:
    lancedb = pytest.importorskip("lancedb", reason="lancedb is not installed, which makes and reads this store")
    pa = pytest.importorskip("pyarrow")
    kind = pa.list_(pa.float32(), DIMENSION)
    columns = {
        "id": IDS,
        "body": TEXTS,
        "numbers": [[n, n + 1] for n in range(COUNT)],
        "raw": [b"bytes" if n == 5 else None for n in range(COUNT)],
        "vector": pa.array(UNITS.tolist(), kind),
        "image": pa.array(UNITS.tolist(), kind),
    }
    database = lancedb.connect(str(tmp_path / "s"))
    table = database.create_table("wiki", pa.table(columns))
    table.add(pa.table({"id": ["none", "e0"], "body": ["x", TEXTS[0]], "vector": pa.array([None, UNITS[0]], kind)}))
    database.create_table("other", pa.table({"id": ["a"], "vector": pa.array([[1.0, 2.0]], pa.list_(pa.float32(), 2))}))
    with pytest.raises(InputError, match="has several tables"):
        twofold.import_from(tmp_path / "s", tmp_path / "c")
    with pytest.raises(InputError, match=r"columns that hold vectors: vector \(16 numbers\), image"):
        twofold.import_from(tmp_path / "s", tmp_path / "c", table="wiki")
    report = twofold.import_from(tmp_path / "s" / "wiki.lance", tmp_path / "c", vector="vector")
    assert (report.kind, report.entries, report.documents) == ("LanceDB", COUNT + 2, COUNT)
    assert (report.left_out, report.added.duplicates) == ({"have no vector": 1}, 1)
    assert report.notes == [
        "other tables were not read: other (--table names one)",
        "the column image did not come along: one vector an entry is kept, that of vector",
    ]
    assert [count for reason, count in report.changed.items() if "lost a field" in reason] == [1]
    assert np.array_equal(stored(tmp_path / "c"), UNITS.astype(np.float16))
    with twofold.open(tmp_path / "c") as collection:
        assert collection["e3"].text == TEXTS[3]
        assert collection["e3"].metadata["numbers"] == [3, 4]
        asked = np.random.default_rng(8).normal(size=(100, DIMENSION)).astype(np.float32)
        same = 0
        for vector, hits in zip(asked, collection.search_many(asked, k=10, mode="dense"), strict=True):
            search = table.search(vector.tolist(), vector_column_name="vector").distance_type("cosine")
            rows = search.bypass_vector_index().select(["id"]).limit(11).to_list()
            theirs = list(dict.fromkeys(row["id"] for row in rows))[:10]
            same += len(set(theirs) & {hit.id for hit in hits})
    assert same >= 990
