"""The check of kinds that compare directions: vectors have length 1."""

from __future__ import annotations

import numpy as np

from twofold.errors import InputError
from twofold.scores import Vectors

TOLERANCE = 0.01
"""Float16 moves the length of a unit vector by a tenth of this at most."""


def check_unit(vectors: Vectors, first: int) -> None:
    """Raises InputError naming the first row, counted from `first`, whose vector is not of length 1."""
    wrong = np.flatnonzero(np.abs(np.sqrt(np.einsum("ij,ij->i", vectors, vectors)) - 1) > TOLERANCE)
    if len(wrong):
        raise InputError(
            f"row {first + int(wrong[0])} has a vector of another length than 1, and this kind of index compares "
            "directions only; collections that compare by dot product of such vectors are searched exactly"
        )
