"""`twofold bench relevance`: each collection is tested by the coefficients of the others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from twofold.bench.relevance import _held_out, bench_relevance
from twofold.bench.relevance_data import COLUMNS, JudgedHits
from twofold.encoders.loading import load_encoder
from twofold.errors import InputError
from twofold.searching.hybrid import SEARCH_MODES

TOPICS = {
    "kitchen": {"bread": "Bread is baked from flour and water.", "soup": "Soup of onions is boiled for an hour."},
    "space": {"mars": "Mars is red for the iron oxide on it.", "moon": "The moon turns around the Earth once a month."},
}


def _folder(place: Path, texts: dict[str, str]) -> Path:
    place.mkdir()
    lines = [json.dumps({"_id": name, "title": "", "text": text}) for name, text in texts.items()]
    (place / "corpus.jsonl").write_text("\n".join(lines), "utf-8")
    asked = [json.dumps({"_id": f"q-{name}", "text": f"what of {name}?"}) for name in texts]
    (place / "queries.jsonl").write_text("\n".join(asked), "utf-8")
    (place / "qrels").mkdir()
    rows = ["query-id\tcorpus-id\tscore", *(f"q-{name}\t{name}\t1" for name in texts)]
    (place / "qrels" / "test.tsv").write_text("\n".join(rows), "utf-8")
    return place


def test_coefficients_and_held_out_errors_are_printed_for_each_mode(tmp_path: Path) -> None:
    folders = [_folder(tmp_path / name, texts) for name, texts in TOPICS.items()]
    coefficients, *held_out = bench_relevance(folders, encoder=load_encoder()).tables
    assert [row[0] for row in coefficients.rows] == ["dense", "lexical", "hybrid"]
    for table in (held_out[0], held_out[2]):
        assert [row[0] for row in table.rows] == ["kitchen", "space", "mean"]
        assert all(isinstance(value, float) and 0 <= value <= 1 for row in table.rows for value in row[1:])
    with pytest.raises(InputError, match="two judged collections"):
        bench_relevance(folders[:1])


def test_a_collection_is_tested_by_coefficients_that_never_saw_it() -> None:
    rng, hits = np.random.default_rng(0), []
    for name, sign in (("rising", 1), ("falling", -1)):
        kappa = rng.normal(size=400)
        values: dict[str, Any] = {column: np.ones(400) for column in COLUMNS}
        values |= {"question": np.arange(400) // 10, "kappa": kappa, "score": kappa, "dense": kappa}
        values |= {"own": np.arange(400) // 10 % 2, "relevant": sign * kappa > 0}
        table = np.stack([values[column] for column in COLUMNS], axis=1).astype(np.float64)
        hits.append(JudgedHits(name, dict.fromkeys(SEARCH_MODES, table)))
    rows = {row[0]: float(str(row[1])) for row in _held_out(hits, "dense").rows}
    assert min(rows["rising"], rows["falling"]) > 0.9
