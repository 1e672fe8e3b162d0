"""What of a text a hit shows on the screen: the sentence nearest to the query, whole, and what stands around it."""

from __future__ import annotations

from rich.cells import cell_len, chop_cells

from twofold.cli.output import visible
from twofold.rankings import Hit

LOST = 12
"""Cells of a line that may stay empty, since lines end at spaces."""


def snippet(hit: Hit, width: int, lines: int) -> str:
    """About as much of the document's text as `lines` of `width` cells hold, in one line, with an ellipsis at cuts.

    The hit's sentence stands in its middle, whole, however long it is; without one the passage from its beginning.
    """
    text, sentence = hit.document.text, hit.sentence
    if sentence is None:
        return f"{'…' if hit.passage.start else ''}{visible(hit.passage.text)}"
    middle = visible(sentence.text)
    room = max(lines * (width - LOST) - cell_len(middle), 0)
    # Four characters a cell: most take one cell or two, and only a few take none.
    before = visible(text[max(0, sentence.start - 4 * room) : sentence.start])
    after = visible(text[sentence.end : sentence.end + 4 * room])
    ahead = _first(after, room - min(room // 2, cell_len(before)))
    behind = _first(before[::-1], room - cell_len(ahead))[::-1]
    start = "…" if len(behind) < len(before) or sentence.start > 4 * room else ""
    end = "…" if len(ahead) < len(after) or len(text) - sentence.end > 4 * room else ""
    spaces = [" " if text[place : place + 1].isspace() else "" for place in (sentence.start - 1, sentence.end)]
    return f"{start}{behind}{spaces[0] if behind else ''}{middle}{spaces[1] if ahead else ''}{ahead}{end}"


def _first(text: str, cells: int) -> str:
    """The first words of a text that fit into so many cells; its first characters where spaces are too far apart."""
    if cell_len(text) <= cells:
        return text
    row = chop_cells(text, cells)[0] if cells > 1 else ""
    space = row.rfind(" ")
    return row[:space] if space > len(row) // 3 else row
