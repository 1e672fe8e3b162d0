"""Intervals of shares, beside figures that Wilson's formula gives by hand."""

from __future__ import annotations

import pytest

from twofold.evaluation.shares import share_interval


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [(1, 1, 0.2065, 1.0), (0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (30, 100, 0.2189, 0.3958), (0, 0, 0.0, 1.0)],
)
def test_a_share_has_the_interval_of_wilson(count: int, of: int, low: float, high: float) -> None:
    found = share_interval(count, of)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-4)


def test_a_higher_level_is_wider() -> None:
    narrow, wide = share_interval(3, 10), share_interval(3, 10, confidence=0.99)
    assert wide.low < narrow.low < 0.3 < narrow.high < wide.high
