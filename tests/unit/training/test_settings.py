"""Settings that cannot work are refused with the rule that they break."""

from __future__ import annotations

import json
from typing import Any

import pytest

from twofold.errors import InputError
from twofold.training.settings import TrainingSettings


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({"epochs": 0}, "epochs"),
        ({"batch": 0}, "batch"),
        ({"micro_batch": 0}, "micro_batch"),
        ({"learning_rate": 0.0}, "learning_rate is above 0"),
        ({"warmup": 1.0}, "warmup"),
        ({"negatives": -1}, "negatives"),
        ({"window": (5, 5)}, "window"),
        ({"margin": 1.5}, "margin"),
        ({"blend": 0.0}, "blend"),
        ({"dev_share": 0.0}, "dev_share"),
        ({"dimensions": (0,)}, "dimensions"),
        ({"pairs": 0}, "pairs"),
        ({"loss": "hinge"}, "loss is one of contrastive, guided"),
        ({"loss": "guided", "negatives": 2}, "one negative"),
        ({"loss": "kl", "negatives": 1}, "need a teacher"),
        ({"loss": "kl", "negatives": 0, "teacher": "x"}, "need a teacher and negatives"),
        ({"loss": "margin-mse", "teacher": "x", "micro_batch": 4}, "no micro_batch"),
        ({"lora": -1}, "lora"),
        ({"towers": "three"}, "towers are one of shared, untied"),
    ],
)
def test_settings_check_themselves(given: dict[str, Any], rule: str) -> None:
    with pytest.raises(InputError, match=rule):
        TrainingSettings(**given)


def test_settings_go_to_json() -> None:
    there = json.loads(json.dumps(TrainingSettings(dimensions=(64,), window=(2, 9)).to_json()))
    assert TrainingSettings(**{**there, "dimensions": (64,), "window": (2, 9)}) == TrainingSettings(
        dimensions=(64,), window=(2, 9)
    )
