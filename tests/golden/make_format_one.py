"""How the golden collection of format 1 was made; a later format gets a file and a folder of its own.

PYTHONPATH=tests/material python tests/golden/make_format_one.py FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from twofold.block import Block, Part
from twofold.documents import Document
from twofold.engines.local.engine import Store
from twofold.space import Space

DIMENSION = 3
FIRST = [
    Document("plain", "A text of eight short words in all.", "Plain", {"year": 1952, "tags": ["a", "b"]}),
    Document("Würde/東京 🙂", "Zwei Abschnitte: dieser und jener.", "", {"author": {"name": "Hopper"}, "ratio": 0.1}),
    Document("empty", "", "", {"nothing": None, "yes": True}),
    Document("gone", "This one is deleted.", "", {}),
]
SECOND = [Document("plain", "A text that took its place.", "Plain", {"year": 1953, "large": 2**63 - 1})]


def block(documents: list[Document], spans: list[list[list[int]]], first: float, truncated: list[int]) -> Block:
    """A block for the space of the collection."""
    return Block(
        documents=documents,
        text_hashes=[f"hash-{number:03d}".encode() for number in range(len(documents))],
        parts={"main": part(spans, first, truncated, DIMENSION)},
    )


def part(spans: list[list[list[int]]], first: float, truncated: list[int], dimension: int) -> Part:
    """Vectors that count up in eighths, which float16 keeps exactly."""
    rows = sum(map(len, spans))
    return Part(
        truncated=truncated,
        counts=np.asarray([len(each) for each in spans], dtype=np.int64),
        spans=np.asarray([span for each in spans for span in each], dtype=np.int32).reshape(-1, 2),
        vectors=(first + np.arange(rows * dimension) / 8).astype(np.float32).reshape(rows, dimension),
    )


def space(name: str, dimension: int) -> Space:
    """A space for vectors made elsewhere."""
    return Space(
        name=name,
        dimension=dimension,
        contract={"weights": "golden", "dimension": dimension},
        source={"kind": "given-vectors", "dimension": dimension},
    )


def main(folder: Path) -> None:
    made = Store.create(
        folder,
        space=space("main", DIMENSION),
        settings={"passages": "auto", "depth": 200},
    )
    with made as store, store.writing() as writer:
        writer.commit(block(FIRST, [[[0, 35]], [[0, 16], [17, 34]], [], [[0, 20]]], -1, [0, 4, 0, 0]))
        writer.put_state("fusion", {"k": 60})
        writer.delete([3])
        writer.commit(block(SECOND, [[[0, 27]]], 10, [0]))
        writer.add_space(space("other", 2))
        writer.fill_space("other", np.asarray([1]), part([[[0, 34]]], 1, [7], 2))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
