"""The relevance of hits, calibrated by judged questions while a collection is tuned."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from twofold.engine import EVERYTHING, LexicalAside
from twofold.rankings import Qrels
from twofold.scores import Vectors
from twofold.searching.first_stage import FirstStage
from twofold.searching.fusion import Fusion
from twofold.searching.hybrid import SEARCH_MODES, HybridSearch, SearchMode
from twofold.searching.queries import Asked, Query
from twofold.searching.relevance import Calibration, Relevance
from twofold.searching.requests import Request
from twofold.tuning.calibrating import TOP, calibrated


def calibrations_of(
    aside: LexicalAside, fusion: Fusion, asked: Mapping[str, tuple[str, Vectors]], qrels: Qrels, depth: int
) -> dict[str, Calibration]:
    """The calibration of each mode. asked: text and vector, float32 (dimension,), of each judged query."""
    snapshot = aside.snapshot
    dense, relevance = snapshot.dense(exact=True), Relevance(fusion=fusion, documents=snapshot.counts.documents)
    hybrid = HybridSearch(snapshot, dense, aside.lexical, fusion, depth=depth, relevance=relevance)
    first = FirstStage(dense, hybrid, relevance)

    def hits(text: str, vector: Vectors, mode: SearchMode) -> dict[str, float]:
        query = Asked(Query(text, vector), mode, partial(np.asarray, vector))
        found = first.ranked(query, Request(mode, depth, min(TOP, depth), 0, EVERYTHING))
        return dict(zip(snapshot.ids(found.documents), found.relevance or (), strict=True))

    judgements = [qrels[query] for query in asked]
    return {mode: calibrated([hits(*each, mode) for each in asked.values()], judgements) for mode in SEARCH_MODES}
