"""Hard negatives as rows for sentence-transformers: its columns, its option names, nothing left out in silence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import twofold
from twofold.collection.collection import Collection
from twofold.collection.opening import create
from twofold.documents import Document
from twofold.encoders.hashed_words import HashedWords
from twofold.errors import InputError
from twofold.training.mined import Mined

TEXTS = {
    "answer": "red fox jumps high",
    "copy": "red fox jumps high",
    "close": "red fox jumps",
    "hard": "red fox house",
    "dev": "red fox garden",
    "easy": "green whale",
    "far": "yellow mountain",
}
QUERIES = {"q": "red fox jumps", "w": "green whale", "n": "nothing"}


@pytest.fixture(scope="module")
def collection() -> Iterator[Collection]:
    with create(None, HashedWords(4096)) as made:
        made.add(Document(name, text) for name, text in TEXTS.items())
        yield made


def mined(collection: Collection, qrels: Any, **options: Any) -> Mined:
    return twofold.mine(collection, QUERIES, qrels, **options)


def test_negatives_are_near_the_query_and_neither_answers_nor_like_one(collection: Collection) -> None:
    found = mined(collection, {"q": ["answer"]}, num_negatives=2)
    [row] = found.rows
    assert (row.anchor, row.positive, row.negatives) == (
        "red fox jumps",
        TEXTS["answer"],
        (TEXTS["dev"], TEXTS["hard"]),
    )
    assert (row.ids.query, row.ids.positive, row.ids.negatives) == ("q", "answer", ("dev", "hard"))
    assert (found.report.judged, found.report.same_text, found.report.margin, found.report.filled) == (1, 1, 1, 0)
    looser = mined(collection, {"q": ["answer"]}, num_negatives=1, relative_margin=0.0, range_min=3, range_max=5)
    assert looser.report.candidates == 2
    assert looser.rows[0].ids.negatives[0] not in ("answer", "copy")
    assert mined(collection, {"q": ["answer"]}, num_negatives=2) == found


def test_a_text_of_any_answer_is_no_negative_of_another(collection: Collection) -> None:
    found = mined(collection, {"q": ["answer", "close"]}, num_negatives=5, relative_margin=0.0)
    assert len(found.rows) == 2
    assert all(not {"answer", "copy", "close"} & set(row.ids.negatives) for row in found.rows)


def test_the_columns_are_those_of_sentence_transformers(collection: Collection) -> None:
    found = mined(collection, {"q": ["answer"], "w": ["easy"], "n": []}, num_negatives=2)
    anchor, answer = QUERIES["q"], TEXTS["answer"]
    assert found.records()[:2] == [
        {"anchor": anchor, "positive": answer, "negative": TEXTS["dev"]},
        {"anchor": anchor, "positive": answer, "negative": TEXTS["hard"]},
    ]
    first = found.records("n-tuple")[0]
    assert list(first.items()) == [
        ("anchor", anchor),
        ("positive", answer),
        ("negative_1", TEXTS["dev"]),
        ("negative_2", TEXTS["hard"]),
    ]
    assert found.records("labeled-pair")[:2] == [
        {"anchor": anchor, "document": answer, "label": 1},
        {"anchor": anchor, "document": TEXTS["dev"], "label": 0},
    ]
    listed = {"anchor": anchor, "documents": [answer, TEXTS["dev"], TEXTS["hard"]], "labels": [1, 0, 0]}
    assert found.records("labeled-list")[0] == listed
    with pytest.raises(InputError, match="one of triplet, n-tuple, labeled-pair, labeled-list, not 'pairs'"):
        found.records("pairs")


def test_what_lacks_negatives_or_answers_is_counted(collection: Collection) -> None:
    found = mined(collection, {"q": ["answer", "gone"], "n": {"far": 0}}, num_negatives=3, range_max=5)
    assert found.missing == ("gone",)
    assert [len(row.negatives) for row in found.rows] == [2]
    assert (len(found.records()), found.records("n-tuple")) == (2, [])
    none = mined(collection, {"q": ["answer"]}, num_negatives=1, range_max=1)
    assert (none.rows, none.without) == ((), 1)


def test_a_file_of_them_is_what_datasets_loads(collection: Collection, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    found = mined(collection, {"q": ["answer"], "w": ["easy"]}, num_negatives=2)
    for form, columns in (
        ("triplet", ["anchor", "positive", "negative"]),
        ("n-tuple", ["anchor", "positive", "negative_1", "negative_2"]),
        ("labeled-pair", ["anchor", "document", "label"]),
        ("labeled-list", ["anchor", "documents", "labels"]),
    ):
        path = tmp_path / f"{form}.jsonl"
        assert found.write(path, form) == len(found.records(form))
        loaded = datasets.load_dataset("json", data_files=str(path), split="train", cache_dir=str(tmp_path / "cache"))
        assert loaded.column_names == columns
        assert loaded.to_list() == found.records(form) == [json.loads(line) for line in path.read_text().splitlines()]


def test_what_cannot_be_mined_or_written_is_said(collection: Collection, tmp_path: Path) -> None:
    judged = {"q": ["answer"]}
    for options, said in (
        ({"num_negatives": 0}, "num_negatives is at least 1"),
        ({"range_min": 5, "range_max": 5}, "range_min is at least 0, and below range_max"),
        ({"range_max": 1001}, "at most 1,000"),
        ({"num_negatives": 4, "range_max": 3}, "at most range_max less range_min, 3"),
        ({"relative_margin": 1.0}, "relative_margin is at least 0 and below 1"),
    ):
        with pytest.raises(InputError, match=said):
            mined(collection, judged, **options)
    with pytest.raises(InputError, match="the query 'x' is judged, but has no text"):
        mined(collection, {"x": ["answer"]})
    with pytest.raises(InputError, match="no judged query has an answer in the collection"):
        mined(collection, {"q": ["gone"]})
    with pytest.raises(InputError, match=r"name the file NAME\.jsonl"):
        mined(collection, judged).write(tmp_path / "a.json")
    with pytest.raises(InputError, match="no pair has as many negatives"):
        mined(collection, judged, num_negatives=1, range_max=1).write(tmp_path / "a.jsonl")
    assert not list(tmp_path.iterdir())
