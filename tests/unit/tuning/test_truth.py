"""What many questions find exactly, in one pass, is what each finds alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import twofold
from twofold.collection.collection import Collection
from twofold.encoders.hashed_words import HashedWords
from twofold.engines.local.engine import Store
from twofold.engines.local.spaces.exact import ExactSearch
from twofold.indexes.flat import FlatIndex
from twofold.tuning import truth
from twofold.tuning.recall import masks_by_share
from twofold.tuning.truth import exact_answers

RNG = np.random.default_rng(3)


@pytest.fixture(scope="module")
def collection() -> Iterator[Collection]:
    with twofold.create(None, HashedWords(32, max_words=8)) as made:
        words = [f"w{n}" for n in range(50)]
        made.add([{"id": f"d{n}", "text": " ".join(RNG.choice(words, RNG.integers(1, 60)))} for n in range(900)])
        made.delete([f"d{n}" for n in range(0, 900, 7)])
        yield made


def test_one_pass_finds_what_each_question_finds_alone(collection: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(truth, "ROWS", 100)
    queries = collection.encoder.encode_queries([f"w{n} w{n + 1} w{3 * n % 50}" for n in range(40)])
    with Store.open(collection.path) as store, store.snapshot() as snapshot:
        exact = ExactSearch(snapshot, FlatIndex(snapshot))
        everything = snapshot.passing(None)
        some = masks_by_share(everything, snapshot.documents_of(np.arange(len(everything))))
        masks = [everything, *some.values(), np.zeros(len(everything), np.bool_)]
        answers = exact_answers(snapshot, exact, queries, masks, depth=50, top=10)
        for mask, found in zip(masks, answers, strict=True):
            for query, together in zip(queries, found, strict=True):
                alone = exact.nearest(query, depth=50, top=10, allowed=mask)
                assert together.documents.tolist() == alone.documents.tolist()
                assert together.scores.tolist() == alone.scores.tolist()
