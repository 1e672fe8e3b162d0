"""The trainers of sentence-transformers as they are used here: quiet, with checkpoints that a run resumes from."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twofold.progress import Progress
from twofold.training.hardware import has_bf16, has_cuda
from twofold.training.ranker_settings import RankerSettings
from twofold.training.settings import TrainingSettings

WEIGHTS = "weights.pt"
SAVED_EVERY = 600.0
"""Seconds between checkpoints inside an epoch, which is what an interruption costs at most."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Loss by step, and nDCG@10 of the held-out queries in their pool by step; best: the checkpoint that was kept."""

    loss: list[tuple[int, float]]
    dev: list[tuple[int, float]]
    best: int


def curve_of(state: Any, measure: str) -> Curve:
    """What a trainer's state says of its steps. measure: the name of the evaluation there."""
    return Curve(
        [(entry["step"], entry["loss"]) for entry in state.log_history if "loss" in entry],
        [(entry["step"], entry[measure]) for entry in state.log_history if measure in entry],
        int(str(state.best_model_checkpoint or f"-{state.global_step}").rsplit("-", 1)[-1]),
    )


def common_arguments(rows: int, settings: TrainingSettings | RankerSettings, work: Path, metric: str) -> dict[str, Any]:
    """What all runs tell the trainer. rows: how many are learned from. metric: by which the best epoch is chosen."""
    steps = max(1, -(-rows // settings.batch) * settings.epochs)
    return {
        "output_dir": str(work),
        "num_train_epochs": settings.epochs,
        "learning_rate": settings.learning_rate,
        "warmup_steps": round(settings.warmup * steps),
        "use_cpu": not has_cuda(),  # transformers refuses bf16 without a GPU unless it is told that there is none
        "bf16": has_bf16(),
        "seed": settings.seed,
        "data_seed": settings.seed,
        "eval_strategy": "epoch",
        "save_strategy": "epoch",
        "save_total_limit": 2,
        "load_best_model_at_end": True,
        "metric_for_best_model": metric,
        "greater_is_better": True,
        "logging_steps": 1,
        "report_to": "none",
        "disable_tqdm": True,
        "dataloader_pin_memory": False,
    }


def plain(kind: type[Any]) -> type[Any]:
    """A trainer of this kind without bars and printed lines of its own."""
    import torch
    from transformers import PrinterCallback, ProgressCallback

    class Trainer(kind):  # type: ignore[misc]
        """Without a model card of its own, for which it would look through the texts and draw a bar; its checkpoints
        hold the weights as they are trained, adapters and all.
        """

        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self.remove_callback(PrinterCallback)
            self.remove_callback(ProgressCallback)

        def add_model_card_callback(self, default_args_dict: dict[str, Any]) -> None:
            """Adds none."""

        def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:  # noqa: ARG002 - as it is called
            os.makedirs(output_dir or self.args.output_dir, exist_ok=True)
            torch.save(self.model.state_dict(), os.path.join(output_dir or self.args.output_dir, WEIGHTS))

        def _load_from_checkpoint(self, checkpoint_path: str) -> None:
            weights = torch.load(os.path.join(checkpoint_path, WEIGHTS), map_location="cpu", weights_only=True)
            self.model.load_state_dict(weights)

    return Trainer


def run_to_end(trainer: Any, work: Path, progress: Progress) -> None:
    """Trains, from the last checkpoint in `work` where there is one; progress in steps."""
    from transformers import TrainerCallback

    class Teller(TrainerCallback):  # type: ignore[misc]
        """Reports how many steps are done, and asks for a checkpoint when the last one is old."""

        saved = time.monotonic()

        def on_step_end(self, _args: Any, state: Any, control: Any, **_rest: Any) -> None:
            progress(state.global_step, state.max_steps)
            control.should_save |= time.monotonic() - self.saved > SAVED_EVERY

        def on_save(self, _args: Any, _state: Any, _control: Any, **_rest: Any) -> None:
            self.saved = time.monotonic()

    trainer.add_callback(Teller())
    trainer.train(resume_from_checkpoint=any(work.glob("checkpoint-*")) or None)
