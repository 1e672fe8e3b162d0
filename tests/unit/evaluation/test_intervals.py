from __future__ import annotations

import numpy as np
import pytest

from twofold.errors import InputError
from twofold.evaluation import intervals
from twofold.evaluation.intervals import bootstrap_interval, bootstrap_means


def test_the_interval_of_a_normal_sample_is_the_one_of_the_textbook() -> None:
    values = np.random.default_rng(7).normal(0.5, 0.2, size=400)
    interval = bootstrap_interval(values)
    error = values.std() / np.sqrt(len(values))
    assert interval.low == pytest.approx(values.mean() - 1.96 * error, abs=0.1 * error)
    assert interval.high == pytest.approx(values.mean() + 1.96 * error, abs=0.1 * error)


def test_a_higher_level_gives_a_wider_interval() -> None:
    values = np.random.default_rng(7).random(100)
    narrow, wide = bootstrap_interval(values, confidence=0.5), bootstrap_interval(values, confidence=0.99)
    assert wide.low < narrow.low < values.mean() < narrow.high < wide.high


def test_the_same_values_give_the_same_interval_and_another_seed_another() -> None:
    values = np.random.default_rng(7).random(50)
    assert bootstrap_interval(values) == bootstrap_interval(values)
    assert bootstrap_interval(values) != bootstrap_interval(values, seed=1)


def test_the_draws_do_not_depend_on_how_they_are_divided_into_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(7).random(37)
    whole = bootstrap_means(values, 501, 0)
    monkeypatch.setattr(intervals, "BLOCK_NUMBERS", 37 * 10 + 5)
    assert bootstrap_means(values, 501, 0).tolist() == whole.tolist()
    assert len(set(whole.tolist())) > 400


def test_equal_values_and_a_single_one_have_an_interval_without_width() -> None:
    for values in (np.full(10, 0.25), np.array([0.25])):
        interval = bootstrap_interval(values)
        assert (interval.low, interval.high) == (0.25, 0.25)


def test_what_has_no_interval_is_refused() -> None:
    with pytest.raises(InputError, match="at least one value"):
        bootstrap_interval(np.array([]))
    with pytest.raises(InputError, match="finite"):
        bootstrap_interval(np.array([0.1, np.nan]))
    for confidence, draws in ((0.0, 10), (1.0, 10), (0.95, 0)):
        with pytest.raises(InputError, match="a confidence between 0 and 1"):
            bootstrap_interval(np.array([0.1]), confidence=confidence, draws=draws)
