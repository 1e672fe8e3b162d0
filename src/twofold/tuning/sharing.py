"""The weight of lexical scores in a collection (`Fusion.share`), learned from judged questions.

With few judgements the best share is partly chance. So a share that is twice or half the default must be better by
`RELUCTANCE`, and the learned share is evaluated on questions that did not choose it (cross-validation).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twofold.errors import InputError
from twofold.evaluation.intervals import bootstrap_interval
from twofold.evaluation.measures import measure_values, parse_measure
from twofold.rankings import Qrels, Run
from twofold.scores import order
from twofold.searching.candidate_scores import CandidateScores
from twofold.searching.fusion import SHARE, Fusion

MEASURE = "nDCG@10"
TOP = 10
SHARES = (0.0, 0.02, 0.05, 0.07, 0.1, 0.14, 0.18, 0.23, 0.28, 0.34, SHARE, 0.5, 0.6, 0.7, 0.85, 1.0, 1.4, 2.0, 5.0)
"""From dense search alone to nearly lexical search alone; the default is one of them."""
RELUCTANCE = 0.057
"""nDCG by which a share twice or half the default must be better, over the square root of the number of questions:
.008 for 50. Chosen by 200 draws of 50 questions on seven collections (docs/hybrid.md)."""
NOTHING = 0.045
"""Added to both shares before they are compared, so that a share of 0 is some doublings away and not endlessly many."""
FOLDS, SEED = 5, 0
FEWEST = 10


@dataclass(frozen=True, slots=True)
class JudgedQuery:
    """One judged question: its candidates' ids, in order of number, and their dense and lexical scores."""

    ids: Sequence[str]
    sides: CandidateScores


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """A share and its evidence; all values are nDCG@10.

    tried: (share, its mean over all questions). questions: how many. held_out: the mean over questions that did not
    choose (five folds); default: that of the label-free share; dense: that of dense search alone. gain, low, high:
    held_out over default, with the 95 % interval of the difference.
    """

    share: float
    questions: int
    held_out: float
    default: float
    dense: float
    gain: float
    low: float
    high: float
    tried: tuple[tuple[float, float], ...]

    def to_json(self) -> dict[str, Any]:
        """The evidence as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Learned:
        """The evidence that `to_json` wrote."""
        tried = tuple((float(share), float(value)) for share, value in values["tried"])
        return cls(**{**values, "tried": tried})


def learned_share(asked: Mapping[str, JudgedQuery], qrels: Qrels, fusion: Fusion) -> Learned:
    """The best share for judged questions, if it is better than the default by enough for their number.

    asked: by query id, those with a positive judgement. The choice does not depend on their order or names. Raises
    InputError for fewer than 10 questions.
    """
    if len(asked) < FEWEST:
        raise InputError(f"{len(asked)} judged questions are too few to learn the mixing; give {FEWEST} at least")
    values = _values(asked, qrels, fusion)
    default, dense = values[:, SHARES.index(SHARE)], values[:, 0]
    held_out = _held_out(values)
    interval = bootstrap_interval(held_out - default)
    return Learned(
        share=SHARES[_chosen(values)],
        questions=len(asked),
        held_out=float(held_out.mean()),
        default=float(default.mean()),
        dense=float(dense.mean()),
        gain=float((held_out - default).mean()),
        low=interval.low,
        high=interval.high,
        tried=tuple(zip(SHARES, values.mean(axis=0).tolist(), strict=True)),
    )


def held_out_shares(asked: Mapping[str, JudgedQuery], qrels: Qrels, fusion: Fusion) -> dict[str, float]:
    """By query id, the share that `learned_share` chooses for it by the other folds: it was not chosen by the query."""
    places = _chosen_elsewhere(_values(asked, qrels, fusion)).tolist()
    return {query: SHARES[place] for query, place in zip(asked, places, strict=True)}


def _values(asked: Mapping[str, JudgedQuery], qrels: Qrels, fusion: Fusion) -> NDArray[np.float64]:
    """float64 (questions, shares): the value of each question by each share."""
    measure, queries = parse_measure(MEASURE), list(asked)
    columns = []
    for share in SHARES:
        mixing = replace(fusion, share=share)
        run: Run = {query: _first(each, mixing) for query, each in asked.items()}
        columns.append(measure_values([measure], run, qrels, queries)[measure.name])
    return np.stack(columns, axis=1)


def _first(asked: JudgedQuery, fusion: Fusion) -> dict[str, float]:
    scores = asked.sides.fused(fusion).scores
    return {asked.ids[place]: float(scores[place]) for place in order(scores, asked.ids)[:TOP].tolist()}


def _chosen(values: NDArray[np.float64]) -> int:
    """The position of the best share for these questions, the default's neighbourhood preferred."""
    doublings = np.abs(np.log2((np.array(SHARES) + NOTHING) / (SHARE + NOTHING)))
    return int(np.argmax(values.mean(axis=0) - RELUCTANCE / len(values) ** 0.5 * doublings))


def _held_out(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """float64 (questions,): each question's value by the share that the other folds choose."""
    held_out: NDArray[np.float64] = values[np.arange(len(values)), _chosen_elsewhere(values)]
    return held_out


def _chosen_elsewhere(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """int64 (questions,): of each question the position of the share that the other folds choose."""
    folds, places = folds_of(values), np.empty(len(values), np.int64)
    for fold in range(FOLDS):
        inside = folds == fold
        places[inside] = _chosen(values[~inside])
    return places


def folds_of(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """int64 (questions,): the fold of each question, from its values alone, so that neither order nor names decide.

    values: float64 (questions, anything).
    """
    folds = np.empty(len(values), np.int64)
    folds[np.lexsort(values.T)] = np.arange(len(values)) % FOLDS
    return folds
