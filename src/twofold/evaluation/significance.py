"""Whether a difference over queries is more than chance: paired tests, effect size, correction, power.

Every function takes differences, float64 (queries,): one system's value minus the other's, one a query.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Differences = NDArray[np.float64]
"""float64 (queries,): a system's value minus the baseline's, query by query."""

DRAWS = 100_000
ALPHA = 0.05
POWER = 0.8  # Cohen 1988: a study that would miss more than one true effect in five is too small
ROUNDING = 1e-12
BATCH_NUMBERS = 1 << 20
"""Numbers drawn at once (8 MiB as float64), so that memory does not grow with queries times draws."""


def randomization_p(differences: Differences, *, draws: int = DRAWS, seed: int = 0) -> float:
    """How often chance alone moves the mean as far as this: the two-sided paired randomisation test (Fisher 1935).

    Under the null hypothesis the two systems could be exchanged at each query, so every sign is as good as the other.
    All ways are counted where there are at most `draws` of them, else `draws` random ones, and the observed one with
    them, so that no p is 0 (Phipson & Smyth 2010); twice the smaller tail, as scipy has it. Recommended for retrieval
    by Smucker, Allan & Carterette 2007.
    """
    moved = differences[differences != 0]
    if len(moved) < 2:  # either sign of one difference is as far out as the other
        return 1.0
    found = stats.permutation_test(
        (moved,),
        np.sum,
        permutation_type="samples",
        n_resamples=draws,
        batch=max(1, BATCH_NUMBERS // len(moved)),
        rng=np.random.default_rng(seed),
    )
    return float(found.pvalue)


def t_test_p(differences: Differences) -> float:
    """The two-sided p of Student's paired t test; at least two queries."""
    mean, error = float(differences.mean()), standard_error(differences)
    if error <= ROUNDING * abs(mean):
        return 1.0 if mean == 0 else 0.0
    return float(stats.ttest_1samp(differences, 0.0).pvalue)


def effect_size(differences: Differences) -> float | None:
    """Cohen's d for pairs: the mean difference in standard deviations of the differences; None where they are 0."""
    mean, spread = float(differences.mean()), float(differences.std(ddof=1))
    if spread <= ROUNDING * abs(mean):
        return 0.0 if mean == 0 else None
    return mean / spread


def smallest_difference(differences: Differences, *, alpha: float = ALPHA, power: float = POWER) -> float:
    """The true mean difference that a paired t test over so many queries would find with this power.

    From the spread that was seen and the quantiles of t (the usual approximation of the noncentral t). A difference
    below it may be real and still not show: "not significant" says little then.
    """
    degrees = len(differences) - 1
    quantiles = stats.t.ppf(1 - alpha / 2, degrees) + stats.t.ppf(power, degrees)
    return float(quantiles * standard_error(differences))


def standard_error(differences: Differences) -> float:
    """The standard error of the mean: the standard deviation over the root of the count."""
    return float(differences.std(ddof=1)) / math.sqrt(len(differences))


def holm(values: Sequence[float]) -> list[float]:
    """The p values corrected for their number, so that one false alarm among all stays as rare (Holm 1979)."""
    corrected, highest = [0.0] * len(values), 0.0
    for rank, place in enumerate(sorted(range(len(values)), key=lambda place: values[place])):
        highest = max(highest, min(1.0, (len(values) - rank) * values[place]))
        corrected[place] = highest
    return corrected
