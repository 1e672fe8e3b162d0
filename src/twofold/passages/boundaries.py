"""Where a text may be divided, and how well: before headings, between paragraphs, lines and sentences of any script.

Headings, fenced code and lists are told as Markdown writes them (outline.py), paragraphs by blank lines. Nothing here
knows tokens.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twofold.outline import Line, lines

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


def boundaries(text: str) -> Boundaries:
    """Where a text may be divided. Space between two lines or sentences belongs to the first of them."""
    ranks: dict[int, int] = {}
    was: Line | None = None
    for line in lines(text):
        ranks[line.start] = _rank(line, was)
        ranks.update((place, SENTENCE if line.kind == "text" else WITHIN) for place in _sentences(line))
        was = line
    places = sorted(place for place in ranks if 0 < place < len(text))
    found = [ranks[place] for place in places]
    return Boundaries(np.array(places, np.int64), np.array(found, np.int8))


def _rank(line: Line, was: Line | None) -> int:
    """How well the text is divided before a line. was: the one before it."""
    kind, before = line.kind, "" if was is None else was.kind
    if line.inside or kind == "underline":
        return WITHIN
    if kind == "heading":
        return SECTION
    if before in ("heading", "underline"):
        return WITHIN
    if kind == "of item":
        return WITHIN
    if was is None or line.after_blank or (kind != before and {kind, before} & {"code", "table"}):
        return PARAGRAPH
    ends = kind == "text" and _ENDS.search(was.text[-LONGEST_WORD:]) is not None
    return LINE if ends or kind == "item" else WITHIN


def _sentences(line: Line) -> Iterator[int]:
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
