"""An encoder of two towers: documents by one transformer, queries by another tower in the same space."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from twofold.contract import Contract
from twofold.encoders.texts import add_to, check_texts
from twofold.encoders.transformer import TransformerEncoder
from twofold.errors import ModelError
from twofold.models.alignment import read_alignment
from twofold.models.devices import CPU
from twofold.models.static_table import EMBEDDED, StaticTable
from twofold.reports import EncodingReport
from twofold.scores import Vectors

STATIC, UNTIED = "static", "untied"

QueryTokenizer = Callable[[Sequence[str], EncodingReport], Iterable[list[int]]]
"""Texts → the token ids of their queries; truncated texts are counted."""


class QueryTower(Protocol):
    """Encodes queries into an existing space. aligned_to: that space (`Contract.space`)."""

    @property
    def aligned_to(self) -> str: ...  # noqa: D102 - as above

    @property
    def fingerprint(self) -> str: ...  # noqa: D102 - a hex digest of everything that determines its vectors

    def encode(self, texts: Sequence[str], report: EncodingReport | None) -> Vectors: ...  # noqa: D102 - float32 (n, dimension)


class TwoTowers(TransformerEncoder):
    """A transformer whose queries are encoded by another tower instead; collections of the transformer take it.

    tower: what `twofold train --query-tower` wrote, a file (a table of tokens) or a folder (a transformer of fewer
    layers); "static" for the table that ships with Twofold and belongs to the embedded default; "untied" for the
    model's own, where its folder has a tower for each side. Raises ModelError where the tower belongs to another space
    than the transformer's.
    """

    def __init__(
        self,
        tower: str | Path,
        name: str | Path | None = None,
        *,
        precision: str = "auto",
        threads: int | None = None,
        on_truncation: str = "count",
        dim: int | None = None,
        device: str = CPU,
        workers: int = 1,
    ) -> None:
        settings: dict[str, Any] = {
            "precision": precision,
            "threads": threads,
            "on_truncation": on_truncation,
            "device": device,
        }
        loaded: Callable[..., TransformerEncoder] = partial(TransformerEncoder, **settings)
        super().__init__(name, **settings, dim=dim, workers=workers)
        self._place = str(tower) if tower in (STATIC, UNTIED) else str(Path(tower).resolve())
        space = super()._decided().space
        self._queries: QueryTower
        if tower == UNTIED:
            self._queries = LayeredTower(space, loaded(name, tower="query", dim=dim))
        elif tower != STATIC and Path(tower).is_dir():
            self._queries = LayeredTower(read_alignment(Path(tower)), loaded(Path(tower)))
        else:
            table = StaticTable.read(EMBEDDED if tower == STATIC else Path(tower))
            self._queries = StaticTower(table, lambda texts, counts: self._inputs(texts, "query", counts))
        if self._queries.aligned_to != space:
            base = shlex.quote(str(name or self._folder.path))
            raise ModelError(
                f"the query tower {tower} was made for the space {self._queries.aligned_to}, and this encoder's is "
                f"{space}; make one for it: `twofold train DATA --to FILE --query-tower static --base {base}`"
            )

    def _decided(self) -> Contract:
        return replace(super()._decided(), query_tower=self._queries.fingerprint)

    @property
    def source(self) -> dict[str, Any]:
        """Where the transformer is, and the tower."""
        return {**super().source, "kind": "two-towers", "query_tower": self._place}

    def encode_queries(self, texts: Sequence[str], *, report: EncodingReport | None = None) -> Vectors:
        """float32 (n, dimension), as the tower makes them. Raises InputError, TruncationError."""
        return self._queries.encode(texts, report)


class StaticTower:
    """Sums of a table's rows; no transformer layer runs."""

    def __init__(self, table: StaticTable, tokens: QueryTokenizer) -> None:
        self._table = table
        self._tokens = tokens

    @property
    def aligned_to(self) -> str:
        """The space into which the table was fitted."""
        return self._table.aligned_to

    @property
    def fingerprint(self) -> str:
        """Of the table."""
        return self._table.fingerprint

    def encode(self, texts: Sequence[str], report: EncodingReport | None) -> Vectors:
        """float32 (n, dimension), each of length 1."""
        check_texts(texts)
        vectors = np.empty((len(texts), self._table.rows.shape[1]), dtype=np.float32)
        counts = EncodingReport()
        for position, ids in enumerate(self._tokens(texts, counts)):
            vectors[position] = self._table.vector(ids)
        if report is not None:
            add_to(report, counts)
        return vectors


class LayeredTower:
    """Another transformer than the documents' one, with fewer layers or its own weights."""

    def __init__(self, aligned_to: str, encoder: TransformerEncoder) -> None:
        self.aligned_to = aligned_to
        self._encoder = encoder

    @cached_property
    def fingerprint(self) -> str:
        """Of everything that determines its vectors."""
        content = json.dumps([self.aligned_to, self._encoder.contract.to_json()], sort_keys=True)
        return hashlib.blake2b(content.encode(), digest_size=16).hexdigest()

    def encode(self, texts: Sequence[str], report: EncodingReport | None) -> Vectors:
        """float32 (n, dimension)."""
        return self._encoder.encode_queries(texts, report=report)
