from __future__ import annotations

import gzip
import io
import itertools
import lzma
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from twofold.errors import InputError
from twofold.readers.reading import read
from twofold.reports import ReadReport

ROWS = b"".join(b'{"_id": "%d", "text": "the text of %d"}\n' % (i, i) for i in range(50))
PACKERS: dict[str, Callable[[bytes], bytes]] = {"": bytes, ".gz": gzip.compress, ".xz": lzma.compress}


@pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson", "a.json", "A.JSONL"])
@pytest.mark.parametrize("ending", PACKERS)
def test_a_file_is_read_by_its_name_plain_and_packed(tmp_path: Path, name: str, ending: str) -> None:
    path = tmp_path / (name + ending)
    path.write_bytes(PACKERS[ending](ROWS))
    assert [d.id for d in read(path)] == [str(i) for i in range(50)]
    assert [d.id for d in read(str(path))] == [str(i) for i in range(50)]


@pytest.mark.parametrize("ending", PACKERS)
@pytest.mark.parametrize(("name", "mark"), [("a.csv", b","), ("a.tsv", b"\t")])
def test_tables_are_read_plain_and_packed(tmp_path: Path, name: str, mark: bytes, ending: str) -> None:
    path = tmp_path / (name + ending)
    path.write_bytes(PACKERS[ending](b"id%stext\n1%sx\n" % (mark, mark)))
    assert [(d.id, d.text) for d in read(path)] == [("1", "x")]


@pytest.mark.parametrize("ending", [".gz", ".xz"])
@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.txt"])
def test_a_packed_file_that_is_cut_off_is_an_error_even_when_bad_lines_are_skipped(
    tmp_path: Path, name: str, ending: str
) -> None:
    path = tmp_path / (name + ending)
    head = b"id,text\n" if name == "a.csv" else b""
    packed = PACKERS[ending](head + b"".join(b"%d,%d\n" % (i, i * i) for i in range(1000)) if head else ROWS)
    path.write_bytes(packed[:-30])
    with pytest.raises(InputError, match=f"{name}{ending}: the compressed file is cut off") as caught:
        list(read(path))
    assert caught.value.path == str(path)
    if name != "a.txt":
        with pytest.raises(InputError, match="cut off"):
            list(read(path, skip_bad=True))


@pytest.mark.parametrize("ending", [".gz", ".xz"])
def test_a_damaged_or_misnamed_packed_file_is_an_error_that_names_it(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.jsonl{ending}"
    path.write_bytes(ROWS)
    with pytest.raises(InputError, match=f"{ending}: the compressed file is damaged"):
        list(read(path))
    packed = bytearray(PACKERS[ending](ROWS))
    packed[len(packed) // 2] ^= 0xFF
    path.write_bytes(packed)
    with pytest.raises(InputError, match=f"{ending}: the compressed file is (damaged|cut off)"):
        list(read(path))


def test_a_dash_is_standard_input_as_json_lines_and_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(ROWS + b"oops\n"))
    monkeypatch.setattr(sys, "stdin", stream)
    with pytest.raises(InputError, match=r"^standard input, line 51: no JSON"):
        list(read("-"))
    assert not stream.buffer.closed
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"id\ttext\n1\tx\n")))
    assert [d.id for d in read("-", format="tsv")] == ["1"]


def test_the_format_can_be_said_where_the_name_does_not_tell(tmp_path: Path) -> None:
    path = tmp_path / "dump"
    path.write_bytes(ROWS)
    with pytest.raises(InputError, match=r"dump: cannot tell the format.*--format \(jsonl, .*text, .*beir\)"):
        read(path)
    assert len(list(read(path, format="jsonl"))) == 50
    with pytest.raises(InputError, match="unknown format 'yaml'; there are jsonl"):
        read(path, format="yaml")
    with pytest.raises(InputError, match="is a folder; csv is a format of files"):
        read(tmp_path, format="csv")


def test_what_is_missing_is_told_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(ROWS)
    with pytest.raises(InputError, match=r"b\.jsonl: no such file or folder"):
        read([tmp_path / "a.jsonl", tmp_path / "b.jsonl"])
    for name in ("x" * 5000, "a\0b"):
        with pytest.raises(InputError, match="no such file or folder"):
            read(name)
    with pytest.raises(InputError, match="no path"):
        read([])


def test_several_inputs_of_several_kinds_come_one_after_the_other(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"id": "1", "text": ""}\n')
    (tmp_path / "empty.jsonl").touch()
    (tmp_path / "b.csv").write_bytes(b"id,text,n\n2,x,5\n")
    (tmp_path / "c.txt").write_bytes(b"x")
    names = ["a.jsonl", "empty.jsonl", "b.csv", "c.txt"]
    documents = list(read([tmp_path / name for name in names], types={"n": "int"}))
    assert [d.id for d in documents] == ["1", "2", "c.txt"]
    assert documents[1].metadata == {"n": 5}


def test_an_input_without_a_document_is_an_error_that_says_what_was_skipped(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.touch()
    with pytest.raises(InputError, match=r"^no documents in .*a\.jsonl$"):
        list(read(path))
    path.write_bytes(b"x\n")
    with pytest.raises(
        InputError, match=r"^no documents in .*a\.jsonl \(1 skipped as bad; the first: .*line 1: no JSON"
    ):
        list(read(path, skip_bad=True))


def test_the_report_counts_what_was_given_out_so_far(tmp_path: Path) -> None:
    path, report = tmp_path / "a.jsonl", ReadReport()
    path.write_bytes(ROWS)
    assert len(list(itertools.islice(read(path, report=report), 7))) == 7
    assert report.read == 7


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.tsv"])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, name: str) -> None:
    line = {"a.jsonl": '{{"id": {}, "text": "{}"}}\n', "a.csv": '{},"{}"\n', "a.tsv": "{}\t{}\n"}[name]
    head = {"a.jsonl": "", "a.csv": "id,text\n", "a.tsv": "id\ttext\n"}[name]
    peaks = []
    for count in (1000, 8000):
        path = tmp_path / name
        path.write_text(head + "".join(line.format(i, "word " * 200) for i in range(count)))
        tracemalloc.start()
        assert sum(1 for _ in read(path)) == count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 200_000 < path.stat().st_size


def test_a_line_of_millions_of_characters_is_a_line(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"id": "1", "text": "' + "word " * 1_000_000 + '"}\n')
    assert [len(d.text) for d in read(path)] == [5_000_000]
