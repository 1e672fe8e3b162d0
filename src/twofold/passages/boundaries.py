"""Where a text may be divided, and how well: before headings, between paragraphs, lines and sentences of any script.

Headings, fenced code and lists are told as Markdown writes them, paragraphs by blank lines. Nothing here knows tokens.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

WITHIN, SENTENCE, LINE, PARAGRAPH, SECTION = 0, 1, 2, 3, 4
"""How well a text is divided at a place, ascending.

WITHIN: inside of what belongs together, which are the lines of code, of a table, and of a sentence, and the sentences
of a list item. LINE: a line that ends with a sentence, or a list item. SECTION: before a heading.
"""

ABBREVIATED = frozenset(
    (
        *(
            "al",
            "approx",
            "ca",
            "cf",
            "co",
            "col",
            "corp",
            "dept",
            "dr",
            "ed",
            "eds",
            "eq",
            "etc",
            "fig",
            "figs",
            "gen",
        ),
        *("gov", "hon", "inc", "jr", "lt", "ltd", "messrs", "mr", "mrs", "ms", "mt", "nr", "no", "nos", "op", "pp"),
        *("prof", "rev", "sen", "sr", "st", "vol", "vs", "z.b", "bzw", "usw", "e.g", "i.e"),
    )
)
"""Words before a full stop that seldom end a sentence, without their last stop."""

_HEADING = re.compile(r" {0,3}#{1,6}[ \t]+\S")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)\s*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_ITEM = re.compile(r"\s*(?:[-*+•‣·–]|\(?\d{1,4}[.)]|\(?[A-Za-z][.)])\s+\S")
_CLOSING = "\"'”’»›)\\]}」』）】〉》"
_STOPS = re.compile(
    # Scripts that put a space after a sentence, and those that put none. A run of stops is looked at once, from its
    # beginning, or the time would grow with the square of its length.
    rf"(?<![.!?…؟۔։።፧।॥։])[.!?…؟۔։።፧।॥։]+[{_CLOSING}]*(?=\s)|[。！？｡．።។။།]+[{_CLOSING}]*"
)
_ENDS = re.compile(rf"[.!?…:;؟۔։።፧।॥。！？｡．។။།][{_CLOSING}*_]*\s*$")
_LAST_WORD = re.compile(r"[\w.]+$")
_BLANKS = re.compile(r"\s*")
LONGEST_WORD = 40
"""Characters before a full stop that are looked at."""


@dataclass(frozen=True, slots=True)
class Boundaries:
    """Where a text may be divided.

    places: int64 (n,), ascending, in characters, each where a passage may begin, 0 and the length left out. ranks: int8
    (n,), how well the text is divided there.
    """

    places: NDArray[np.int64]
    ranks: NDArray[np.int8]


class _Line(NamedTuple):
    start: int
    text: str


def boundaries(text: str) -> Boundaries:
    """Where a text may be divided. Space between two lines or sentences belongs to the first of them."""
    ranks: dict[int, int] = {}
    fence, was, before, blank = "", "", "", True
    lines = [*_lines(text), _Line(len(text), "")]
    for line, following in pairwise(lines):
        if not line.text.strip():
            blank = True
            continue
        kind, opened = _kind(line.text, following.text, fence, blank=blank, was=was)
        ranks[line.start] = _rank(kind, was, before, blank=blank, inside=bool(fence))
        ranks.update((place, SENTENCE if kind == "text" else WITHIN) for place in _sentences(line))
        fence, was, before, blank = opened, kind, line.text, False
    places = sorted(place for place in ranks if 0 < place < len(text))
    found = [ranks[place] for place in places]
    return Boundaries(np.array(places, np.int64), np.array(found, np.int8))


def _kind(line: str, following: str, fence: str, *, blank: bool, was: str) -> tuple[str, str]:
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


def _rank(kind: str, was: str, before: str, *, blank: bool, inside: bool) -> int:
    """How well the text is divided before a line. before: the one before it; inside: both are of one block of code."""
    if inside or kind == "underline":
        return WITHIN
    if kind == "heading":
        return SECTION
    if was in ("heading", "underline"):
        return WITHIN
    if kind == "of item":
        return WITHIN
    if blank or (kind != was and {kind, was} & {"code", "table"}):
        return PARAGRAPH
    ends = kind == "text" and _ENDS.search(before[-LONGEST_WORD:]) is not None
    return LINE if ends or kind == "item" else WITHIN


def _lines(text: str) -> Iterator[_Line]:
    start = 0
    for line in text.splitlines(keepends=True):
        yield _Line(start, line)
        start += len(line)


def _sentences(line: _Line) -> Iterator[int]:
    """Where the sentences of a line begin, but for the first."""
    for found in _STOPS.finditer(line.text):
        start = _BLANKS.match(line.text, found.end()).end()  # type: ignore[union-attr] # it matches everything
        if start < len(line.text) and not _abbreviates(line.text, found, start):
            yield line.start + start


def _abbreviates(text: str, found: re.Match[str], start: int) -> bool:
    """Whether a full stop ends a word and no sentence: an initial, an abbreviation, or one before a small letter."""
    if found[0][0] != "." or len(found[0]) > 1:
        return False
    word = _LAST_WORD.search(text, max(0, found.start() - LONGEST_WORD), found.start())
    if text[start].islower() or (word is not None and word[0].lower() in ABBREVIATED):
        return True
    return word is not None and len(word[0]) == 1 and word[0].isalpha() and word[0] != "I"
