"""A teacher's scores are what its similarity says, whatever the length of its vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from twofold.contract import Contract
from twofold.encoders.hashed_words import HashedWords
from twofold.reports import EncodingReport
from twofold.scores import Similarity, Vectors
from twofold.training.distilling import lesson
from twofold.training.losses import loss_of
from twofold.training.settings import TrainingSettings
from twofold.training.teaching import taught


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
