"""Cross-encoders for comparison: the cost and the quality of reading query and passage together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from twofold.collection.opening import create
from twofold.evaluation.evaluating import evaluate_run
from twofold.progress import Progress, silent
from twofold.protocols import Encoder, PairRanker
from twofold.readers.beir import read_beir
from twofold.scores import Scores
from twofold.tables import Cell, Column, Estimate, Table

FIRST, MEASURE, SEED = 100, "nDCG@10", 0


class RandomHead:
    """An encoder over query and passage joined, and a random direction for a score: its cost is real, its scores are
    meaningless.
    """

    name = "the encoder's own architecture with a random head, no cross-encoder"

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._head = np.random.default_rng(SEED).standard_normal(encoder.contract.dimension).astype(np.float32)

    def scores(self, query: str, texts: Sequence[str]) -> Scores:
        """See `protocols.Ranker`; the numbers mean nothing."""
        return self.pair_scores([(query, text) for text in texts])

    def pair_scores(self, pairs: Sequence[tuple[str, str]]) -> Scores:
        """See `protocols.PairRanker`; the numbers mean nothing."""
        scores: Scores = self._encoder.encode_documents([f"{query} {text}" for query, text in pairs]) @ self._head
        return scores


def quality(folder: Path, encoder: Encoder, ranker: PairRanker | None, progress: Progress = silent) -> Table:
    """nDCG@10 of two towers on a judged collection, and of a cross-encoder that reranks their first 100."""
    judged = read_beir(folder, "test")
    what = "their first 100 ordered by"
    with create(None, encoder) as collection:
        collection.add(judged.documents(), progress=progress)
        run = collection.run(judged.queries, depth=FIRST, mode="dense")
        rows: list[tuple[Cell, ...]] = [("two towers", _quality(run, judged.qrels))]
        if ranker is None:
            rows.append((f"{what} a cross-encoder", "not measured: name one with --cross-encoder"))
        else:
            anew = collection.run(judged.queries, depth=FIRST, mode="dense", ranker=ranker, rerank_depth=FIRST)
            rows.append((f"{what} {ranker.name}", _quality(anew, judged.qrels)))
    return Table(f"Quality on {judged.name}, {judged.split}", (Column("what"), Column(MEASURE, digits=4)), tuple(rows))


def _quality(run: dict[str, dict[str, float]], qrels: dict[str, dict[str, int]]) -> Estimate:
    measured = evaluate_run(run, qrels, measures=[MEASURE])[MEASURE]
    return Estimate(measured.mean, measured.low, measured.high)
