"""A query tower of fewer layers: some of the teacher's own, fitted to replace all of them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from twofold.encoders.transformer import TransformerEncoder
from twofold.errors import InputError
from twofold.files import folder_aside
from twofold.models.alignment import write_alignment
from twofold.progress import Progress, silent
from twofold.scores import Vectors
from twofold.training.distilling import DistillingSettings, Fidelity, fidelity, lesson, loss
from twofold.training.fitting import check_installed
from twofold.training.hardware import device, has_bf16

SETTINGS = DistillingSettings(epochs=2, batch=256, learning_rate=3e-4)
"""A transformer learns more from a text than a table does, and takes longer."""
WARMUP = 0.05
SORTED = 32
"""Batches' worth of texts that are sorted by length together, so that little is padding."""


def distil_layers(
    teacher: TransformerEncoder,
    folder: Path,
    texts: Sequence[str],
    layer_count: int,
    *,
    settings: DistillingSettings = SETTINGS,
    vectors: Vectors | None = None,
    progress: Progress = silent,
) -> tuple[Any, Fidelity]:
    """A sentence-transformers model with `layer_count` layers in the teacher's space, and its fidelity.

    folder: the teacher's. texts: at least 100, like real queries. vectors: the teacher's queries of these texts,
    (n, dimension), where they are known already. Raises InputError, MissingExtraError.
    """
    check_installed()
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    torch.manual_seed(settings.seed)
    model = SentenceTransformer(str(folder), device=device())
    _keep(model, layer_count)
    given = lesson(teacher, texts, vectors, settings.seed)
    # Without dropout: what is learned has no accidents of labels in it, and attention runs fused.
    model.eval()
    _fit(model, given.tokens[given.held_out :], given.targets[given.held_out :], settings, progress)
    found = _encoded(model, given.tokens[: given.held_out], settings.batch)
    return model, fidelity(found, given.targets[: given.held_out], len(given.tokens) - given.held_out)


def write_tower(model: Any, to: Path, aligned_to: str, about: Mapping[str, str]) -> None:
    """Writes a tower's folder, whole or not at all. aligned_to: the teacher's space; about: what it was fitted on."""
    with folder_aside(to) as aside:
        model.save_pretrained(str(aside), create_model_card=False)
        write_alignment(aside, aligned_to, about)


def _keep(model: Any, layer_count: int) -> None:
    """Keeps `layer_count` of a model's layers, spread evenly from the first to the last."""
    import torch

    transformer = model[0].auto_model
    configuration = transformer.config
    count = configuration.num_hidden_layers
    if not 1 <= layer_count < count:
        raise InputError(f"the model has {count} layers, so a smaller tower has 1 to {count - 1}, not {layer_count}")
    kept = np.linspace(0, count - 1, layer_count).round().astype(int).tolist()
    parent, name = next(
        (module, name)
        for module in transformer.modules()
        for name, child in module.named_children()
        if isinstance(child, torch.nn.ModuleList) and len(child) == count
    )
    setattr(parent, name, torch.nn.ModuleList(getattr(parent, name)[place] for place in kept))
    configuration.num_hidden_layers = layer_count


def _fit(
    model: Any, tokens: Sequence[Sequence[int]], targets: Vectors, settings: DistillingSettings, progress: Progress
) -> None:
    import torch

    steps = settings.epochs * -(-len(tokens) // settings.batch)
    optimiser = torch.optim.AdamW(model.parameters(), lr=settings.learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, settings.learning_rate, total_steps=steps + 1, pct_start=WARMUP, cycle_momentum=False
    )
    for done, places in enumerate(_batches([len(each) for each in tokens], settings), 1):
        cost = loss(_vectors(model, [tokens[place] for place in places]), _on(model, targets[places]), settings)
        optimiser.zero_grad()
        cost.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        progress(done, steps)


def _batches(lengths: Sequence[int], settings: DistillingSettings) -> Iterator[list[int]]:
    """Places of texts, batches of about equal length, in an order that the seed decides."""
    draw = random.Random(settings.seed)  # noqa: S311 - a draw that can be repeated, no secret
    for _ in range(settings.epochs):
        places = list(range(len(lengths)))
        draw.shuffle(places)
        stride, batches = SORTED * settings.batch, []
        for start in range(0, len(places), stride):
            part = sorted(places[start : start + stride], key=lengths.__getitem__)
            batches += [part[first : first + settings.batch] for first in range(0, len(part), settings.batch)]
        draw.shuffle(batches)
        yield from batches


def _vectors(model: Any, tokens: Sequence[Sequence[int]]) -> Any:
    """A tensor (batch, dimension): the model's vectors, in float32."""
    import torch

    longest = max(map(len, tokens))
    padding = model.tokenizer.pad_token_id or 0
    ids = np.array([[*each, *[padding] * (longest - len(each))] for each in tokens])
    mask = np.array([[1] * len(each) + [0] * (longest - len(each)) for each in tokens])
    features = {"input_ids": _on(model, ids), "attention_mask": _on(model, mask)}
    with torch.autocast(model.device.type, dtype=torch.bfloat16, enabled=has_bf16()):
        return model(features)["sentence_embedding"].float()


def _on(model: Any, values: Any) -> Any:
    import torch

    return torch.from_numpy(values).to(model.device)


def _encoded(model: Any, tokens: Sequence[Sequence[int]], batch: int) -> Vectors:
    """float32 (n, dimension), each of length 1."""
    import torch

    with torch.no_grad():
        parts = [_vectors(model, tokens[start : start + batch]) for start in range(0, len(tokens), batch)]
        whole: Vectors = torch.nn.functional.normalize(torch.cat(parts)).cpu().numpy()
    return whole
