"""The vectors in a Parquet file that `export` wrote, block by block; its documents are read as of any other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twofold.errors import InputError, MissingExtraError, VectorError
from twofold.readers.opening import READING_ERRORS, shown, unreadable
from twofold.rows import EXPORTED
from twofold.scores import Numbers, Similarity, Vectors

AT_ONCE = 1_000
"""Documents whose vectors are in memory at a time."""


def is_exported(path: str | Path) -> bool:
    """Whether vectors at this path are read as those of such a file."""
    return Path(path).suffix.lower() == ".parquet"


@dataclass(frozen=True, slots=True)
class ExportedVectors:
    """The vectors of a file. documents: their number; dimension, similarity: as the contract of the export says."""

    path: Path
    documents: int
    dimension: int
    similarity: Similarity

    @classmethod
    def of(cls, path: str | Path) -> ExportedVectors:
        """The vectors in a file. Raises InputError where `export` did not write it, MissingExtraError."""
        with _opened(path) as file:
            about = (file.schema_arrow.metadata or {}).get(EXPORTED)
            if about is None:
                raise VectorError(
                    "this is no file of an export, so which of its columns are vectors is not known; give them as a "
                    ".npy file",
                    path=shown(path),
                )
            contract = json.loads(about)["contract"]
            return cls(Path(path), file.metadata.num_rows, contract["dimension"], contract["similarity"])

    def blocks(self) -> Iterator[tuple[Vectors, Numbers, NDArray[np.int32]]]:
        """Of some documents at a time: their vectors float32 (rows, dimension), rows of each document int64 (n,), and
        spans int32 (rows, 2).
        """
        import pyarrow

        try:
            with _opened(self.path) as file:
                for batch in file.iter_batches(batch_size=AT_ONCE, columns=["passages", "vectors"]):
                    yield self._block(batch.column("vectors"), batch.column("passages"))
        except READING_ERRORS as error:
            raise unreadable(self.path, error) from None
        except (pyarrow.ArrowException, ValueError) as error:
            raise InputError(f"damaged: its vectors cannot be read ({error})", path=shown(self.path)) from None

    def _block(self, vectors: Any, passages: Any) -> tuple[Vectors, Numbers, NDArray[np.int32]]:
        counts = np.diff(vectors.offsets.to_numpy()).astype(np.int64)
        if not np.array_equal(counts, np.diff(passages.offsets.to_numpy())):
            raise ValueError("a document has more vectors than passages, or fewer")
        numbers = vectors.flatten().flatten().to_numpy(zero_copy_only=False)
        places = passages.flatten()
        spans = np.stack([places.field(name).to_numpy(zero_copy_only=False) for name in ("start", "end")], axis=1)
        return numbers.reshape(-1, self.dimension).astype(np.float32), counts, spans.astype(np.int32)


def _opened(path: str | Path) -> Any:
    try:
        import pyarrow
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise MissingExtraError("pyarrow", "files") from None
    try:
        return ParquetFile(path)
    except READING_ERRORS as error:
        raise unreadable(path, error) from None
    except (pyarrow.ArrowException, ValueError) as error:
        raise InputError(f"damaged: no Parquet file ({error})", path=shown(path)) from None
