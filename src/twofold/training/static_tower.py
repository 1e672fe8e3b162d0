"""A static query tower: a table of tokens fitted to what a teacher makes of the same texts.

The table starts as what the teacher says of each token alone, weighted down where the token is frequent (as Model2Vec
does, Tulkens & van Dongen 2024), so that a token which no text has still points somewhere sensible.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twofold.encoders.transformer import TransformerEncoder
from twofold.models.layers import unit_length
from twofold.models.static_table import StaticTable
from twofold.progress import Progress, silent
from twofold.scores import Vectors
from twofold.training.distilling import DistillingSettings, Fidelity, fidelity, lesson, loss
from twofold.training.fitting import check_installed

MARKS = str.maketrans({"#": " ", "Ġ": " ", "▁": " "})
"""What tokenizers put before a token to say that it goes on with a word, or begins one; no part of its text."""


def distil_static(
    teacher: TransformerEncoder,
    texts: Sequence[str],
    *,
    about: Mapping[str, str] | None = None,
    settings: DistillingSettings | None = None,
    vectors: Vectors | None = None,
    progress: Progress = silent,
) -> tuple[StaticTable, Fidelity]:
    """A table in the teacher's space, and how well it follows.

    texts: at least 100, such as people ask and documents say; equal ones count once. about: what they are, kept with
    the table. vectors: the teacher's queries of these texts, (n, dimension), where they are known already. Raises
    InputError, MissingExtraError.
    """
    check_installed()
    settings = settings or DistillingSettings()
    given = lesson(teacher, texts, vectors, settings.seed)
    held_out = given.held_out
    start = _start(teacher, given.tokens[held_out:])
    rows = _fitted(start, given.tokens[held_out:], given.targets[held_out:], settings, progress)
    table = StaticTable.packed(rows, teacher.contract.space, about or {})
    found = np.stack([table.vector(each) for each in given.tokens[:held_out]])
    return table, fidelity(found, given.targets[:held_out], len(given.tokens) - held_out)


def _start(teacher: TransformerEncoder, tokens: Sequence[Sequence[int]]) -> Vectors:
    """What the teacher says of each token, weighted by how rare it is: a / (a + p), Arora et al. 2017."""
    vocabulary = [token.translate(MARKS).strip() for token in teacher.vocabulary]
    counts = np.bincount(np.concatenate([np.asarray(each) for each in tokens]), minlength=len(vocabulary)) + 1.0
    weights = 1e-3 / (1e-3 + counts / counts.sum())
    alone: Vectors = unit_length(teacher.encode_queries(vocabulary)) * weights[:, None].astype(np.float32)
    return alone


def _fitted(
    start: Vectors,
    tokens: Sequence[Sequence[int]],
    targets: Vectors,
    settings: DistillingSettings,
    progress: Progress,
) -> Vectors:
    import torch

    torch.manual_seed(settings.seed)
    table = torch.nn.EmbeddingBag.from_pretrained(torch.from_numpy(start.copy()), freeze=False, mode="sum")
    steps = settings.epochs * -(-len(tokens) // settings.batch)
    optimiser = torch.optim.Adam(table.parameters(), lr=settings.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    done = 0
    for _ in range(settings.epochs):
        for batch in torch.randperm(len(tokens)).split(settings.batch):
            cost = loss(table(*_bags(tokens, batch.numpy())), torch.from_numpy(targets[batch.numpy()]), settings)
            optimiser.zero_grad()
            cost.backward()
            optimiser.step()
            schedule.step()
            done += 1
            progress(done, steps)
    fitted: Vectors = table.weight.detach().numpy()
    return fitted


def _bags(tokens: Sequence[Sequence[int]], places: NDArray[np.int64]) -> tuple[Any, Any]:
    """The texts' tokens one after the other, and where each text begins."""
    import torch

    chosen = [tokens[place] for place in places]
    starts = np.cumsum([0, *(len(each) for each in chosen[:-1])])
    return torch.from_numpy(np.concatenate([np.asarray(each) for each in chosen])), torch.from_numpy(starts)
