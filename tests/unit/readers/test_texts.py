from __future__ import annotations

import gzip
import os
import sys
from pathlib import Path

import pytest

from twofold.documents import Document
from twofold.errors import InputError
from twofold.readers.reading import read
from twofold.reports import ReadReport


def tree(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def test_each_text_file_is_a_document_named_by_its_path_in_the_order_of_paths(tmp_path: Path) -> None:
    files = {"b.txt": "two", "a/z.md": "one", "a.txt": "x", "a-b.rst": "y", "a/b/c.TXT": "deep", "code.py": "no"}
    documents = list(read(tree(tmp_path / "t", files)))  # type: ignore[arg-type]
    assert [d.id for d in documents] == sorted(["t/b.txt", "t/a/z.md", "t/a.txt", "t/a-b.rst", "t/a/b/c.TXT"])
    assert {d.id: (d.title, d.text) for d in documents}["t/a/b/c.TXT"] == ("c", "deep")


def test_hidden_files_and_folders_are_not_looked_at(tmp_path: Path) -> None:
    tree(tmp_path, {"a.txt": "x", ".b.txt": "y", ".git/c.md": "z", "d/.e/f.txt": "w"})
    assert [d.text for d in read(tmp_path)] == ["x"]


@pytest.mark.parametrize(
    ("name", "text", "title"),
    [
        ("a.md", "intro\n\n## Second *level* ##\ntext", "Second *level*"),
        ("a.md", "```\n# a comment\n```\n# Real\n", "Real"),
        ("a.md", "Under\n=====\n# Later", "Under"),
        ("a.md", "#hashtag\n- a list\n", "a"),
        ("a.md", "---\n# Alone", "Alone"),
        ("a.md", "para\n\n---\n\nmore", "a"),
        ("a.rst", "=====\nTitle\n=====\n\ntext", "Title"),
        ("a.rst", "Title\n-----\n", "Title"),
        ("a.rst", "A long line of text\n---\n", "a"),
        ("a.rst", ".. code\n\n# no heading\n", "a"),
        ("a.txt", "# no heading\n====\n", "a"),
        ("1.2 notes.txt", "x", "1.2 notes"),
    ],
)
def test_the_title_is_the_first_heading_or_the_files_name(tmp_path: Path, name: str, text: str, title: str) -> None:
    (document,) = read(tree(tmp_path / "t", {name: text}))
    assert document == Document(f"t/{name}", text, title)


def test_an_empty_file_is_counted_as_skipped_and_the_others_are_read(tmp_path: Path) -> None:
    report = ReadReport()
    assert [d.text for d in read(tree(tmp_path, {"a.txt": " \n", "b.txt": "x"}), report=report)] == ["x"]
    assert (report.read, report.skipped) == (1, 1)
    assert "a.txt: an empty file" in report.reasons[0]


def test_a_file_that_is_no_utf_8_is_an_error_where_it_is_named_and_skipped_in_a_folder(tmp_path: Path) -> None:
    tree(tmp_path, {"a.txt": b"caf\xe9", "b.txt": b"\xef\xbb\xbfx"})
    with pytest.raises(InputError, match=r"a\.txt: not UTF-8: byte 0xe9 at byte 4"):
        list(read(tmp_path / "a.txt"))
    for skip_bad in (False, True):
        report = ReadReport()
        assert [d.text for d in read(tmp_path, skip_bad=skip_bad, report=report)] == ["x"]
        assert report.skipped == 1


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not store such names")
def test_a_name_that_is_no_utf_8_is_an_error_that_can_be_printed(tmp_path: Path) -> None:
    with open(os.fsencode(tmp_path) + b"/caf\xe9.txt", "w") as file:
        file.write("x")
    with pytest.raises(InputError, match="lone surrogate") as caught:
        list(read(tmp_path))
    str(caught.value).encode()


def test_a_link_to_a_folder_is_not_followed(tmp_path: Path) -> None:
    tree(tmp_path, {"a/b.txt": "x"})
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    assert [d.id for d in read(tmp_path / "a")] == ["a/b.txt"]


def test_one_text_file_is_one_document_and_may_be_packed(tmp_path: Path) -> None:
    tree(tmp_path, {"a.md": "# T\nx", "b.md.gz": gzip.compress(b"# U\ny")})
    assert [(d.id, d.title) for d in read([tmp_path / "a.md", tmp_path / "b.md.gz"])] == [
        ("a.md", "T"),
        ("b.md.gz", "U"),
    ]
    assert [d.title for d in read(tree(tmp_path / "t", {"notes.txt.gz": gzip.compress(b"x")}))] == ["notes"]


def test_a_folder_with_nothing_to_read_says_what_it_looked_for(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no documents: neither corpus\.jsonl.* nor \.txt, \.md, .* files"):
        read(tmp_path)
    tree(tmp_path, {"part-1.jsonl.gz": b"", "part-2.jsonl.gz": b""})
    with pytest.raises(InputError, match=r"It holds 2 files like part-1\.jsonl\.gz: name those"):
        read(tmp_path)


def test_a_link_to_nowhere_is_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.txt").symlink_to(tmp_path / "gone")
    with pytest.raises(InputError, match=r"a\.txt: cannot be read: No such file"):
        list(read(tmp_path, format="text"))


def test_files_of_one_name_are_known_by_the_path_that_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tree(tmp_path, {"a/index.md": "one", "b/index.md": "two"}))
    assert [d.id for d in read(["a/index.md", "./b/../b/index.md"])] == ["a/index.md", "b/index.md"]
    assert [d.id for d in read(["a", "b"])] == ["a/index.md", "b/index.md"]


def test_ids_below_a_folder_begin_with_its_name_however_it_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tree(tmp_path / "site", {"a/index.md": "x"}) / "a"
    (folder / "elsewhere").symlink_to(tree(tmp_path / "site" / "b", {"c/x.md": "y"}) / "c")
    monkeypatch.chdir(folder)
    for given in (folder, f"{folder}/", f"{folder}//.", ".", "./", "../a", "../a/"):
        assert [d.id for d in read(given)] == ["a/index.md"]
    assert [d.id for d in read("..")] == ["site/a/index.md", "site/b/c/x.md"]
    assert [d.id for d in read("elsewhere/..")] == ["b/c/x.md"]


def test_two_text_files_that_would_have_one_id_are_refused_before_anything_is_read(tmp_path: Path) -> None:
    tree(tmp_path, {"a/x.md": "one", "b/x.md": "two", "b/a/x.md": "three", "d/y.md": "four"})
    for given in (["a", "b/a"], ["b/a", "a"], ["d", "b", "b/a", "a"]):
        with pytest.raises(InputError, match=r"would be one document, 'a/x\.md'\. Name the folder above both"):
            read([tmp_path / each for each in given])
    with pytest.raises(InputError, match=r"would be one document, 'x\.md'\. Name the folder above both"):
        read([tmp_path / "a/x.md", tmp_path / "b/x.md"])
    assert [d.id for d in read([tmp_path / "a", tmp_path / "b", tmp_path / "b/x.md"])] == [
        "a/x.md", "b/a/x.md", "b/x.md", "x.md",
    ]  # fmt: skip
    assert [d.id for d in read([tmp_path / "a", tmp_path / "a"])] == ["a/x.md", "a/x.md"]


def test_a_file_given_by_a_relative_path_and_one_below_a_folder_are_not_one_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tree(tmp_path, {"a/x.md": "one", "b/a/x.md": "two"}))
    for given in (["a/x.md", "b/a"], ["b/a", "a/x.md"]):
        with pytest.raises(InputError, match=r"would be one document, 'a/x\.md'"):
            read(given)
    assert [d.text for d in read(["a/x.md", "a", "b"])] == ["one", "one", "two"]


def test_what_is_not_read_is_counted_by_kind_with_an_example(tmp_path: Path) -> None:
    tree(tmp_path, {"a.txt": "x", "b.png": "", "c/d.PNG": "", "e.css": "", "Makefile": "", ".git/f.txt": "", ".g": ""})
    (tmp_path / "loop").symlink_to(tmp_path)
    report = ReadReport()
    assert [d.text for d in read(tmp_path, report=report)] == ["x"]
    assert report.left_out == {".png": 2, ".css": 1, "without suffix": 1, "hidden": 2, "link to a folder": 1}
    assert report.examples[".png"] == str(tmp_path / "b.png")
