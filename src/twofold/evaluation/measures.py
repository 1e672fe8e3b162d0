"""Measures by name ("nDCG@10"), and their values for each query of a run.

The definitions are those of trec_eval (through ir_measures), but for the order of equal scores: a run is measured in
Twofold's order, the smaller document id first, where trec_eval takes the greater one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ir_measures
import numpy as np
from numpy.typing import NDArray

from twofold.errors import InputError
from twofold.rankings import Qrels, Run, ranked

DEFAULT_MEASURES = ("nDCG@10", "Recall@100", "RR@10")
"""Quality at the top, coverage for a second stage, and the place of the first good answer."""

FAMILIES = {
    "nDCG": ("ndcg",),
    "Recall": ("recall", "r"),
    "RR": ("rr", "mrr"),
    "AP": ("ap", "map"),
    "P": ("p", "precision"),
    "Success": ("success", "hit"),
    "Judged": ("judged",),
    "Rprec": ("rprec", "r-prec"),
    "Bpref": ("bpref",),
}
"""The measures that are known: name → what else it is called, in small letters."""

MeasureValues = NDArray[np.float64]
"""float64 (queries,): one value a query."""

_spelling = re.compile(r"\s*([A-Za-z][A-Za-z-]*)\s*(\(.*\))?\s*(?:@\s*([0-9]+))?\s*")
_words = {word: family for family, words in FAMILIES.items() for word in words}
_provider = ir_measures.providers.FallbackProvider([ir_measures.pytrec_eval, ir_measures.msmarco, ir_measures.judged])


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure: its name as tables print it, the rank it stops at (None: it reads the whole ranking)."""

    name: str
    cutoff: int | None
    definition: Any

    def __str__(self) -> str:
        return self.name


def parse_measure(name: str) -> Measure:
    """The measure of a name such as "nDCG@10", "MRR@10" (which is RR@10) or "P(rel=2)@5"; letter case is free.

    Raises InputError, listing the known ones, for a name that is none of FAMILIES, and for a cutoff or parameter that
    the measure does not take.
    """
    spelling = _spelling.fullmatch(name)
    family = None if spelling is None else _words.get(spelling[1].lower())
    if spelling is None or family is None:
        raise InputError(f"unknown measure {name!r}; known are {', '.join(FAMILIES)}, most with a cutoff (nDCG@10)")
    parameters, cutoff = spelling[2] or "", spelling[3]
    at = "" if cutoff is None else f"@{int(cutoff)}"
    library_name = "R" if family == "Recall" else family
    try:
        definition = ir_measures.parse_measure(f"{library_name}{parameters}{at}")
        definition.validate_params()
        supported = cutoff != "0" and _provider.supports(definition)
    except (ValueError, NameError, KeyError, TypeError, AttributeError, AssertionError):
        supported = False
    if not supported:
        raise InputError(f"the measure {name!r} cannot be computed: see to the cutoff and the parameters of {family}")
    shown = re.sub(r"^R(?=[@(]|$)", "Recall", str(definition))
    return Measure(shown, None if cutoff is None else int(cutoff), definition)


def parse_measures(names: Iterable[str]) -> tuple[Measure, ...]:
    """The measures of these names in their order, each once. Raises InputError (see parse_measure), and for none."""
    measures = tuple({measure.name: measure for measure in map(parse_measure, names)}.values())
    if not measures:
        raise InputError("no measure was named")
    return measures


def measure_values(
    measures: Sequence[Measure], run: Run, qrels: Qrels, queries: Sequence[str]
) -> dict[str, MeasureValues]:
    """By measure name, float64 (queries,): the value of each query, in the order of `queries`.

    A query without results counts as zero. A relevance below 0 is not relevant (and for Bpref unjudged), as in
    trec_eval. Raises InputError for a score that cannot be ranked.
    """
    judged = {query: qrels[query] for query in queries}
    results = {query: _by_rank(run[query]) for query in queries if run.get(query)}
    place = {query: position for position, query in enumerate(queries)}
    values = {measure.name: np.zeros(len(queries), dtype=np.float64) for measure in measures}
    names = {measure.definition: measure.name for measure in measures}
    if results:
        for metric in _provider.iter_calc(list(names), judged, results):
            values[names[metric.measure]][place[metric.query_id]] = metric.value
    return values


def judged_share(run: Run, qrels: Qrels, queries: Sequence[str]) -> float | None:
    """Judged@10: the share of judged documents among the first ten of a query, in the mean over queries with results.

    None where no query has any.
    """
    found = [query for query in queries if run.get(query)]
    (values,) = measure_values([parse_measure("Judged@10")], run, qrels, found).values()
    return float(values.mean()) if found else None


def _by_rank(scores: Mapping[str, float]) -> dict[str, float]:
    # Whole numbers that fall from rank to rank: no library has ties to break its own way, nor digits to lose.
    order = ranked(scores)
    return {document: float(len(order) - rank) for rank, document in enumerate(order)}
