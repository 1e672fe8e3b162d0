"""A whole training run of a small model for late interaction: what it writes, and what each loss learns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import MultiVectorEncoder

from twofold.rankers.late_interaction import load_late_interaction
from twofold.training import trainers
from twofold.training.outcome import TrainingOutcome
from twofold.training.ranker_settings import LATE_INTERACTION, RankerSettings
from twofold.training.rankers import train_ranker

SETTINGS = RankerSettings(
    kind=LATE_INTERACTION, epochs=2, batch=16, learning_rate=3e-3, negatives=3, dev_share=0.2, margin=1.0, depth=12
)


@pytest.fixture(scope="module")
def trained(base: Path, pairs: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainingOutcome:
    to = tmp_path_factory.mktemp("trained") / "ranker"
    return train_ranker(pairs, to=to, base=base, encoder=base, settings=SETTINGS)


def test_both_libraries_read_the_folder_to_the_same_scores(trained: TrainingOutcome) -> None:
    texts = ["paper wheel", "stone river market", "horse"]
    model = MultiVectorEncoder(str(trained.folder), device="cpu", similarity_fn_name="meanmaxsim")
    theirs = model.similarity(model.encode_query(["stone river"]), model.encode_document(texts)).numpy()[0]
    ours = load_late_interaction(trained.folder, precision="f32").scores("stone river", texts)
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_the_loss_falls_and_the_best_epoch_is_kept(trained: TrainingOutcome) -> None:
    losses = [value for _, value in trained.curve.loss]
    assert np.mean(losses[-3:]) < np.mean(losses[:3])
    values = dict(trained.curve.dev)
    assert len(values) == SETTINGS.epochs
    assert values[trained.curve.best] == max(values.values())


@pytest.mark.parametrize("loss", ["kl", "margin-mse"])
def test_a_teacher_of_both_losses_is_followed(loss: str, base: Path, pairs: Path, tmp_path: Path) -> None:
    settings = replace(SETTINGS, loss=loss, teacher=str(base), epochs=3)
    outcome = train_ranker(pairs, to=tmp_path / "ranker", base=base, encoder=base, settings=settings)
    losses = [value for _, value in outcome.curve.loss]
    assert np.mean(losses[-5:]) < np.mean(losses[:5])


def test_a_model_for_late_interaction_is_trained_further(trained: TrainingOutcome, pairs: Path, tmp_path: Path) -> None:
    settings = replace(SETTINGS, epochs=1)
    again = train_ranker(pairs, to=tmp_path / "more", base=trained.folder, settings=settings)
    first = load_late_interaction(trained.folder, precision="f32").encoder
    second = load_late_interaction(again.folder, precision="f32").encoder
    assert first.dimension == second.dimension
    assert np.mean([value for _, value in again.curve.loss]) < trained.curve.loss[0][1]


def test_the_card_says_what_was_trained(trained: TrainingOutcome) -> None:
    card = (trained.folder / "README.md").read_text()
    assert "# A model for late interaction trained with Twofold" in card
    assert trained.verdicts()[0] in card
    assert trained.geometry is None
    assert [path.name for path in trained.folder.parent.iterdir()] == ["ranker"]  # the checkpoints are gone


class Killed(BaseException):
    """What ends a process, as far as the run can see."""


def test_a_run_that_is_killed_inside_an_epoch_goes_on_there(
    base: Path, pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainers, "SAVED_EVERY", 0.0)
    settings = replace(SETTINGS, epochs=1, batch=8)
    steps: list[int] = []

    def killing(done: int, total: int | None) -> None:
        if total == 12 and done == 6:
            raise Killed

    def counting(done: int, total: int | None) -> None:
        if total == 12:
            steps.append(done)

    with pytest.raises(Killed):
        train_ranker(pairs, to=tmp_path / "ranker", base=base, encoder=base, settings=settings, progress=killing)
    train_ranker(pairs, to=tmp_path / "ranker", base=base, encoder=base, settings=settings, progress=counting)
    assert steps == list(range(6, 13))
