"""The documents of one commit with their passages and vectors; and what is stored of existing ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twofold.documents import Document
from twofold.errors import DocumentError, VectorError
from twofold.scores import Mask, Numbers
from twofold.space import Space

LARGEST = 65_504
"""The largest number of float16."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored under an id.

    handle: the document's, in the latest commit; text_hash: as the caller gave it; metadata: canonical JSON.
    """

    handle: int
    text_hash: bytes
    metadata: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The passages and vectors of some documents in one space, in the order of the documents.

    truncated: of each document, the tokens that its vectors do not cover. counts: int (documents,), rows of each, 0 for
    one that gets no vector. spans: int32 (rows, 2), start and end in characters of the text. vectors: float32 (rows,
    dimension), or uint16 (rows, words) in a space of codes. Raises VectorError.
    """

    truncated: Sequence[int]
    counts: Numbers
    spans: NDArray[np.int32]
    vectors: NDArray[Any]

    def __post_init__(self) -> None:
        rows, passages = len(self.vectors), int(self.counts.sum())
        if len(self.truncated) != len(self.counts):
            raise VectorError(f"{len(self.truncated)} counts of tokens came with {len(self.counts)} counts of rows")
        if self.vectors.ndim != 2 or self.spans.shape != (rows, 2) or passages != rows:
            raise VectorError(
                f"vectors of the shape {self.vectors.shape} came with spans of the shape {self.spans.shape} for "
                f"{passages} passages"
            )

    def __len__(self) -> int:
        return len(self.counts)

    @classmethod
    def joined(cls, parts: Sequence[Part]) -> Part:
        """One part after the other; there is at least one."""
        return cls(
            truncated=[tokens for part in parts for tokens in part.truncated],
            counts=np.concatenate([part.counts for part in parts]),
            spans=np.concatenate([part.spans for part in parts]),
            vectors=np.concatenate([part.vectors for part in parts]),
        )

    def of(self, kept: Mask) -> Part:
        """The part of some of the documents. kept: bool (documents,)."""
        rows = np.repeat(kept, self.counts)
        truncated = [tokens for tokens, keep in zip(self.truncated, kept.tolist(), strict=True) if keep]
        return Part(truncated=truncated, counts=self.counts[kept], spans=self.spans[rows], vectors=self.vectors[rows])

    def halves(self, space: Space, names: Sequence[object]) -> NDArray[Any]:
        """The vectors as they are stored, (rows, words) of the space's type; raises VectorError naming the document
        whose vector float16 cannot hold.
        """
        if self.vectors.shape[1] != space.words:
            raise VectorError(f"vectors have {self.vectors.shape[1]} numbers; this collection takes {space.words}")
        if space.bits:
            if self.vectors.dtype != space.dtype:
                raise VectorError(f"the space {space.name!r} takes codes in {space.dtype}, not {self.vectors.dtype}")
            return self.vectors
        # NaN is the largest of whatever it is among, and no more than nothing.
        if not np.abs(self.vectors).max(initial=0) <= LARGEST:
            self._refuse(names)
        return self.vectors.astype(np.float16)

    def _refuse(self, names: Sequence[object]) -> None:
        bad = np.flatnonzero(~(np.abs(self.vectors) <= LARGEST).all(axis=1))
        owner = int(np.searchsorted(np.cumsum(self.counts), bad[0], side="right"))
        raise VectorError(
            f"document {names[owner]!r}: its vector holds NaN, infinity or a number beyond {LARGEST}, "
            f"which float16 cannot store ({len(bad)} such vectors in this block)"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Documents that become durable together, with their part for every complete space.

    text_hashes: of each document, what the caller compares to see whether it must be encoded again (8 to 64 bytes).
    parts: space → its part, as many documents in the same order. An id comes once. Raises DocumentError.
    """

    documents: Sequence[Document]
    text_hashes: Sequence[bytes]
    parts: Mapping[str, Part]

    def __post_init__(self) -> None:
        documents = len(self.documents)
        if len(self.text_hashes) != documents or any(len(part) != documents for part in self.parts.values()):
            parts = ", ".join(f"{len(part)} in the space {name!r}" for name, part in self.parts.items())
            raise DocumentError(f"{documents} documents came with {len(self.text_hashes)} hashes and {parts}")
        ids = [document.id for document in self.documents]
        if len(set(ids)) < documents:
            twice = next(identifier for identifier, times in Counter(ids).items() if times > 1)
            raise DocumentError("comes twice in one block", document_id=twice)
