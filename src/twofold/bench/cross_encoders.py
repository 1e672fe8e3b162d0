"""Cross-encoders for comparison: the cost and the quality of reading query and passage together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from twofold.collection.opening import create
from twofold.documents import titled
from twofold.errors import MissingExtraError, ModelError
from twofold.evaluation.evaluating import evaluate_run
from twofold.progress import Progress, silent
from twofold.protocols import Encoder
from twofold.readers.beir import read_beir
from twofold.scores import Scores
from twofold.tables import Cell, Column, Estimate, Table

BATCH, FIRST, MEASURE, SEED = 32, 100, "nDCG@10", 0


class PairScorer(Protocol):
    """Reads pairs of query and passage."""

    @property
    def name(self) -> str:
        """What tables call it."""

    def scores(self, pairs: Sequence[tuple[str, str]]) -> Scores:
        """float32 (n,): higher is better."""


class RandomHead:
    """An encoder over query and passage joined, and a random direction for a score: its cost is real, its scores are
    meaningless.
    """

    name = "the encoder's own architecture with a random head, no cross-encoder"

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._head = np.random.default_rng(SEED).standard_normal(encoder.contract.dimension).astype(np.float32)

    def scores(self, pairs: Sequence[tuple[str, str]]) -> Scores:
        """See PairScorer; the numbers mean nothing."""
        scores: Scores = self._encoder.encode_documents([f"{query} {text}" for query, text in pairs]) @ self._head
        return scores


class FolderScorer:
    """A cross-encoder of sentence-transformers, on torch."""

    def __init__(self, folder: Path) -> None:
        try:
            from sentence_transformers import CrossEncoder
        except ImportError as error:
            raise MissingExtraError("sentence-transformers", "bench") from error
        try:
            self._model = CrossEncoder(str(folder), device="cpu", local_files_only=True)
        except (OSError, ValueError) as error:
            raise ModelError(f"{folder} is no cross-encoder that can be loaded: {error}") from error
        self.name = f"the cross-encoder {folder.name}, on torch"

    def scores(self, pairs: Sequence[tuple[str, str]]) -> Scores:
        """See PairScorer."""
        return np.asarray(self._model.predict(list(pairs), batch_size=BATCH, show_progress_bar=False), np.float32)


def quality(folder: Path, encoder: Encoder, scorer: PairScorer | None, progress: Progress = silent) -> Table:
    """nDCG@10 of two towers on a judged collection, and of a cross-encoder that reranks their first 100."""
    judged = read_beir(folder, "test")
    with create(None, encoder) as collection:
        collection.add(judged.documents(), progress=progress)
        run = collection.run(judged.queries, depth=FIRST, mode="dense")
        texts = {} if scorer is None else {each.id: titled(each.title, each.text) for each in collection}
    rows: list[tuple[Cell, ...]] = [("two towers", _measured(run, judged.qrels))]
    if scorer is None:
        rows.append(("their first 100 ordered by a cross-encoder", "not measured: name one with --cross-encoder"))
    else:
        anew = {}
        for query, found in run.items():
            ids = list(found)
            scores = scorer.scores([(judged.queries[query], texts[each]) for each in ids])
            anew[query] = dict(zip(ids, scores.tolist(), strict=True))
        rows.append((f"their first 100 ordered by {scorer.name}", _measured(anew, judged.qrels)))
    return Table(f"Quality on {judged.name}, {judged.split}", (Column("what"), Column(MEASURE, digits=4)), tuple(rows))


def _measured(run: dict[str, dict[str, float]], qrels: dict[str, dict[str, int]]) -> Estimate:
    measured = evaluate_run(run, qrels, measures=[MEASURE])[MEASURE]
    return Estimate(measured.mean, measured.low, measured.high)
