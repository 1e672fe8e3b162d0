"""Other stores of documents and vectors, given the same documents: adding, opening and size, nothing tuned."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from twofold.bench.corpus import BLOCK, Corpus

TABLE = "documents"


@dataclass(frozen=True, slots=True)
class Stored:
    """What a store took for the same documents. adding, opening: seconds. bytes: on disk."""

    name: str
    adding: float
    opening: float
    bytes: int


class PeerMissingError(Exception):
    """The library is not installed."""


def lancedb_stored(folder: Path, corpus: Corpus) -> Stored:
    """LanceDB, a table filled in the same blocks. Raises PeerMissingError."""
    try:
        import lancedb
    except ImportError as error:
        raise PeerMissingError("LanceDB") from error
    path = folder / "peer.lance"
    taken, table = 0.0, None
    database = lancedb.connect(str(path))
    for documents, vectors in _blocks(corpus):
        rows = [
            {"id": each.id, "title": each.title, "text": each.text, "metadata": each.metadata_json(), "vector": vector}
            for each, vector in zip(documents, vectors, strict=True)
        ]
        start = time.perf_counter()
        if table is None:
            table = database.create_table(TABLE, rows)
        else:
            table.add(rows)
        taken += time.perf_counter() - start
    start = time.perf_counter()
    lancedb.connect(str(path)).open_table(TABLE).count_rows()
    return Stored(f"LanceDB {lancedb.__version__}", taken, time.perf_counter() - start, bytes_below(path))


def chroma_stored(folder: Path, corpus: Corpus) -> Stored:
    """Chroma, a collection filled in the same blocks. Raises PeerMissingError."""
    try:
        import chromadb
        from chromadb.config import Settings
    except ImportError as error:
        raise PeerMissingError("Chroma") from error
    path = folder / "peer.chroma"
    settings = Settings(anonymized_telemetry=False)
    client = chromadb.PersistentClient(path=str(path), settings=settings)
    made = client.create_collection(TABLE, embedding_function=None)
    taken = 0.0
    for documents, vectors in _blocks(corpus):
        ids, texts = [each.id for each in documents], [each.text for each in documents]
        metadata: list[Any] = [{"title": each.title, **each.metadata} for each in documents]
        start = time.perf_counter()
        made.add(ids=ids, embeddings=vectors, documents=texts, metadatas=metadata)
        taken += time.perf_counter() - start
    start = time.perf_counter()
    again = chromadb.PersistentClient(path=str(path), settings=settings)
    again.get_collection(TABLE, embedding_function=None).count()
    return Stored(f"Chroma {chromadb.__version__}", taken, time.perf_counter() - start, bytes_below(path))


def bytes_below(path: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(each.stat().st_size for each in path.rglob("*") if each.is_file())


def _blocks(corpus: Corpus) -> Iterator[tuple[list[Any], Any]]:
    vectors = np.load(corpus.vectors, mmap_mode="r")
    for number, documents in enumerate(corpus.blocks()):
        start = number * BLOCK
        yield documents, np.asarray(vectors[start : start + len(documents)])
