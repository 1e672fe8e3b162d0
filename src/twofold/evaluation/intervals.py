"""Bootstrap intervals of means over queries."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twofold.errors import InputError

DRAWS = 10_000
CONFIDENCE = 0.95
SEED = 0
BLOCK_NUMBERS = 1 << 22
"""Numbers drawn at once (32 MiB), so that memory does not grow with the number of queries times draws."""


@dataclass(frozen=True, slots=True)
class Interval:
    """From low to high."""

    low: float
    high: float


def bootstrap_interval(
    values: NDArray[np.float64], *, confidence: float = CONFIDENCE, draws: int = DRAWS, seed: int = SEED
) -> Interval:
    """The interval that holds `confidence` of the means of resampled queries (Efron's percentile bootstrap, 1979).

    values: float64 (queries,), one a query. Queries are drawn with replacement, `draws` times; the same seed and
    number of queries draw the same queries, whatever the values. Raises InputError without values, for NaN, and for a
    confidence outside 0 to 1.
    """
    if not 0 < confidence < 1 or draws < 1:
        raise InputError(
            f"an interval needs a confidence between 0 and 1 and at least one draw, not {confidence} and {draws}"
        )
    if len(values) == 0 or not np.isfinite(values).all():
        raise InputError("an interval needs at least one value, all of them finite")
    low, high = np.quantile(bootstrap_means(values, draws, seed), [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(low), float(high))


def bootstrap_means(values: NDArray[np.float64], draws: int, seed: int) -> NDArray[np.float64]:
    """float64 (draws,): the mean of each resampling of the queries. values: float64 (queries,), at least one."""
    generator = np.random.default_rng(seed)
    count = len(values)
    block = max(1, BLOCK_NUMBERS // count)
    means = np.empty(draws, dtype=np.float64)
    for start in range(0, draws, block):
        chosen = generator.integers(0, count, size=(min(block, draws - start), count))
        means[start : start + block] = values[chosen].mean(axis=1)
    return means
