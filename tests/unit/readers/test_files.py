"""Files that are documents: their text, structure and metadata, and what becomes of those that cannot be read."""

from __future__ import annotations

import gzip
import json
import os
import sys
import tracemalloc
from pathlib import Path

import pytest
import readable_files as made

from twofold.documents import Document
from twofold.errors import InputError, MissingExtraError
from twofold.readers.files import archive, extracted
from twofold.readers.reading import read, read_changes
from twofold.reports import ReadReport


def one(folder: Path, name: str, content: bytes | str) -> Document:
    """The document of one file."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    (document,) = read(path)
    return document


def test_word_keeps_headings_in_any_language_tables_lists_and_notes(tmp_path: Path) -> None:
    cells = "".join(f"<w:tc>{made.paragraph(each)}</w:tc>" for each in ("bar", "4"))
    listed = f"<w:p><w:pPr><w:numPr/></w:pPr><w:r><w:t>item</w:t></w:r></w:p><w:tbl><w:tr>{cells}</w:tr></w:tbl>"
    deleted = "<w:p><w:del><w:r><w:delText>gone</w:delText></w:r></w:del><w:r><w:t>kept</w:t></w:r></w:p>"
    notes = f"<w:footnotes {made.WORD}><w:footnote>{made.paragraph('a note')}</w:footnote></w:footnotes>"
    body = made.paragraph("Valves", "Kop1") + made.paragraph("Parts", "Kop2") + listed + deleted
    found = one(tmp_path, "a.docx", made.word(body, title="Manual", author="Ada", more={"word/footnotes.xml": notes}))
    assert found.text == "# Valves\n\n## Parts\n\n- item\n\nbar | 4\n\nkept\n\na note"
    assert (found.title, found.metadata) == ("Manual", {"author": "Ada"})


def test_slides_are_pages_in_the_order_of_the_show(tmp_path: Path) -> None:
    found = one(tmp_path, "a.pptx", made.slides([("First", "one"), ("Second", "two")]))
    assert found.text.split("\f") == ["# First\n\none", "# Second\n\ntwo"]
    assert (found.title, found.metadata) == ("First", {"pages": 2})


def test_a_page_of_a_pdf_is_told_by_form_feeds_and_its_outline_gives_headings(tmp_path: Path) -> None:
    pages = [["Chapter One", "some text"], ["Chapter Two", "more of Chapter Two"]]
    content = made.pdf(pages, title="Manual", outline=[("Chapter One", 0), ("CHAPTER  TWO", 1)])
    found = one(tmp_path, "a.pdf", content)
    first, second = found.text.split("\f")
    assert first.split("\n") == ["", "# Chapter One", "", "some text", ""]
    assert second.split("\n")[1:4] == ["# Chapter Two", "", "more of Chapter Two"]
    assert (found.title, found.metadata) == ("Manual", {"pages": 2})
    assert one(tmp_path, "b.pdf.gz", gzip.compress(content)).text == found.text


def test_a_pdf_without_text_is_skipped_and_says_why(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(made.pdf([[], []]))
    (tmp_path / "b.txt").write_text("x")
    report = ReadReport()
    assert [d.text for d in read(tmp_path, report=report)] == ["x"]
    assert "no text in its 2 pages; scanned pages" in report.unread[str(tmp_path / "a.pdf")]


def test_a_book_is_its_chapters_in_order(tmp_path: Path) -> None:
    found = one(tmp_path, "a.epub", made.book(["<h1>One</h1><p>a &amp; b</p>", "<h1>Two</h1>"], title="T"))
    assert (found.text, found.title) == ("# One\n\na & b\n\n# Two", "T")
    assert found.metadata == {"author": "Ada", "language": "en"}


def test_a_notebook_is_its_text_and_its_code(tmp_path: Path) -> None:
    found = one(tmp_path, "a.ipynb", made.notebook([("markdown", "# Note\ntext"), ("code", "x = 1\n"), ("code", "")]))
    assert (found.text, found.title) == ("# Note\ntext\n\n```python\nx = 1\n\n```", "Note")


def test_a_message_is_its_text_with_its_headers_as_metadata(tmp_path: Path) -> None:
    found = one(tmp_path, "a.eml", made.message("grüße", subject="Ventile für alle", html="<p>other</p>"))
    assert (found.text, found.title) == ("grüße", "Ventile für alle")
    assert found.metadata["from"] == "Ada <ada@x.org>"
    page = b"Subject: s\nContent-Type: text/html; charset=utf-8\n\n<h1>Top</h1><p>of it"
    assert one(tmp_path, "b.eml", page).text == "# Top\n\nof it"


def test_a_mailbox_is_a_document_a_message_and_a_bad_one_costs_only_itself(tmp_path: Path) -> None:
    messages = [
        made.message("one\n\n>From here", identifier="<1@x>"),
        b"\n\n",
        made.message("three", identifier="<3@x>"),
    ]
    (tmp_path / "a.mbox").write_bytes(b"".join(b"From ada Mon\n" + each + b"\n" for each in messages))
    report = ReadReport()
    found = list(read(tmp_path, report=report))
    assert [(d.id.partition("#")[2], d.text) for d in found] == [("1@x", "one\n\nFrom here"), ("3@x", "three")]
    assert report.reasons == [f"{tmp_path / 'a.mbox'}: message 2: no message: it has no header"]


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<h1>Top</h1><p>a <b>b</b>c<br>d", "# Top\n\na bc\nd"),
        ("<ul><li>one<li>two</ul><p>after", "- one\n- two\n\nafter"),
        ("<table><thead><tr><th>k<th>v</thead><tr><td>1<td>2</table>", "k | v\n1 | 2"),
        ("<pre>a\n  b</pre>", "```\na\n  b\n```"),
        ("<nav>menu</nav><main><h2>In</h2>side</main><footer>f</footer>", "## In\n\nside"),
        ("<script>no</script><style>no</style>yes", "yes"),
    ],
)
def test_a_web_page_keeps_its_structure(tmp_path: Path, page: str, text: str) -> None:
    assert one(tmp_path, "a.html", page).text == text


@pytest.mark.parametrize(
    "page",
    [
        "bare words",
        "<nav><a href=x>only words</a></nav>",
        "<noscript>only words</noscript>",
        "<main></main><p>only words",
        "<article></article><div><span>only words</span></div>",
        "<footer>only words</footer>",
        "<form><label>only words</label></form>",
        "<table><td>only words",
        "<!-- c --><p>only words",
    ],
)
def test_a_page_with_words_never_comes_out_empty(tmp_path: Path, page: str) -> None:
    assert "words" in one(tmp_path, "a.html", page).text


@pytest.mark.parametrize(
    "content",
    [
        "<title>é</title>né".encode(),
        b"\xef\xbb\xbf" + "<title>é</title>né".encode(),
        "<title>é</title>né".encode("utf-16"),
        '<meta charset="iso-8859-15"><title>é</title>né'.encode("iso-8859-15"),
        "<title>é</title>né".encode("cp1252"),
        '<meta charset="nonsense"><title>é</title>né'.encode("cp1252"),
    ],
)
def test_a_page_is_decoded_as_a_browser_does(tmp_path: Path, content: bytes) -> None:
    found = one(tmp_path, "a.html", content)
    assert (found.title, found.text) == ("é", "né")


@pytest.mark.parametrize(
    ("name", "content", "title", "text", "metadata"),
    [
        (
            "a.md",
            "---\ntitle: T\ntags: [a, b]\nday: 2026-01-02\n---\n# H\nx",
            "T",
            "# H\nx",
            {"tags": ["a", "b"], "day": "2026-01-02"},
        ),
        ("a.md", "---\nlayout: x\n---\n# After", "After", "# After", {"layout": "x"}),
        ("a.md", '+++\ntitle = "T"\nweight = 3\n+++\nx', "T", "x", {"weight": 3}),
        ("a.md", "---\nno: [yaml\n---\nx", "no: [yaml", "---\nno: [yaml\n---\nx", {}),
        ("a.md", "---\njust a rule\n---\nx", "just a rule", "---\njust a rule\n---\nx", {}),
        ("a.md", "---\na: &x [1]\nb: *x\n---\ny", "b: *x", "---\na: &x [1]\nb: *x\n---\ny", {}),
        ("a.rst", ":by: me\n:tag: a,\n  b\n\nTitle\n=====\n", "Title", "Title\n=====\n", {"by": "me", "tag": "a, b"}),
    ],
)  # fmt: skip
def test_front_matter_is_metadata(
    tmp_path: Path, name: str, content: str, title: str, text: str, metadata: dict[str, object]
) -> None:
    found = one(tmp_path, name, content)
    assert (found.title, found.text, found.metadata) == (title, text, metadata)


def test_a_text_of_utf_16_is_read_by_its_mark(tmp_path: Path) -> None:
    assert one(tmp_path, "a.txt", "né".encode("utf-16")).text == "né"


def bomb(name: str) -> bytes:
    """A packed folder of 16 MiB in one part."""
    return made.packed({name: bytes(16 << 20)})


@pytest.fixture
def small_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files and what is packed in them may have 1 MiB, so that the test need not make hundreds."""
    monkeypatch.setattr(extracted, "MOST_BYTES", 1 << 20)
    monkeypatch.setattr(archive, "MOST_BYTES", 1 << 20)


ENTITIES = '<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><d>&b;</d>'
HOSTILE: dict[str, tuple[bytes | str, str]] = {
    "cut.pdf": (made.pdf([["text"]])[:200], "damaged"),
    "none.pdf": (b"\x00\x01not a pdf", "damaged"),
    "cut.docx": (made.word(made.paragraph("x"))[:300], "damaged: no packed folder"),
    "entities.docx": (made.packed({"word/document.xml": ENTITIES}), "defines entities"),
    "broken.docx": (made.packed({"word/document.xml": "<w:document"}), "is no XML"),
    "other.pptx": (made.packed({"a": "b"}), "no part 'ppt/presentation.xml'"),
    "none.ipynb": ("[1]", "no notebook"),
    "none.mbox": (b"a text\n", "no mailbox"),
    "none.eml": (b"\x00\xff\xfe", "no header"),
    "latin.txt": (b"caf\xe9", "not UTF-8: byte 0xe9"),
    "deep.html": ("<div>" * 5_000 + "x", "elements in one another"),
    "empty.html": ("<html></html>", "no text in this page"),
    "empty.md": ("", "an empty file"),
}


def test_each_hostile_file_is_named_with_its_reason_and_costs_no_other(tmp_path: Path) -> None:
    folder = tmp_path / "f"
    folder.mkdir()
    for name, (content, _) in HOSTILE.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        (folder / f"{name}.good.txt").write_text("good")
    (folder / "a\nb.txt").write_text("x")
    (folder / "loop").symlink_to(folder)
    (folder / "gone.md").symlink_to(tmp_path / "nowhere")
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "pipe.txt")
    report = ReadReport()
    assert [d.text for d in read(folder, report=report)] == ["good"] * len(HOSTILE)
    for name, (_, reason) in HOSTILE.items():
        assert reason in report.unread[str(folder / name)], name
    assert "no control characters" in report.unread[f"{folder}/a\\nb.txt"]
    assert "No such file" in report.unread[str(folder / "gone.md")]
    assert report.left_out["link to a folder"] == 1
    assert report.left_out.get("no regular file", 1) == 1
    assert report.skipped == len(report.unread) == len(HOSTILE) + 2


@pytest.mark.usefixtures("small_limit")
@pytest.mark.parametrize(("name", "part"), [("a.docx", "word/document.xml"), ("a.xlsx", "xl/workbook.xml")])
def test_a_packed_file_that_becomes_too_large_is_refused_before_it_does(tmp_path: Path, name: str, part: str) -> None:
    (tmp_path / name).write_bytes(bomb(part))
    tracemalloc.start()
    with pytest.raises(InputError, match=rf"{name}: .*more than 1 MiB of content"):
        list(read(tmp_path / name))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20


@pytest.mark.usefixtures("small_limit")
def test_a_packed_text_that_becomes_too_large_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(bytes(3 << 20)))
    with pytest.raises(InputError, match=r"a\.txt\.gz: more than 1 MiB"):
        list(read(tmp_path / "a.txt.gz"))


def test_a_page_of_one_line_of_20_megabytes_is_read(tmp_path: Path) -> None:
    count = 150_000
    page = "<p>" + "".join(
        f"<span>word</span><a href='{number}'>{number}</a> <div></div>" for number in range(count // 10)
    )
    page += "x" * (20_000_000 - len(page))
    found = one(tmp_path, "a.html", page)
    assert f"word{count // 10 - 1}" in found.text
    assert found.text.endswith("xxx")


def test_files_of_one_name_in_different_folders_stay_apart_and_globs_choose(tmp_path: Path) -> None:
    root = tmp_path / "r"
    for name in ("a/x.md", "b/x.md", "b/y.html", "node_modules/z.md", ".git/w.md", "b/drafts/v.md", "b/u.css"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("text")

    def ids(**choice: list[str]) -> list[str]:
        return [d.id.removeprefix("r/") for d in read(root, **choice)]  # type: ignore[arg-type]

    report = ReadReport()
    list(read(root, report=report))
    assert report.left_out == {"node_modules": 1, "hidden": 1, ".css": 1}
    assert ids() == ["a/x.md", "b/drafts/v.md", "b/x.md", "b/y.html"]
    assert ids(include=["*.md"]) == ["a/x.md", "b/drafts/v.md", "b/x.md"]
    assert ids(exclude=["drafts", "a/*"]) == ["b/x.md", "b/y.html"]
    assert ids(include=["b/*.md"], exclude=["b/drafts"]) == ["b/x.md"]


def test_a_folder_may_be_read_in_one_format(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("page")
    (tmp_path / "b.md").write_text("text")
    assert [d.text for d in read(tmp_path, format="html")] == ["page"]


def test_a_file_of_another_suffix_is_read_in_the_format_that_is_named(tmp_path: Path) -> None:
    (tmp_path / "page.php").write_text("<h1>Top</h1>")
    assert [d.text for d in read(tmp_path / "page.php", format="html")] == ["# Top"]
    with pytest.raises(InputError, match="a html file is a whole document"):
        read_changes(tmp_path / "page.php", format="html")


@pytest.mark.parametrize(("library", "name"), [("pypdf", "a.pdf"), ("selectolax.lexbor", "a.html")])
def test_a_library_that_is_not_installed_is_named_with_the_command_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str, name: str
) -> None:
    (tmp_path / name).write_bytes(made.pdf([["x"]]))
    (tmp_path / "b.txt").write_text("text")
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtraError, match=r'pip install "twofold\[files\]"'):
        list(read(tmp_path / name))
    report = ReadReport()
    assert [d.text for d in read(tmp_path, report=report)] == ["text"]
    ((kind, count),) = report.left_out.items()
    assert (kind.partition(" ")[0], count) == (Path(name).suffix, 1)
    assert 'pip install "twofold[files]"' in kind


def test_memory_of_a_json_array_does_not_grow_with_it(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("[\n" + ",\n".join(json.dumps({"id": n, "text": "word " * 300}) for n in range(4_000)) + "]")
    tracemalloc.start()
    assert sum(1 for _ in read(path)) == 4_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000


def test_what_was_skipped_in_a_folder_is_logged_where_nobody_has_the_report(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "a.md").write_text("good")
    (tmp_path / "b.ipynb").write_text("[1]")
    with caplog.at_level("WARNING", "twofold"):
        assert [d.text for d in read(tmp_path)] == ["good"]
    assert f"1 files or records were not read (the first: {tmp_path / 'b.ipynb'}: no notebook" in caplog.text
    with pytest.raises(InputError, match="no notebook"):
        list(read(tmp_path / "b.ipynb"))
