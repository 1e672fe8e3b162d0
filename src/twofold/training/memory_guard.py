"""Tests before the first step whether the longest batch fits into memory, in a child process.

If it does not, the batch is computed in smaller pieces (GradCache, Gao et al. 2021), which gives the same gradient.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from twofold.contract import Contract
from twofold.errors import InputError
from twofold.memory import peak_bytes
from twofold.models.configuration import Configuration
from twofold.models.folder import read_model_folder
from twofold.training.hardware import device, has_bf16, has_cuda, memory_left
from twofold.training.losses import loss_of
from twofold.training.models import guide_of, opened
from twofold.training.settings import DISTILLING, TrainingSettings

SHARE = 0.8
"""Of the memory that is left, what a step may take."""
SURELY = 0.02
"""A step that a generous bound puts below this share of it is not tried."""
BYTES_A_STATE = 400
"""A bound of what training keeps for each number of a token's state in each layer."""
LAYERS, MANY = ("num_hidden_layers", "n_layers"), 48
"""What configurations call the number of layers; a base that does not say is taken for a large one."""

CHILD = "from twofold.training.memory_guard import child; print(child())"
OUT_OF_MEMORY = 42
"""The child's exit status where torch itself noticed."""
KILLED = -9
"""Its exit status where Linux noticed, as `subprocess` reports SIGKILL."""

Row = tuple[str, ...]


def fitting(base: Path, contract: Contract, rows: Sequence[Row], settings: TrainingSettings) -> TrainingSettings:
    """The settings with a micro-batch that fits; as they were where one was named or the whole batch fits.

    Raises InputError where not even a single text fits.
    """
    if settings.micro_batch is not None or _surely_fits(base, contract, settings):
        return settings
    longest = sorted(rows, key=lambda row: -sum(map(len, row)))[: settings.batch]
    while (peak := peak_of(base, contract, longest, settings)) is None or peak > SHARE * memory_left():
        settings = halved(settings)
    return settings


def halved(settings: TrainingSettings) -> TrainingSettings:
    """The settings with half as many texts in memory at a time. Raises InputError where that cannot be."""
    if settings.loss in DISTILLING:
        raise InputError(
            f"a batch does not fit into memory, and the loss {settings.loss} needs it whole: lower the batch"
        )
    if settings.micro_batch == 1:
        raise InputError("a step of a single text does not fit into memory: use a smaller base")
    return replace(settings, micro_batch=max(1, (settings.micro_batch or settings.batch) // 2))


def peak_of(base: Path, contract: Contract, rows: Sequence[Row], settings: TrainingSettings) -> int | None:
    """The peak memory of one step with these rows, in a child process; None if that was killed.

    Raises InputError where the step fails for another reason than memory.
    """
    asked = pickle.dumps((base, contract, list(rows), settings))
    # A plain new interpreter, not multiprocessing, which would run the caller's own script again.
    done = subprocess.run([sys.executable, "-c", CHILD], input=asked, capture_output=True, check=False)  # noqa: S603
    if done.returncode == 0:
        return int(done.stdout.split()[-1])
    if done.returncode in (KILLED, OUT_OF_MEMORY):
        return None
    said = done.stderr.decode(errors="replace").strip().splitlines()
    raise InputError(f"the first step cannot be made: {said[-1] if said else f'exit status {done.returncode}'}")


def child() -> int:
    """The child process: reads the rows, makes the step, returns the peak."""
    import torch

    try:
        return _step(*pickle.load(sys.stdin.buffer))  # noqa: S301 - from the parent alone
    except (MemoryError, torch.OutOfMemoryError):
        sys.exit(OUT_OF_MEMORY)


def _step(base: Path, contract: Contract, rows: list[Row], settings: TrainingSettings) -> int:
    """One step, forth and back, and the peak of the memory that it took."""
    import torch
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    before = _peak()
    model = opened(base, contract, settings).to(device()).train()
    guide = guide_of(base, contract, settings) if settings.loss == "guided" else None
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-9)
    columns = [_features(model, [row[place] for row in rows], place == 0) for place in range(len(rows[0]))]
    with torch.autocast(device(), dtype=torch.bfloat16, enabled=has_bf16()):
        labels = torch.zeros(len(rows), max(1, settings.negatives), device=device())
        cost: Any = loss_of(model, settings, guide).to(device())(columns, labels)
    cost.backward()
    optimiser.step()
    return _peak() - before


def _peak() -> int:
    """Bytes that this process held at its peak, on the GPU where there is one."""
    import torch

    return int(torch.cuda.max_memory_allocated()) if has_cuda() else peak_bytes()


def _features(model: Any, texts: list[str], is_query: bool) -> Any:
    features = model.preprocess(texts, task="query" if is_query else "document")
    return {name: value.to(device()) if hasattr(value, "to") else value for name, value in features.items()}


def _surely_fits(base: Path, contract: Contract, settings: TrainingSettings) -> bool:
    """Whether a generous estimate of a step's memory is far below the free memory."""
    configuration = Configuration.read(read_model_folder(base).transformer / "config.json")
    layer_count = next((configuration.integer(name) for name in LAYERS if configuration.has(name)), MANY)
    numbers = settings.batch * (2 + settings.negatives) * contract.max_tokens * contract.dimension * layer_count
    return numbers * BYTES_A_STATE < SURELY * memory_left()
