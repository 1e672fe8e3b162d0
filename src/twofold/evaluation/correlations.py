"""How well scores follow judgements: Pearson's and Spearman's correlations with bootstrap intervals over pairs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from twofold.errors import InputError
from twofold.evaluation.intervals import CONFIDENCE, DRAWS, SEED, Interval

Numbers = NDArray[np.float64]
BLOCK_NUMBERS = 1 << 21
"""Counts drawn at once (16 MiB), so that memory does not grow with pairs times draws."""


def pearson(first: Numbers, second: Numbers) -> float:
    """Pearson's r of two rows of numbers, float64 (n,) each. Raises InputError where one of them is constant."""
    return _all(first, second, _values)


def spearman(first: Numbers, second: Numbers) -> float:
    """Spearman's rank correlation, equal values by their mean rank. Raises InputError where one of them is constant."""
    return _all(first, second, _mean_ranks)


def pearson_interval(first: Numbers, second: Numbers, *, seed: int = SEED) -> Interval:
    """The 95 % percentile bootstrap interval of Pearson's r over pairs (Efron 1979); see `intervals`."""
    return _interval(first, second, _values, seed)


def spearman_interval(first: Numbers, second: Numbers, *, seed: int = SEED) -> Interval:
    """The same of Spearman's: every resample is ranked anew."""
    return _interval(first, second, _mean_ranks, seed)


Scale = Callable[[Numbers], Callable[[Numbers], Numbers]]
"""Numbers, float64 (n,) → how often each was drawn, (draws, n) → what each stands for in that draw, (draws, n)."""


def _values(numbers: Numbers) -> Callable[[Numbers], Numbers]:
    return lambda counts: np.broadcast_to(numbers, counts.shape)


def _mean_ranks(numbers: Numbers) -> Callable[[Numbers], Numbers]:
    """A value drawn several times is so many equal values: no draw needs sorting, only the sorted groups' counts."""
    _, group = np.unique(numbers, return_inverse=True)
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))

    def ranks(counts: Numbers) -> Numbers:
        of_group = np.add.reduceat(counts[:, order], starts, axis=1)
        middle = np.cumsum(of_group, axis=1) - (of_group - 1) / 2
        ranked: Numbers = middle[:, group]
        return ranked

    return ranks


def _correlation(first: Numbers, second: Numbers, counts: Numbers) -> Numbers:
    """Weighted Pearson's r, line by line: all (draws, n) → (draws,); NaN where a line is constant."""
    total = counts.sum(axis=1, keepdims=True)
    first = first - (counts * first).sum(axis=1, keepdims=True) / total
    second = second - (counts * second).sum(axis=1, keepdims=True) / total
    spread = (counts * first**2).sum(axis=1) * (counts * second**2).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Numbers = (counts * first * second).sum(axis=1) / np.sqrt(spread)
    return found


def _all(first: Numbers, second: Numbers, scale: Scale) -> float:
    _check(first, second)
    once = np.ones((1, len(first)))
    return float(np.clip(_correlation(scale(first)(once), scale(second)(once), once)[0], -1, 1))


def _interval(first: Numbers, second: Numbers, scale: Scale, seed: int) -> Interval:
    _check(first, second)
    count = len(first)
    of_first, of_second = scale(first), scale(second)
    generator = np.random.default_rng(seed)
    block = max(1, BLOCK_NUMBERS // count)
    found = np.empty(DRAWS)
    for start in range(0, DRAWS, block):
        drawn = generator.integers(0, count, size=(min(block, DRAWS - start), count))
        places = drawn + count * np.arange(len(drawn))[:, None]
        counts = np.bincount(places.ravel(), minlength=drawn.size).reshape(drawn.shape).astype(np.float64)
        found[start : start + block] = _correlation(of_first(counts), of_second(counts), counts)
    low, high = np.nanquantile(
        found, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]
    )  # a resample of one value has no correlation
    return Interval(float(low), float(high))


def _check(first: Numbers, second: Numbers) -> None:
    if len(first) != len(second):
        raise InputError(f"a correlation needs two values a pair, not {len(first)} and {len(second)}")
    if len(first) < 2 or not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise InputError("a correlation needs at least two pairs, all values finite")
    if (first == first[0]).all() or (second == second[0]).all():
        raise InputError("a correlation needs values that differ; all of one side are equal")
