"""Scores are BM25 as bm25s computes it, but for a factor that is the same for all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from twofold.lexical.analysing import Analysis, LexicalSettings
from twofold.lexical.index import LexicalIndex

bm25s = pytest.importorskip("bm25s", reason="bm25s is not installed: pip install bm25s")

RNG = np.random.default_rng(5)
WORDS = [f"word{number}" for number in range(120)]
EXACT_LENGTH = 40
"""Up to this many terms the byte holds a document's length exactly."""
ALL_ALIKE = 2.2
"""k1 + 1, which we and tantivy leave in the numerator and bm25s, like Lucene since 8, leaves out."""


def test_scores_are_those_of_bm25s(tmp_path: Path) -> None:
    texts = [" ".join(RNG.choice(WORDS, int(length))) for length in RNG.integers(1, EXACT_LENGTH, 800)]
    settings = LexicalSettings()
    made = LexicalIndex.create(tmp_path, settings)
    index = made.extended(enumerate(texts), len(texts)).reader()
    analysis = Analysis(settings)
    peer = bm25s.BM25(method="lucene", k1=1.2, b=0.75)
    peer.index([analysis.terms(text) for text in texts], show_progress=False)
    for length in (1, 2, 5, 20):
        query = " ".join(RNG.choice(WORDS, length))
        theirs = peer.get_scores(analysis.terms(query)) * ALL_ALIKE
        np.testing.assert_allclose(index.scores(query, np.arange(len(texts))), theirs, rtol=2e-5, atol=1e-6)
