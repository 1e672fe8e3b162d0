"""How much words count, learned from judgements: bold where there are many, reluctant where there are few."""

from __future__ import annotations

import numpy as np
import pytest

from twofold.errors import InputError
from twofold.passage_scores import Nearest
from twofold.rankings import Qrels
from twofold.searching.candidate_scores import CandidateScores
from twofold.searching.fusion import SHARE, Fusion
from twofold.tuning.sharing import SHARES, JudgedQuery, Learned, learned_share

FUSION = Fusion(chance=0.0)
IDS = [f"d{n:02}" for n in range(30)]


def asked(count: int, right: str, seed: int = 0) -> tuple[dict[str, JudgedQuery], Qrels]:
    """Questions whose answer leads on the right side and lies anywhere on the other; right: dense, lexical, both."""
    draw = np.random.default_rng(seed)
    questions, qrels = {}, {}
    for number in range(count):
        answer = int(draw.integers(30))
        dense = draw.uniform(0.1, 0.5, 30).astype(np.float32)
        lexical = draw.uniform(0, 3.3, 30).astype(np.float32)
        if right in ("dense", "both"):
            dense[answer] = 0.55
        if right in ("lexical", "both"):
            lexical[answer] = 4
        near = Nearest(np.arange(30), dense, np.arange(30))
        questions[f"q{number}"] = JudgedQuery(IDS, CandidateScores(near, lexical, float(dense.max())))
        qrels[f"q{number}"] = {IDS[answer]: 1}
    return questions, qrels


def test_meaning_alone_is_learned_where_words_mislead() -> None:
    learned = learned_share(*asked(200, "dense"), FUSION)
    assert learned.share < 0.1
    assert learned.low > 0
    assert learned.held_out == pytest.approx(learned.dense, abs=0.02)
    assert learned.gain == pytest.approx(learned.held_out - learned.default)


def test_words_are_learned_where_they_lead() -> None:
    learned = learned_share(*asked(200, "lexical"), FUSION)
    assert learned.share > 1
    assert learned.held_out > learned.default > learned.dense


def test_where_both_are_right_the_default_stays() -> None:
    assert learned_share(*asked(100, "both"), FUSION).share == SHARE


def test_accidents_of_few_judgements_move_the_share_less_than_they_would() -> None:
    nearer = 0
    for seed in range(8):
        learned = learned_share(*asked(10, "neither", seed), FUSION)
        liked = max(learned.tried, key=lambda tried: tried[1])[0]
        chosen, best = (abs(SHARES.index(share) - SHARES.index(SHARE)) for share in (learned.share, liked))
        assert chosen <= best
        nearer += chosen < best
    assert nearer >= 3


def test_neither_names_nor_order_of_the_judgements_decide() -> None:
    questions, qrels = asked(40, "lexical")
    renamed = {f"x{99 - int(name[1:])}": each for name, each in reversed(questions.items())}
    judged = {f"x{99 - int(name[1:])}": grades for name, grades in qrels.items()}
    first, second = learned_share(questions, qrels, FUSION), learned_share(renamed, judged, FUSION)
    assert first.share == second.share
    assert first.held_out == pytest.approx(second.held_out)


def test_too_few_questions_are_refused_and_evidence_goes_to_json_and_back() -> None:
    with pytest.raises(InputError, match="9 judged questions are too few"):
        learned_share(*asked(9, "both"), FUSION)
    learned = learned_share(*asked(20, "both"), FUSION)
    assert Learned.from_json(learned.to_json()) == learned
