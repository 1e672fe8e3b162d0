"""A static query tower, fitted to what a teacher makes of the same texts: no judgement is needed, no document encoded.

The table starts as what the teacher says of each token alone, weighted down where the token is frequent (as Model2Vec
does, Tulkens & van Dongen 2024), so that a token which no text has still points somewhere sensible. Then it is fitted:
sums must point where the teacher's vectors point, and be as near to the batch's other texts as the teacher's are.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twofold.encoders.transformer import TransformerEncoder
from twofold.errors import InputError
from twofold.models.static_table import StaticTable
from twofold.progress import Progress, silent
from twofold.scores import Vectors
from twofold.training.fitting import check_installed

HELD_OUT = 2000
"""Texts by which the tower is measured; a tenth where there are fewer than ten times as many."""
FEWEST = 100
NEAREST = 10
MARKS = str.maketrans({"#": " ", "Ġ": " ", "▁": " "})
"""What tokenizers put before a token to say that it goes on with a word, or begins one; no part of its text."""


@dataclass(frozen=True, slots=True)
class DistillingSettings:
    """How a static tower is fitted."""

    epochs: int = 10
    """Passes over the texts; a table has no depth in which it could learn by heart what it has seen."""
    batch: int = 1024
    """Texts a step, each compared with all others of its batch."""
    learning_rate: float = 2e-3
    """The highest rate, from which it falls to nothing along a cosine."""
    temperature: float = 0.05
    """By which similarities are divided before they are compared: lower looks at near texts only."""
    seed: int = 0
    """Of the order of texts, and of what is held out."""


@dataclass(frozen=True, slots=True)
class Fidelity:
    """How well a tower follows its teacher on texts that it has not seen.

    cosine: mean between their vectors of a text. nearest: share of the teacher's ten nearest among the held-out texts
    that are among the tower's. texts: how many were fitted; held_out: how many measured.
    """

    cosine: float
    nearest: float
    texts: int
    held_out: int

    def to_json(self) -> dict[str, float]:
        """The figures by name."""
        return asdict(self)

    def __str__(self) -> str:
        return (
            f"fitted to {self.texts:,} texts; on {self.held_out:,} others: cosine to the teacher {self.cosine:.4f}, "
            f"{self.nearest:.1%} of its {NEAREST} nearest"
        )


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
    first = {text: place for place, text in reversed(list(enumerate(texts))) if text.strip()}
    if len(first) < FEWEST:
        raise InputError(f"{len(first)} texts are too few to fit a table of tokens; give at least {FEWEST}")
    if vectors is None:
        vectors = teacher.encode_queries(texts)
    places = sorted(first.values())
    random.Random(settings.seed).shuffle(places)  # noqa: S311 - a draw that can be repeated, no secret
    tokens = teacher.query_tokens([texts[place] for place in places])
    targets = np.asarray(vectors)[places].astype(np.float32)
    held_out = min(HELD_OUT, len(places) // 10)
    start = _start(teacher, tokens[held_out:])
    rows = _fitted(start, tokens[held_out:], targets[held_out:], settings, progress)
    table = StaticTable.packed(rows, teacher.contract.space, about or {})
    found = np.stack([table.vector(each) for each in tokens[:held_out]])
    return table, _fidelity(found, targets[:held_out], len(places) - held_out)


def _start(teacher: TransformerEncoder, tokens: Sequence[Sequence[int]]) -> Vectors:
    """What the teacher says of each token, weighted by how rare it is: a / (a + p), Arora et al. 2017."""
    vocabulary = [token.translate(MARKS).strip() for token in teacher.vocabulary]
    counts = np.bincount(np.concatenate([np.asarray(each) for each in tokens]), minlength=len(vocabulary)) + 1.0
    weights = 1e-3 / (1e-3 + counts / counts.sum())
    alone: Vectors = teacher.encode_queries(vocabulary) * weights[:, None].astype(np.float32)
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
            loss = _loss(table(*_bags(tokens, batch.numpy())), torch.from_numpy(targets[batch.numpy()]), settings)
            optimiser.zero_grad()
            loss.backward()
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


def _loss(sums: Any, targets: Any, settings: DistillingSettings) -> Any:
    """Distance to the teacher's vectors, and of the distributions over the batch's other texts (KL divergence)."""
    import torch

    student = torch.nn.functional.normalize(sums)
    itself = torch.eye(len(targets), dtype=torch.bool)
    said = (student @ targets.T / settings.temperature).masked_fill(itself, -1e9).log_softmax(dim=1)
    meant = (targets @ targets.T / settings.temperature).masked_fill(itself, -1e9).softmax(dim=1)
    return (1 - (student * targets).sum(dim=1)).mean() + torch.nn.functional.kl_div(said, meant, reduction="batchmean")


def _fidelity(found: Vectors, targets: Vectors, texts: int) -> Fidelity:
    cosine = float(np.einsum("ij,ij->i", found, targets).mean())
    count = min(NEAREST, len(targets) - 1)
    nearest = [_nearest(vectors, targets, count) for vectors in (found, targets)]
    shared = [len(set(one) & set(other)) for one, other in zip(*nearest, strict=True)]
    return Fidelity(cosine, float(np.mean(shared)) / count, texts, len(targets))


def _nearest(queries: Vectors, targets: Vectors, count: int) -> list[list[int]]:
    similarities = queries @ targets.T
    np.fill_diagonal(similarities, -np.inf)
    found: list[list[int]] = np.argsort(-similarities, axis=1, kind="stable")[:, :count].tolist()
    return found
