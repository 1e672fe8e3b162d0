"""What one commit takes: documents with their passages and vectors; and what is known of those that are there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twofold.documents import Document
from twofold.errors import DocumentError, VectorError
from twofold.scores import Numbers, Vectors

LARGEST = 65_504
"""The largest number of float16."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored under an id.

    handle: the document's, in the latest commit; text_hash: as the caller gave it; metadata: canonical JSON; truncated:
    tokens that its vectors do not cover.
    """

    handle: int
    text_hash: bytes
    metadata: str
    truncated: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Documents that become durable together; their passages and vectors stand in the order of the documents.

    text_hashes: of each document, what the caller compares to see whether it must be encoded again (8 to 64 bytes).
    truncated: of each, the tokens that its vectors do not cover. counts: int (documents,), rows of each, 0 for one
    that gets no vector. spans: int32 (rows, 2), start and end in characters of the text. vectors: float32 (rows,
    dimension). An id comes once. Raises DocumentError, VectorError.
    """

    documents: Sequence[Document]
    text_hashes: Sequence[bytes]
    truncated: Sequence[int]
    counts: Numbers
    spans: NDArray[np.int32]
    vectors: Vectors

    def __post_init__(self) -> None:
        documents, rows, passages = len(self.documents), len(self.vectors), int(self.counts.sum())
        if not len(self.text_hashes) == len(self.truncated) == len(self.counts) == documents:
            raise DocumentError(
                f"{documents} documents came with {len(self.text_hashes)} hashes, {len(self.truncated)} counts of "
                f"tokens and {len(self.counts)} counts of rows"
            )
        if self.vectors.ndim != 2 or self.spans.shape != (rows, 2) or passages != rows:
            raise VectorError(
                f"vectors of the shape {self.vectors.shape} came with spans of the shape {self.spans.shape} for "
                f"{passages} passages"
            )
        ids = [document.id for document in self.documents]
        if len(set(ids)) < documents:
            twice = next(identifier for identifier, times in Counter(ids).items() if times > 1)
            raise DocumentError("comes twice in one block", document_id=twice)

    def halves(self, dimension: int) -> NDArray[np.float16]:
        """The vectors as they are stored; raises VectorError naming the document whose vector float16 cannot hold."""
        if self.vectors.shape[1] != dimension:
            raise VectorError(f"vectors have {self.vectors.shape[1]} numbers; this collection takes {dimension}")
        # NaN is the largest of whatever it is among, and no more than nothing.
        if not np.abs(self.vectors).max(initial=0) <= LARGEST:
            self._refuse()
        return self.vectors.astype(np.float16)

    def _refuse(self) -> None:
        bad = np.flatnonzero(~(np.abs(self.vectors) <= LARGEST).all(axis=1))
        owner = int(np.searchsorted(np.cumsum(self.counts), bad[0], side="right"))
        raise VectorError(
            f"document {self.documents[owner].id!r}: its vector holds NaN, infinity or a number beyond {LARGEST}, "
            f"which float16 cannot store ({len(bad)} such vectors in this block)"
        )
