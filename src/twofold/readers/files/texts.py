"""Text files: plain, Markdown, reStructuredText."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from twofold.readers.files.extracted import Extracted, content
from twofold.readers.files.front_matter import of_markdown, of_restructured
from twofold.readers.opening import BYTE_ORDER_MARK, UTF_16_MARKS, bare_suffix, decoded

_fence = re.compile(r"\s{0,3}(```|~~~)")
_hash_heading = re.compile(r"\s{0,3}#{1,6}\s+(.*?)(\s+#+)?\s*")
_underline = re.compile(r"(=+|-+|~+|\^+|\*+|#+|\"+)\s*")


def of_text(path: Path) -> Iterator[Extracted]:
    """The whole file; its front matter is metadata. title: that of the front matter, else the first heading.

    UTF-8, or UTF-16 where a byte order mark says so. Raises InputError for another encoding.
    """
    raw = content(path)
    try:
        utf_16 = raw.decode("utf-16") if raw.startswith(UTF_16_MARKS) else None
    except UnicodeDecodeError:
        utf_16 = None
    text = decoded(raw.removeprefix(BYTE_ORDER_MARK), path) if utf_16 is None else utf_16
    yield of_marked(text, bare_suffix(path))


def of_marked(text: str, suffix: str) -> Extracted:
    """A text as the suffix of its file says it is written: .md, .rst or .txt."""
    if suffix not in (".md", ".markdown", ".rst"):
        return Extracted(text)
    markdown = suffix != ".rst"
    metadata, below = of_markdown(text) if markdown else of_restructured(text)
    return Extracted(below, _named(metadata) or _heading(below, markdown=markdown), metadata)


def _named(metadata: dict[str, Any]) -> str:
    """The title, which is metadata no longer; another thing than a text under this name stays where it is."""
    if isinstance(metadata.get("title"), str):
        return str(metadata.pop("title")).strip()
    return ""


def _heading(text: str, *, markdown: bool) -> str:
    before, fenced = "", False
    for line in text.splitlines():
        if markdown:
            if _fence.match(line):
                fenced = not fenced
            elif not fenced and (heading := _hash_heading.fullmatch(line)):
                return heading.group(1).strip()
        if not fenced and len(line.strip()) > 2 and _underlines(line, before, markdown=markdown):
            return before.strip()
        before = "" if _underline.fullmatch(line) else line
    return ""


def _underlines(line: str, before: str, *, markdown: bool) -> bool:
    if not before.strip() or not _underline.fullmatch(line):
        return False
    if markdown:
        return line.strip()[0] in "=-"
    return len(line.rstrip()) >= len(before.rstrip())
