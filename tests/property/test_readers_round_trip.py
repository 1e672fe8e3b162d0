"""What is written by the rules of a format is read back as it was, whatever the text."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twofold.documents import TEXT_FIELDS, Document
from twofold.errors import InputError
from twofold.readers.reading import read
from twofold.readers.trec import read_run, write_run

NASTY = "\"'\t,;\r\n\0\\ \u2028\x85\x1c\ufeff#é😀"
texts = st.text(st.sampled_from(NASTY) | st.characters(exclude_categories=["Cs"]), max_size=20)
ids = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
many = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def records(*, text: st.SearchStrategy[str] = texts) -> st.SearchStrategy[list[tuple[str, str, str]]]:
    return st.lists(st.tuples(ids, text, text), min_size=1, max_size=6)


@many
@given(
    rows=records(),
    metadata=st.dictionaries(
        texts.filter(lambda key: key not in {"id", "_id", "title", "metadata", *TEXT_FIELDS}),
        values,
        max_size=4,
    ),
    ascii_only=st.booleans(),
)
def test_json_lines_read_back_as_they_were(
    tmp_path: Path, rows: list[tuple[str, str, str]], metadata: dict[str, object], ascii_only: bool
) -> None:
    path = tmp_path / "a.jsonl"
    lines = [
        json.dumps({"_id": i, "title": t, "text": x, **metadata}, ensure_ascii=ascii_only) + "\n" for i, t, x in rows
    ]
    path.write_bytes("".join(lines).encode())
    assert list(read(path)) == [Document(i, x, t, metadata) for i, t, x in rows]  # type: ignore[arg-type]


@many
@given(rows=records(), dialect=st.sampled_from([("\n", csv.QUOTE_ALL), ("\r\n", csv.QUOTE_MINIMAL)]))
def test_csv_reads_back_as_it_was_with_the_right_line_numbers(
    tmp_path: Path, rows: list[tuple[str, str, str]], dialect: tuple[str, Literal[0, 1]]
) -> None:
    path = tmp_path / "a.csv"
    content = io.StringIO(newline="")
    line_end, quoting = (
        dialect  # With "\n", Python's writer leaves a carriage return unquoted, which no reader can undo.
    )
    csv.writer(content, lineterminator=line_end, quoting=quoting).writerows([("id", "title", "text"), *rows])
    path.write_bytes(content.getvalue().encode())
    assert list(read(path)) == [Document(i, x, t) for i, t, x in rows]
    path.write_bytes(content.getvalue().encode() + b"too,few" + line_end.encode())
    with pytest.raises(InputError) as caught:
        list(read(path))
    assert caught.value.line == content.getvalue().count("\n") + 1


@many
@given(rows=records(text=texts.map(lambda text: text.translate({9: None, 10: None, 13: None}))))
def test_tsv_reads_back_as_it_was(tmp_path: Path, rows: list[tuple[str, str, str]]) -> None:
    path = tmp_path / "a.tsv"
    path.write_bytes("".join("\t".join(row) + "\n" for row in [("id", "title", "text"), *rows]).encode())
    assert list(read(path)) == [Document(i, x, t) for i, t, x in rows]


@many
@given(content=st.binary(max_size=80) | st.text(st.sampled_from('{}[]":,_id text\t\n\r1'), max_size=60).map(str.encode))
@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.tsv", "a.txt", "a.jsonl.gz", "a.csv.xz"])
def test_whatever_stands_in_a_file_it_is_documents_or_an_input_error(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    for skip_bad in (False, True):
        message = said_about(path, skip_bad)
        assert message is None or name in message


def said_about(path: Path, skip_bad: bool) -> str | None:
    """What reading said; None where it gave documents. Anything but an InputError fails the test."""
    try:
        assert all(isinstance(document, Document) for document in read(path, skip_bad=skip_bad))
    except InputError as error:
        return str(error)
    return None


columns = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6).filter(
    lambda text: len(text.encode().split()) == 1 and text.encode().split()[0] == text.encode() and text[0] != "\ufeff"
)
runs = st.dictionaries(
    columns,
    st.dictionaries(columns, st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5),
    min_size=1,
    max_size=4,
)


@many
@given(run=runs)
def test_a_run_reads_back_with_the_same_bits(tmp_path: Path, run: dict[str, dict[str, float]]) -> None:
    write_run(run, tmp_path / "a.trec")
    assert read_run(tmp_path / "a.trec") == run
