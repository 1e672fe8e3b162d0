"""Blocks and stores for tests: small, real, and different from document to document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from twofold.block import Block, Part
from twofold.collection.collection import Collection
from twofold.documents import Document
from twofold.engines.local.disk import Disk
from twofold.engines.local.engine import Store
from twofold.space import MAIN, Space

DIMENSION = 8
OTHER = "other"
SPACE = Space(dimension=DIMENSION, contract={"weights": "w"}, source={"kind": "none"})
OTHER_SPACE = Space(name=OTHER, dimension=3, contract={"weights": "o"}, source={"kind": "none"})


def new_store(path: Path | None, disk: Disk | None = None, dimension: int = DIMENSION, *, other: bool = False) -> Store:
    """An empty store; with another space, which is complete from the beginning, where `other` asks for it."""
    store = Store.create(
        path,
        space=replace(SPACE, dimension=dimension),
        settings={"depth": 200},
        disk=disk,
    )
    if other:
        with store.writing() as writer:
            writer.add_space(OTHER_SPACE)
    return store


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
    part = Part(
        truncated=truncated or [0] * len(documents),
        counts=np.asarray(counts, dtype=np.int64),
        spans=np.asarray(spans, dtype=np.int32).reshape(-1, 2),
        vectors=np.concatenate(parts) if parts else np.empty((0, DIMENSION), np.float32),
    )
    return block_of(documents, {MAIN: part})


def block_of(documents: Sequence[Document], parts: Mapping[str, Part]) -> Block:
    """A block of these documents with what each space takes of them."""
    hashes = [blake2b(each.text.encode(), digest_size=8).digest() for each in documents]
    return Block(documents=documents, text_hashes=hashes, parts=parts)


def main_of(sent: Block) -> Part:
    """What the space `main` takes of a block."""
    return sent.parts[MAIN]


def document(identifier: str, text: str | None = None, **metadata: Any) -> Document:
    return Document(identifier, f"the text of {identifier}" if text is None else text, "", metadata)


def other_part(sent: Block) -> Part:
    """What the other space takes of a block: one row more for each document, and other vectors."""
    counts = main_of(sent).counts + 1
    parts = [
        vectors_of(f"other {each.text}", count, OTHER_SPACE.dimension)
        for each, count in zip(sent.documents, counts.tolist(), strict=True)
    ]
    return Part(
        truncated=[tokens + 2 for tokens in main_of(sent).truncated],
        counts=counts,
        spans=np.array([(row, 99) for count in counts.tolist() for row in range(count)], np.int32).reshape(-1, 2),
        vectors=np.concatenate(parts) if parts else np.empty((0, OTHER_SPACE.dimension), np.float32),
    )


def both(sent: Block) -> Block:
    """A block for both spaces."""
    return replace(sent, parts={MAIN: main_of(sent), OTHER: other_part(sent)})


def content(store: Store, space: str = MAIN) -> dict[str, tuple[str, dict[str, Any], list[list[float]]]]:
    """All that a store holds, by id: text, metadata, vectors in a space."""
    with store.snapshot() as whole:
        snapshot = whole.in_space(space)
        found = {}
        for number, each in zip(snapshot.document_numbers().tolist(), snapshot.each(), strict=True):
            rows, _ = snapshot.rows_of(np.asarray([number]))
            assert snapshot.row_mask(None)[rows].all()
            found[each.id] = (each.text, dict(each.metadata), snapshot.vectors(rows).tolist())
        assert len(found) == snapshot.count()
        assert sum(len(vectors) for _, _, vectors in found.values()) == np.count_nonzero(snapshot.row_mask(None))
        return found


def expected(blocks: Sequence[Block], space: str = MAIN) -> dict[str, tuple[str, dict[str, Any], list[list[float]]]]:
    """What `content` gives once these blocks were committed one after the other."""
    found: dict[str, tuple[str, dict[str, Any], list[list[float]]]] = {}
    for each in blocks:
        part = each.parts[space]
        ends = np.cumsum(part.counts)
        for one, start, end in zip(each.documents, ends - part.counts, ends, strict=True):
            found.pop(one.id, None)
            found[one.id] = (one.text, dict(one.metadata), part.vectors[start:end].tolist())
    return found


def local(collection: Collection) -> Store:
    """The engine of a collection, which is the local one."""
    engine = collection._engine
    assert isinstance(engine, Store)
    return engine
