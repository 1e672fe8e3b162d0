"""Our figures against trec_eval's own code (pytrec_eval) and against nDCG written out in numpy."""

from __future__ import annotations

import numpy as np
import pytest
import pytrec_eval

from twofold.evaluation.measures import measure_values, parse_measures
from twofold.rankings import Qrels, Run

NAMES = {
    "nDCG@10": "ndcg_cut_10",
    "nDCG": "ndcg",
    "Recall@100": "recall_100",
    "RR": "recip_rank",
    "AP@100": "map_cut_100",
    "AP": "map",
    "P@5": "P_5",
    "Success@10": "success_10",
    "Rprec": "Rprec",
    "Bpref": "bpref",
}


def made_up(*, ties: bool, seed: int = 5) -> tuple[Run, Qrels, list[str]]:
    """120 queries over 300 documents; graded judgements, some without any result that is judged."""
    generator = np.random.default_rng(seed)
    documents = [f"d{number:03}" for number in range(300)]
    run: Run = {}
    qrels: Qrels = {}
    for query in map(str, range(120)):
        found = generator.choice(documents, size=int(generator.integers(1, 200)), replace=False)
        scores = generator.integers(0, 8, len(found)) if ties else generator.permutation(len(found))
        run[query] = {str(document): float(score) for document, score in zip(found, scores, strict=True)}
        judged = generator.choice(documents, size=20, replace=False)
        qrels[query] = {
            str(document): int(grade) for document, grade in zip(judged, generator.integers(0, 4, 20), strict=True)
        }
    return run, qrels, list(run)


def trec_eval(run: Run, qrels: Qrels, queries: list[str]) -> dict[str, list[float]]:
    results = pytrec_eval.RelevanceEvaluator(qrels, set(NAMES.values())).evaluate(run)
    return {name: [results[query][theirs] for query in queries] for name, theirs in NAMES.items()}


def ndcg(run: Run, qrels: Qrels, query: str, cutoff: int) -> float:
    order = sorted(run[query], key=lambda document: document.encode())
    order.sort(key=lambda document: run[query][document], reverse=True)
    gains = np.array([qrels[query].get(document, 0) for document in order[:cutoff]], dtype=np.float64)
    best = np.array(sorted(qrels[query].values(), reverse=True)[:cutoff], dtype=np.float64)
    discounts = 1 / np.log2(np.arange(2, cutoff + 2))
    return float((gains * discounts[: len(gains)]).sum() / (best * discounts[: len(best)]).sum())


def test_without_ties_every_value_is_trec_evals() -> None:
    run, qrels, queries = made_up(ties=False)
    ours = measure_values(parse_measures(NAMES), run, qrels, queries)
    for name, theirs in trec_eval(run, qrels, queries).items():
        assert ours[name].tolist() == pytest.approx(theirs, abs=1e-6), name


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("cutoff", [1, 10, 100])
def test_ndcg_is_the_formula_in_twofolds_order(ties: bool, cutoff: int) -> None:
    run, qrels, queries = made_up(ties=ties)
    ours = measure_values(parse_measures([f"nDCG@{cutoff}"]), run, qrels, queries)[f"nDCG@{cutoff}"]
    assert ours.tolist() == pytest.approx([ndcg(run, qrels, query, cutoff) for query in queries], abs=1e-6)


def test_with_ties_values_are_trec_evals_once_ids_sort_the_other_way_round() -> None:
    run, qrels, queries = made_up(ties=True)
    mirrored = {f"d{number:03}": f"d{299 - number:03}" for number in range(300)}
    run_back = {query: {mirrored[document]: score for document, score in found.items()} for query, found in run.items()}
    qrels_back = {
        query: {mirrored[document]: grade for document, grade in judged.items()} for query, judged in qrels.items()
    }
    ours = measure_values(parse_measures(NAMES), run, qrels, queries)
    same_way = trec_eval(run, qrels, queries)
    for name, theirs in trec_eval(run_back, qrels_back, queries).items():
        assert ours[name].tolist() == pytest.approx(theirs, abs=1e-6), name
    assert ours["RR"].tolist() != pytest.approx(same_way["RR"], abs=1e-6)
