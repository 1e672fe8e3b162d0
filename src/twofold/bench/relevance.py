"""The relevance of hits: its coefficients, fitted on judged collections, each of which tests those of the others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twofold.bench.relevance_data import JudgedHits, judged_hits
from twofold.bench.surroundings import header
from twofold.encoders.loading import load_encoder
from twofold.evaluation.calibration import area_under_curve, calibration_error
from twofold.progress import Progress, silent
from twofold.protocols import Encoder
from twofold.searching.hybrid import SEARCH_MODES, SearchMode
from twofold.searching.relevance import lexical_feature, size_feature
from twofold.tables import Cell, Column, Report, Table
from twofold.tuning.logistic import fitted, probability

Matrix = NDArray[np.float64]
FEATURES: dict[SearchMode, tuple[str, ...]] = {
    "dense": ("beyond chance", "size"),
    "lexical": ("lexical", "size"),
    "hybrid": ("beyond chance", "lexical", "size"),
}


def bench_relevance(
    folders: Sequence[Path], *, split: str = "test", encoder: Encoder | None = None, progress: Progress = silent
) -> Report:
    """For each mode the coefficients, and on each collection the errors of those fitted on all others.

    folders: BEIR folders, two at least. Raises InputError.
    """
    data = list(judged_hits(folders, encoder or load_encoder(), split=split, progress=progress))
    return Report(header(), [_coefficients(data), *(_held_out(data, mode) for mode in SEARCH_MODES)])


def _features(hits: JudgedHits, mode: SearchMode) -> Matrix:
    """float64 (n, features): ones, and the features of the mode."""
    columns = {"beyond chance": hits.column(mode, "kappa")}
    columns["size"] = np.array([size_feature(int(documents)) for documents in hits.column(mode, "documents")])
    if mode != "dense":
        found = zip(*(hits.column(mode, name) for name in ("lexical", "weight", "documents")), strict=True)
        lexical = [lexical_feature(np.array([score]), weight, int(documents))[0] for score, weight, documents in found]
        columns["lexical"] = np.array(lexical)
    chosen = [columns[name] for name in FEATURES[mode]]
    return np.stack([np.ones(len(chosen[0])), *chosen], axis=1)


def _fitted(data: Sequence[JudgedHits], mode: SearchMode) -> NDArray[np.float64]:
    features = np.concatenate([_features(each, mode) for each in data])
    return fitted(features, np.concatenate([each.column(mode, "relevant") for each in data]))


def _coefficients(data: Sequence[JudgedHits]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for mode in SEARCH_MODES:
        constant, *found = _fitted(data, mode).tolist()
        by = dict(zip(FEATURES[mode], found, strict=True))
        rows.append((mode, constant, by.get("beyond chance"), by.get("lexical"), by["size"]))
    columns = (Column("mode"), *(Column(name, digits=4) for name in ("constant", "beyond chance", "lexical", "size")))
    names = ", ".join(each.name for each in data)
    return Table("Coefficients of relevance", columns, tuple(rows), (f"fitted on the hits of {names}",))


def _held_out(data: Sequence[JudgedHits], mode: SearchMode) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for each in data:
        model = _fitted([other for other in data if other is not each], mode)
        probabilities, truths = probability(_features(each, mode) @ model), each.column(mode, "relevant")
        own = each.column(mode, "own") == 1
        error, among_own = (calibration_error(probabilities[part], truths[part]) for part in (slice(None), own))
        apart = [_apart(each, mode, values) for values in (probabilities, each.column(mode, "score"))]
        rows.append((each.name, error, among_own, *apart))
    means = np.array([row[1:] for row in rows], np.float64).mean(axis=0).tolist()
    columns = (
        Column("collection"),
        *(Column(name, digits=3) for name in ("error", "own questions only", "told apart", "by the score")),
    )
    notes = (
        "coefficients of all other collections; error: expected calibration error, ten bins of equal width",
        "told apart: area under the ROC curve, own questions against those of another collection, by the best hit",
    )
    return Table(f"Relevance held out, {mode}", columns, (*rows, ("mean", *means)), notes)


def _apart(hits: JudgedHits, mode: SearchMode, values: NDArray[np.float64]) -> float:
    """How well the best value of a question tells own from foreign questions; one without a hit has the least."""
    asked, first = np.unique(hits.column("dense", "question"), return_index=True)  # dense search answers every question
    own = hits.column("dense", "own")[first] == 1
    best = np.full(len(asked), -np.inf)
    np.maximum.at(best, np.searchsorted(asked, hits.column(mode, "question")), values)
    return area_under_curve(best[own], best[~own])
