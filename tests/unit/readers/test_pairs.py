from __future__ import annotations

import io
import lzma
import sys
from pathlib import Path

import pytest

from twofold.errors import InputError
from twofold.readers.pairs import Pair, read_pairs
from twofold.reports import ReadReport


def written(tmp_path: Path, name: str, content: str) -> Path:
    path = tmp_path / name
    path.write_bytes(lzma.compress(content.encode()) if name.endswith(".xz") else content.encode())
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (
            "p.jsonl",
            '{"query": "a", "positive": "\\"b\\"", "source": "x"}\n{"anchor": "c", "positive": "d", "score": 2}\n',
        ),
        ("p.jsonl.xz", '{"sentence1": "a", "sentence2": "\\"b\\""}\n{"text1": "c", "text2": "d", "label": "2.0"}\n'),
        ("p.tsv", "score\tsentence1\tsentence2\n2.0\tc\td\n"),
        ("p.tsv", 'a\t"b"\nc\td\t2\n'),
        ("p.csv", 'query,answer\na,"""b"""\n'),
    ],
)
def test_pairs_come_from_each_kind_of_file(tmp_path: Path, name: str, content: str) -> None:
    both = [Pair("a", '"b"'), Pair("c", "d", 2.0)]
    expected = both[:1] if name == "p.csv" else both[1:] if content.startswith("score") else both
    assert list(read_pairs(written(tmp_path, name, content))) == expected


def test_a_pair_whose_fields_begin_with_a_quote_stays_whole(tmp_path: Path) -> None:
    path = written(tmp_path, "p.tsv", 'score\tsentence1\tsentence2\n1.5\t"A" b\t"c\n3\t"d\te"\n')
    assert list(read_pairs(path)) == [Pair('"A" b', '"c', 1.5), Pair('"d', 'e"', 3.0)]


def test_standard_input_is_json_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"query": "a", "positive": "b", "score": null}')))
    assert list(read_pairs("-")) == [Pair("a", "b")]


@pytest.mark.parametrize(
    ("name", "line", "cause"),
    [
        ("p.jsonl", '{"query": "a"}', "no field 'positive' or 'answer'.*there are 'query'"),
        ("p.jsonl", '{"query": "a", "positive": 5}', "the field 'positive' must be text, not number"),
        ("p.jsonl", '{"query": "a", "positive": "b", "score": true}', "the field 'score' must be a finite number"),
        ("p.tsv", "alone", "1 fields; a pair has two"),
        ("p.tsv", "a\tb\thigh", "the field 'score' must be a finite number, not 'high'"),
        ("p.tsv", "a\tb\tnan", "the field 'score' must be a finite number, not 'nan'"),
    ],
)
def test_a_line_without_a_pair_is_an_error_or_counted(tmp_path: Path, name: str, line: str, cause: str) -> None:
    good = '{"query": "a", "positive": "b"}' if name == "p.jsonl" else "a\tb"
    path, report = written(tmp_path, name, f"{good}\n{line}\n{good}\n"), ReadReport()
    with pytest.raises(InputError, match=f"{name}, line 2: {cause}"):
        list(read_pairs(path))
    assert list(read_pairs(path, skip_bad=True, report=report)) == [Pair("a", "b")] * 2
    assert (report.read, report.skipped) == (2, 1)


def test_a_file_without_pairs_and_a_name_that_tells_nothing_are_errors(tmp_path: Path) -> None:
    for name in ("p.tsv", "p.jsonl"):
        with pytest.raises(InputError, match=f"{name}: no pairs in it"):
            list(read_pairs(written(tmp_path, name, "\n")))
    with pytest.raises(InputError, match=r"p\.txt: pair files are"):
        list(read_pairs(written(tmp_path, "p.txt", "a\tb\n")))
    with pytest.raises(InputError, match=r"gone\.tsv: cannot be read: No such file"):
        list(read_pairs(tmp_path / "gone.tsv"))


@pytest.mark.data
def test_published_pair_files_read_whole(judged: Path) -> None:
    assert sum(1 for _ in read_pairs(judged / "sts" / "stsb-en-test.tsv.xz")) == 1379
    assert all(pair.score is not None for pair in read_pairs(judged / "sts" / "sick-r-test.tsv.xz"))
    assert sum(1 for _ in read_pairs(judged / "pairs" / "tldr-train.jsonl.xz")) > 1000


def test_a_header_of_other_names_is_refused_and_not_taken_for_a_pair(tmp_path: Path) -> None:
    path = tmp_path / "p.tsv"
    for header in (
        "sentence_a\tsentence_b",
        "Query\tPositive",
        "source\ttarget",
        "questions\tanswers\tlabel",
        "s1\ts2",
    ):
        path.write_text(header + "\na cat\ta dog" + "\t1" * (header.count("\t") - 1) + "\n")
        with pytest.raises(InputError, match=r"line 1: this line looks like a header, .*take the line out"):
            list(read_pairs(path))
    path.write_text("text mining\tdata mining\n")
    assert [pair.query for pair in read_pairs(path)] == ["text mining"]
