"""The outline of a text: its lines by kind, its headings and its pages, as Markdown and texts of PDF files write them.

Headings are those of Markdown, with signs before them (`# Mars`) or a line under them. Pages are divided by form feeds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

PAGE_END = "\f"
"""Stands between two pages of a text."""
Kind = Literal["heading", "underline", "code", "table", "item", "of item", "text"]

_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(?=\S)")
_CLOSING_SIGNS = re.compile(r"(?:^|[ \t]+)#+\s*$")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)\s*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_ITEM = re.compile(r"\s*(?:[-*+•‣·–]|\(?\d{1,4}[.)]|\(?[A-Za-z][.)])\s+\S")
_PERHAPS = re.compile("(?:^|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]) {0,3}[#=-]")
"""How a heading, or the line under one, begins: most texts have neither, and need no further look."""
_BLANKS = re.compile(r"\s*")


class Line(NamedTuple):
    """A line that is not blank. start: in characters of the text; text: with its end.

    kind: what it is part of. after_blank: whether the line before it is blank, or there is none. inside: whether it
    goes on with a block of fenced code.
    """

    start: int
    text: str
    kind: Kind
    after_blank: bool
    inside: bool


class Heading(NamedTuple):
    """A heading. start, end: of its lines, in characters of the text. level: 1 is the highest. title: without signs."""

    start: int
    end: int
    level: int
    title: str


def lines(text: str) -> Iterator[Line]:
    """The lines that are not blank, in their order."""
    fence, was, blank = "", "", True
    for (start, line), (_, following) in pairwise([*_cut(text), (len(text), "")]):
        if not line.strip():
            blank = True
            continue
        kind, opened = _kind(line, following, fence, blank=blank, was=was)
        yield Line(start, line, kind, blank, bool(fence))
        fence, was, blank = opened, kind, False


def headings(text: str) -> Iterator[Heading]:
    """All headings, in their order."""
    if _PERHAPS.search(text) is None:
        return
    open_heading: Heading | None = None
    for line in lines(text):
        if line.kind == "underline" and open_heading is not None:
            level = open_heading.level or (1 if line.text.lstrip().startswith("=") else 2)
            open_heading = open_heading._replace(end=line.start + len(line.text), level=level)
            continue
        if open_heading is not None:
            yield open_heading
        open_heading = _heading(line) if line.kind == "heading" else None
    if open_heading is not None:
        yield open_heading


def heading_paths(text: str, starts: Sequence[int]) -> list[tuple[Heading, ...]]:
    """For each passage the headings under which it stands, the highest first; those with which it begins are among
    them.

    starts: where the passages begin, ascending, in characters.
    """
    found, path, paths = headings(text), list[Heading](), list[tuple[Heading, ...]]()
    following = next(found, None)
    for start in starts:
        place = start
        while following is not None and following.start <= _content(text, place):
            while path and path[-1].level >= following.level:
                path.pop()
            path.append(following)
            place = max(place, following.end)
            following = next(found, None)
        paths.append(tuple(path))
    return paths


def page_at(text: str, start: int) -> int | None:
    """The page, from 1 on, on which what stands at `start` begins; None where the text has no pages."""
    if PAGE_END not in text:
        return None
    return text.count(PAGE_END, 0, _content(text, start)) + 1


def _content(text: str, start: int) -> int:
    """The first place from `start` on that is not blank."""
    return _BLANKS.match(text, start).end()  # type: ignore[union-attr] # it matches everything


def _heading(line: Line) -> Heading:
    """A heading as its first line says it; the level is 0 where the line under it decides."""
    signs = _HEADING.match(line.text)
    title = line.text.strip() if signs is None else _CLOSING_SIGNS.sub("", line.text[signs.end() :]).strip()
    return Heading(line.start, line.start + len(line.text), 0 if signs is None else len(signs[1]), title)


def _cut(text: str) -> Iterator[tuple[int, str]]:
    start = 0
    for line in text.splitlines(keepends=True):
        yield start, line
        start += len(line)


def _kind(line: str, following: str, fence: str, *, blank: bool, was: str) -> tuple[Kind, str]:
    """What a line is part of, and the fence of the code in which the next one stands."""
    mark = _FENCE.match(line)
    if fence:
        closes = mark is not None and mark[1].startswith(fence) and not line[mark.end() :].strip()
        return "code", "" if closes else fence
    if mark is not None:
        return "code", mark[1]
    if was == "heading" and _UNDERLINE.match(line):
        return "underline", ""
    underlined = blank and _UNDERLINE.match(following) is not None and not line[:1].isspace()
    if _HEADING.match(line) or (underlined and not _ITEM.match(line)):
        return "heading", ""
    if line.lstrip().startswith("|"):
        return "table", ""
    if _ITEM.match(line):
        return "item", ""
    if was in ("item", "of item") and (not blank or line[:1].isspace()):
        return "of item", ""
    indented = line.startswith(("    ", "\t"))
    return ("code" if indented and (blank or was == "code") else "text"), ""
