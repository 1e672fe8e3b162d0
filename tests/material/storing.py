"""Blocks and stores for tests: small, real, and different from document to document."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from twofold.block import Block
from twofold.collection.collection import Collection
from twofold.documents import Document
from twofold.engines.local.disk import Disk
from twofold.engines.local.engine import Store

DIMENSION = 8


def new_store(path: Path | None, disk: Disk | None = None, dimension: int = DIMENSION) -> Store:
    return Store.create(
        path,
        dimension=dimension,
        contract={"weights": "w"},
        source={"kind": "none"},
        settings={"depth": 200},
        disk=disk,
    )


def vectors_of(text: str, rows: int, dimension: int = DIMENSION) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Vectors that are a function of a text, so that a test can tell whose they are."""
    seed = int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")
    drawn = np.random.default_rng(seed).standard_normal((rows, dimension))
    return drawn.astype(np.float16).astype(np.float32)


def block(
    documents: Sequence[Document], rows: Sequence[int] | int = 1, truncated: Sequence[int] | None = None
) -> Block:
    """A block of these documents; each gets `rows` vectors, functions of its text, and spans that tell them apart."""
    counts = [rows] * len(documents) if isinstance(rows, int) else list(rows)
    spans = [(row, len(each.text)) for each, count in zip(documents, counts, strict=True) for row in range(count)]
    parts = [vectors_of(each.text, count) for each, count in zip(documents, counts, strict=True)]
    return Block(
        documents=documents,
        text_hashes=[blake2b(each.text.encode(), digest_size=8).digest() for each in documents],
        truncated=truncated or [0] * len(documents),
        counts=np.asarray(counts, dtype=np.int64),
        spans=np.asarray(spans, dtype=np.int32).reshape(-1, 2),
        vectors=np.concatenate(parts) if parts else np.empty((0, DIMENSION), np.float32),
    )


def document(identifier: str, text: str | None = None, **metadata: Any) -> Document:
    return Document(identifier, f"the text of {identifier}" if text is None else text, "", metadata)


def content(store: Store) -> dict[str, tuple[str, dict[str, Any], list[list[float]]]]:
    """All that a store holds, by id: text, metadata, vectors."""
    with store.snapshot() as snapshot:
        found = {}
        for number, each in zip(snapshot.document_numbers().tolist(), snapshot.each(), strict=True):
            rows, _ = snapshot.rows_of(np.asarray([number]))
            assert snapshot.passing(None)[rows].all()
            found[each.id] = (each.text, dict(each.metadata), snapshot.vectors(rows).tolist())
        assert len(found) == snapshot.count()
        assert sum(len(vectors) for _, _, vectors in found.values()) == np.count_nonzero(snapshot.passing(None))
        return found


def expected(blocks: Sequence[Block]) -> dict[str, tuple[str, dict[str, Any], list[list[float]]]]:
    """What `content` gives once these blocks were committed one after the other."""
    found: dict[str, tuple[str, dict[str, Any], list[list[float]]]] = {}
    for each in blocks:
        ends = np.cumsum(each.counts)
        for one, start, end in zip(each.documents, ends - each.counts, ends, strict=True):
            found.pop(one.id, None)
            found[one.id] = (one.text, dict(one.metadata), each.vectors[start:end].tolist())
    return found


def local(collection: Collection) -> Store:
    """The engine of a collection, which is the local one."""
    engine = collection._engine
    assert isinstance(engine, Store)
    return engine
