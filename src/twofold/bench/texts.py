"""What the benches read: documents, or Python's own documentation where no path is given, and vectors of queries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from twofold.documents import Document, titled
from twofold.errors import VectorError
from twofold.readers.docstrings import read_docstrings
from twofold.readers.reading import read
from twofold.readers.vectors import mapped_vectors
from twofold.scores import Vectors, checked_vectors

AT_MOST = 20_000
"""Documents that a sample is drawn from; enough to be mixed, few enough to be read in a second."""
DOCSTRINGS = "docstrings of the standard library"


def documents_of(data: Path | None) -> Iterator[Document]:
    """The documents of a file or folder; without one, the docstrings of the standard library."""
    return read_docstrings() if data is None else read(data)


def name_of(data: Path | None) -> str:
    """What a table calls this input."""
    return DOCSTRINGS if data is None else data.resolve().name


def sample(data: Path | None, count: int) -> list[str]:
    """Up to `count` texts as they are encoded (title, a space, text), evenly spaced over the first documents."""
    texts = [
        titled(document.title, document.text)
        for document in islice(documents_of(data), AT_MOST)
        if document.has_content
    ]
    return spaced(texts, count)


def query_vectors(path: Path, dimension: int, most: int) -> Vectors:
    """float32 (n, dimension): the first lines of a .npy file, one at least. Raises VectorError, naming the file."""
    vectors = checked_vectors(mapped_vectors(path)[:most], dimension, what=str(path))
    if not len(vectors):
        raise VectorError("there are no vectors in it", path=path)
    return vectors


def spaced(items: Sequence[str], count: int) -> list[str]:
    """Up to `count` of the items, evenly spaced."""
    step = max(1, len(items) // count)
    return list(items[::step][:count])
