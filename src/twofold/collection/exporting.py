"""Exporting: one snapshot of a collection as files that other tools read.

documents.jsonl, passages.jsonl, vectors.npy, vectors.faiss, and export.json, which says what the others are. Line i of
passages.jsonl, row i of the .npy and number i of the FAISS index are the same passage. Where token vectors are kept,
token_passages.jsonl names the rows of each passage in token_vectors.npy.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from twofold.collection.stored_vectors import StoredVectors
from twofold.collection.token_space import token_space_of
from twofold.contract import Contract
from twofold.documents import Document
from twofold.engine import EngineSnapshot
from twofold.errors import CorruptionError
from twofold.files import folder_aside, write_aside
from twofold.indexes.flat_file import write_flat_index
from twofold.progress import Progress
from twofold.scores import Numbers
from twofold.space import Space

VERSION = 1
AT_ONCE = 1000
"""Documents, or rows of vectors, that are held at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportReport:
    """The content of an export: the commit, its live documents and passages, and the bytes of each file."""

    commit: int
    documents: int
    passages: int
    bytes: Mapping[str, int]

    def to_json(self) -> dict[str, Any]:
        """The figures by name."""
        return asdict(self)


class Exporting:
    """One export of one snapshot. progress: told in documents and passages written."""

    def __init__(self, snapshot: EngineSnapshot, contract: Contract, progress: Progress) -> None:
        self._snapshot = snapshot
        self._contract = contract
        self._progress = progress
        self._documents_in = snapshot.select()
        self._passages = snapshot.passages(self._documents_in).handles
        self._done = 0

    def into(self, path: str | Path) -> ExportReport:
        """Writes all files into a new folder that appears when it is complete."""
        with folder_aside(path) as folder:
            with write_aside(folder / "documents.jsonl") as texts, write_aside(folder / "passages.jsonl") as spans:
                self._documents(texts, spans)
            with write_aside(folder / "vectors.npy") as file:
                self._array(file)
            with write_aside(folder / "vectors.faiss") as file:
                write_flat_index(file, self._vectors(), rows=len(self._passages), dimension=self._contract.dimension)
            tokens = {} if (space := token_space_of(self._snapshot)) is None else self._tokens(folder, space)
            with write_aside(folder / "export.json") as file:
                file.write(json.dumps(self._description() | tokens, ensure_ascii=False, indent=1).encode() + b"\n")
            sizes = {each.name: each.stat().st_size for each in sorted(folder.iterdir())}
        counts = self._snapshot.counts
        return ExportReport(
            commit=self._snapshot.commit, documents=counts.documents, passages=len(self._passages), bytes=sizes
        )

    def _description(self) -> dict[str, Any]:
        return {
            "version": VERSION,
            "commit": self._snapshot.commit,
            "documents": self._snapshot.counts.documents,
            "passages": len(self._passages),
            "dimension": self._contract.dimension,
            "numbers": "float16",
            "contract": self._contract.to_json(),
        }

    def _documents(self, texts: IO[bytes], spans: IO[bytes]) -> None:
        written = 0
        for numbers, documents in self._batches():
            texts.writelines(_line(each.to_json()) for each in documents)
            passages = self._snapshot.passages(numbers)
            places = zip(passages.owners.tolist(), passages.spans.tolist(), strict=True)
            spans.writelines(
                _line({"row": row, "id": documents[owner].id, "start": start, "end": end})
                for row, (owner, (start, end)) in enumerate(places, written)
            )
            written += len(passages.handles)
            self._advance(len(documents))

    def _batches(self) -> Iterator[tuple[Numbers, list[Document]]]:
        """Live documents with their numbers, ascending, as their rows are."""
        numbers, each = self._documents_in, self._snapshot.each()
        for start in range(0, len(numbers), AT_ONCE):
            batch = list(islice(each, AT_ONCE))
            if len(batch) != len(numbers[start : start + AT_ONCE]):
                raise CorruptionError(
                    "the catalogue is damaged: it lists documents that it does not hold; "
                    "run `twofold verify COLLECTION`"
                )
            yield numbers[start : start + AT_ONCE], batch

    def _array(self, file: IO[bytes]) -> None:
        shape = (len(self._passages), self._contract.dimension)
        npy.write_array_header_1_0(file, {"descr": "<f2", "fortran_order": False, "shape": shape})
        for block in self._vectors():
            file.write(block.tobytes())
            self._advance(len(block))

    def _vectors(self) -> Iterator[NDArray[np.float16]]:
        dense = self._snapshot.dense(exact=True)
        for start in range(0, len(self._passages), AT_ONCE):
            # Stored as float16: the way there and back changes no bit.
            yield dense.vectors(self._passages[start : start + AT_ONCE]).astype("<f2")

    def _tokens(self, folder: Path, space: Space) -> dict[str, Any]:
        """Writes the token vectors of all documents; returns what export.json says of them."""
        stored = StoredVectors(self._snapshot, space, self._documents_in)
        with write_aside(folder / "token_passages.jsonl") as spans, write_aside(folder / "token_vectors.npy") as file:
            npy.write_array_header_1_0(
                file, {"descr": "<f2", "fortran_order": False, "shape": (stored.count(), space.dimension)}
            )
            row = 0
            for passages, vectors in stored.blocks():
                for identifier, (start, end), count in passages:
                    spans.write(_line({"row": row, "vectors": count, "id": identifier, "start": start, "end": end}))
                    row += count
                file.write(vectors.astype("<f2").tobytes())
        about = {"vectors": row, "dimension": space.dimension, "bits": space.bits, "contract": dict(space.contract)}
        return {"token_vectors": about}

    def _advance(self, by: int) -> None:
        self._done += by
        self._progress(self._done, self._snapshot.counts.documents + len(self._passages))


def _line(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"
