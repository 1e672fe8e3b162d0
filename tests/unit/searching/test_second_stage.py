"""The second stage: which texts a ranker reads, what becomes of its scores, and that they depend on nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from random_cross_encoders import classifier

from twofold.collection.collection import Collection
from twofold.collection.opening import create
from twofold.documents import titled
from twofold.encoders.hashed_words import HashedWords
from twofold.errors import InputError, ModelError, QueryError
from twofold.rankers.cross_encoder import CrossEncoder, load_cross_encoder
from twofold.rankers.named import ranker_of
from twofold.rankings import Hit
from twofold.scores import Scores

QUERY = "red apple"


class Remembering:
    """Scores by length, and remembers what it was asked."""

    name = "length"

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def scores(self, query: str, texts: Sequence[str]) -> Scores:
        self.asked += [(query, text) for text in texts]
        return np.array([len(text) for text in texts], dtype=np.float32)


class Probable(Remembering):
    def probabilities(self, scores: Scores) -> Scores:
        return np.asarray(scores / (1 + scores), dtype=np.float32)


@pytest.fixture(scope="module")
def collection() -> Iterator[Collection]:
    rng = np.random.default_rng(4)
    words = ["red", "green", "apple", "pear", "runs", "slow", "of", "the", "blue", "house"]
    with create(None, HashedWords(64, max_words=12)) as made:
        made.add(
            [
                {"id": f"d{n:03}", "title": f"t{n}", "text": " ".join(rng.choice(words, int(rng.integers(3, 80))))}
                for n in range(160)
            ]
        )
        made.tune()
        yield made


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> CrossEncoder:
    return load_cross_encoder(classifier("bert", tmp_path_factory.mktemp("cross") / "small-bert"))


def scored(hits: Sequence[Hit]) -> dict[str, float]:
    return {hit.id: hit.score for hit in hits}


def test_a_document_has_the_same_score_whatever_k_depth_page_and_batch(
    collection: Collection, model: CrossEncoder
) -> None:
    whole = scored(collection.search(QUERY, k=160, ranker=model, rerank_depth=160))
    for weight in (1.0, 0.6):
        whole = scored(collection.search(QUERY, k=160, ranker=model, rerank_depth=160, rerank_weight=weight))
        assert len(whole) > 100
        for k, offset, depth in ((3, 0, 10), (10, 5, 40), (1, 0, None), (7, 2, 160)):
            asked: dict[str, Any] = {"ranker": model, "rerank_depth": depth, "rerank_weight": weight}
            page = collection.search(QUERY, k=k, offset=offset, **asked)
            assert len(page) == min(k, (depth or 100) - offset)
            assert scored(page).items() <= whole.items()
            many = collection.search_many(["slow house", QUERY], k=k, offset=offset, **asked)
            assert many[1] == page
            run = collection.run({"a": QUERY, "b": "slow house"}, depth=160, **asked)
            assert run["a"].items() <= whole.items()
            assert list(run["a"])[offset : offset + k] == [hit.id for hit in page]


def test_the_ranking_ends_with_the_documents_that_were_read(collection: Collection) -> None:
    ranker = Remembering()
    assert len(collection.search(QUERY, k=30, ranker=ranker, rerank_depth=12)) == 12
    assert collection.search(QUERY, k=5, offset=12, ranker=ranker, rerank_depth=12) == []
    assert len(collection.run({"q": QUERY}, ranker=ranker)["q"]) == 100
    assert len(collection.run({"q": QUERY}, ranker=ranker, rerank_depth=130)["q"]) == 130
    assert len(collection.search(QUERY, k=120, ranker=ranker)) == 120
    ranker.asked.clear()
    collection.search(QUERY, ranker=ranker, mode="dense")
    assert len(ranker.asked) == 100


@pytest.mark.parametrize("mode", ["dense", "lexical", "hybrid"])
def test_a_document_is_read_by_the_best_passage_of_each_side(collection: Collection, mode: Any) -> None:
    ranker = Remembering()
    hits = collection.search(QUERY, k=40, mode=mode, ranker=ranker, rerank_depth=40)
    sides = {
        side: {hit.id: titled(hit.title, hit.text) for hit in collection.search(QUERY, k=160, mode=side)}
        for side in ("dense", "lexical")
    }
    wanted = {(QUERY, sides[side][hit.id]) for hit in hits for side in sides if mode in (side, "hybrid")}
    assert set(ranker.asked) == wanted
    assert len(ranker.asked) == len(set(ranker.asked)), "a passage that is best on both sides is read once"
    for hit in hits:
        texts = [text for _, text in ranker.asked if text.startswith(f"{hit.title} ")]
        assert hit.score == max(map(len, texts))
        assert len(titled(hit.title, hit.text)) == hit.score, "the hit shows the passage that won"
    if mode == "hybrid":
        assert len(ranker.asked) > 40


def test_a_hit_explains_its_first_and_its_second_score(collection: Collection) -> None:
    hit = collection.search(QUERY, ranker=Remembering())[0]
    assert hit.parts["length"] == hit.score
    assert {"dense", "lexical"} <= set(hit.parts)
    assert f"length {hit.score:.6f}" in hit.explain()


def test_a_weight_mixes_the_first_score_with_the_probability(collection: Collection) -> None:
    first = scored(collection.search(QUERY, k=160))
    for hit in collection.search(QUERY, k=20, ranker=Probable(), rerank_weight=0.7):
        probability = hit.parts["length"] / (1 + hit.parts["length"])
        assert hit.score == pytest.approx(0.3 * first[hit.id] + 0.7 * probability, abs=1e-6)
        assert hit.parts["first stage"] == first[hit.id]
        assert hit.parts["probability"] == pytest.approx(probability)


@pytest.mark.parametrize("named", ["torch.nn.Sigmoid", "torch.nn.Identity", "torch.nn.Tanh"])
def test_probabilities_rise_with_the_scores(named: str, tmp_path: Path) -> None:
    model = load_cross_encoder(classifier("bert", tmp_path, sentence_transformers={"activation_fn": named}))
    scores = model.scores(QUERY, [f"{n} small cells" * n for n in range(9)])
    probable = model.probabilities(scores)
    assert ((probable > 0) & (probable < 1)).all()
    assert (np.argsort(probable) == np.argsort(scores)).all()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"rerank_depth": 5}, "name one: ranker"),
        ({"rerank_weight": 0.5}, "name one: ranker"),
        ({"ranker": Remembering(), "rerank_depth": 0}, "rerank_depth"),
        ({"ranker": Remembering(), "rerank_depth": 2.5}, "rerank_depth"),
        ({"ranker": Remembering(), "rerank_weight": 0}, "rerank_weight"),
        ({"ranker": Remembering(), "rerank_weight": 1.5}, "rerank_weight"),
        ({"ranker": Remembering(), "rerank_weight": float("nan")}, "rerank_weight"),
        ({"ranker": Remembering(), "rerank_weight": 0.5}, "what its scores mean"),
        ({"ranker": Probable(), "rerank_weight": 0.5, "mode": "lexical"}, "BM25 scores have no bound"),
    ],
)
def test_what_cannot_be_asked_of_a_second_stage_is_refused(
    collection: Collection, options: dict[str, Any], said: str
) -> None:
    for ask in (
        lambda: collection.search(QUERY, **options),
        lambda: collection.search_many([QUERY, "a"], **options),
        lambda: collection.run({"q": QUERY}, **options),
    ):
        with pytest.raises(QueryError, match=said):
            ask()


def test_a_cross_encoder_may_be_named(collection: Collection, tmp_path: Path) -> None:
    folder = classifier("bert", tmp_path / "small-bert")
    found = collection.search(QUERY, k=3, ranker=folder)
    assert found == collection.search(QUERY, k=3, ranker=load_cross_encoder(folder))
    assert "small-bert" in found[0].parts
    assert ranker_of(str(folder)) is ranker_of(str(folder))
    before = ranker_of(folder)
    classifier("bert", folder, sentence_transformers={"activation_fn": "torch.nn.Identity"})
    assert ranker_of(folder) is not before
    assert collection.search(QUERY, k=3, ranker=folder) != found
    with pytest.raises(ModelError, match="no folder"):
        collection.search(QUERY, ranker="./nothing")
    with collection.searcher() as searcher, pytest.raises(InputError, match="load_cross_encoder"):
        searcher.search(QUERY, ranker="a name")
