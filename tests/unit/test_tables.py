"""Tables show what they hold, in every form."""

from __future__ import annotations

import json
from typing import Any

import pytest

from twofold.tables import Column, Estimate, Header, Report, Table

TABLE = Table(
    "Speed <of> encoding",
    (Column("encoder"), Column("passages", "1/s", 1), Column("ratio", digits=2)),
    (("ours | bf16", 1234.56, Estimate(2.841, 2.7, 3.0)), ("théirs", 400, None)),
    ("medians of 5 rounds",),
)
HEADER = Header("A CPU", 2, 24 * 2**30, "abc123", {"twofold": "0.1.0", "numpy": "2.4"}, "twofold bench encode")


def test_numbers_show_thousands_digits_and_intervals_and_what_is_missing_is_a_dash() -> None:
    assert TABLE.shown() == [
        ["encoder", "passages (1/s)", "ratio"],
        ["ours | bf16", "1,234.6", "2.84 [2.70, 3.00]"],
        ["théirs", "400.0", "–"],
    ]


def test_text_lays_numbers_to_the_right() -> None:
    assert TABLE.to_text().splitlines() == [
        "Speed <of> encoding",
        "─" * 46,
        "encoder      passages (1/s)              ratio",
        "─" * 46,
        "ours | bf16         1,234.6  2.84 [2.70, 3.00]",
        "théirs                400.0                  –",
        "─" * 46,
        "medians of 5 rounds",
    ]


def test_markdown_keeps_a_bar_inside_its_cell() -> None:
    assert TABLE.to_markdown().splitlines() == [
        "**Speed <of> encoding**",
        "",
        "| encoder | passages (1/s) | ratio |",
        "| --- | ---: | ---: |",
        "| ours \\| bf16 | 1,234.6 | 2.84 [2.70, 3.00] |",
        "| théirs | 400.0 | – |",
        "",
        "medians of 5 rounds",
    ]


def test_html_escapes_what_is_text() -> None:
    html = TABLE.to_html()
    assert "<caption>Speed &lt;of&gt; encoding</caption>" in html
    assert html.count("<tr>") == 3
    assert html.endswith("</table><p>medians of 5 rounds</p>")


def test_json_keeps_numbers_as_numbers() -> None:
    values = json.loads(json.dumps(TABLE.to_json(), allow_nan=False))
    assert values["columns"][1] == {"name": "passages", "unit": "1/s"}
    assert values["rows"] == [
        ["ours | bf16", 1234.56, {"value": 2.841, "low": 2.7, "high": 3.0}],
        ["théirs", 400, None],
    ]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ((1.0,), "has 1 cells, its columns are 2"),
        ((1.0, float("nan")), "not finite"),
        ((Estimate(1, 0, float("inf")), 1), "not finite"),
    ],
)
def test_a_row_that_does_not_fit_is_refused(row: tuple[Any, ...], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Table("t", (Column("a"), Column("b")), (row,))


def test_a_figure_outside_its_interval_is_refused() -> None:
    with pytest.raises(ValueError, match="does not lie in its interval"):
        Estimate(1, 2, 3)


def test_the_header_says_machine_commit_versions_and_command() -> None:
    assert HEADER.lines() == [
        "machine: A CPU, 2 cores, 24 GiB",
        "commit: abc123",
        "versions: twofold 0.1.0, numpy 2.4",
        "command: twofold bench encode",
    ]


def test_what_the_header_does_not_know_is_left_out() -> None:
    assert Header("A CPU", 1, None, None).lines() == ["machine: A CPU, 1 core"]


def test_a_report_is_its_header_and_its_tables_in_every_form() -> None:
    report = Report(HEADER, [TABLE, TABLE])
    for text in (report.to_text(), report.to_markdown()):
        assert text.count("machine: A CPU, 2 cores, 24 GiB") == 1
        assert text.count("1,234.6") == 2
    assert report.to_html().count("<table>") == 2
    assert report.to_json() == {"header": HEADER.to_json(), "tables": [TABLE.to_json()] * 2}
    assert report.to_json()["header"]["commit"] == "abc123"
