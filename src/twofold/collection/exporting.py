"""Exporting: one snapshot of a collection as files that other tools read, or as batches of Arrow.

A Parquet file, or a folder that `datasets.load_dataset` reads: a row a document, with its passages and their vectors.

Or a folder: documents.jsonl, passages.jsonl, vectors.npy, vectors.faiss, and export.json, which says what the others
are. Line i of passages.jsonl, row i of the .npy and number i of the FAISS index are the same passage. Where token
vectors are kept, token_passages.jsonl names the rows of each passage in token_vectors.npy.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any, Literal, get_args

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from twofold.collection.document_tables import DocumentTables, card
from twofold.collection.stored_vectors import StoredVectors
from twofold.collection.token_space import token_space_of
from twofold.contract import Contract
from twofold.documents import Document
from twofold.engine import EngineSnapshot
from twofold.errors import CorruptionError, InputError
from twofold.files import folder_aside, new_folder, write_aside
from twofold.indexes.flat_file import write_flat_index
from twofold.progress import Progress
from twofold.scores import Numbers
from twofold.space import Space

VERSION = 1
AT_ONCE = 1000
"""Documents, or rows of vectors, that are held at a time; a group of rows of a Parquet file."""
A_FILE = 100 * AT_ONCE
"""Documents a Parquet file of a folder."""
ExportForm = Literal["files", "parquet", "datasets"]
"""JSON Lines, .npy and FAISS; one Parquet file; a folder that `datasets.load_dataset` reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportReport:
    """The content of an export: the commit, its live documents and passages, the bytes of each file.

    left_out: the spaces whose vectors are not in it.
    """

    commit: int
    documents: int
    passages: int
    bytes: Mapping[str, int]
    left_out: tuple[str, ...] = ()

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

    def run(self, path: str | Path, form: ExportForm | None) -> ExportReport:
        """Writes the files of a form, by default that which the name suggests. Raises InputError for an unknown one."""
        form = form or ("parquet" if Path(path).suffix.lower() == ".parquet" else "files")
        match form:
            case "files":
                return self.into(path)
            case "parquet":
                return self.as_parquet(path)
            case "datasets":
                return self.as_dataset(path)
        raise InputError(f"an export has the form {', '.join(get_args(ExportForm))}, not {form!r}")

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
        return self._report(sizes, unit="passage")

    def as_parquet(self, path: str | Path) -> ExportReport:
        """Writes one Parquet file, which appears when it is complete."""
        tables = self._tables()
        with write_aside(path) as file:
            tables.write(file, self.batches())
        return self._report({Path(path).name: Path(path).stat().st_size})

    def as_dataset(self, path: str | Path) -> ExportReport:
        """Writes a folder that `datasets.load_dataset` reads: Parquet files and a card that says what they are."""
        tables, sizes = self._tables(), {}
        files = max(1, -(-len(self._documents_in) // A_FILE))
        with folder_aside(path) as folder:
            data = new_folder(folder / "data")
            batches = self.batches()
            for number in range(files):
                name = f"train-{number:05}-of-{files:05}.parquet"
                with write_aside(data / name) as file:
                    tables.write(file, islice(batches, A_FILE // AT_ONCE))
                sizes[f"data/{name}"] = (data / name).stat().st_size
            with write_aside(folder / "README.md") as file:
                file.write(card(self._description()).encode())
            sizes["README.md"] = (folder / "README.md").stat().st_size
        return self._report(sizes)

    def batches(self) -> Iterator[Any]:
        """Batches of Arrow: 1,000 documents each, with their passages and the vectors of these."""
        tables, dense = self._tables(), self._snapshot.dense(exact=True)
        for numbers, documents in self._batches():
            passages = self._snapshot.passages(numbers)
            yield tables.batch(documents, passages, dense.vectors(passages.handles))
            self._advance(len(documents) + len(passages.handles))

    def reader(self) -> Any:
        """The batches as a reader of Arrow, which closes the snapshot after the last one."""

        def read() -> Iterator[Any]:
            with self._snapshot:
                yield from self.batches()

        return self._tables().reader(read())

    def _tables(self) -> DocumentTables:
        return DocumentTables(self._contract.dimension, self._description())

    def _report(self, sizes: Mapping[str, int], *, unit: str = "") -> ExportReport:
        """unit: of the other spaces, all of one unit are in this export."""
        snapshot = self._snapshot
        others = [each.name for each in snapshot.spaces if each.name != snapshot.space.name]
        kept = [] if not unit else [each.name for each in snapshot.spaces if each.unit != unit]
        return ExportReport(
            commit=snapshot.commit,
            documents=snapshot.counts.documents,
            passages=len(self._passages),
            bytes=sizes,
            left_out=tuple(name for name in others if name not in kept),
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
