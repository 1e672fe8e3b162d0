"""On judged collections words find what bm25s finds (k1 1.2, b 0.75, English stemming and stop words)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from twofold.documents import titled
from twofold.evaluation.evaluating import evaluate_run
from twofold.lexical.index import LexicalIndex
from twofold.readers.beir import read_beir

TOLERANCE = 0.01
BM25S = {
    "scifact": 0.679, "nfcorpus": 0.318, "cranfield": 0.511, "cisi": 0.396, "cacm": 0.499, "npl": 0.436, "adi": 0.483,
    "trecqa-wang": 0.569, "squad-dev": 0.883, "xquad-en": 0.964, "xquad-de": 0.927, "medquad": 0.587,
    "fairytaleqa": 0.693, "powershell": 0.765, "cosqa": 0.336, "wikiqa": 0.577,
}  # fmt: skip
"""nDCG@10."""
QUICK = ("adi", "cranfield", "cacm")
LUCENE_ON_SCIFACT = 0.68


def check(name: str, judged: Path, folder: Path) -> float:
    beir = read_beir(judged / name, "test")
    documents = list(beir.documents())
    texts = enumerate(titled(each.title, each.text) for each in documents)
    index = LexicalIndex.create(folder).extended(texts, len(documents)).reader()
    allowed = np.ones(len(documents), np.bool_)
    run = {}
    for identifier, text in beir.queries.items():
        numbers, scores = index.candidates(text, 100, allowed)
        ids = [documents[number].id for number in numbers.tolist()]
        run[identifier] = dict(zip(ids, scores.tolist(), strict=True))
    return evaluate_run(run, beir.qrels, measures=["nDCG@10"]).measures["nDCG@10"].mean


@pytest.mark.data
@pytest.mark.parametrize("name", QUICK)
def test_it_finds_what_bm25s_finds(name: str, judged: Path, tmp_path: Path) -> None:
    assert check(name, judged, tmp_path) >= BM25S[name] - TOLERANCE


@pytest.mark.data
@pytest.mark.long
@pytest.mark.parametrize("name", sorted(BM25S.keys() - set(QUICK)))
def test_it_finds_what_bm25s_finds_in_all_collections(name: str, judged: Path, tmp_path: Path) -> None:
    assert check(name, judged, tmp_path) >= max(BM25S[name] - TOLERANCE, LUCENE_ON_SCIFACT * (name == "scifact"))
