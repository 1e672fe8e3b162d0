"""`twofold bench` hands on what was asked and prints a report; what the figures are is tested with the benches."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

Twofold = Callable[..., Any]


def test_a_bench_prints_where_it_was_made_and_its_table(by_words: Path, twofold: Twofold) -> None:
    done = twofold("bench", "search", by_words, "--rounds", 1)
    assert done.status == 0, done.err
    assert done.out.startswith("machine: ")
    assert "p95 (ms)" in done.out


def test_a_bench_gives_the_same_as_json_on_either_side_of_its_name(by_words: Path, twofold: Twofold) -> None:
    for words in (("bench", "--json", "search", by_words), ("bench", "search", by_words, "--json")):
        report = twofold(*words, "--rounds", 1).json
        assert set(report) == {"header", "tables"}
        assert [column["name"] for column in report["tables"][0]["columns"]][1:] == ["p50", "p95", "p99"]


def test_what_is_to_be_measured_may_be_missing(tmp_path: Path, twofold: Twofold) -> None:
    for words in (("quality", tmp_path / "none"), ("search", tmp_path / "none"), ("indexing", tmp_path / "none")):
        done = twofold("bench", *words, "--encoder", "hashed-words:8")
        assert (done.status, done.out) == (1, ""), words
        assert done.err.startswith("twofold: error: ")
