"""An encoder of two towers: documents by a transformer, queries by a table of tokens in the same space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from twofold.contract import Contract
from twofold.encoders.texts import add_to, check_texts
from twofold.encoders.transformer import TransformerEncoder
from twofold.errors import ModelError
from twofold.models.static_table import EMBEDDED, StaticTable
from twofold.reports import EncodingReport
from twofold.scores import Vectors

STATIC = "static"


class StaticQueries(TransformerEncoder):
    """A transformer whose queries are encoded by a static tower instead; collections of the transformer take it.

    tower: "static" for the one that ships with Twofold and belongs to the embedded default, or a file that `twofold
    train --query-tower` wrote. Raises ModelError where the tower belongs to another space than the transformer's.
    """

    def __init__(
        self,
        tower: str | Path,
        name: str | Path | None = None,
        *,
        precision: str = "auto",
        threads: int | None = None,
        on_truncation: str = "count",
    ) -> None:
        super().__init__(name, precision=precision, threads=threads, on_truncation=on_truncation)
        self._tower = str(tower) if tower == STATIC else str(Path(tower).resolve())
        self._table = StaticTable.read(EMBEDDED if tower == STATIC else Path(tower))
        space = super()._decided().space
        if self._table.aligned_to != space:
            raise ModelError(
                f"the query tower {tower} was made for the space {self._table.aligned_to}, and this encoder's is "
                f"{space}; make one for it: twofold train … --query-tower static --base {name or 'MODEL'}"
            )

    def _decided(self) -> Contract:
        return replace(super()._decided(), query_tower=self._table.fingerprint)

    @property
    def source(self) -> dict[str, Any]:
        """Where the transformer is, and the tower."""
        return {**super().source, "kind": "static-queries", "query_tower": self._tower}

    def encode_queries(self, texts: Sequence[str], *, report: EncodingReport | None = None) -> Vectors:
        """float32 (n, dimension), each of length 1. Raises InputError, TruncationError."""
        check_texts(texts)
        vectors = np.empty((len(texts), self._table.rows.shape[1]), dtype=np.float32)
        counts = EncodingReport()
        for position, ids in enumerate(self._inputs(texts, "query", counts)):
            vectors[position] = self._table.vector(ids)
        if report is not None:
            add_to(report, counts)
        return vectors
