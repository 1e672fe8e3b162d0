"""The quality of both stages: on all questions, on easy and hard ones; and what few questions choose."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from twofold.bench.pipelines import bench_pipelines, gains_of_splits
from twofold.bench.stage_quality import Stages, stage_quality
from twofold.encoders.loading import load_encoder
from twofold.errors import InputError
from twofold.scores import Scores
from twofold.searching.pipeline import Pipeline
from twofold.tables import Estimate

ANSWERS = {
    "bread": ("how is bread baked", "Bread is baked from flour and water."),
    "soup": ("how is soup boiled", "Soup of onions is boiled for an hour."),
    "moon": ("which satellite circles our world", "The moon turns around the Earth once a month."),
}


class Oracle:
    """Knows the answers, and hates the moon."""

    name = "oracle"

    def scores(self, query: str, texts: Sequence[str]) -> Scores:
        answers = dict(ANSWERS.values())
        return np.array([answers[query] in text and "moon" not in text for text in texts], np.float32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "small"
    (place / "qrels").mkdir(parents=True)
    corpus = [json.dumps({"_id": name, "title": "", "text": text}) for name, (_, text) in ANSWERS.items()]
    (place / "corpus.jsonl").write_text("\n".join(corpus), "utf-8")
    asked = [json.dumps({"_id": f"q-{name}", "text": question}) for name, (question, _) in ANSWERS.items()]
    (place / "queries.jsonl").write_text("\n".join(asked), "utf-8")
    rows = ["query-id\tcorpus-id\tscore", *(f"q-{name}\t{name}\t1" for name in ANSWERS)]
    (place / "qrels" / "test.tsv").write_text("\n".join(rows), "utf-8")
    return place


def test_questions_that_share_few_words_with_their_answers_are_told_apart(folder: Path) -> None:
    table = stage_quality(folder, load_encoder(), Stages((Oracle(),)))
    found = {str(row[0]): row[1:] for row in table.rows}
    assert list(found) == [
        "bi-encoder",
        "hybrid",
        "bi-encoder's first 100 by oracle",
        "hybrid's first 100 by oracle",
        "everything by oracle",
    ]
    everything, easy, hard, gain = found["everything by oracle"]
    bi = found["bi-encoder"]
    for each in (everything, easy, hard, gain, *bi):
        assert isinstance(each, Estimate)
    assert easy.value == 1  # type: ignore[union-attr]  # an Estimate, as checked
    assert hard.value < 1  # type: ignore[union-attr]
    assert gain.value == pytest.approx(everything.value - bi[0].value)  # type: ignore[union-attr]
    assert bi[3] == Estimate(0, 0, 0)
    assert "(1)" in table.notes[1]


def test_a_stage_that_helps_is_switched_on_by_few_questions_and_one_that_harms_is_not() -> None:
    draw = np.random.default_rng(0)
    hybrid = draw.uniform(0.2, 0.8, 120)
    values = {Pipeline(mode="hybrid"): hybrid, Pipeline(mode="dense"): hybrid - 0.1}
    stage = Pipeline(mode="hybrid", ranker="x", depth=10)
    for change, on in ((0.1, True), (-0.1, False)):
        gains, stages = gains_of_splits({**values, stage: hybrid + change + draw.normal(0, 0.02, 120)}, splits=3)
        assert stages.all() == on
        assert stages.any() == on
        assert np.allclose(gains, 0.1 if on else 0, atol=0.01)
    with pytest.raises(InputError, match="there are 59"):
        gains_of_splits({each: some[:59] for each, some in values.items()}, splits=3)


def test_kept_values_are_read_again_and_those_of_another_ranker_refused(tmp_path: Path, folder: Path) -> None:
    hybrid = np.random.default_rng(0).uniform(0.2, 0.8, 61)
    ways = [Pipeline(mode="hybrid"), Pipeline(mode="hybrid", ranker="x", depth=10)]
    kept = {"ranker": "x", "ways": [{"pipeline": each.to_json(), "values": hybrid.tolist()} for each in ways]}
    (tmp_path / "small-test.json").write_text(json.dumps(kept), "utf-8")
    ((name, questions, mean, *_),) = bench_pipelines([folder], ranker="x", to=tmp_path, splits=3).tables[0].rows
    assert (name, questions) == ("small", 61)
    assert mean == pytest.approx(float(hybrid.mean()))
    with pytest.raises(InputError, match="values of the ranker 'x'"):
        bench_pipelines([folder], ranker="y", to=tmp_path)
    (tmp_path / "small-test.json").write_text("{}", "utf-8")
    with pytest.raises(InputError, match="holds no values"):
        bench_pipelines([folder], ranker="x", to=tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        bench_pipelines([folder], ranker="x", to=tmp_path / "nowhere")
