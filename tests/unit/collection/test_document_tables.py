"""A collection as Arrow, as Parquet and as a folder for `datasets`, and back: the same documents, the same bits."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

import twofold
from twofold.cli.main import main
from twofold.collection import exporting
from twofold.collection.collection import Collection
from twofold.contract import Contract
from twofold.documents import Document
from twofold.encoders.given_vectors import GivenVectors
from twofold.encoders.hashed_words import HashedWords
from twofold.errors import InputError, VectorError
from twofold.readers.reading import read

ENCODER = HashedWords(16, max_words=50)
DOCUMENTS = [
    Document("long", "one two three four five six seven eight " * 30, "A title", {"year": 1952, "tags": ["x", "ü"]}),
    Document("gone", "this one is deleted"),
    Document("odd", "tab\there, a line\nbreak, \u2028 and 東京 😀", metadata={"metadata": {"id": 1}, "_id": None}),
    Document("nothing", ""),
    Document("last", "the last one", "Last", {"vectors": [1.5, 2], "text": "inside", "": 0}),
]


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "AT_ONCE", 2)
    monkeypatch.setattr(exporting, "A_FILE", 2)
    monkeypatch.setattr("twofold.readers.exported.AT_ONCE", 3)


@pytest.fixture
def collection(tmp_path: Path) -> Iterator[Collection]:
    with twofold.create(tmp_path / "c", ENCODER) as made:
        made.add(DOCUMENTS)
        made.delete("gone")
        yield made


def bits(collection: Collection) -> dict[str, bytes]:
    return {name: each.astype("<f2").tobytes() for name, each in collection.vectors(collection.ids()).items()}


def spans(collection: Collection) -> list[tuple[int, int]]:
    hits = collection.search("one eight", k=20, mode="dense", unit="passage")
    return [(hit.passage.start, hit.passage.end) for hit in hits]


def test_a_parquet_file_becomes_the_same_collection(collection: Collection, tmp_path: Path) -> None:
    report = collection.export(tmp_path / "c.parquet")
    assert (report.documents, report.bytes) == (4, {"c.parquet": (tmp_path / "c.parquet").stat().st_size})
    assert list(read(tmp_path / "c.parquet")) == list(collection)
    with twofold.create(None, ENCODER) as again, twofold.create(None, GivenVectors(16)) as own:
        for made in (again, own):
            made.add(read(tmp_path / "c.parquet"), vectors=tmp_path / "c.parquet")
            assert list(made) == list(collection)
            assert bits(made) == bits(collection)
        assert len(bits(collection)["long"]) > 2 * 16 * 2
        assert spans(again) == spans(collection)
        assert again.add(read(tmp_path / "c.parquet"), vectors=tmp_path / "c.parquet").unchanged == 4


def test_the_command_line_goes_there_and_back(
    collection: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["export", "c", "--to", "c.parquet", "--quiet"]) == 0
    assert "4 documents" in capsys.readouterr().out
    assert main(["index", "c.parquet", "--vectors", "c.parquet", "--to", "own", "--quiet"]) == 0
    assert main(["index", "c.parquet", "--to", "again", "--encoder", "hashed-words:16", "--quiet"]) == 0
    with twofold.open("own") as own, twofold.open("again") as again:
        assert list(own) == list(again) == list(collection)
        assert bits(own) == bits(collection)
        assert own.contract.similarity == "cosine"


def test_lengths_other_than_one_survive_where_vectors_are_compared_by_dot_products(tmp_path: Path) -> None:
    vectors = np.random.default_rng(1).normal(size=(7, 8)).astype(np.float32)
    with twofold.create(tmp_path / "d", GivenVectors(8, similarity="dot")) as made:
        made.add([(f"d{n}", f"text {n}") for n in range(7)], vectors=vectors)
        made.export(tmp_path / "d.parquet")
        before = bits(made)
    assert main(["index", str(tmp_path / "d.parquet"), "--vectors", str(tmp_path / "d.parquet"),
                 "--to", str(tmp_path / "e"), "--quiet"]) == 0  # fmt: skip
    with twofold.open(tmp_path / "e") as again:
        assert (bits(again), again.contract.similarity) == (before, "dot")


def test_arrow_comes_in_batches_of_one_commit(collection: Collection) -> None:
    reader = collection.to_arrow()
    first = reader.read_next_batch()
    collection.add([("late", "too late")])
    rest = list(reader)
    assert [batch.num_rows for batch in (first, *rest)] == [2, 2]
    table = pyarrow.Table.from_batches([first, *rest])
    assert table.column_names == ["id", "title", "text", "metadata", "passages", "vectors"]
    assert table.schema.field("vectors").type == pyarrow.list_(pyarrow.list_(pyarrow.float32(), 16))
    rows = {row["id"]: row for row in table.to_pylist()}
    stored = collection.vectors(list(rows))
    for name, row in rows.items():
        document = collection[name]
        assert (row["title"], row["text"], json.loads(row["metadata"])) == (
            document.title,
            document.text,
            document.metadata,
        )
        assert np.array_equal(np.array(row["vectors"], np.float32).reshape(-1, 16), stored[name])
        assert len(row["passages"]) == len(row["vectors"])
    assert rows["long"]["passages"][0]["start"] == 0
    about = json.loads(table.schema.metadata[b"twofold"])
    assert Contract.from_json(about["contract"]) == collection.contract


def test_add_takes_the_documents_of_an_arrow_table(collection: Collection) -> None:
    with twofold.create(None, ENCODER) as from_table, twofold.create(None, ENCODER) as from_reader:
        from_table.add(collection.to_arrow().read_all())
        from_reader.add(collection.to_arrow())
        assert list(from_table) == list(from_reader) == list(collection)


def test_a_saved_arrow_file_is_read_as_its_documents(collection: Collection, tmp_path: Path) -> None:
    reader = collection.to_arrow()
    with pyarrow.ipc.new_file(str(tmp_path / "c.arrow"), reader.schema) as file:
        for batch in reader:
            file.write_batch(batch)
    assert list(read(tmp_path / "c.arrow")) == list(collection)


def test_datasets_loads_the_folder(collection: Collection, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets", reason="datasets is not installed, which reads this folder")
    report = collection.export(tmp_path / "out", form="datasets")
    files = ["data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet"]
    assert sorted(report.bytes) == ["README.md", *files]
    rows = datasets.load_dataset(str(tmp_path / "out"), split="train", cache_dir=str(tmp_path / "cache"))
    assert rows["id"][:] == ["long", "odd", "nothing", "last"]
    stored = collection.vectors(["long"])["long"]
    assert np.array_equal(np.array(rows[0]["vectors"], np.float32), stored)
    assert rows[0]["text"] == collection["long"].text
    assert list(read([tmp_path / "out" / name for name in files])) == list(collection)


def test_an_empty_collection_has_all_forms(tmp_path: Path) -> None:
    with twofold.create(None, ENCODER) as empty:
        assert empty.to_arrow().read_all().num_rows == 0
        empty.export(tmp_path / "c.parquet")
        empty.export(tmp_path / "out", form="datasets")
    assert pyarrow.parquet.read_table(tmp_path / "c.parquet").num_rows == 0
    assert os.listdir(tmp_path / "out" / "data") == ["train-00000-of-00001.parquet"]


def test_spaces_that_are_not_in_an_export_are_named(
    collection: Collection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    collection.migrate(HashedWords(8), name="small")
    assert collection.export(tmp_path / "c.parquet").left_out == ("small",)
    assert main(["export", str(tmp_path / "c"), "--to", str(tmp_path / "out"), "--quiet"]) == 0
    assert "not in it: the vectors of small" in capsys.readouterr().out


def test_what_is_no_export_or_does_not_fit_is_refused(collection: Collection, tmp_path: Path) -> None:
    collection.export(tmp_path / "c.parquet")
    documents = list(collection)
    plain = pyarrow.table({"id": ["a"], "text": ["b"], "vectors": [[1.0, 2.0]]})
    pyarrow.parquet.write_table(plain, tmp_path / "plain.parquet")
    (tmp_path / "bad.parquet").write_bytes((tmp_path / "c.parquet").read_bytes()[:-9])
    wrong = InputError("an export has the form")
    with pytest.raises(InputError, match=str(wrong)):
        collection.export(tmp_path / "x", form="csv")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="inside the collection"):
        collection.export(tmp_path / "c" / "x.parquet")
    with twofold.create(None, GivenVectors(16)) as own, twofold.create(None, GivenVectors(4)) as other:
        for name, said in (("plain", "no file of an export"), ("bad", "damaged: no Parquet file")):
            with pytest.raises(InputError, match=said):
                own.add(documents, vectors=tmp_path / f"{name}.parquet")
        with pytest.raises(VectorError, match="holds 4 vectors for 3 documents"):
            own.add(documents[1:], vectors=tmp_path / "c.parquet")
        with pytest.raises(VectorError, match="'last': a passage ends behind its text"):
            own.add(documents[::-1], vectors=tmp_path / "c.parquet")
        with pytest.raises(VectorError, match=r"vectors of 16 numbers; this collection takes 4"):
            other.add(documents, vectors=tmp_path / "c.parquet")
        assert len(own) == 0


def test_an_interrupted_parquet_file_does_not_appear(collection: Collection, tmp_path: Path) -> None:
    def interrupt(done: int, total: int | None) -> None:
        raise KeyboardInterrupt

    for name, form in (("c.parquet", "parquet"), ("out", "datasets")):
        with pytest.raises(KeyboardInterrupt):
            collection.export(tmp_path / name, interrupt, form=form)  # type: ignore[arg-type]
    assert os.listdir(tmp_path) == ["c"]
