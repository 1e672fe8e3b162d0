"""EPUB: the chapters of a book in their order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from twofold.errors import InputError
from twofold.readers.files.archive import archive, linked
from twofold.readers.files.extracted import Extracted
from twofold.readers.files.pages import of_html

_CONTAINER = "{urn:oasis:names:tc:opendocument:xmlns:container}"
_OPF = "{http://www.idpf.org/2007/opf}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_PAGES = ("application/xhtml+xml", "text/html")


def of_book(path: Path) -> Iterator[Extracted]:
    """A book: title, author and language as it says, and the text of what its spine lists."""
    with archive(path) as parts:
        root = parts.xml("META-INF/container.xml").find(f".//{_CONTAINER}rootfile")
        if root is None:
            raise InputError("damaged: its container names no book")
        name = root.get("full-path", "")
        package = parts.xml(name)
        items = {each.get("id"): each for each in package.iter(f"{_OPF}item")}
        spine = [items.get(each.get("idref")) for each in package.iter(f"{_OPF}itemref")]
        chapters = [
            of_html(parts.part(linked(name, item.get("href", "")))).text
            for item in spine
            if item is not None and item.get("media-type") in _PAGES
        ]
    said: dict[str, Any] = {
        field: value
        for field, source in (("title", "title"), ("author", "creator"), ("language", "language"))
        if (value := (package.findtext(f".//{_DC}{source}") or "").strip())
    }
    text = "\n\n".join(filter(None, chapters))
    yield Extracted(text, said.pop("title", ""), said, empty="no text in this book")
