"""What the bench of upkeep adds and asks: documents with their vectors in one order, and queries; or made-up ones."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from twofold.bench.corpus import corpus
from twofold.documents import Document, titled
from twofold.encoders.hashed_words import HashedWords
from twofold.encoders.loading import load_encoder
from twofold.errors import InputError
from twofold.files import write_aside
from twofold.protocols import Encoder
from twofold.readers.opening import bare_suffix
from twofold.readers.queries import read_queries
from twofold.readers.reading import read
from twofold.readers.vectors import mapped_vectors
from twofold.scores import Vectors

FIELD = "bench_number"
"""Numbers in the metadata, from 0 to 999, by which the bench filters."""
MORE = 0.05
"""The share that is added later, once from another process and once from the same one."""
SINGLES = 50
"""Documents that are added one at a time, as often."""
QUERIES = 500
DIMENSION, WORDS_A_QUERY = 32, 6
"""Of what is made up."""
COPIED = 65_536
"""Vectors that are copied at a time."""


@dataclass(frozen=True, slots=True)
class Supply:
    """Documents and their vectors, line by line; every process reads its own share.

    data: files or folders of documents. vectors: one .npy file. first: how many are added at first; more: later, twice.
    """

    data: tuple[Path, ...]
    vectors: Path
    first: int
    more: int

    @property
    def singles(self) -> int:
        """The place of the first document of those that are added one at a time."""
        return self.first + 2 * self.more

    def documents(self, start: int, count: int) -> Iterator[Document]:
        """The documents from a place on, with a number to filter by."""
        found = islice(read(list(self.data)), start, start + count)
        for place, document in enumerate(found, start):
            yield replace(document, metadata={**document.metadata, FIELD: place * 104_729 % 1000})

    def lines(self, start: int, count: int) -> Vectors:
        """(count, dimension): the vectors of these documents, mapped."""
        lines: Vectors = mapped_vectors(self.vectors)[start : start + count]
        return lines


def given_supply(data: Sequence[Path], vectors: Sequence[Path], rows: int | None, folder: Path) -> Supply:
    """The user's own. rows: how many are added at first, as far as there are more behind them.

    data: JSON Lines files or folders. vectors: .npy files or folders of them, in the order of the documents; several
    are written into one, in `folder`. Raises InputError where they are too few, VectorError.
    """
    files = [file for path in vectors for file in (sorted(path.glob("*.npy")) if path.is_dir() else [path])]
    if not files:
        raise InputError("there is no .npy file in it", path=vectors[0] if vectors else None)
    available = sum(len(mapped_vectors(file)) for file in files)
    most = int((available - 2 * SINGLES) / (1 + 2 * MORE))
    first = min(rows or most, most)
    if first < 1:
        raise InputError(f"{available} vectors are too few; give more than {2 * SINGLES}", path=files[0])
    more = max(1, int(MORE * first))
    joined = files[0] if len(files) == 1 else _joined(files, first + 2 * more + 2 * SINGLES, folder / "vectors.npy")
    return Supply(tuple(file for path in data for file in _shards(path)), joined, first, more)


def made_supply(rows: int | None, folder: Path) -> Supply:
    """Texts of random words, with vectors of these words."""
    first = rows or 2_000
    more = max(1, int(MORE * first))
    made = corpus(None, first + 2 * more + 2 * SINGLES, DIMENSION, folder)
    encoder, documents = HashedWords(DIMENSION), folder / "documents.jsonl"
    with write_aside(documents) as file:
        for block in made.blocks():
            records = ({"id": each.id, "title": each.title, "text": each.text} for each in block)
            file.write("".join(f"{json.dumps(record)}\n" for record in records).encode())
    blocks = (encoder.encode_documents([titled(each.title, each.text) for each in block]) for block in made.blocks())
    _write(made.vectors, (made.count, DIMENSION), blocks)
    return Supply((documents,), made.vectors, first, more)


def encoder_for(supply: Supply, encoder: Encoder | None) -> Encoder:
    """Of the queries: the one given, the embedded one, or for what is made up the words' own.

    Raises InputError where its vectors have another dimension.
    """
    dimension = mapped_vectors(supply.vectors).shape[1]
    encoder = encoder or (HashedWords(DIMENSION) if dimension == DIMENSION else load_encoder())
    if encoder.contract.dimension != dimension:
        raise InputError(
            f"the encoder makes {encoder.contract.dimension} numbers a vector, and these have {dimension}; "
            "name the one that made them: --encoder",
            path=supply.vectors,
        )
    return encoder


def questions(path: Path | None, supply: Supply) -> list[str]:
    """Queries of a file; without one, words from the middle of documents."""
    if path is not None:
        return list(islice(read_queries(path).values(), QUERIES))
    documents = supply.documents(0, min(QUERIES, supply.first))
    words = (titled(each.title, each.text).split() for each in documents)
    return [" ".join(each[len(each) // 2 :][:WORDS_A_QUERY]) for each in words if each]


def _shards(path: Path) -> list[Path]:
    """The JSON Lines files of a folder that is none of the kinds that readers know; else the path."""
    shards = sorted(each for each in path.glob("*.jsonl*") if bare_suffix(each) == ".jsonl") if path.is_dir() else []
    return [path] if not shards or any(each.name.startswith("corpus.jsonl") for each in shards) else shards


def _joined(files: Sequence[Path], count: int, path: Path) -> Path:
    """The first lines of several files in one, as float16."""
    dimension = mapped_vectors(files[0]).shape[1]

    def blocks() -> Iterator[Vectors]:
        left = count
        for file in files:
            lines = mapped_vectors(file)[:left]
            left -= len(lines)
            for start in range(0, len(lines), COPIED):
                yield lines[start : start + COPIED]

    _write(path, (count, dimension), blocks())
    return path


def _write(path: Path, shape: tuple[int, int], blocks: Iterator[Vectors]) -> None:
    with write_aside(path) as file:
        npy.write_array_header_1_0(file, {"descr": "<f2", "fortran_order": False, "shape": shape})
        for block in blocks:
            file.write(np.ascontiguousarray(block, np.float16).tobytes())
