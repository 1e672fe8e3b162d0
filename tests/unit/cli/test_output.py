"""What reaches a terminal: lines without control characters, JSON that says the same."""

from __future__ import annotations

import json

import pytest

from twofold.cli.output import count_of, print_json, visible


def test_a_control_character_never_reaches_the_terminal() -> None:
    every = "".join(map(chr, range(0x3000)))
    shown = visible(every)
    assert not [character for character in shown if ord(character) < 32 or 127 <= ord(character) < 160]
    assert not set("\u2028\u2029\u202e\u2066") & set(shown)
    assert visible("\x1b[31mred\x07") == "\\x1b[31mred\\x07"
    assert visible("a\u202eb") == "a\\u202eb"


def test_lines_and_tabs_become_one_space() -> None:
    assert visible(" one\r\n\ttwo\n\n three ") == "one two three"


def test_text_of_every_script_stays_as_it_is() -> None:
    text = "Würde 東京 שלום 👩‍👩‍👧 é"
    assert visible(text) == text


def test_json_is_escaped_where_a_terminal_would_act_and_reads_back_equal(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"id": "\x7f\x9b31m\u202e", "text": "a\nb\x00 東京", "lone": "\udcff"}
    print_json({**value, "lone": ""})
    printed = capsys.readouterr().out
    assert printed.count("\n") == 1
    assert not set("\x7f\x9b\u202e\x00") & set(printed)
    assert "東京" in printed
    assert json.loads(printed) == {**value, "lone": ""}


def test_one_is_singular_and_thousands_are_grouped() -> None:
    assert [count_of(number, "document") for number in (0, 1, 1200)] == ["0 documents", "1 document", "1,200 documents"]
