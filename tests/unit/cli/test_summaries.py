"""Everything that was counted and is not zero is said; what is zero is not."""

from __future__ import annotations

import pytest

from twofold.cli.summaries import added_as_text, encoded_as_text, skipped_as_text
from twofold.reports import AddReport, EncodingReport, ReadReport

SAID_ELSEWHERE = ("added", "analyser", "unsuited", "index", "tokens")


@pytest.mark.parametrize("name", [name for name in AddReport.__slots__ if name not in SAID_ELSEWHERE])
def test_every_count_that_is_not_zero_is_said(name: str) -> None:
    report = AddReport(added=2)
    setattr(report, name, 4321)
    said = "\n".join(added_as_text(report, 2.0, "c.twofold"))
    if name == "tokens_cut":
        assert "4,321" not in said  # said with the documents that were truncated
    else:
        assert "4,321" in said


def test_an_analyser_that_was_told_from_the_texts_is_said_unless_it_is_the_usual_one() -> None:
    told = AddReport(added=1, analyser="ngram, since the texts are mostly Chinese")
    assert (
        "lexical search: analyser ngram, since the texts are mostly Chinese; another: `twofold tune c --analyser NAME`"
        in (added_as_text(told, 1.0, "c"))
    )
    usual = AddReport(added=1, analyser="english, since the texts are mostly English")
    assert len(added_as_text(usual, 1.0, "c")) == 1


def test_what_is_zero_is_not_said() -> None:
    assert added_as_text(AddReport(added=3), 2.0, "c") == ["3 documents: 3 added in 2.0 s (2 documents a second)"]
    assert added_as_text(AddReport(added=2), 2.0, "c") == ["2 documents: 2 added in 2.0 s (1 document a second)"]


def test_truncated_documents_come_with_the_way_to_find_them() -> None:
    said = "\n".join(added_as_text(AddReport(added=1, truncated=1, tokens_cut=9), 1.0, "wiki.twofold"))
    assert "1 document truncated, 9 tokens" in said
    assert """twofold list wiki.twofold --where '{"$truncated": true}'""" in said


def test_skipped_lines_come_with_the_first_reasons() -> None:
    report = ReadReport()
    assert skipped_as_text(report) == []
    for number in range(7):
        report.skip(f"a.jsonl, line {number}: no JSON")
    said = skipped_as_text(report)
    assert said[0] == "7 bad records skipped:"
    assert said[1] == "  a.jsonl, line 0: no JSON"
    assert said[-1] == "  and 2 more"


def test_encoding_says_what_was_cut_and_replaced() -> None:
    report = EncodingReport(texts=10, tokens=100, cut={3: 7, 4: 5}, surrogates=1)
    said = "\n".join(encoded_as_text(report, 2.0))
    assert "10 texts, 100 tokens in 2.0 s, 5 a second (50 tokens)" in said
    assert "2 texts cut, 12 tokens" in said
    assert "1 lone surrogate replaced" in said
