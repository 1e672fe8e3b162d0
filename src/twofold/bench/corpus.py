"""Documents and vectors for measurements of storing: the user's own texts, or texts of random words."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from twofold.bench.texts import documents_of
from twofold.bench.vectors import write_random
from twofold.documents import Document
from twofold.errors import InputError

WORDS, WORDS_A_TEXT, YEARS = 20_000, 90, 100
"""A text of 90 words of 2 to 11 letters has about 660 characters, as a passage of Wikipedia has."""
SEED = 0
BLOCK = 1_000


@dataclass(frozen=True, slots=True)
class Corpus:
    """Documents and their vectors, the same ones every time they are read.

    data: a file or folder of documents; None for random words. vectors: a .npy file, float32 (count, dimension).
    """

    data: Path | None
    count: int
    dimension: int
    vectors: Path

    def documents(self) -> Iterator[Document]:
        """The documents, one for each vector."""
        return islice(documents_of(self.data), self.count) if self.data else _made(self.count)

    def blocks(self) -> Iterator[list[Document]]:
        """The documents, `BLOCK` at a time."""
        documents = self.documents()
        while block := list(islice(documents, BLOCK)):
            yield block

    def bytes(self) -> int:
        """Bytes of title, text, metadata as JSON, and of a float16 vector, over all documents."""
        contents = ((each.title, each.text, each.metadata_json()) for each in self.documents())
        return sum(sum(len(part.encode()) for part in each) + 2 * self.dimension for each in contents)


def corpus(data: Path | None, count: int, dimension: int, folder: Path) -> Corpus:
    """A corpus of `count` documents, or as many as `data` holds, with random unit vectors in a file in `folder`."""
    if data is not None:
        count = sum(1 for _ in islice(documents_of(data), count))
    if count < 1:
        raise InputError("there are no documents to be stored", path=data)
    vectors = folder / "vectors.npy"
    write_random(vectors, count, dimension)
    return Corpus(data, count, dimension, vectors)


class Watched(Iterator[Document]):
    """Documents for a store; `seconds` is the time for making or reading them, which is subtracted."""

    def __init__(self, documents: Iterator[Document]) -> None:
        self._documents = documents
        self.seconds = 0.0

    def __next__(self) -> Document:
        start = time.perf_counter()
        try:
            return next(self._documents)
        finally:
            self.seconds += time.perf_counter() - start


def _made(count: int) -> Iterator[Document]:
    generator = np.random.default_rng(SEED)
    lengths = generator.integers(2, 12, WORDS)
    letters = generator.integers(ord("a"), ord("z") + 1, int(lengths.sum()), dtype=np.uint8).tobytes().decode()
    ends = np.cumsum(lengths)
    words = [letters[end - length : end] for end, length in zip(ends.tolist(), lengths.tolist(), strict=True)]
    # As in a language, few words are most of the text: the nth word is drawn in proportion to 1/n.
    weights = 1 / np.arange(1, WORDS + 1)
    for start in range(0, count, BLOCK):
        drawn = generator.choice(WORDS, (min(BLOCK, count - start), WORDS_A_TEXT), p=weights / weights.sum())
        for number, line in enumerate(drawn.tolist(), start):
            text = " ".join(words[each] for each in line)
            yield Document(f"doc-{number:07}", text, f"Title {number}", {"year": 1900 + number % YEARS})
