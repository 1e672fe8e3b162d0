from __future__ import annotations

import gzip
import lzma
from pathlib import Path

import pytest

from twofold.documents import Document
from twofold.errors import InputError
from twofold.readers.beir import read_beir, splits
from twofold.readers.reading import read
from twofold.reports import ReadReport

CORPUS = (
    b'{"_id": "d1", "title": "T", "text": "x", "metadata": {}}\n{"_id": "d2", "title": "", "text": "y", "url": "u"}\n'
)
QUERIES = (
    b'{"_id": "q1", "text": "one", "metadata": {}}\n{"_id": "q2", "text": "two"}\n{"_id": "q3", "text": "three"}\n'
)
TEST = b"query-id\tcorpus-id\tscore\nq1\td1\t1\nq1\td2\t0\nq3\td2\t0\n"
DEV = b"query-id\tcorpus-id\tscore\nq2\td2\t2\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "small"
    (place / "qrels").mkdir(parents=True)
    (place / "corpus.jsonl.xz").write_bytes(lzma.compress(CORPUS))
    (place / "queries.jsonl").write_bytes(QUERIES)
    (place / "qrels" / "test.tsv").write_bytes(TEST)
    (place / "qrels" / "dev.tsv.gz").write_bytes(gzip.compress(DEV))
    (place / "evidence.tsv").write_bytes(b"of no interest")
    return place


def test_a_split_holds_its_judged_queries_alone(folder: Path) -> None:
    test, dev = read_beir(folder), read_beir(folder, "dev")
    assert (test.name, test.split) == ("small", "test")
    assert test.queries == {"q1": "one", "q3": "three"}
    assert test.qrels == {"q1": {"d1": 1, "d2": 0}, "q3": {"d2": 0}}
    assert (dev.queries, dev.qrels) == ({"q2": "two"}, {"q2": {"d2": 2}})


def test_the_corpus_is_read_anew_by_each_call_and_by_the_one_door_too(folder: Path) -> None:
    beir, report = read_beir(folder), ReadReport()
    expected = [Document("d1", "x", "T"), Document("d2", "y", "", {"url": "u"})]
    assert list(beir.documents()) == list(beir.documents(report=report)) == list(read(folder)) == expected
    assert report.read == 2


def test_a_missing_split_names_those_that_are_there(folder: Path) -> None:
    assert splits(folder) == ["dev", "test"]
    for split in ("train", "../qrels/test", ""):
        with pytest.raises(InputError, match=r"no split '.*' in qrels/; there are: dev, test"):
            read_beir(folder, split)


def test_a_judged_query_without_a_text_is_an_error_that_names_it(folder: Path) -> None:
    (folder / "qrels" / "test.tsv").write_bytes(TEST + b"q9\td1\t1\n")
    with pytest.raises(InputError, match=r"test\.tsv: judges the query 'q9', which .*queries\.jsonl does not have"):
        read_beir(folder)


@pytest.mark.parametrize("missing", ["corpus.jsonl.xz", "queries.jsonl"])
def test_a_folder_without_its_files_is_no_beir_folder(folder: Path, missing: str) -> None:
    (folder / missing).unlink()
    with pytest.raises(InputError, match=f"no BEIR folder: it has no {missing.removesuffix('.xz')}"):
        read_beir(folder)
    with pytest.raises(InputError, match="no such folder"):
        read_beir(folder / "nowhere")


def test_a_plain_file_is_taken_before_its_packed_form(folder: Path) -> None:
    (folder / "corpus.jsonl").write_bytes(b'{"_id": "plain", "text": "x"}\n')
    assert [d.id for d in read(folder)] == ["plain"]


@pytest.mark.data
def test_every_judged_collection_reads_whole(judged: Path) -> None:
    folders = sorted(path.parent for path in judged.glob("*/corpus.jsonl*"))
    assert folders
    for folder in folders:
        for split in splits(folder):
            beir = read_beir(folder, split)
            assert beir.queries.keys() == beir.qrels.keys()


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "split", "documents", "positive"),
    [
        ("scifact", "test", 5183, 300),
        ("nfcorpus", "train", 3633, 2590),
        ("cranfield", "test", 1400, 225),
        ("wikiqa", "test", 8516, 243),
        ("qmsum-long", "test", 232, 481),
    ],
)
def test_judged_collections_hold_what_was_published(
    judged: Path, name: str, split: str, documents: int, positive: int
) -> None:
    beir = read_beir(judged / name, split)
    assert sum(1 for _ in beir.documents()) == documents
    assert sum(any(grade > 0 for grade in grades.values()) for grades in beir.qrels.values()) == positive
