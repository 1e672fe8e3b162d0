"""Results on the screen: hits, facts and headings, cut to the screen.

On a terminal a little colour and the screen's width (at most 100 columns); in a pipe or a file the same lines without
colour, 80 columns wide. Widths are those of the terminal's cells: a wide character takes two.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace

from rich.cells import cell_len, chop_cells
from rich.console import Console
from rich.text import Text

from twofold.cli.output import results, visible, without_controls
from twofold.cli.snippets import snippet
from twofold.documents import Document
from twofold.hits import shown_relevance
from twofold.rankings import Hit
from twofold.tables import Table

WIDEST, IN_A_PIPE = 100, 80
PASSAGE_LINES, SENTENCE_LINES, NOTE_LINES = 2, 8, 4
"""Lines of a hit's text, of one with a long sentence, and of a table's note, at most."""
INDENT = 8
SHORTEST_NAME = 16
"""Cells that the name of a table's row keeps, however wide the figures are."""


class _Console(Console):
    """rich's console, which leaves it to us what happens when nobody reads any more."""

    def on_broken_pipe(self) -> None:
        """Says so, instead of ending the process with a failure."""
        raise BrokenPipeError


class Screen:
    """Standard output for people."""

    def __init__(self) -> None:
        self._console = _Console(highlight=False, markup=False, emoji=False)
        self.is_terminal = sys.stdout.isatty()
        self.width = min(self._console.width, WIDEST) if self.is_terminal else IN_A_PIPE

    def line(self, *parts: str | tuple[str, str]) -> None:
        """One line made of texts and (text, style) pairs, never wrapped."""
        with results():
            self._console.print(Text.assemble(*parts), soft_wrap=True)

    def hits(self, hits: Iterable[Hit], *, explained: bool = False) -> None:
        """For each hit a line of score, relevance, id and title, two lines around its sentence, and the parts.

        A long sentence has more lines. A line of headings and page stands before them where the passage has any.
        Further passages follow, each with its score.
        """
        for hit in hits:
            relevance = f"  {shown_relevance(hit):>4}" if hit.relevance is not None else ""
            head, title = head_of(hit, self.width - len(relevance))
            self.line((f"{hit.score:6.3f}{relevance}", "cyan"), "  ", (head, "bold"), title)
            self._place(hit)
            self._text(hit)
            for passage in hit.more:
                other = replace(hit, passage=passage)
                score = "" if passage.score is None else f"{passage.score:.3f}"
                self.line(" " * INDENT, (f"{score}  characters {passage.start:,}-{passage.end:,}", "cyan"))
                self._place(other)
                self._text(other)
            if explained:
                self.line(" " * INDENT, hit.explain())

    def _place(self, hit: Hit) -> None:
        """The page of the passage and the headings above it, without one that repeats the title."""
        page, headings = hit.passage.page, [visible(each) for each in hit.passage.headings]
        if headings[:1] == [visible(hit.title)]:
            del headings[0]
        told = ([] if page is None else [f"page {page:,}"]) + ([" > ".join(headings)] if headings else [])
        if told:
            self.line(" " * INDENT, (shortened(", ".join(told), self.width - INDENT), "cyan"))

    def _text(self, hit: Hit) -> None:
        """The sentence of the passage with its surroundings; with neighbours that were asked for, all of them."""
        width, around = self.width - INDENT, hit.passage.context
        if around is not None:
            rows = lines_of(around.text, width, len(around.text) + 1)
        else:
            most = PASSAGE_LINES if hit.sentence is None else SENTENCE_LINES
            rows = lines_of(snippet(hit, width, PASSAGE_LINES), width, most)
        for row in rows:
            self.line(" " * INDENT, (row, "dim"))

    def documents(self, documents: Iterable[Document]) -> None:
        """For each document a line of id and title, and up to two lines of its text."""
        for document in documents:
            head, title = head_of(document, self.width)
            self.line((head, "bold"), title)
            for row in lines_of(document.text, self.width - INDENT, PASSAGE_LINES):
                self.line(" " * INDENT, (row, "dim"))

    def facts(self, facts: Mapping[str, str]) -> None:
        """Names and values under each other, the values aligned."""
        widest = max(map(len, facts), default=0)
        for name, value in facts.items():
            self.line((f"{name:<{widest}}", "dim"), "  ", visible(value))

    def table(self, table: Table) -> None:
        """A table, its title in bold and its notes below, wrapped; the names of its rows give way to wide figures."""
        title, *rows = _fitting(replace(table, notes=()), self.width).to_text().splitlines()
        self.line((title, "bold"))
        for row in rows:
            self.line(without_controls(row))
        for note in table.notes:
            for line in lines_of(note, self.width, NOTE_LINES):
                self.line((line, "dim"))


def _fitting(table: Table, width: int) -> Table:
    """The table with the texts of its first column cut by what it is too wide, as far as they can be read."""
    over = max(map(cell_len, table.to_text().splitlines())) - width
    names = [row[0] for row in table.rows if isinstance(row[0], str)]
    if over <= 0 or len(names) < len(table.rows):
        return table
    room = max(max(map(cell_len, names), default=0) - over, SHORTEST_NAME)
    return replace(table, rows=tuple((shortened(str(name), room), *cells) for name, *cells in table.rows))


def head_of(hit: Hit | Document, width: int) -> tuple[str, str]:
    """An id and what fits of its title on one line of `width` cells, its score included."""
    room = width - INDENT
    name = shortened(visible(hit.id), room)
    title = visible(hit.title)
    left = room - cell_len(name) - 2
    return name, f"  {shortened(title, left)}" if title and title != name and left >= INDENT else ""


def shortened(text: str, width: int) -> str:
    """The text, or as much of it as `width` cells hold with an ellipsis at its end."""
    if cell_len(text) <= width:
        return text
    return f"{_first_cells(text, max(width - 1, 1)).rstrip()}…"


def lines_of(text: str, width: int, lines: int) -> list[str]:
    """The first lines of a text laid out in `width` cells, broken at spaces where it can be; an ellipsis ends a cut."""
    rest = visible(text)
    rows: list[str] = []
    while rest and len(rows) < lines - 1:
        row = _row(rest, width)
        rows.append(row.rstrip())
        rest = rest[len(row) :].lstrip()
    if rest:
        rows.append(shortened(rest, width))
    return rows


def _row(text: str, width: int) -> str:
    """As much of the text as one row holds, up to the last space in its second half."""
    row = _first_cells(text, width)
    if len(row) == len(text) or text[len(row)] == " ":
        return row
    space = row.rfind(" ")
    return row[:space] if space > len(row) // 2 else row


def _first_cells(text: str, width: int) -> str:
    # No character takes less than nothing, and only a few take nothing: a bounded look keeps long texts cheap.
    pieces = chop_cells(text[: 4 * width + 16], width)
    return pieces[0] if pieces else ""
