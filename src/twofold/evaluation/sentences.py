"""Semantic textual similarity: do an encoder's scores of sentence pairs follow human ones?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

import numpy as np

from twofold.encoding import checked_encoder, encoded_to_compare
from twofold.errors import InputError
from twofold.evaluation.correlations import pearson, pearson_interval, spearman, spearman_interval
from twofold.protocols import Encoder
from twofold.reports import EncodingReport
from twofold.scores import dense_scores
from twofold.tables import Column, Estimate, Table

PAIRS_AT_ONCE = 1000
JudgedPair = tuple[str, str, float]
"""Two sentences, and their similarity as judged by humans."""


@dataclass(frozen=True, slots=True)
class SentenceEvaluation:
    """Correlations of an encoder's scores with human ones, times 100 as the field prints them, and their intervals."""

    spearman: Estimate
    pearson: Estimate
    pairs: int

    def table(self, title: str = "Sentence similarity") -> Table:
        """One row: both correlations and the number of pairs."""
        columns = (Column("spearman", "×100", digits=2), Column("pearson", "×100", digits=2), Column("pairs"))
        notes = ("correlation of the scores with people's; 95 % bootstrap intervals over pairs",)
        return Table(title, columns, ((self.spearman, self.pearson, self.pairs),), notes)

    def to_json(self) -> dict[str, Any]:
        """Each correlation with its interval, and the number of pairs."""
        return asdict(self)


def evaluate_sentences(
    encoder: Encoder, pairs: Iterable[JudgedPair], *, report: EncodingReport | None = None
) -> SentenceEvaluation:
    """Spearman's and Pearson's correlation of an encoder's scores with human ones (Agirre et al. 2012, Cer et al.
    2017).

    Both sentences are encoded as queries: neither is a document, and models with prompts ask for the query's in
    symmetric tasks. A score is the encoder's own similarity. report: counts what was cut. Raises InputError for fewer
    than two pairs, and where all scores of one side are equal.
    """
    scores: list[float] = []
    judgements: list[float] = []
    stream, encoder = iter(pairs), checked_encoder(encoder)
    while block := list(islice(stream, PAIRS_AT_ONCE)):
        scores += _scores(encoder, block, report)
        judgements += [judgement for _, _, judgement in block]
    if len(scores) < 2:
        raise InputError(f"a correlation needs at least two pairs, not {len(scores)}")
    ours, theirs = np.array(scores, dtype=np.float64), np.array(judgements, dtype=np.float64)
    by_rank, by_value = spearman_interval(ours, theirs), pearson_interval(ours, theirs)
    return SentenceEvaluation(
        _hundredfold(spearman(ours, theirs), by_rank.low, by_rank.high),
        _hundredfold(pearson(ours, theirs), by_value.low, by_value.high),
        len(scores),
    )


def _scores(encoder: Encoder, pairs: list[JudgedPair], report: EncodingReport | None) -> list[float]:
    first = encoded_to_compare(encoder, "query", [pair[0] for pair in pairs], report)
    second = encoded_to_compare(encoder, "query", [pair[1] for pair in pairs], report)
    return [float(dense_scores(one, other[None])[0]) for one, other in zip(first, second, strict=True)]


def _hundredfold(value: float, low: float, high: float) -> Estimate:
    # With few pairs the percentiles of the resamples need not enclose what the pairs themselves gave.
    return Estimate(100 * value, 100 * min(low, value), 100 * max(high, value))
