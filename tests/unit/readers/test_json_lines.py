from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from twofold.documents import Document
from twofold.errors import InputError
from twofold.readers.fields import Fields
from twofold.readers.reading import read
from twofold.reports import ReadReport


def lines(tmp_path: Path, *rows: str | bytes) -> Path:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"".join((row if isinstance(row, bytes) else row.encode()) + b"\n" for row in rows))
    return path


def test_guessed_fields_make_the_document_and_all_others_become_metadata(tmp_path: Path) -> None:
    path = lines(tmp_path, '{"_id": "1", "title": "T", "text": "x", "year": 1952, "tags": ["a", null]}')
    assert list(read(path)) == [Document("1", "x", "T", {"year": 1952, "tags": ["a", None]})]


@pytest.mark.parametrize("name", ["text", "contents", "body"])
def test_the_text_may_stand_under_each_of_its_usual_names(tmp_path: Path, name: str) -> None:
    assert [d.text for d in read(lines(tmp_path, json.dumps({"id": "1", name: "found"})))] == ["found"]


def test_of_two_names_of_a_text_the_first_is_taken_and_the_other_kept(tmp_path: Path) -> None:
    (document,) = read(lines(tmp_path, '{"id": "1", "body": "b", "text": "t"}'))
    assert (document.text, document.metadata) == ("t", {"body": "b"})


def test_named_fields_are_taken_and_the_guessed_names_become_metadata(tmp_path: Path) -> None:
    path = lines(tmp_path, '{"doi": 10, "id": "other", "abstract": "x", "text": "y", "name": "n"}')
    (document,) = read(path, fields=Fields(id="doi", text="abstract", title="name"))
    assert document == Document("10", "x", "n", {"id": "other", "text": "y"})


def test_an_object_under_metadata_is_laid_beside_the_other_fields(tmp_path: Path) -> None:
    path = lines(
        tmp_path, '{"id": "1", "text": "x", "metadata": {"a": 1}, "b": 2}', '{"id": "2", "text": "", "metadata": "m"}'
    )
    assert [dict(d.metadata) for d in read(path)] == [{"a": 1, "b": 2}, {"metadata": "m"}]


def test_null_is_an_absent_title_or_text(tmp_path: Path) -> None:
    (document,) = read(lines(tmp_path, '{"id": "1", "title": null, "text": null, "year": null}'))
    assert document == Document("1", "", "", {"year": None})


def test_an_integer_id_becomes_its_decimal_string_even_a_huge_one(tmp_path: Path) -> None:
    path = lines(tmp_path, '{"id": 7, "text": ""}', f'{{"id": {10**30}, "text": ""}}')
    assert [d.id for d in read(path)] == ["7", str(10**30)]


def test_a_line_separator_inside_a_text_ends_no_line_and_empty_lines_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes('\ufeff{"id": "1", "text": "a\u2028b\x85c"}\r\n\n  \t\n{"id": "2", "text": "\\u0000"}'.encode())
    assert [(d.id, d.text) for d in read(path)] == [("1", "a\u2028b\x85c"), ("2", "\0")]


BAD = {
    '{"id": "1"': "no JSON: ",
    '{"id": "1': "no JSON: Unterminated string starting at character 8. ",
    '{"id": "\t"}': "no JSON: Invalid control character at character 9. ",
    "[1]": "a JSON list, not an object",
    '"x"': "a JSON text, not an object",
    "null": "a JSON null, not an object",
    '{"id": "1", "text": 5}': "text must be text, not number",
    '{"id": "1", "text": "", "title": ["x"]}': "title must be text, not list",
    '{"text": "x", "name": "n"}': "no id (looked for '_id', 'id'; there are 'text', 'name')",
    '{"id": 1.0, "text": "x"}': "an id must be text or an integer, not number",
    '{"id": true, "text": "x"}': "an id must be text or an integer, not boolean",
    '{"id": null, "text": "x"}': "an id must be text or an integer, not null",
    '{"id": "", "text": "x"}': "1 to 512 bytes",
    '{"id": "1", "_id": "2", "text": "x"}': "both '_id' and 'id'",
    '{"id": "1", "text": "x", "text": "y"}': "the field 'text' is given twice",
    '{"id": "1", "text": "x", "deep": {"a": 1, "a": 2}}': "the field 'a' is given twice",
    '{"id": "1", "text": "x", "price": NaN}': "the field 'price' holds NaN",
    '{"id": "1", "text": "x", "deep": [{"a": -Infinity}]}': "the field 'deep' holds -Infinity",
    "NaN": "it holds NaN",
    '{"id": "1", "n": NaN, "text": ': "it holds NaN",
    '{"id": "1", "n": [NaN, ' + "[" * 100_000: "it holds NaN",
    '{"id": "1", "text": "x", "n": 1e999}': "metadata.n holds inf",
    '{"id": "1", "text": "x", "n": 9223372036854775808}': "beyond 64 bits",
    '{"id": "1", "text": "x", "n": ' + "9" * 5000 + "}": "JSON that cannot be read",
    '{"id": "1", "text": "x", "n": ' + "[" * 100_000 + "}": "nested too deeply",
    '{"id": "1", "text": "\\ud800"}': "lone surrogate (U+D800)",
    '{"id": "1", "text": "x", "metadata": {"a": 1}, "a": 2}': "the field 'a' is given both beside and inside metadata",
}


@pytest.mark.parametrize(("line", "cause"), BAD.items(), ids=[line[:40] for line in BAD])
def test_a_bad_line_is_an_error_that_names_file_line_and_cause(tmp_path: Path, line: str, cause: str) -> None:
    path = lines(tmp_path, '{"id": "0", "text": "good"}', "", line, '{"id": "z", "text": "good"}')
    with pytest.raises(InputError, match=re.escape(cause)) as caught:
        list(read(path))
    assert str(caught.value).startswith(f"{path}, line 3: ")
    assert (caught.value.path, caught.value.line) == (str(path), 3)
    report = ReadReport()
    assert [d.id for d in read(path, skip_bad=True, report=report)] == ["0", "z"]
    assert (report.read, report.skipped) == (2, 1)
    assert cause in report.reasons[0]
    assert f"{path}, line 3" in report.reasons[0]


def test_at_every_depth_an_object_is_read_or_said_to_be_nested_too_deeply(tmp_path: Path) -> None:
    outcomes: set[object] = set()
    for depth in range(60, 1500, 20):
        path = lines(tmp_path, '{"id": "1", "text": "x", "n": ' + "[" * depth + "]" * depth + "}")
        try:
            outcomes.add(len(list(read(path))))
        except InputError as error:
            outcomes.add(str(error).partition("…")[2].lstrip("[0]") or str(error).removeprefix(f"{path}, line 1: "))
    too_deep = " is nested more than 100 levels deep; flatten it, or keep it as text"
    assert outcomes == {1, too_deep, "nested too deeply"}


def test_bytes_that_are_no_utf_8_are_named_with_their_place(tmp_path: Path) -> None:
    path = lines(tmp_path, '{"id": "0", "text": "good"}', b'{"id": "1", "text": "caf\xe9"}')
    with pytest.raises(InputError, match="line 2: not UTF-8: byte 0xe9 at byte 25"):
        list(read(path))
    assert [d.id for d in read(path, skip_bad=True)] == ["0"]


def test_a_utf_16_file_is_recognised_as_one(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"id": "1"}', encoding="utf-16")
    with pytest.raises(InputError, match="looks like UTF-16"):
        list(read(path))


def test_an_object_in_many_lines_is_told_what_json_lines_are(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"line 1: no JSON.*one whole object a line"):
        list(read(lines(tmp_path, "{", '  "id": "1"', "}")))


def test_a_corpus_in_which_nothing_can_be_encoded_names_its_fields(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"line 1: document '1': no text .*there are 'abstract'.*--text"):
        list(read(lines(tmp_path, '{"id": "1", "abstract": "x"}')))


def test_a_named_field_that_no_record_has_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no text \(looked for 'abstrct'"):
        list(read(lines(tmp_path, '{"id": "1", "title": "x"}'), fields=Fields(text="abstrct")))


def test_documents_that_say_that_they_have_no_text_are_no_error(tmp_path: Path) -> None:
    path = lines(
        tmp_path, '{"id": "1", "text": ""}', '{"id": "2", "text": "x"}', '{"id": "3", "title": "t", "body": ""}'
    )
    assert [d.has_content for d in read(path)] == [False, True, True]


@pytest.mark.parametrize("partial", ['{"id": "2", "moons": 3}', '{"id": "2", "title": "t"}'])
def test_a_record_that_says_nothing_of_its_text_is_refused_since_it_would_erase_it(
    tmp_path: Path, partial: str
) -> None:
    path = lines(tmp_path, '{"id": "1", "text": "x"}', partial)
    with pytest.raises(InputError, match=r"line 2: document '2': no text .*replaces the whole document"):
        list(read(path))
    assert [d.id for d in read(path, skip_bad=True)] == ["1"]


def test_a_title_may_be_taken_as_the_text(tmp_path: Path) -> None:
    (document,) = read(lines(tmp_path, '{"id": "1", "title": "t"}'), fields=Fields(text="title"))
    assert (document.text, document.title) == ("t", "")


def test_field_names_check_themselves_and_go_to_json_and_back() -> None:
    fields = Fields(id="doi", text="abstract")
    assert Fields.from_json(fields.to_json()) == fields
    with pytest.raises(InputError, match="not empty"):
        Fields(title="")
    with pytest.raises(InputError, match="one field cannot be two"):
        Fields(title="name", text="name")
