"""The laws of the protocol Ranker, over every ranker in the list: a score depends on query and text alone.

To hold your own ranker to them, add a line to RANKERS.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from random_cross_encoders import classifier, language_model, with_modules
from random_token_models import multi_vector

from twofold.protocols import Ranker
from twofold.rankers.cross_encoder import load_cross_encoder
from twofold.rankers.late_interaction import load_late_interaction
from twofold.scores import Scores

RANKERS: dict[str, Callable[[Path], Ranker]] = {
    "classifier, f32": lambda folder: load_cross_encoder(classifier("bert", folder), precision="f32"),
    "classifier": lambda folder: load_cross_encoder(classifier("bert", folder)),
    "modules": lambda folder: load_cross_encoder(with_modules(folder)),
    "late interaction": lambda folder: load_late_interaction(multi_vector(folder)),
    "late interaction of an encoder": lambda _: load_late_interaction(),
    "language model": lambda folder: load_cross_encoder(language_model(folder, 7, 9)),
}
NASTY = [
    "",
    " ",
    "a",
    "small cells " * 400,
    "a" * 900,
    "😀👩‍👩‍👧 🇪🇺",
    "שלום مرحبا",
    "東京は",
    "a\x00b\u200b",
    "[SEP] [PAD] <|im_end|>",
]
QUERIES = ["who wrote it?", "東京", "[SEP]"]


@pytest.fixture(scope="module", params=list(RANKERS))
def ranker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ranker:
    return RANKERS[request.param](tmp_path_factory.mktemp("ranker"))


@pytest.fixture(scope="module")
def alone(ranker: Ranker) -> dict[tuple[str, str], bytes]:
    """The score of each pair, asked for by itself."""
    return {(query, text): ranker.scores(query, [text]).tobytes() for query in QUERIES for text in NASTY}


def test_scores_are_finite_float32(ranker: Ranker) -> None:
    scores = ranker.scores(QUERIES[0], NASTY)
    assert scores.dtype == np.float32
    assert scores.shape == (len(NASTY),)
    assert np.isfinite(scores).all()
    assert ranker.scores(QUERIES[0], []).shape == (0,)


@pytest.mark.parametrize("seed", range(2))
def test_a_pair_has_the_same_bits_alone_and_in_every_batch(
    ranker: Ranker, alone: dict[tuple[str, str], bytes], seed: int
) -> None:
    texts = NASTY * 3 + [f"{number} " * (number % 30) for number in range(40)]
    random.Random(seed).shuffle(texts)
    for query in QUERIES:
        for text, score in zip(texts, ranker.scores(query, texts), strict=True):
            assert alone.get((query, text), score.tobytes()) == score.tobytes(), repr(text[:30])


def test_pairs_of_many_queries_score_as_those_of_each(ranker: Ranker, alone: dict[tuple[str, str], bytes]) -> None:
    pair_scores = getattr(ranker, "pair_scores", None)
    if pair_scores is None:
        pytest.skip("this ranker takes one query at a time")
    pairs = list(alone)
    random.Random(3).shuffle(pairs)
    found: Scores = pair_scores(pairs)
    assert [score.tobytes() for score in found] == [alone[pair] for pair in pairs]


def test_threads_that_score_at_once_get_their_own_scores(ranker: Ranker) -> None:
    expected = {query: ranker.scores(query, NASTY) for query in QUERIES}
    found: dict[str, Scores] = {}
    threads = [
        threading.Thread(target=lambda query=query: found.update({query: ranker.scores(query, NASTY)}))
        for query in QUERIES
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for query in QUERIES:
        np.testing.assert_array_equal(found[query], expected[query])
