"""Files of every kind that is read, made here: small, and as other programs write them."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from email.message import EmailMessage

WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
CORE = (
    '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{title}</dc:title><dc:creator>{author}</dc:creator>'
    "</cp:coreProperties>"
)
RELATIONS = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>'
KIND = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"


def packed(parts: Mapping[str, str | bytes]) -> bytes:
    """A packed folder."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as folder:
        for name, content in parts.items():
            folder.writestr(name, content)
    return out.getvalue()


def word(body: str, *, title: str = "", author: str = "", more: Mapping[str, str] = {}) -> bytes:
    """A .docx of this body, whose style "Kop1" is what Dutch Word calls heading 1."""
    styles = (
        f'<w:styles {WORD}><w:style w:styleId="Kop1"><w:name w:val="heading 1"/></w:style>'
        '<w:style w:styleId="Kop2"><w:name w:val="heading 2"/></w:style></w:styles>'
    )
    return packed(
        {
            "[Content_Types].xml": "<Types/>",
            "word/document.xml": f"<w:document {WORD}><w:body>{body}</w:body></w:document>",
            "word/styles.xml": styles,
            "docProps/core.xml": CORE.format(title=title, author=author),
            **more,
        }
    )


def paragraph(text: str, style: str = "") -> str:
    """A paragraph of Word."""
    named = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{named}<w:r><w:t>{text}</w:t></w:r></w:p>"


def slides(titled: Sequence[tuple[str, str]]) -> bytes:
    """A .pptx of slides with a title and a text; its files are in another order than its slides."""
    names = [f"slides/slide{len(titled) - place}.xml" for place in range(len(titled))]
    relations = "".join(
        f'<Relationship Id="r{place}" Type="{KIND}slide" Target="{name}"/>' for place, name in enumerate(names)
    )
    order = "".join(f'<p:sldId id="{place}" r:id="r{place}"/>' for place in range(len(titled)))
    spaces = (
        'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" '
        'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
        'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
    )
    pages = {}
    for name, (title, text) in zip(names, titled, strict=True):
        shapes = _shape("title", title) + _shape("", text) + _shape("sldNum", "number")
        pages[f"ppt/{name}"] = f"<p:sld {spaces}>{shapes}</p:sld>"
    return packed(
        {
            "ppt/presentation.xml": f"<p:presentation {spaces}><p:sldIdLst>{order}</p:sldIdLst></p:presentation>",
            "ppt/_rels/presentation.xml.rels": RELATIONS.format(relations),
            **pages,
        }
    )


def _shape(kind: str, text: str) -> str:
    place = f'<p:ph type="{kind}"/>' if kind else ""
    return (
        f"<p:sp><p:nvSpPr><p:nvPr>{place}</p:nvPr></p:nvSpPr>"
        f"<p:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody></p:sp>"
    )


def book(chapters: Sequence[str], *, title: str = "A book") -> bytes:
    """An EPUB of chapters of XHTML; their names need unquoting."""
    items = "".join(
        f'<item id="c{place}" href="text/chapter%20{place}.xhtml" media-type="application/xhtml+xml"/>'
        for place in range(len(chapters))
    )
    spine = "".join(f'<itemref idref="c{place}"/>' for place in range(len(chapters)))
    container = (
        '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
        '<rootfile full-path="OEBPS/content.opf"/></rootfiles></container>'
    )
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata>'
        f"<dc:title>{title}</dc:title><dc:creator>Ada</dc:creator><dc:language>en</dc:language></metadata>"
        f"<manifest>{items}</manifest><spine>{spine}</spine></package>"
    )
    pages = {
        f"OEBPS/text/chapter {place}.xhtml": f'<html xmlns="http://www.w3.org/1999/xhtml"><body>{each}</body></html>'
        for place, each in enumerate(chapters)
    }
    return packed({"META-INF/container.xml": container, "OEBPS/content.opf": package, **pages})


def notebook(cells: Sequence[tuple[str, str]]) -> bytes:
    """A notebook of (kind, source)."""
    made = [
        {"cell_type": kind, "source": source.splitlines(keepends=True), "metadata": {}, "outputs": []}
        for kind, source in cells
    ]
    about = {"kernelspec": {"language": "python", "name": "python3"}}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": about, "cells": made}).encode()


def message(text: str, *, subject: str = "Hello", identifier: str = "<1@x>", html: str = "") -> bytes:
    """A message in UTF-8."""
    made = EmailMessage()
    made["Subject"], made["From"], made["To"] = subject, "Ada <ada@x.org>", "bob@x.org"
    made["Date"], made["Message-ID"] = "Mon, 02 Nov 2026 10:00:00 +0000", identifier
    made.set_content(text)
    if html:
        made.add_alternative(html, subtype="html")
    return made.as_bytes()


def pdf(pages: Sequence[Sequence[str]], *, title: str = "", outline: Sequence[tuple[str, int]] = ()) -> bytes:
    """A PDF of pages of lines. outline: (title, page) on one level."""
    objects: list[bytes] = []

    def put(content: str | bytes) -> int:
        objects.append(content.encode("latin-1") if isinstance(content, str) else content)
        return len(objects)

    count = len(pages)
    first = 4  # catalogue, tree of pages, font
    kids = " ".join(f"{first + 2 * place} 0 R" for place in range(count))
    entries = first + 2 * count
    named = f"/Outlines {entries} 0 R" if outline else ""
    put(f"<< /Type /Catalog /Pages 2 0 R {named} >>")
    put(f"<< /Type /Pages /Kids [{kids}] /Count {count} >>")
    put("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    for place, lines in enumerate(pages):
        shown = " ".join(f"({line}) Tj 0 -14 Td" for line in lines)
        stream = f"BT /F1 12 Tf 72 720 Td {shown} ET"
        put(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {first + 2 * place + 1} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>"
        )
        put(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    if outline:
        last = entries + len(outline)
        put(f"<< /Type /Outlines /First {entries + 1} 0 R /Last {last} 0 R /Count {len(outline)} >>")
        for place, (said, page) in enumerate(outline, start=1):
            after = f"/Next {entries + place + 1} 0 R" if place < len(outline) else ""
            put(f"<< /Title ({said}) /Parent {entries} 0 R {after} /Dest [{first + 2 * page} 0 R /Fit] >>")
    about = put(f"<< /Title ({title}) >>")
    return _file(objects, about)


def _file(objects: Sequence[bytes], about: int) -> bytes:
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, content in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer << /Size %d /Root 1 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        about,
        start,
    )
    return bytes(out)
