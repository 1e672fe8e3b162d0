"""How hits are laid out: two lines of passage at most, none wider than the screen."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from twofold.cli.screens import IN_A_PIPE, Screen, head_of, lines_of, shortened
from twofold.documents import Document, Passage
from twofold.rankings import Hit
from twofold.tables import Column, Table


def hit_of(identifier: str, text: str, title: str = "", score: float = 0.5) -> Hit:
    return Hit(score, Document(identifier, text, title), Passage(0, len(text), text))


@given(text=st.text(), width=st.integers(4, 60))
def test_no_line_is_wider_than_its_room_and_there_are_two_at_most(text: str, width: int) -> None:
    rows = lines_of(text, width, 2)
    assert len(rows) <= 2
    assert all(cell_len(row) <= width for row in rows)


@given(words=st.lists(st.text("abc日本", min_size=1, max_size=6), min_size=1, max_size=30))
def test_what_fits_is_shown_whole_and_a_cut_ends_in_an_ellipsis(words: list[str]) -> None:
    text = " ".join(words)
    rows = lines_of(text, 30, 2)
    shown = "".join(rows).replace(" ", "")
    if rows[-1].endswith("…"):
        assert text.replace(" ", "").startswith(shown[:-1])
        assert cell_len(text) > 30
    else:
        assert shown == text.replace(" ", "")


def test_wide_characters_count_two_cells() -> None:
    assert lines_of("東京は日本の首都です。" * 3, 20, 2) == ["東京は日本の首都です", "。東京は日本の首都…"]


def test_lines_break_between_words() -> None:
    assert lines_of("the quick brown fox jumps", 11, 2) == ["the quick", "brown fox…"]


def test_a_long_id_is_cut_and_a_title_takes_what_is_left() -> None:
    assert shortened("abcdef", 4) == "abc…"
    assert head_of(hit_of("json.dumps", "", "Serialize an object"), 80) == ("json.dumps", "  Serialize an object")
    assert head_of(hit_of("json.dumps", "", "json.dumps"), 80) == ("json.dumps", "")
    name, title = head_of(hit_of("x" * 200, "", "title"), 80)
    assert cell_len(name) == 72
    assert title == ""


def test_a_hit_in_a_pipe_is_plain_lines_of_eighty_columns(capsys: pytest.CaptureFixture[str]) -> None:
    Screen().hits([hit_of("a", "word " * 100, "A title", 0.71234), hit_of("b", "", score=-0.1)])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == " 0.712  a  A title"
    assert lines[1].startswith("        word word")
    assert lines[2].endswith("…")
    assert lines[3] == "-0.100  b"
    assert len(lines) == 4
    assert max(map(len, lines)) <= IN_A_PIPE


def test_a_passage_from_within_a_text_begins_with_an_ellipsis(capsys: pytest.CaptureFixture[str]) -> None:
    Screen().hits([Hit(0.5, Document("a", "one two"), Passage(4, 7, "two"))])
    assert capsys.readouterr().out.splitlines()[1] == "        …two"


def test_a_line_says_page_and_headings_of_a_passage_but_not_its_title_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = "# Mars\n\n## Moons\x1b\n\nTwo.\fPhobos."
    phobos = Passage.of(text, text.index("Phobos"), len(text))
    two = replace(Passage.of(text, text.index("Two"), text.index("\f")), score=0.25)
    Screen().hits([Hit(0.5, Document("a", text, "Mars"), phobos, more=(two,)), Hit(0.4, Document("b", text), two)])
    lines = [line for line in capsys.readouterr().out.splitlines() if "page" in line or "characters" in line]
    assert lines == [
        "        page 2, Moons\\x1b",
        f"        0.250  characters {two.start}-{two.end}",
        "        page 1, Moons\\x1b",
        "        page 1, Mars > Moons\\x1b",
    ]


def test_what_looks_like_markup_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    Screen().hits([hit_of("[red]x[/red]", "[bold]not bold :smile: \x1b[2J", "[link=x]")])
    assert capsys.readouterr().out.splitlines() == [
        " 0.500  [red]x[/red]  [link=x]",
        "        [bold]not bold :smile: \\x1b[2J",
    ]


@pytest.mark.parametrize("figure", [1.0, 1e9, 1e15])
def test_a_table_fits_the_screen_whatever_its_figures_are(figure: float, capsys: pytest.CaptureFixture[str]) -> None:
    columns = (Column("what"), *(Column(name, digits=1) for name in ("quoted", "p50")))
    Screen().table(
        Table("Times", columns, (("a name of some length for one row", figure, figure), ("short", 1.0, None)))
    )
    lines = capsys.readouterr().out.splitlines()
    assert max(map(cell_len, lines)) <= IN_A_PIPE
    assert f"{figure:,.1f}" in "".join(lines)
