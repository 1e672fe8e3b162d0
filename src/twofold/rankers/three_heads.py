"""The ranker by BGE-M3's three heads: the weighted mean of a dense, a sparse and a multi-vector score."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from twofold.encoders.three_heads import ThreeHeadEncoder, TokenWeights
from twofold.errors import InputError
from twofold.maxsim import maxsim
from twofold.models.devices import CPU
from twofold.rankers.pairs import PairsByQuery, pairs_of
from twofold.reports import EncodingReport
from twofold.scores import Scores, dense_scores

EQUAL = (1.0, 1.0, 1.0)
"""Of dense, sparse and multi-vector score: what FlagEmbedding 1.4 takes in `compute_score` where nothing is given."""


class HeadScores(NamedTuple):
    """The scores of pairs, each float32 (n,). dense: cosines. sparse: products of the weights of shared tokens, summed;
    0 or more. multi: MaxSim, between -1 and 1.
    """

    dense: Scores
    sparse: Scores
    multi: Scores


class ThreeHeads:
    """Scores a query and texts by the weighted mean of what three heads say; each text is encoded once for all.

    A score has the same bits in every call. A text that is too long is cut at its end and counted in the report.
    """

    def __init__(self, encoder: ThreeHeadEncoder, weights: Sequence[float] = EQUAL) -> None:
        self._encoder = encoder
        self._weights = _checked(weights)

    def __repr__(self) -> str:
        return f"<ThreeHeads {self._encoder!r}, weights {self._weights}>"

    @property
    def name(self) -> str:
        """The model's hub name, or the name of its folder; `hit.explain()` shows the score under it."""
        return self._encoder.name

    @property
    def encoder(self) -> ThreeHeadEncoder:
        """What makes the numbers."""
        return self._encoder

    @property
    def weights(self) -> tuple[float, float, float]:
        """Of the dense, the sparse and the multi-vector score."""
        return self._weights

    def scores(self, query: str, texts: Sequence[str], *, report: EncodingReport | None = None) -> Scores:
        """float32 (n,): the score of each text for the query; higher is better. report: counts what was cut."""
        return self.pair_scores(pairs_of(query, texts), report=report)

    def pair_scores(self, pairs: Sequence[tuple[str, str]], *, report: EncodingReport | None = None) -> Scores:
        """float32 (n,): the score of each (query, text), the same as `scores` gives."""
        each = self.head_scores(pairs, report=report)
        summed = sum(weight * scores.astype(np.float64) for weight, scores in zip(self._weights, each, strict=True))
        return np.asarray(summed / math.fsum(self._weights), dtype=np.float32)

    def head_scores(self, pairs: Sequence[tuple[str, str]], *, report: EncodingReport | None = None) -> HeadScores:
        """What each head says of each (query, text)."""
        sorted_pairs = PairsByQuery.of(pairs)
        asked = self._encoder.encode_queries(sorted_pairs.queries, report=report)
        stored = self._encoder.encode_documents(sorted_pairs.texts, report=report)
        found = HeadScores(*(np.empty(len(pairs), dtype=np.float32) for _ in HeadScores._fields))
        of_queries = zip(asked.dense, asked.sparse, asked.tokens, sorted_pairs.of_query, strict=True)
        for dense, sparse, tokens, (positions, texts) in of_queries:
            found.dense[positions] = dense_scores(dense, stored.dense[texts])
            found.sparse[positions] = [_shared(sparse, stored.sparse[text]) for text in texts.tolist()]
            found.multi[positions] = maxsim(tokens, stored.tokens.of(texts))
        return found


def load_three_heads(
    name: str | Path,
    *,
    weights: Sequence[float] = EQUAL,
    precision: str = "auto",
    threads: int | None = None,
    device: str = CPU,
) -> ThreeHeads:
    """A ranker by the three heads of BGE-M3: a folder or hub name of it, or of a model that was trained from it.

    weights: of the dense, the sparse and the multi-vector score, whose mean is the score. precision: "auto" is bf16
    where the processor has it, else f32. threads: None takes all cores. device: where it runs, as `load_encoder` has
    it. Raises ModelError for a model that cannot be used, InputError for invalid arguments.
    """
    checked = _checked(weights)
    return ThreeHeads(ThreeHeadEncoder(name, precision=precision, threads=threads, device=device), checked)


def _checked(weights: Sequence[float]) -> tuple[float, float, float]:
    numbers = [each for each in weights if isinstance(each, int | float) and not isinstance(each, bool)]
    right = len(numbers) == len(weights) == len(HeadScores._fields)
    if not right or not all(math.isfinite(each) and each >= 0 for each in numbers) or not sum(numbers):
        raise InputError(
            "weights are three numbers of at least 0, for the dense, the sparse and the multi-vector score, and not "
            f"all of them 0; {weights!r} are not"
        )
    dense, sparse, multi = map(float, numbers)
    return dense, sparse, multi


def _shared(query: TokenWeights, text: TokenWeights) -> float:
    """The sum of the products of the weights of the tokens that both have."""
    _, ours, theirs = np.intersect1d(query.tokens, text.tokens, assume_unique=True, return_indices=True)
    return float((query.weights[ours].astype(np.float64) * text.weights[theirs]).sum())
