"""Tables of other programs, JSON arrays, and CSV in other forms."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import readable_files as made

from twofold.errors import InputError
from twofold.readers.reading import read
from twofold.reports import ReadReport

ROWS = [{"id": f"r{number}", "text": f"text {number}", "year": number} for number in range(2_500)]


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow", "a.feather", "stream.arrow"])
def test_a_table_of_arrow_is_a_document_a_row(tmp_path: Path, name: str) -> None:
    table, path = pa.Table.from_pylist(ROWS), tmp_path / name
    if name.endswith(".parquet"):
        pq.write_table(table, path)
    else:
        writing = pa.ipc.new_stream if name.startswith("stream") else pa.ipc.new_file
        with writing(path, table.schema) as writer:
            writer.write_table(table)
    found = list(read(path))
    assert [(d.id, d.text, d.metadata) for d in found] == [(r["id"], r["text"], {"year": r["year"]}) for r in ROWS]


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow", "a.xlsx"])
def test_a_table_that_is_none_is_an_error_that_names_it(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"not a table at all, but long enough to be taken for one")
    with pytest.raises(InputError, match=rf"{name}: damaged"):
        list(read(tmp_path / name))


def sheet(rows: list[list[str | int]]) -> str:
    """The XML of a sheet."""
    lines = ""
    for number, row in enumerate(rows, start=1):
        cells = ""
        for place, value in enumerate(row):
            where = f"{'ABCDEF'[place]}{number}"
            text = f'<c r="{where}" t="inlineStr"><is><t>{value}</t></is></c>'
            cells += text if isinstance(value, str) else f'<c r="{where}"><v>{value}</v></c>'
        lines += f'<row r="{number}">{cells}</row>'
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    return f"<worksheet {space}><sheetData>{lines}</sheetData></worksheet>"


def workbook(sheets: dict[str, list[list[str | int]]]) -> bytes:
    """A .xlsx."""
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    relation = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
    named = "".join(f'<sheet name="{n}" sheetId="{i}" r:id="r{i}"/>' for i, n in enumerate(sheets, start=1))
    targets = "".join(
        f'<Relationship Id="r{i}" Type="{made.KIND}worksheet" Target="worksheets/sheet{i}.xml"/>'
        for i in range(1, len(sheets) + 1)
    )
    parts = {f"xl/worksheets/sheet{i}.xml": sheet(rows) for i, rows in enumerate(sheets.values(), start=1)}
    return made.packed(
        {
            "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
            "xl/workbook.xml": f"<workbook {space} {relation}><sheets>{named}</sheets></workbook>",
            "_rels/.rels": made.RELATIONS.format(
                f'<Relationship Id="r1" Type="{made.KIND}officeDocument" Target="xl/workbook.xml"/>'
            ),
            "xl/_rels/workbook.xml.rels": made.RELATIONS.format(targets),
            **parts,
        }
    )


def test_the_first_sheet_is_read_and_the_others_are_noted(tmp_path: Path) -> None:
    rows: list[list[str | int]] = [["id", "text", "year"], [17, "valves", 1990], [18, "filters"]]
    (tmp_path / "a.xlsx").write_bytes(workbook({"Parts": rows, "More": [["x"]]}))
    report = ReadReport()
    found = list(read(tmp_path / "a.xlsx", report=report))
    assert [(d.id, d.text, d.metadata) for d in found] == [("17", "valves", {"year": 1990}), ("18", "filters", {})]
    assert report.notes == [f"{tmp_path / 'a.xlsx'}: the sheet 'Parts' was read, and not 'More'"]


def test_a_header_of_a_sheet_with_a_column_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(workbook({"S": [["id", "text", "text"], ["1", "x", "y"]]}))
    with pytest.raises(InputError, match=r"line 1: the header has the column 'text' twice"):
        list(read(tmp_path / "a.xlsx"))


def test_a_json_array_is_a_document_an_object_and_bad_ones_cost_only_themselves(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    elements = (b'{"id": 1, "text": "a, [b]"}', b"3", b'{"id": 2, "text": "x", "text": "y"}', b'{"id": 4, "text": "c"}')
    path.write_bytes(b"\xef\xbb\xbf [\n" + b",\n".join(elements) + b"\n]")
    report = ReadReport()
    assert [(d.id, d.text) for d in read(path, skip_bad=True, report=report)] == [("1", "a, [b]"), ("4", "c")]
    assert [reason.partition(".json, ")[2][:30] for reason in report.reasons] == [
        "line 3: a JSON number, not an ",
        "line 4: the field 'text' is gi",
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('[{"id": 1, "text": "x"}', "line 1: the array is cut off"),
        ('[{"id": 1, "text": "x"}\n{"id": 2}]', "line 2: ',' is missing before '{'"),
        ('[{"id": 1, "text": "x"},\n', "line 2: no JSON"),
        ('[\n{"id": 1, "text"', "line 2: no JSON"),
    ],
)
def test_a_broken_array_says_where(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(InputError, match=rf"a\.json, {said}"):
        list(read(tmp_path / "a.json", skip_bad=True))


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_the_delimiter_of_a_csv_is_told_from_its_header_and_noted(tmp_path: Path, mark: str) -> None:
    (tmp_path / "a.csv").write_text(f"id{mark}text\n1{mark}a, b\n")
    report = ReadReport()
    assert [(d.id, d.text) for d in read(tmp_path / "a.csv", report=report)] == [("1", "a, b")]
    assert [repr(mark) in note for note in report.notes] == [True]


def test_a_delimiter_and_an_encoding_may_be_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("id~text\n1~é\u2028x\n".encode("utf-16-le"))
    report = ReadReport()
    found = list(read(tmp_path / "a.csv", delimiter="~", encoding="utf-16-le", report=report))
    assert [(d.id, d.text) for d in found] == [("1", "é\u2028x")]
    assert report.notes == []
    with pytest.raises(InputError, match="a delimiter is one character"):
        read(tmp_path / "a.csv", delimiter="~~")
    with pytest.raises(InputError, match="unknown encoding 'latin99'"):
        read(tmp_path / "a.csv", encoding="latin99")
    with pytest.raises(InputError, match=r"a\.csv: not ascii after line 0"):
        list(read(tmp_path / "a.csv", encoding="ascii"))


def test_a_csv_of_utf_16_is_read_by_its_mark_which_is_noted(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("id,text\n1,é\n".encode("utf-16"))
    report = ReadReport()
    assert [d.text for d in read(tmp_path / "a.csv", report=report)] == ["é"]
    assert "read as UTF-16" in report.notes[0]
