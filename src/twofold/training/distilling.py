"""Distillation of a query tower: a smaller model is fitted to a teacher's vectors of texts, in the same space.

It needs no judgements, and no document is encoded again. The loss compares directions with the teacher's vectors, and
similarities within the batch with the teacher's.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from twofold.encoders.transformer import TransformerEncoder
from twofold.errors import InputError
from twofold.scores import Vectors, unit_vectors

HELD_OUT = 2000
"""Texts by which the tower is measured; a tenth where there are fewer than ten times as many."""
FEWEST = 100
NEAREST = 10


@dataclass(frozen=True, slots=True)
class DistillingSettings:
    """Settings of the fitting of a tower."""

    epochs: int = 10
    """Passes over the texts; a table hardly overfits."""
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
    """How similar a tower is to its teacher on held-out texts.

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


@dataclass(frozen=True, slots=True)
class Lesson:
    """Texts as tokens with the teacher's vectors, the held-out ones first.

    tokens: of each text, special tokens included. targets: float32 (n, dimension), of length 1. held_out: how many are
    not fitted.
    """

    tokens: list[list[int]]
    targets: Vectors
    held_out: int


def lesson(teacher: TransformerEncoder, texts: Sequence[str], vectors: Vectors | None, seed: int) -> Lesson:
    """Training data from texts, equal ones once, in an order that depends on the seed.

    vectors: the teacher's queries of these texts, where they are known already. Raises InputError for too few texts.
    """
    first = {text: place for place, text in reversed(list(enumerate(texts))) if text.strip()}
    if len(first) < FEWEST:
        raise InputError(f"{len(first)} texts are too few to fit a query tower; give at least {FEWEST}")
    if vectors is None:
        vectors = teacher.encode_queries(texts)
    places = sorted(first.values())
    random.Random(seed).shuffle(places)  # noqa: S311 - a draw that can be repeated, no secret
    tokens = teacher.query_tokens([texts[place] for place in places])
    return Lesson(
        tokens, unit_vectors(np.asarray(vectors)[places].astype(np.float32)), min(HELD_OUT, len(places) // 10)
    )


def loss(made: Any, targets: Any, settings: DistillingSettings) -> Any:
    """Distance to the teacher's vectors, and of the distributions over the batch's other texts (KL divergence).

    made, targets: torch tensors (batch, dimension), of any length and of length 1.
    """
    import torch

    student = torch.nn.functional.normalize(made)
    itself = torch.eye(len(targets), dtype=torch.bool, device=targets.device)
    said = (student @ targets.T / settings.temperature).masked_fill(itself, -1e9).log_softmax(dim=1)
    meant = (targets @ targets.T / settings.temperature).masked_fill(itself, -1e9).softmax(dim=1)
    return (1 - (student * targets).sum(dim=1)).mean() + torch.nn.functional.kl_div(said, meant, reduction="batchmean")


def fidelity(found: Vectors, targets: Vectors, texts: int) -> Fidelity:
    """Of vectors found for held-out texts beside the teacher's, both float32 (n, dimension)."""
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
