"""A whole training run of a small cross-encoder: what it writes, and that a killed one goes on."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from random_cross_encoders import classifier
from riddles import GOES_WITH
from sentence_transformers import CrossEncoder

from twofold.errors import InputError, ModelError
from twofold.rankers.cross_encoder import load_cross_encoder
from twofold.training import ranker_fitting
from twofold.training.outcome import TrainingOutcome
from twofold.training.ranker_settings import RankerSettings
from twofold.training.rankers import train_ranker

SETTINGS = RankerSettings(
    epochs=2, batch=16, learning_rate=3e-3, negatives=3, dev_share=0.2, margin=1.0, depth=12, warmup=0
)


class Killed(BaseException):
    """What ends a process, as far as the run can see."""


@pytest.fixture(scope="module")
def trained(base: Path, pairs: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainingOutcome:
    to = tmp_path_factory.mktemp("trained") / "ranker"
    return train_ranker(pairs, to=to, base=base, encoder=base, settings=SETTINGS)


def test_both_libraries_read_the_folder_to_the_same_scores(trained: TrainingOutcome) -> None:
    asked = [("stone river", "paper wheel"), ("north south", "stone river market"), ("market", "")]
    ours = load_cross_encoder(trained.folder, precision="f32").pair_scores(asked)
    theirs = CrossEncoder(str(trained.folder), device="cpu").predict(asked)
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_the_loss_falls_and_the_best_epoch_is_kept(trained: TrainingOutcome) -> None:
    losses = [value for _, value in trained.curve.loss]
    assert np.mean(losses[-3:]) < np.mean(losses[:3])
    values = dict(trained.curve.dev)
    assert len(values) == SETTINGS.epochs
    assert values[trained.curve.best] == max(values.values())


@pytest.mark.parametrize("loss", ["listwise", "bce"])
def test_answers_come_to_score_higher_than_negatives(loss: str, base: Path, tmp_path: Path) -> None:
    words = sorted(GOES_WITH)
    rows = [
        {"query": f"{one} {two}", "positive": f"wheel {one} {two}", "negative": f"summer {one} {two}"}
        for one, two in combinations(words, 2)
    ]
    file = tmp_path / "pairs.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    settings = replace(SETTINGS, loss=loss, negatives=1, epochs=3)
    outcome = train_ranker(file, to=tmp_path / "ranker", base=base, encoder=base, settings=settings)
    model = load_cross_encoder(outcome.folder, precision="f32")
    right, wrong = (
        model.pair_scores([("stone river", f"{word} {other}") for other in words]) for word in ("wheel", "summer")
    )
    assert (right > wrong).all()


def test_a_list_gives_its_answer_all_of_the_probability() -> None:
    rows = [("stone river", "wheel stone", "summer", "winter", "autumn", "spring")]
    learned = ranker_fitting.lists_of(rows)
    shares = np.exp(learned["labels"][0]) / np.exp(learned["labels"][0]).sum()
    assert shares[0] > 0.999  # ListNet learns the softmax of the labels, and that of 1 and four zeros begins with .40
    assert learned["docs"] == [list(rows[0][1:])]


@pytest.mark.parametrize(("loss", "untrained"), [("mse", (10, 400)), ("margin-mse", (0.05, 10))])
def test_an_encoder_teaches_by_its_cosines_over_the_temperature(
    loss: str, untrained: tuple[float, float], base: Path, pairs: Path, tmp_path: Path
) -> None:
    settings = replace(SETTINGS, loss=loss, teacher=str(base))
    outcome = train_ranker(pairs, to=tmp_path / "ranker", base=base, encoder=base, settings=settings)
    losses = [value for _, value in outcome.curve.loss]
    # A cosine of one is a logit of twenty, far from what an untrained head says.
    assert untrained[0] < losses[0] < untrained[1]
    assert np.mean(losses[-5:]) < np.mean(losses[:5])
    assert outcome.to_json()["settings"]["teacher"] == str(base)


def test_what_is_measured_is_the_new_order_of_the_first_candidates(trained: TrainingOutcome) -> None:
    by = trained.comparisons["dev"]
    before, after = (by.evaluations[each].run for each in ("before", "after"))
    for query, found in after.items():
        assert set(found) == set(sorted(before[query], key=lambda each: (-before[query][each], each))[:12])
    assert trained.verdicts()[0].startswith("dev: ")
    assert trained.geometry is None
    assert "geometry" not in trained.to_json()
    assert [table.title for table in trained.tables()][1:] == ["Before and after"]
    assert trained.mining.kept > 0


def test_the_card_says_what_was_done(trained: TrainingOutcome) -> None:
    card = (trained.folder / "README.md").read_text()
    assert "# A cross-encoder trained with Twofold" in card
    assert "pipeline_tag: text-ranking" in card
    assert trained.verdicts()[0] in card
    assert [path.name for path in trained.folder.parent.iterdir()] == ["ranker"]  # the checkpoints are gone


def test_a_killed_run_goes_on_to_the_same_model(
    trained: TrainingOutcome, base: Path, pairs: Path, tmp_path: Path
) -> None:
    total_steps = trained.curve.loss[-1][0]
    half = total_steps // 2

    def killing(done: int, total: int | None) -> None:
        if total == total_steps and done == half + 1:
            raise Killed

    steps: list[int] = []

    def counting(done: int, total: int | None) -> None:
        if total == total_steps:
            steps.append(done)

    given: dict[str, Any] = {"to": tmp_path / "ranker", "base": base, "encoder": base, "settings": SETTINGS}
    with pytest.raises(Killed):
        train_ranker(pairs, **given, progress=killing)
    assert not (tmp_path / "ranker").exists()
    again = train_ranker(pairs, **given, progress=counting)
    assert steps == list(range(half + 1, total_steps + 1))
    assert again.curve == trained.curve
    asked = [("stone river", "paper wheel"), ("north south", "stone river market")]
    scores = [load_cross_encoder(each.folder, precision="f32").pair_scores(asked) for each in (trained, again)]
    np.testing.assert_allclose(scores[0], scores[1], atol=1e-3)


def test_pairs_by_themselves_are_learned_by_a_cross_encoder(base: Path, pairs: Path, tmp_path: Path) -> None:
    settings = replace(SETTINGS, loss="bce", epochs=1, pairs=30)
    ranker = classifier("bert", tmp_path / "bert")
    outcome = train_ranker(pairs, to=tmp_path / "ranker", base=ranker, encoder=base, settings=settings)
    assert np.isfinite([value for _, value in outcome.curve.loss]).all()
    assert load_cross_encoder(outcome.folder).max_tokens == 60


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"negatives": 0}, "negatives"),
        ({"loss": "kl"}, "listwise, bce, margin-mse, mse"),
        ({"kind": "late-interaction"}, "contrastive, kl, margin-mse"),
        ({"kind": "pair-encoder"}, "cross-encoder, late-interaction"),
        ({"loss": "mse"}, "need a teacher"),
        ({"depth": 0}, "depth"),
        ({"epochs": 0}, "epochs"),
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        replace(SETTINGS, **wrong)


def test_a_base_that_is_none_and_a_place_that_is_taken_are_refused(pairs: Path, base: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").write_text("x")
    with pytest.raises(InputError, match="something here already"):
        train_ranker(pairs, to=tmp_path / "taken", base=base, encoder=base)
    with pytest.raises(ModelError, match="no folder"):
        train_ranker(pairs, to=tmp_path / "new", base="./nothing", encoder=base)
