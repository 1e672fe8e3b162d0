"""Documents out of tables of other libraries, and out of rows that are no dicts."""

from __future__ import annotations

import sqlite3
from collections import namedtuple
from collections.abc import Callable
from typing import Any

import datasets
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset
import pytest

from twofold import rows
from twofold.documents import Document, as_documents
from twofold.errors import DocumentError

RECORDS: list[dict[str, Any]] = [
    {"id": "a", "text": "red", "title": "One", "year": 1990, "tags": ["x", "y"]},
    {"id": "b", "text": "blue", "title": "Two", "year": 1991, "tags": []},
    {"id": "c", "text": "green", "title": "Three", "year": 1992, "tags": ["z"]},
]
EXPECTED = [
    Document(each["id"], each["text"], each["title"], {"year": each["year"], "tags": each["tags"]}) for each in RECORDS
]


class Stream:
    """A holder of a table that offers Arrow's C stream and nothing else, as DuckDB's relations do."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def __arrow_c_stream__(self, schema: Any = None) -> Any:
        return self._table.__arrow_c_stream__(schema)


class PolarsLike:
    """What the reader of polars' DataFrames asks of one."""

    columns = ("id", "text")

    def iter_rows(self, *, named: bool, buffer_size: int) -> Any:
        assert named
        return iter(RECORDS)


@pytest.mark.parametrize("at_once", [1, 2, 1_000])
@pytest.mark.parametrize(
    "held",
    [
        pd.DataFrame,
        lambda records: pd.DataFrame(records).set_index("id"),
        lambda records: pd.DataFrame(records).set_index(["id", "year"]),
        lambda records: pd.DataFrame(records).convert_dtypes(),
        lambda records: pd.DataFrame(records).set_index("id", drop=False),
        lambda records: pyarrow.dataset.dataset(pa.Table.from_pylist(records)),
        pa.Table.from_pylist,
        lambda records: pa.Table.from_pylist(records).to_batches()[0],
        lambda records: pa.Table.from_pylist(records).to_reader(),
        lambda records: Stream(pa.Table.from_pylist(records)),
        datasets.Dataset.from_list,
        lambda records: datasets.Dataset.from_list(records).with_format("pandas"),
        lambda records: datasets.Dataset.from_list(records).with_format("numpy"),
        lambda records: datasets.Dataset.from_list(records).with_format("torch"),
        lambda records: datasets.Dataset.from_list(records).with_format("arrow"),
        lambda records: datasets.Dataset.from_list(records).to_iterable_dataset().with_format("numpy"),
        lambda records: PolarsLike(),
        lambda records: (dict(each) for each in records),
        iter,
    ],
)
def test_every_table_gives_the_documents_that_a_list_of_dicts_gives(
    held: Callable[[Any], Any], at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "AT_ONCE", at_once)
    assert list(as_documents(held(RECORDS))) == EXPECTED


def test_the_transform_of_a_dataset_is_applied() -> None:
    def louder(batch: dict[str, list[Any]]) -> dict[str, list[Any]]:
        return {"id": batch["id"], "text": [text.upper() for text in batch["text"]]}

    dataset = datasets.Dataset.from_list([{"id": "a", "text": "red"}]).with_transform(louder)
    assert list(as_documents(dataset)) == [Document("a", "RED")]


def test_rows_of_databases_are_documents() -> None:
    database = sqlite3.connect(":memory:")
    database.row_factory = sqlite3.Row
    found = database.execute("SELECT 'a' AS id, 'red' AS text, 1990 AS year")
    assert list(as_documents(found)) == [Document("a", "red", metadata={"year": 1990})]
    database.close()
    row = namedtuple("row", "id text year")
    named: Any = [row("a", "red", 1990)]
    assert list(as_documents(named)) == [Document("a", "red", metadata={"year": 1990})]

    class SqlAlchemyRow(tuple[Any, ...]):
        @property
        def _mapping(self) -> dict[str, str]:
            return dict(zip(("id", "text"), self, strict=True))

    assert list(as_documents([SqlAlchemyRow(("a", "red"))])) == [Document("a", "red")]


def test_what_a_table_lacks_is_left_out() -> None:
    frame = pd.DataFrame(
        {"id": [1, 2], "text": ["red", "blue"], "year": [1990.0, None], "on": pd.to_datetime(["2024-05-01", None])}
    )
    first, second = as_documents(frame)
    assert (first.id, first.metadata) == ("1", {"year": 1990.0, "on": "2024-05-01T00:00:00"})
    assert (second.id, second.metadata) == ("2", {})


@pytest.mark.parametrize("one", [{"id": "a", "text": "red"}, Document("a", "red")])
def test_one_document_alone_stands_for_a_list_of_it(one: Any) -> None:
    assert list(as_documents(one)) == [Document("a", "red")]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"a": "red"}, "item 0 has no id"),
        ({"id": ["a", "b"], "text": ["red", "blue"]}, "must be text or an integer, not list"),
        ("red", "a str was given; write add"),
        (5, "not a int; write add"),
        (None, "not a NoneType"),
        (["red"], r"item 0 is a text without an id; give \(id, text\) pairs"),
        ([pd.DataFrame(RECORDS)], r"item 0 is a DataFrame, a table of its own; give the table itself"),
        ([pa.Table.from_pylist(RECORDS)], "item 0 is a Table, a table of its own"),
        (pd.DataFrame(RECORDS)["id"], "a Series is one column"),
        (pa.Table.from_pylist(RECORDS)["id"], "a ChunkedArray is one column"),
        (pd.DataFrame(RECORDS).drop(columns="id"), "item 0 has no id"),
        (pd.DataFrame([["a", "b", "c"]], columns=["id", "text", "text"]), "has the column 'text' twice"),
        (np.zeros((2, 4)), "item 0 is a ndarray"),
        ([("a", "b", "c")], "item 0 is a tuple"),
    ],
)
def test_what_holds_no_documents_is_refused_with_the_right_call(given: Any, said: str) -> None:
    with pytest.raises(DocumentError, match=said):
        list(as_documents(given))
