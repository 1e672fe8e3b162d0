"""Whether a difference over queries is more than chance: paired tests, effect size, correction, power.

Every function takes differences, float64 (queries,): one system's value minus the other's, one a query.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import special

Differences = NDArray[np.float64]
"""float64 (queries,): a system's value minus the baseline's, query by query."""

DRAWS = 100_000
LEVEL = 0.05
POWER = 0.8  # Cohen 1988: a study that would miss more than one true effect in five is too small
ROUNDING = 1e-12
BLOCK_NUMBERS = 1 << 22
"""Signs drawn at once (32 MiB as float64), so that memory does not grow with queries times draws."""


def randomization_p(differences: Differences, *, draws: int = DRAWS, seed: int = 0) -> float:
    """How often chance alone moves the mean as far as this: the two-sided paired randomisation test (Fisher 1935).

    Under the null hypothesis the two systems could be exchanged at each query, so every sign is as good as the other.
    All ways are counted where there are at most `draws` of them, else `draws` random ones, and the observed one with
    them, so that no p is 0 (Phipson & Smyth 2010). Recommended for retrieval by Smucker, Allan & Carterette 2007.
    """
    moved = differences[differences != 0]
    observed = abs(moved.sum()) - ROUNDING * np.abs(moved).sum()
    if len(moved) < 63 and 1 << len(moved) <= draws:
        return float(np.mean(np.abs(_signs(np.arange(1 << len(moved)), len(moved)) @ moved) >= observed))
    generator = np.random.default_rng(seed)
    block = max(1, BLOCK_NUMBERS // len(moved))
    extreme = 0
    for start in range(0, draws, block):
        signs = generator.choice(np.array([-1.0, 1.0]), size=(min(block, draws - start), len(moved)))
        extreme += int(np.count_nonzero(np.abs(signs @ moved) >= observed))
    return (extreme + 1) / (draws + 1)


def t_test_p(differences: Differences) -> float:
    """The two-sided p of Student's paired t test; at least two queries."""
    mean, error = float(differences.mean()), standard_error(differences)
    if error <= ROUNDING * abs(mean):
        return 1.0 if mean == 0 else 0.0
    return float(2 * special.stdtr(len(differences) - 1, -abs(mean) / error))


def effect_size(differences: Differences) -> float | None:
    """Cohen's d for pairs: the mean difference in standard deviations of the differences; None where they are 0."""
    mean, spread = float(differences.mean()), float(differences.std(ddof=1))
    if spread <= ROUNDING * abs(mean):
        return 0.0 if mean == 0 else None
    return mean / spread


def smallest_difference(differences: Differences, *, level: float = LEVEL, power: float = POWER) -> float:
    """The true mean difference that a paired t test over so many queries would find with this power.

    From the spread that was seen and the quantiles of t (the usual approximation of the noncentral t). A difference
    below it may be real and still not show: "not significant" says little then.
    """
    degrees = len(differences) - 1
    quantiles = special.stdtrit(degrees, 1 - level / 2) + special.stdtrit(degrees, power)
    return float(quantiles * standard_error(differences))


def standard_error(differences: Differences) -> float:
    """How far the mean strays from sample to sample: the standard deviation over the root of the count."""
    return float(differences.std(ddof=1)) / math.sqrt(len(differences))


def holm(values: Sequence[float]) -> list[float]:
    """The p values corrected for their number, so that one false alarm among all stays as rare (Holm 1979)."""
    corrected, highest = [0.0] * len(values), 0.0
    for rank, place in enumerate(sorted(range(len(values)), key=lambda place: values[place])):
        highest = max(highest, min(1.0, (len(values) - rank) * values[place]))
        corrected[place] = highest
    return corrected


def _signs(numbers: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    bits = (numbers[:, None] >> np.arange(count)) & 1
    signs: Differences = bits.astype(np.float64) * 2 - 1
    return signs
