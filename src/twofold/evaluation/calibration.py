"""Whether probabilities mean what they say: calibration, and how well two groups are told apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twofold.errors import InputError

BINS = 10
Floats = NDArray[np.float64]
"""float64 (n,)."""


def calibration_error(probabilities: Floats, truths: Floats, *, bins: int = BINS) -> float:
    """The expected calibration error: |mean probability - share of truths| of each bin, weighted by its size.

    probabilities: float (n,), from 0 to 1; truths: (n,), 0 or 1. bins: of equal width. Source: Naeini et al., AAAI
    2015. Raises InputError for none.
    """
    if not len(probabilities):
        raise InputError("the calibration of no probabilities is not defined")
    places = np.minimum((np.asarray(probabilities) * bins).astype(np.int64), bins - 1)
    off = np.bincount(places, weights=np.asarray(probabilities) - np.asarray(truths), minlength=bins)
    return float(np.abs(off).sum() / len(probabilities))


def area_under_curve(positive: Floats, negative: Floats) -> float:
    """The area under the ROC curve: the share of pairs in which the positive one is greater, equal ones by half.

    positive, negative: float (n,) and (m,). Source: Hanley and McNeil, Radiology 1982. Raises InputError where either
    is empty.
    """
    if not len(positive) or not len(negative):
        raise InputError("the area under the curve needs values of both kinds")
    ordered = np.sort(np.asarray(negative))
    below = np.searchsorted(ordered, positive, side="left") + np.searchsorted(ordered, positive, side="right")
    return float(below.sum() / (2 * len(positive) * len(negative)))
