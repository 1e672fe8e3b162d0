"""The user's own vectors beside documents: an array, a .npy file, a Parquet file that `export` wrote, or a stream."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twofold.block import Part
from twofold.collection.parts import of_own
from twofold.contract import Contract
from twofold.documents import Document
from twofold.errors import VectorError
from twofold.readers.exported import ExportedVectors, is_exported
from twofold.readers.vectors import mapped_vectors
from twofold.scores import Numbers, Vectors, checked_vectors, scaled


@dataclass(frozen=True, slots=True)
class Own:
    """The vectors of some documents.

    vectors: float32 (rows, dimension). counts: int64 (n,), rows of each; spans: int32 (rows, 2), of which passages they
    are. Both are None where there is one vector a document, for its whole text.
    """

    vectors: Vectors
    counts: Numbers | None = None
    spans: NDArray[np.int32] | None = None

    def of(self, positions: Sequence[int]) -> Own:
        """Those of some of the documents, in this order."""
        if self.counts is None or self.spans is None:
            return Own(self.vectors[list(positions)])
        ends = np.cumsum(self.counts).tolist()
        rows = np.array([row for n in positions for row in range(ends[n] - int(self.counts[n]), ends[n])], np.int64)
        return Own(self.vectors[rows], self.counts[list(positions)], self.spans[rows])

    def hashed(self, position: int) -> bytes:
        """What tells the vectors of a document from others: their bytes, as they are stored."""
        one = self.of([position])
        numbers: bytes = one.vectors.astype("<f2").tobytes()
        if one.spans is None or len(one.spans) == 1:
            return numbers
        return numbers + one.spans.astype("<i4").tobytes()

    def part(self, documents: Sequence[Document]) -> Part:
        """The part of these documents, whose vectors these are."""
        if self.counts is None or self.spans is None:
            return of_own(documents, self.vectors)
        owners = np.repeat(np.arange(len(documents)), self.counts)
        lengths = np.array([len(document.text) for document in documents], np.int64)
        wrong = np.flatnonzero((self.spans < 0).any(axis=1) | (self.spans[:, 1] > lengths[owners]))
        if len(wrong):
            raise VectorError(
                f"document {documents[owners[wrong[0]]].id!r}: a passage ends behind its text, so these vectors are of "
                "another text"
            )
        return Part(truncated=[0] * len(documents), counts=self.counts, spans=self.spans, vectors=self.vectors)


class Given(ABC):
    """The user's own vectors, read block by block in the order of the documents.

    name: what messages call them. documents: of how many these are; None where that is not known before the last one.
    """

    def __init__(self, name: str, documents: int | None) -> None:
        self.name = name
        self.documents = documents

    @abstractmethod
    def take(self, first: int, count: int) -> Own:
        """The vectors of `count` documents from a position on, which follows the last call. Raises VectorError."""


class Lines(Given):
    """One vector a document. lines: (n, dimension), any float type; may be memory-mapped."""

    def __init__(self, lines: Any, name: str, contract: Contract) -> None:
        super().__init__(name, len(lines))
        self._lines = lines
        self._contract = contract

    def take(self, first: int, count: int) -> Own:
        """See Given; scaled to unit length where the collection compares by cosine."""
        what = f"{self.name} from line {first} on" if first else self.name
        vectors = checked_vectors(self._lines[first : first + count], self._contract.dimension, what=what)
        return Own(scaled(vectors, self._contract.similarity, what=what))


class Exported(Given):
    """The vectors of a Parquet file that `export` wrote, with the spans of their passages, as they were stored."""

    def __init__(self, file: ExportedVectors, contract: Contract) -> None:
        if file.dimension != contract.dimension:
            raise VectorError(
                f"{file.path} holds vectors of {file.dimension} numbers; this collection takes {contract.dimension}"
            )
        super().__init__(str(file.path), file.documents)
        self._contract = contract
        self._scales = file.similarity != contract.similarity
        self._blocks = file.blocks()
        self._left: list[Own] = []

    def take(self, first: int, count: int) -> Own:
        """See Given."""
        while sum(map(_documents, self._left)) < count:
            vectors, counts, spans = next(self._blocks)
            vectors = checked_vectors(vectors, self._contract.dimension, what=self.name)
            if self._scales:
                vectors = scaled(vectors, self._contract.similarity, what=f"{self.name} from document {first} on")
            self._left.append(Own(vectors, counts, spans))
        joined = _joined(self._left)
        held = _documents(joined)
        self._left = [joined.of(range(count, held))] if held > count else []
        return joined.of(range(count))


AnyVectors = Vectors | str | Path | Given
"""The user's own vectors as `add` takes them: an array, or a file's path."""


def given(vectors: AnyVectors, contract: Contract) -> Given:
    """The vectors that are meant: a file is mapped or read in blocks, not loaded. Raises VectorError for another shape,
    InputError for what is no file of vectors.
    """
    if isinstance(vectors, str | Path):
        if is_exported(vectors):
            return Exported(ExportedVectors.of(vectors), contract)
        lines, name = mapped_vectors(vectors), str(vectors)
    elif isinstance(vectors, Given):
        return vectors
    else:
        lines, name = np.asarray(vectors), "vectors"
    shape = getattr(lines, "shape", None)
    if shape is None or len(shape) != 2 or shape[1] != contract.dimension:
        raise VectorError(f"{name} have the shape {shape}; this collection takes (n, {contract.dimension})")
    return Lines(lines, name, contract)


def _documents(own: Own) -> int:
    return len(own.vectors) if own.counts is None else len(own.counts)


def _joined(parts: Sequence[Own]) -> Own:
    counts = [part.counts for part in parts if part.counts is not None]
    spans = [part.spans for part in parts if part.spans is not None]
    vectors = np.concatenate([part.vectors for part in parts])
    return Own(vectors, np.concatenate(counts), np.concatenate(spans))
