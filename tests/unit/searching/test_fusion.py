"""The mixed score: cosines beyond chance, words by what meaning leaves open."""

from __future__ import annotations

import numpy as np
import pytest

from twofold.errors import InputError
from twofold.searching.fusion import Fusion

FUSION = Fusion(chance=0.2, share=0.5)


def scores(*values: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.array(values, np.float32)


def test_a_cosine_at_chance_is_nothing_and_equality_is_one() -> None:
    assert FUSION.beyond_chance(scores(0.2, 1.0, 0.6)).tolist() == pytest.approx([0, 1, 0.5], abs=1e-6)


def test_words_count_by_what_the_best_passage_leaves_open() -> None:
    assert FUSION.lexical_weight(1.0) == FUSION.lexical_weight(0.92) == pytest.approx(0.5 * 0.01, rel=1e-3)
    assert FUSION.lexical_weight(0.6) == pytest.approx(0.5 * 0.5**2)
    assert FUSION.lexical_weight(0.2) == pytest.approx(0.5)
    assert FUSION.lexical_weight(-0.9) == FUSION.lexical_weight(0.2)


def test_without_evidence_a_question_is_answered_by_the_dense_side() -> None:
    assert FUSION.fused(scores(0.6), scores(0.0), 0.3).tolist() == FUSION.beyond_chance(scores(0.6)).tolist()


def test_both_sides_add_up_each_by_itself() -> None:
    mixed = FUSION.fused(scores(0.6, 0.2), scores(2.0, 8.0), 0.1)
    assert mixed.tolist() == pytest.approx([0.7, 0.8])
    assert FUSION.fused(scores(0.6), scores(2.0), 0.1)[0] == mixed[0]


@pytest.mark.parametrize("wrong", [{"chance": 1.0}, {"chance": -2.0}, {"chance": 0.1, "share": -1.0}])
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError):
        Fusion(**wrong)


def test_settings_go_to_json_and_back() -> None:
    assert Fusion.from_json(FUSION.to_json()) == FUSION
