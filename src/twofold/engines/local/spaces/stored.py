"""The stored rows of one snapshot, as the search of them sees it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from twofold.protocols import VectorBlocks
from twofold.scores import Numbers, Vectors


class StoredVectors(VectorBlocks, Protocol):
    """Vectors by their rows, rows by their documents; implemented by `StoredSnapshot`."""

    @property
    def rows_per_document(self) -> float:
        """Live rows over live documents, at least 1: how many candidates a ranking is likely to need."""

    def vectors(self, rows: Numbers) -> Vectors:
        """float32 (n, dimension): the stored vectors of these rows."""

    def documents_of(self, rows: Numbers) -> Numbers:
        """int64 (n,): the document number of each row."""

    def rows_of(self, documents: Numbers) -> tuple[Numbers, Numbers]:
        """All rows of these documents, and beside each the position of its document in `documents`."""

    def ids(self, documents: Numbers) -> Sequence[str]:
        """The ids of these documents, in their order."""
