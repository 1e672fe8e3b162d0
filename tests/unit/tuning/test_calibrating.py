"""The calibration of relevance: what judged questions change, and that few of them change little."""

from __future__ import annotations

import numpy as np
import pytest

from twofold.collection.opening import create
from twofold.evaluation.calibration import calibration_error
from twofold.searching.relevance import Calibration
from twofold.tuning.calibrating import calibrated
from twofold.tuning.logistic import probability


def test_a_calibration_undoes_what_relevance_is_off_by() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(-1, 2, 2000)
    truths = (rng.random(2000) < probability(0.5 * logits + 1)).astype(np.float64)
    hits = [{str(n): float(each) for n, each in enumerate(probability(logits))}]
    found = calibrated(hits, [{str(n): int(each) for n, each in enumerate(truths)}])
    assert (found.slope, found.shift) == pytest.approx((0.5, 1.0), abs=0.15)
    after = np.array([found.probability(each) for each in logits.tolist()])
    assert calibration_error(after, truths) < 0.03 < 0.1 < calibration_error(probability(logits), truths)


def test_no_judgements_and_few_of_them_change_little_and_none_turns_the_order() -> None:
    assert calibrated([], []) == Calibration()
    few = calibrated([{"a": 0.1, "b": 0.9}], [{"a": 1}])
    assert few.slope == pytest.approx(1, abs=0.4)
    turned = calibrated([{str(n): n / 1000 for n in range(1, 1000)}], [{str(n): 1 for n in range(1, 300)}])
    assert turned.slope == 0.1


def test_tune_with_judgements_calibrates_relevance_and_stores_it() -> None:
    texts = {f"d{n}": f"number {n} of the series is {n * n} exactly" for n in range(20)}
    with create(None) as collection:
        collection.add([{"id": name, "text": text} for name, text in texts.items()])
        queries = {f"q{n}": f"what is number {n}?" for n in range(20)}
        before = {hit.id: hit.relevance for hit in collection.search(queries["q3"])}
        report = collection.tune(queries=queries, qrels={f"q{n}": {f"d{n}": 1} for n in range(20)})
        after = {hit.id: hit.relevance for hit in collection.search(queries["q3"])}
        assert set(report.calibrations) == {"dense", "lexical", "hybrid"}
        assert after != before
        collection.tune()
        again = {hit.id: hit.relevance for hit in collection.search(queries["q3"])}
        assert again == before
