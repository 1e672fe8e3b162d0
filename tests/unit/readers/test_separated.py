from __future__ import annotations

import re
from pathlib import Path

import pytest

from twofold.documents import Document
from twofold.errors import InputError
from twofold.readers.fields import Fields
from twofold.readers.reading import read
from twofold.reports import ReadReport


def written(tmp_path: Path, name: str, content: str | bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_csv_values_stay_text_unless_types_say_otherwise(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", "id,text,year,price,new,note\n007,x,1952,1.5,true,1e3\n8,y,-3,.5e1,0,\n")
    assert next(dict(d.metadata) for d in read(path)) == {"year": "1952", "price": "1.5", "new": "true", "note": "1e3"}
    typed = list(read(path, types={"year": "int", "price": "float", "new": "bool", "note": "text"}))
    assert [d.id for d in typed] == ["007", "8"]
    assert [list(d.metadata.values()) for d in typed] == [[1952, 1.5, True, "1e3"], [-3, 5.0, False, ""]]
    assert [type(value) for value in typed[0].metadata.values()] == [int, float, bool, str]


def test_an_empty_value_of_a_typed_column_is_absent(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", "id,text,year\n1,x,\n")
    assert [dict(d.metadata) for d in read(path, types={"year": "int"})] == [{}]
    assert [dict(d.metadata) for d in read(path)] == [{"year": ""}]


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("int", "1.0"), ("int", "1_000"), ("int", " 1"), ("int", "١"), ("int", "1" * 30),
        ("float", "nan"), ("float", "inf"), ("float", "1,5"), ("float", "0x1"), ("float", "1_0.0"),
        ("bool", "yes"), ("bool", "2"),
    ],
)  # fmt: skip
def test_a_value_that_is_not_of_its_type_is_a_bad_line(tmp_path: Path, word: str, value: str) -> None:
    path = written(tmp_path, "a.tsv", f"id\ttext\tn\n1\tx\t{value}\n")
    with pytest.raises(InputError, match=f"line 2: the field 'n' is n.*{re.escape(value)[:20]}"):
        list(read(path, types={"n": word}))


def test_types_that_cannot_be_meant_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", "id,text\n1,x\n")
    with pytest.raises(InputError, match="unknown type 'date' for the field 'd'; there are int, float, bool, text"):
        read(path, types={"d": "date"})
    with pytest.raises(InputError, match="line 1: no column 'yaer'"):
        list(read(path, types={"yaer": "int"}))
    with pytest.raises(InputError, match="types are for CSV and TSV"):
        read(written(tmp_path, "a.jsonl", "{}"), types={"year": "int"})


def test_csv_quotes_hold_commas_quotes_and_line_ends_and_lines_are_still_counted(tmp_path: Path) -> None:
    content = 'id,text\n"1","a, ""b""\nc\r\nd"\n\n2,plain\n3,too,many\n'
    path = written(tmp_path, "a.csv", content)
    reading = read(path)
    assert [next(reading), next(reading)] == [Document("1", 'a, "b"\nc\r\nd'), Document("2", "plain")]
    with pytest.raises(InputError, match="line 7: 3 fields, the header has 2"):
        next(reading)


def test_a_quote_in_a_tsv_is_a_character_like_any_other(tmp_path: Path) -> None:
    content = 'id\ttext\n1\t"Yes," he said\n2\t"an open quote\n3\t""\n"4"\t\'x\', "y"\n'
    assert [(d.id, d.text) for d in read(written(tmp_path, "a.tsv", content))] == [
        ("1", '"Yes," he said'),
        ("2", '"an open quote'),
        ("3", '""'),
        ('"4"', "'x', \"y\""),
    ]


def test_a_tsv_line_ends_at_a_line_feed_and_loses_one_carriage_return_at_most(tmp_path: Path) -> None:
    content = "\ufeffid\ttext\r\n1\ta\rb\r\n\r\n2\tc\x0bd\u2028e\n"
    assert [d.text for d in read(written(tmp_path, "a.tsv", content))] == ["a\rb", "c\x0bd\u2028e"]


@pytest.mark.parametrize(("name", "tab"), [("a.csv", ","), ("a.tsv", "\t")])
def test_a_line_with_the_wrong_number_of_fields_is_an_error(tmp_path: Path, name: str, tab: str) -> None:
    content = f"id{tab}text\n1{tab}x\n2\n3{tab}y{tab}z\n4{tab}w"
    path = written(tmp_path, name, content)
    with pytest.raises(InputError, match=f"{name}, line 3: 1 fields, the header has 2"):
        list(read(path))
    report = ReadReport()
    assert [d.id for d in read(path, skip_bad=True, report=report)] == ["1", "4"]
    assert report.skipped == 2
    assert "line 4: 3 fields, the header has 2" in report.reasons[1]


def test_a_quote_that_never_closes_is_named_by_the_line_it_opens_in(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", 'id,text\n1,x\n2,"never\nclosed\n3,y\n')
    with pytest.raises(InputError, match="line 3: no CSV: the file ends inside a quoted field"):
        list(read(path))
    assert [d.id for d in read(path, skip_bad=True)] == ["1", "3"]


def test_a_stray_quote_costs_its_line_alone_wherever_the_next_quote_stands(tmp_path: Path) -> None:
    for last in ("text", 'a "word"', '"quoted"', 'the 6"', '"6 inch'):
        lines = [f"{n},text {n}" for n in range(100)]
        lines[3], lines[60] = '3,"5 inch pipe', f"60,{last}"
        path = written(tmp_path, "a.csv", "\n".join(["id,text", *lines, ""]))
        with pytest.raises(InputError, match="line 5: no CSV: "):
            list(read(path))
        report = ReadReport()
        found = [d.id for d in read(path, skip_bad=True, report=report)]
        lost = ["3", "60"] if last == '"6 inch' else ["3"]
        assert found == [str(n) for n in range(100) if str(n) not in lost], last
        assert report.skipped == len(lost)


def test_a_quoted_field_of_many_lines_is_one_record(tmp_path: Path) -> None:
    text = "\n".join(["a line", "another, with a comma", '""', "many, many, commas"] * 50)
    path = written(tmp_path, "a.csv", 'id,text\n1,"' + text.replace('"', '""') + '"\n2,y\n')
    assert [(d.id, d.text) for d in read(path)] == [("1", text), ("2", "y")]


def test_a_header_that_cannot_be_read_is_an_error_also_where_bad_lines_are_skipped(tmp_path: Path) -> None:
    contents = (b"id,text\xff\nid,text\n1,x\n", b'id,"te"xt\nid,text\n1,x\n')
    for name, content in [("a.csv", each) for each in contents] + [
        ("a.tsv", contents[0]),
        ("b.tsv", "id\ttext\n".encode("utf-16")),
    ]:
        with pytest.raises(InputError, match="line 1: the header line cannot be read"):
            list(read(written(tmp_path, name, content), skip_bad=True))


def test_a_broken_quote_costs_its_record_alone(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", 'id,text\n1,"a"b\n2,y\n')
    with pytest.raises(InputError, match=r"line 2: no CSV: .*written twice"):
        list(read(path))
    assert [d.id for d in read(path, skip_bad=True)] == ["2"]


def test_csv_bytes_that_are_no_utf_8_cost_their_record_alone(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", b'id,text\n1,"a\nb\xff\nc"\n2,y\n')
    with pytest.raises(InputError, match="line 3: not UTF-8: byte 0xff"):
        list(read(path))
    report = ReadReport()
    assert [d.id for d in read(path, skip_bad=True, report=report)] == ["2"]
    assert report.skipped == 1


def test_nul_is_a_character_and_a_long_field_is_no_error(tmp_path: Path) -> None:
    long = "x" * 300_000
    for name, mark in (("a.csv", ","), ("a.tsv", "\t")):
        path = written(tmp_path, name, f"id{mark}text\n1{mark}a\0b\n2{mark}{long}\n")
        assert [d.text for d in read(path)] == ["a\0b", long]


def test_a_header_must_be_there_name_each_column_once_and_name_what_is_needed(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.csv, line 1: no header line"):
        list(read(written(tmp_path, "a.csv", "\n\n")))
    with pytest.raises(InputError, match="line 1: the header has the column 'a' twice"):
        list(read(written(tmp_path, "a.csv", "id,text,a,a\n1,x,2,3\n")))
    with pytest.raises(InputError, match=r"line 1: no id .*--id FIELD"):
        list(read(written(tmp_path, "a.csv", "key,text\n1,x\n"), skip_bad=True))
    with pytest.raises(InputError, match=r"line 1: no text .*'key', 'abstract'.*--text FIELD"):
        list(read(written(tmp_path, "a.csv", "key,abstract\n1,x\n"), fields=Fields(id="key")))
    with pytest.raises(InputError, match="line 1: no field 'abstrct'; there are 'id', 'abstract'"):
        list(read(written(tmp_path, "a.csv", "id,abstract\n1,x\n"), fields=Fields(text="abstrct")))
