"""The model card of a trained encoder (README.md of its folder), and what its configuration says of the training."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path

from twofold.errors import MissingExtraError
from twofold.files import write_aside
from twofold.models.folder import SHORTER
from twofold.plots.training import Space, curves
from twofold.training.outcome import AFTER, BEFORE, TrainingOutcome
from twofold.training.ranker_settings import CROSS_ENCODER, LATE_INTERACTION, RankerSettings

PICTURE = "training.png"
TITLES = {
    CROSS_ENCODER: ("text-ranking", "A cross-encoder"),
    LATE_INTERACTION: ("sentence-similarity", "A model for late interaction"),
}
"""The task that the hub knows, and the heading, by the kind of ranker."""


def write_card(folder: Path, outcome: TrainingOutcome, base: str, command: str) -> None:
    """Writes README.md: base, data, command, settings, figures, and a picture where matplotlib is installed.

    folder: of the model.
    """
    task, title = ("sentence-similarity", "An encoder")
    if isinstance(outcome.settings, RankerSettings):
        task, title = TITLES[outcome.settings.kind]
    curve = "\n".join(f"- step {step}: {value:.4f}" for step, value in outcome.curve.dev)
    losses = [value for _, value in outcome.curve.loss]
    lines = [
        f"---\nlibrary_name: sentence-transformers\npipeline_tag: {task}\n---",
        f"# {title} trained with Twofold",
        f"Base: {base}. Trained in {outcome.seconds:,.0f} seconds by:",
        f"```text\n{command}\n```",
        "Data: " + ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in outcome.counts.items()),
        f"SHA-256 of the data: `{outcome.data}`",
        *(table.to_markdown() for table in outcome.tables()),
        *outcome.verdicts(),
        f"Hard negatives: {outcome.mining}",
        f"Loss: {losses[0]:.4f} at the first step, {losses[-1]:.4f} at the last." if losses else "",
        f"nDCG@10 of the dev queries in a small pool, after each epoch (kept: step {outcome.curve.best}):\n\n{curve}",
        f"![Loss, held-out questions and space]({PICTURE})" if _drawn(folder, outcome) else "",
        f"```json\n{json.dumps(outcome.settings.to_json(), indent=2)}\n```",
    ]
    with write_aside(folder / "README.md") as file:
        file.write("\n\n".join(filter(None, lines)).encode() + b"\n")


def state_dimensions(folder: Path, dimensions: Sequence[int]) -> None:
    """Says in the model's configuration which prefixes of its vectors were trained; `load_encoder(dim=)` reads it."""
    path = folder / "config_sentence_transformers.json"
    stated = json.loads(path.read_text(encoding="utf-8"))
    stated.pop(SHORTER, None)
    with write_aside(path) as file:
        file.write(json.dumps({**stated, **({SHORTER: sorted(dimensions)} if dimensions else {})}, indent=2).encode())


def _drawn(folder: Path, outcome: TrainingOutcome) -> bool:
    """Draws training.png; False where matplotlib is missing, and for a ranker, which has no space."""
    if outcome.geometry is None:
        return False
    spaces = [Space(name, *astuple(each)) for name, each in zip((BEFORE, AFTER), outcome.geometry, strict=True)]
    try:
        curves(outcome.curve.loss, outcome.curve.dev, outcome.curve.best, spaces, folder / PICTURE)
    except MissingExtraError:
        return False
    return True
