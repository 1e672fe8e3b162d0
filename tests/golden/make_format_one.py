"""How the golden collection of format 1 was made; a later format gets a file and a folder of its own.

PYTHONPATH=tests/material python tests/golden/make_format_one.py FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from twofold.block import Block
from twofold.documents import Document
from twofold.engines.local.engine import Store

DIMENSION = 3
FIRST = [
    Document("plain", "A text of eight short words in all.", "Plain", {"year": 1952, "tags": ["a", "b"]}),
    Document("Würde/東京 🙂", "Zwei Abschnitte: dieser und jener.", "", {"author": {"name": "Hopper"}, "ratio": 0.1}),
    Document("empty", "", "", {"nothing": None, "yes": True}),
    Document("gone", "This one is deleted.", "", {}),
]
SECOND = [Document("plain", "A text that took its place.", "Plain", {"year": 1953, "large": 2**63 - 1})]


def block(documents: list[Document], spans: list[list[list[int]]], first: float, truncated: list[int]) -> Block:
    """A block whose vectors count up in eighths, which float16 keeps exactly."""
    rows = sum(map(len, spans))
    return Block(
        documents=documents,
        text_hashes=[f"hash-{number:03d}".encode() for number in range(len(documents))],
        truncated=truncated,
        counts=np.asarray([len(each) for each in spans], dtype=np.int64),
        spans=np.asarray([span for each in spans for span in each], dtype=np.int32).reshape(-1, 2),
        vectors=(first + np.arange(rows * DIMENSION) / 8).astype(np.float32).reshape(rows, DIMENSION),
    )


def main(folder: Path) -> None:
    made = Store.create(
        folder,
        dimension=DIMENSION,
        contract={"weights": "golden", "dimension": DIMENSION},
        source={"kind": "given-vectors", "dimension": DIMENSION},
        settings={"passages": "auto", "depth": 200},
    )
    with made as store, store.writing() as writer:
        writer.commit(block(FIRST, [[[0, 35]], [[0, 16], [17, 34]], [], [[0, 20]]], -1, [0, 4, 0, 0]))
        writer.put_state("fusion", {"k": 60})
        writer.delete([3])
        writer.commit(block(SECOND, [[[0, 27]]], 10, [0]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
