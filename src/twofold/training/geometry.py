"""Alignment and uniformity of a space, which contrastive training changes (Wang & Isola 2020)."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from twofold.scores import Vectors


@dataclass(frozen=True, slots=True)
class Geometry:
    """alignment: mean squared distance of queries to their positives, 0 where they coincide. uniformity: the logarithm
    of the mean of exp(-2 d²) over pairs of documents, lower where they spread more evenly over the sphere."""

    alignment: float
    uniformity: float

    def to_json(self) -> dict[str, float]:
        """Both by name."""
        return asdict(self)


def geometry(queries: Vectors, positives: Vectors) -> Geometry:
    """Of unit vectors, float32 (n, dimension): row i of one belongs to row i of the other; n is at least 2."""
    distances = np.square(queries.astype(np.float64) - positives.astype(np.float64)).sum(axis=1)
    cosines = positives.astype(np.float64) @ positives.astype(np.float64).T
    apart = np.exp(-2 * (2 - 2 * cosines[np.triu_indices(len(positives), k=1)]))
    return Geometry(float(distances.mean()), float(np.log(apart.mean())))
