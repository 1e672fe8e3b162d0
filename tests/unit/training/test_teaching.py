"""A teacher's scores are what its similarity says, whatever the length of its vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from random_cross_encoders import classifier
from riddles import small_model, write_riddles

from twofold.contract import Contract
from twofold.encoders.hashed_words import HashedWords
from twofold.errors import InputError
from twofold.rankers.cross_encoder import CrossEncoder
from twofold.reports import EncodingReport
from twofold.scores import Similarity, Vectors
from twofold.training.distilling import lesson
from twofold.training.losses import loss_of
from twofold.training.settings import TrainingSettings
from twofold.training.teaching import load_teacher, rated, taught
from twofold.training.training import train


class Long(HashedWords):
    """Vectors seven times as long as one, as a model makes them that does not end in a normalising layer."""

    kind: Similarity = "cosine"

    @property
    def contract(self) -> Contract:
        return replace(super().contract, similarity=self.kind)

    def encode_queries(self, texts: Sequence[str], *, report: EncodingReport | None = None) -> Vectors:
        return 7 * super().encode_queries(texts, report=report)

    def encode_documents(self, texts: Sequence[str], *, report: EncodingReport | None = None) -> Vectors:
        return 7 * super().encode_documents(texts, report=report)

    def query_tokens(self, texts: Sequence[str]) -> list[list[int]]:
        return [[1] for _ in texts]


@pytest.mark.parametrize(("kind", "expected"), [("cosine", 1.0), ("dot", 49.0)])
def test_a_teachers_score_is_its_similarity(kind: Similarity, expected: float) -> None:
    teacher = Long(64)
    teacher.kind = kind
    examples = SimpleNamespace(queries={"q": "red planet"}, text=lambda document: document)
    scores = taught(teacher, examples, {"q": ["red planet"]})  # type: ignore[arg-type] # all that is read of Examples
    assert scores["q"]["red planet"] == pytest.approx(expected, rel=1e-5)


def test_a_cross_encoder_teaches_by_its_logits_and_rates_by_its_probabilities(tmp_path: Path) -> None:
    folder = classifier("bert", tmp_path / "cross")
    teacher = load_teacher(str(folder))
    assert isinstance(teacher, CrossEncoder)
    examples = SimpleNamespace(queries={"q": "who wrote it?", "r": "a cell"}, text=lambda document: document)
    wanted = {"q": ["Grace Hopper", "a cell", "Grace Hopper"], "r": ["a cell"]}
    scores, ratings = (made(teacher, examples, wanted) for made in (taught, rated))  # type: ignore[arg-type] # as above
    assert list(scores["q"]) == ["Grace Hopper", "a cell"]
    exact = teacher.pair_logits([("who wrote it?", "Grace Hopper")])[0]
    assert scores["q"]["Grace Hopper"] == pytest.approx(0.05 * exact)
    assert ratings["q"]["Grace Hopper"] == pytest.approx(teacher.scores("who wrote it?", ["Grace Hopper"])[0], rel=1e-5)
    assert not isinstance(load_teacher("all-MiniLM-L6-v2"), CrossEncoder)


def test_a_dense_tower_learns_from_a_cross_encoder(tmp_path: Path) -> None:
    base, pairs = small_model(tmp_path / "base"), write_riddles(tmp_path / "riddles.jsonl")
    teacher = str(classifier("bert", tmp_path / "cross"))
    settings = TrainingSettings(epochs=1, batch=16, pairs=40, loss="margin-mse", teacher=teacher, dev_share=0.2)
    outcome = train(pairs, to=tmp_path / "trained", base=base, settings=settings)
    assert np.isfinite([value for _, value in outcome.curve.loss]).all()
    with pytest.raises(InputError, match="the guided loss compares vectors"):
        train(pairs, to=tmp_path / "other", base=base, settings=replace(settings, loss="guided"))


def test_what_is_distilled_has_length_one() -> None:
    given = lesson(Long(64), [f"text {number}" for number in range(120)], None, 0)  # type: ignore[arg-type] # as above
    np.testing.assert_allclose(np.linalg.norm(given.targets, axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("loss", ["kl", "margin-mse"])
@pytest.mark.parametrize("kind", ["cosine", "dot"])
def test_a_student_is_compared_as_it_will_be_searched(loss: str, kind: str) -> None:
    from sentence_transformers.util import pairwise_cos_sim, pairwise_dot_score

    settings = TrainingSettings(loss=loss, teacher="any")
    found = loss_of(SimpleNamespace(similarity_fn_name=kind), settings, None)
    assert found.similarity_fct is (pairwise_dot_score if kind == "dot" else pairwise_cos_sim)
