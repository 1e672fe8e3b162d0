"""Reports count what happened to the input."""

from __future__ import annotations

import json

from twofold.reports import AddReport, EncodingReport, ReadReport


def test_an_encoding_report_adds_up_the_tokens_that_no_vector_saw() -> None:
    report = EncodingReport(texts=3, tokens=40, cut={0: 5, 2: 7})
    assert report.tokens_cut == 12
    assert EncodingReport().tokens_cut == 0


def test_two_reports_share_no_counts() -> None:
    EncodingReport().cut[0] = 1
    assert EncodingReport().cut == {}


def test_a_read_report_counts_every_bad_line_and_keeps_the_first_reasons() -> None:
    report = ReadReport()
    for line in range(8):
        report.skip(f"line {line}")
    assert report.skipped == 8
    assert report.reasons == [f"line {line}" for line in range(ReadReport.SHOWN)]


def test_an_add_report_has_seen_what_it_added_replaced_and_left() -> None:
    report = AddReport(added=2, replaced=3, metadata_only=1, unchanged=5, duplicates=7)
    assert report.documents == 10


def test_an_add_report_gives_every_count_by_name() -> None:
    counts = AddReport(added=2, tokens_cut=9).to_json()
    assert json.loads(json.dumps(counts)) == counts
    assert AddReport(**counts) == AddReport(added=2, tokens_cut=9)
