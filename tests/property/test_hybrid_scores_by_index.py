"""With an index that misses much, a hybrid score is the same for every depth, page, filter and batch."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from twofold.collection.collection import Collection
from twofold.collection.opening import create
from twofold.encoders.hashed_words import HashedWords
from twofold.engines.local.derived.indexes import choosing as indexing
from twofold.engines.local.spaces import indexed

WORDS = [f"word{number}" for number in range(400)]
DOCUMENTS, DEPTH = 3_000, 200
DEPTHS = (10, DEPTH, 1_000)
DRAW = random.Random(5)
QUESTIONS = [" ".join(DRAW.sample(WORDS, DRAW.randint(2, 8))) for _ in range(60)]


@pytest.fixture(params=["scan", "ivf", "hnsw"])
def collection(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Collection]:
    """Its index searches as little as it can, and no look-up is so small that all rows are scored."""
    monkeypatch.setattr(indexed, "FEW", 0)
    monkeypatch.setitem(indexing.EFFORTS, request.param, (0 if request.param == "scan" else 1,))
    draw = random.Random(3)
    texts = [" ".join(draw.choices(WORDS, k=draw.randint(5, 30))) for _ in range(DOCUMENTS)]
    with create(None, HashedWords(64), depth=DEPTH) as made:
        made.add([{"id": f"d{n}", "text": text, "half": n % 2} for n, text in enumerate(texts)])
        made.tune()
        made.optimize(index=request.param, recall=0.01)
        yield made


def test_a_score_depends_on_neither_depth_page_filter_nor_batch(collection: Collection) -> None:
    asked = {str(number): question for number, question in enumerate(QUESTIONS)}
    runs = {depth: collection.run(asked, depth=depth) for depth in DEPTHS}
    shallow_misses = 0
    for number, question in asked.items():
        scores = runs[1_000][number]
        found = [runs[10][number], runs[DEPTH][number]]
        for depth in DEPTHS:
            for where in (None, {"half": 1}):
                hits = collection.search(question, k=5, offset=2, depth=depth, where=where)
                found.append({hit.id: hit.score for hit in hits})
        for each in found:
            assert all(score == scores.get(document, score) for document, score in each.items())
        best = [collection.search(question, k=1, depth=depth, mode="dense")[0].score for depth in (1, DEPTH)]
        shallow_misses += best[0] < best[1]
    assert shallow_misses > 0  # otherwise the index finds the best document at any depth, and nothing was tried
