"""Each query's score: in the evaluation, as a DataFrame, and in files."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from twofold.errors import InputError
from twofold.evaluation.by_query import write_by_query
from twofold.evaluation.evaluating import Evaluation, evaluate_run
from twofold.evaluation.tabling import quality_table

QRELS = {"q2": {"d1": 1}, "q1": {"d2": 1}, "a\tb": {"d1": 1}, "none": {"d1": 0}}


def evaluation() -> Evaluation:
    run = {"q1": {"d1": 2.0, "d2": 1.0}, "q2": {"d1": 1.0}, "other": {"d1": 1.0}}
    return evaluate_run(run, QRELS, measures=["RR@10", "P@1"])


def test_an_evaluation_has_each_querys_value_of_each_measure() -> None:
    found = evaluation()
    assert found.per_query == {
        "RR@10": {"q2": 1.0, "q1": 0.5, "a\tb": 0.0},
        "P@1": {"q2": 1.0, "q1": 0.0, "a\tb": 0.0},
    }
    assert found.measures["RR@10"].mean == sum(found.per_query["RR@10"].values()) / 3


def test_a_dataframe_has_a_line_a_query_and_a_column_a_measure() -> None:
    pytest.importorskip("pandas")
    frame = evaluation().to_pandas()
    assert (list(frame.columns), frame.index.name, list(frame.index)) == (
        ["RR@10", "P@1"],
        "query",
        ["q2", "q1", "a\tb"],
    )
    assert frame.loc["q1", "RR@10"] == 0.5


def test_files_hold_a_line_for_each_system_and_query(tmp_path: Path) -> None:
    two = {"one": evaluation(), "two": evaluation()}
    wanted = [
        {"system": name, "query": query, "RR@10": rr, "P@1": p}
        for name in two
        for query, rr, p in (("q2", 1.0, 1.0), ("q1", 0.5, 0.0), ("a\tb", 0.0, 0.0))
    ]
    write_by_query(two, tmp_path / "s.jsonl")
    assert [json.loads(line) for line in (tmp_path / "s.jsonl").read_text().splitlines()] == wanted
    for name, delimiter in (("s.tsv", "\t"), ("s.CSV", ",")):
        write_by_query(two, tmp_path / name)
        with (tmp_path / name).open(newline="") as file:
            rows = list(csv.DictReader(file, delimiter=delimiter))
        assert rows == [{key: str(value) for key, value in row.items()} for row in wanted]


def test_another_suffix_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    for name in ("scores.txt", "scores"):
        with pytest.raises(InputError, match=r"written as \.tsv, \.csv, \.jsonl"):
            write_by_query({"one": evaluation()}, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_queries_without_a_judgement_are_counted_and_a_run_of_other_ids_is_refused() -> None:
    found = evaluation()
    assert (found.left_out, found.unjudged, found.without_results) == (2, 1, 1)
    notes = quality_table({"run": found}).notes
    assert "2 queries without a positive judgement left out, 1 of them without any judgement" in notes
    assert "run: 1 query without results count as zero" in notes
    with pytest.raises(InputError, match=r"none of the run's queries is judged: .* 'Q1', and judged are such as 'q2'"):
        evaluate_run({"Q1": {"d1": 1.0}}, QRELS)
    assert evaluate_run({}, QRELS, measures=["P@1"])["P@1"].mean == 0
