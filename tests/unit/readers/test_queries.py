from __future__ import annotations

import gzip
import io
import sys
from pathlib import Path

import pytest

from twofold.errors import InputError
from twofold.readers.queries import read_queries


def written(tmp_path: Path, name: str, content: str) -> Path:
    path = tmp_path / name
    path.write_bytes(gzip.compress(content.encode()) if name.endswith(".gz") else content.encode())
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("q.jsonl", '{"_id": "7", "text": "one \\"x\\""}\n{"qid": 8, "query": "two", "more": 1}\n'),
        ("q.jsonl.gz", '{"id": 7, "question": "one \\"x\\""}\n\n{"_id": "8", "text": "two"}\n'),
        ("q.tsv", '7\tone "x"\n8\ttwo\n'),
        ("q.tsv.gz", 'qid\tquery\n7\tone "x"\n8\ttwo\n'),
        ("q.csv", 'text,id\n"one ""x""",7\ntwo,8\n'),
    ],
)
def test_queries_come_by_id_from_each_kind_of_file(tmp_path: Path, name: str, content: str) -> None:
    assert list(read_queries(written(tmp_path, name, content)).items()) == [("7", 'one "x"'), ("8", "two")]


def test_plain_lines_are_queries_named_by_their_line_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = "\ufeffwho?\r\n\n  when\tand where?\n"
    expected = {"1": "who?", "3": "when\tand where?"}
    assert read_queries(written(tmp_path, "q.txt", content)) == expected
    assert read_queries(written(tmp_path, "q.gz", content)) == expected
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content.encode())))
    assert read_queries("-") == expected


@pytest.mark.parametrize(
    ("name", "content", "cause"),
    [
        ("q.tsv", "1\ta\n2 b\n", "line 2: 1 fields; a query has two"),
        ("q.tsv", "1\ta\tb\n", "line 1: 3 fields; a query has two"),
        ("q.tsv", "1\t\n", "line 1: the query '1' has no text"),
        ("q.tsv", "1\ta\n1\tb\n", "line 2: the query id '1' came before with another text"),
        ("q.jsonl", '{"text": "a"}\n', "line 1: no id of a query"),
        ("q.jsonl", '{"id": 1.5, "text": "a"}\n', "line 1: an id must be text or an integer"),
        ("q.jsonl", '{"id": "1", "body": "a"}\n', "line 1: no text of a query .*there are id, body"),
        ("q.jsonl", '{"id": "1", "text": 5}\n', "line 1: the text of a query is text, not int"),
        ("q.csv", "id,body\n1,a\n", "line 1: no text of a query"),
        ("q.txt", "\n \n", "no queries in it"),
    ],
)
def test_queries_that_cannot_be_asked_are_errors(tmp_path: Path, name: str, content: str, cause: str) -> None:
    with pytest.raises(InputError, match=f"{name}(, |: ){cause}"):
        read_queries(written(tmp_path, name, content))


def test_a_header_of_other_names_is_refused_and_not_taken_for_a_query(tmp_path: Path) -> None:
    path = tmp_path / "q.tsv"
    for header in (
        "id\tquery_text",
        "query_id\ttopic",
        "text\tid",
        "topic_id\tquestion",
        "ID\tQuery_Text",
        "name\tvalue",
        "key\tuser_input",
    ):
        path.write_text(header + "\nq1\ttea\n")
        with pytest.raises(InputError, match=r"line 1: this line looks like a header, .*take the line out"):
            read_queries(path)
    for first in ("q_1\ttitle", "1\tquestion", "topic-7\twhat is an id?"):
        path.write_text(first + "\nq1\ttea\n")
        assert list(read_queries(path)) == [first.split("\t")[0], "q1"]
