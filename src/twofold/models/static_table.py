"""A static query tower: a table with a row for every token, and a query's vector the sum of its tokens' rows.

No transformer layer runs, so a query costs tokenising and reading a few rows. The rows were fitted to a teacher's
vectors of texts (training/distilling.py), so the sums are vectors in the teacher's space.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from twofold.errors import ModelError
from twofold.files import write_aside
from twofold.scores import Vectors, unit_vectors

EMBEDDED = Path(__file__).with_name("static_query_tower.safetensors")
"""The tower that belongs to the embedded default encoder."""
LARGEST = 127


@dataclass(frozen=True)
class StaticTable:
    """rows: int8 (vocabulary, dimension), times scales: float16 (vocabulary,).

    aligned_to: the space (`Contract.space`) into which the rows were fitted. about: what it was fitted on, in words.
    """

    rows: NDArray[np.int8]
    scales: NDArray[np.float16]
    aligned_to: str
    about: Mapping[str, str]

    @classmethod
    def packed(cls, rows: Vectors, aligned_to: str, about: Mapping[str, str]) -> StaticTable:
        """Of float32 rows (vocabulary, dimension): each divided by its own largest number, in 255 steps."""
        scales = (np.abs(rows).max(axis=1) / LARGEST).astype(np.float16)
        divisors = np.where(scales > 0, scales, 1).astype(np.float32)[:, None]
        steps = np.clip(np.rint(rows / divisors), -LARGEST, LARGEST).astype(np.int8)
        return cls(steps, scales, aligned_to, about)

    @classmethod
    def read(cls, path: Path) -> StaticTable:
        """The table in a file. Raises ModelError where there is none."""
        try:
            with safe_open(path, framework="numpy") as file:
                said = json.loads((file.metadata() or {})["tower"])
                table = cls(file.get_tensor("rows"), file.get_tensor("scales"), said["aligned_to"], said["about"])
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            raise ModelError(f"{path} is no static query tower: {error}") from error
        return table

    def write(self, path: Path) -> None:
        """Writes the table to a file; equal tables give equal bytes."""
        # One field: safetensors writes several in an order of its own, another each time.
        said = json.dumps({"aligned_to": self.aligned_to, "about": dict(self.about)}, sort_keys=True)
        with write_aside(path) as file:
            file.write(save({"rows": self.rows, "scales": self.scales}, {"tower": said}))

    @cached_property
    def fingerprint(self) -> str:
        """A hex digest of the table and of the space that it belongs to."""
        whole = hashlib.blake2b(json.dumps([self.aligned_to, self.rows.shape]).encode(), digest_size=16)
        for part in (self.rows, self.scales):
            whole.update(np.ascontiguousarray(part).tobytes())
        return whole.hexdigest()

    def vector(self, ids: Sequence[int]) -> Vectors:
        """float32 (dimension,), of length 1: the tokens' rows summed in the order of the tokens."""
        rows = self.rows[ids].astype(np.float32)
        whole: Vectors = np.einsum("i,ij->j", self.scales[ids].astype(np.float32), rows)
        unit: Vectors = unit_vectors(whole[None])[0]
        return unit
