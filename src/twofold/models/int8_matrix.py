"""Matrices in int8: each row divided by a scale of its own and rounded to whole numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LARGEST = 127
"""The largest number of a row; -128 is not used, so that rounding is symmetric."""


@dataclass(frozen=True, slots=True, eq=False)
class Int8Matrix:
    """A matrix in int8. numbers: int8 (rows, columns); scales: float32 (rows,), what each row is multiplied by."""

    numbers: NDArray[np.int8]
    scales: NDArray[np.float32]

    @classmethod
    def of(cls, matrix: NDArray[np.float32]) -> Int8Matrix:
        """A float32 matrix (rows, columns), rounded; a row's largest number becomes 127, a row of zeros stays so."""
        scales = np.abs(matrix).max(axis=1) / np.float32(LARGEST)
        divisors = np.where(scales > 0, scales, np.float32(1))[:, None]
        return cls(np.rint(matrix / divisors).clip(-LARGEST, LARGEST).astype(np.int8), scales)

    def expanded(self) -> NDArray[np.float32]:
        """float32 (rows, columns): what the whole numbers stand for."""
        return self.numbers * self.scales[:, None]

    def divided(self, count: int) -> list[Int8Matrix]:
        """The matrix as `count` matrices of equal size, one below the other. Raises ValueError as `np.split`."""
        parts = zip(np.split(self.numbers, count), np.split(self.scales, count), strict=True)
        return [Int8Matrix(*each) for each in parts]
