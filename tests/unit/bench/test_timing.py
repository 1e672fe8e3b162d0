"""Timing takes turns, and quotes what it saw."""

from __future__ import annotations

import numpy as np

from twofold.bench.timing import alternating, latencies, percentiles, seconds, spread
from twofold.tables import Estimate


def test_contenders_warm_up_and_then_take_turns_forwards_and_backwards() -> None:
    calls: list[str] = []
    taken = alternating({name: lambda name=name: calls.append(name) for name in "abc"}, 3)  # type: ignore[misc]
    assert "".join(calls) == "abc" + "abc" + "cba" + "abc"
    assert {name: len(values) for name, values in taken.items()} == {"a": 3, "b": 3, "c": 3}
    assert all((values >= 0).all() for values in taken.values())


def test_a_contender_takes_all_of_its_items_in_its_turn() -> None:
    calls: list[str] = []
    taken = latencies({"a": (calls.append, "xy"), "b": (calls.append, "123")}, 2)
    assert "".join(calls) == "xy123" + "xy123" + "123xy"
    assert {name: len(values) for name, values in taken.items()} == {"a": 4, "b": 6}


def test_a_call_takes_the_time_that_passes() -> None:
    assert 0 <= seconds(lambda: None) < seconds(lambda: sum(range(1_000_000)))


def test_the_spread_is_the_median_between_lowest_and_highest() -> None:
    assert spread(np.array([5.0, 1.0, 2.0])) == Estimate(2.0, 1.0, 5.0)


def test_percentiles_are_in_milliseconds() -> None:
    assert percentiles(np.arange(101) / 1000) == (50.0, 95.0, 99.0)
