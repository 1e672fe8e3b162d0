"""The ranker that compares the vectors of a query's tokens with those of each text's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from twofold.encoders.token_vectors import TokenEncoder, load_token_encoder
from twofold.maxsim import maxsim
from twofold.models.devices import CPU
from twofold.rankers.pairs import PairsByQuery, pairs_of
from twofold.reports import EncodingReport
from twofold.scores import Scores


class LateInteraction:
    """Scores a query and texts by MaxSim over the vectors of their tokens; the texts are encoded as they come.

    A score is that of `maxsim`, between -1 and 1 for vectors of unit length. A text that is too long is cut at its end
    and counted in the report.
    """

    def __init__(self, encoder: TokenEncoder) -> None:
        self._encoder = encoder

    def __repr__(self) -> str:
        return f"<LateInteraction {self._encoder!r}>"

    @property
    def name(self) -> str:
        """The model's hub name, or the name of its folder; `hit.explain()` shows the score under it."""
        return self._encoder.name

    @property
    def encoder(self) -> TokenEncoder:
        """What makes the vectors."""
        return self._encoder

    def scores(self, query: str, texts: Sequence[str], *, report: EncodingReport | None = None) -> Scores:
        """float32 (n,): the score of each text for the query; higher is better. report: counts what was cut."""
        return self.pair_scores(pairs_of(query, texts), report=report)

    def pair_scores(self, pairs: Sequence[tuple[str, str]], *, report: EncodingReport | None = None) -> Scores:
        """float32 (n,): the score of each (query, text), the same as `scores` gives; each text is encoded once."""
        sorted_pairs = PairsByQuery.of(pairs)
        asked = self._encoder.encode_queries(sorted_pairs.queries, report=report)
        stored = self._encoder.encode_documents(sorted_pairs.texts, report=report)
        scores = np.empty(len(pairs), dtype=np.float32)
        for vectors, (positions, texts) in zip(asked, sorted_pairs.of_query, strict=True):
            scores[positions] = maxsim(vectors, stored.of(texts))
        return scores

    def bounded(self, scores: Scores) -> Scores:
        """float32 (n,), from 0 to 1 and rising with the score: -1 is 0 and 1 is 1; no probability."""
        return np.asarray(np.clip((scores + 1) / 2, 0, 1), dtype=np.float32)


def load_late_interaction(
    name: str | Path | None = None,
    *,
    precision: str = "auto",
    threads: int | None = None,
    pooling: float | None = None,
    device: str = CPU,
) -> LateInteraction:
    """A ranker by late interaction: the folder or hub name of a ColBERT, of BGE-M3, whose multi-vector head alone then
    ranks, or of any encoder, whose token states serve as they come; None is the embedded default.

    precision: "auto" is bf16 where the processor has it, else f32. threads: None takes all cores. pooling: merges a
    document's vectors into so many times fewer. device: where it runs, as `load_encoder` has it. Raises ModelError for
    a model that cannot be used, InputError for invalid arguments.
    """
    encoder = load_token_encoder(name, precision=precision, threads=threads, pooling=pooling, device=device)
    return LateInteraction(encoder)
