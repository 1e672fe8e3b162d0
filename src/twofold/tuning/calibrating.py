"""The calibration of relevance to a collection, from judged questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from twofold.searching.relevance import NEAREST, Calibration
from twofold.tuning.logistic import fitted

TOP = 10
"""Hits of each question whose relevance is compared with the judgements."""
RELUCTANCE = 10.0
"""The penalty for a calibration's distance from none, in observations: few questions change little."""
FLATTEST = 0.1
"""No slope is smaller: a slope below 0 would turn the order of relevance."""


def calibrated(hits: Sequence[Mapping[str, float]], judgements: Sequence[Mapping[str, int]]) -> Calibration:
    """What makes relevance agree with judgements; a document that is not judged counts as not relevant.

    hits: of each question the relevance of its first documents by id, not calibrated. judgements: of each question, in
    the same order. Source: Platt, Advances in Large Margin Classifiers, 1999.
    """
    pairs = [
        (relevance, judged.get(document, 0) > 0)
        for found, judged in zip(hits, judgements, strict=True)
        for document, relevance in found.items()
    ]
    if not pairs:
        return Calibration()
    said, truths = np.array(pairs, np.float64).T
    said = np.clip(said, NEAREST, 1 - NEAREST)  # a sigmoid in float32 may be 1
    logits = np.log(said) - np.log1p(-said)
    features, none = np.stack([np.ones(len(said)), logits], axis=1), np.array([0.0, 1.0])
    shift, slope = fitted(features, truths, ridge=RELUCTANCE, around=none).tolist()
    return Calibration(slope=max(slope, FLATTEST), shift=shift)
