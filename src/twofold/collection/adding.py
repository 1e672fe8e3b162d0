"""Adding documents: block by block, encode what is new, commit, go on. What a commit acknowledged stays."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from twofold.collection.guarding import GuardedEncoder
from twofold.documents import Document, as_documents
from twofold.errors import InputError, VectorError
from twofold.passages.windows import Division, Mode, divide
from twofold.progress import Progress
from twofold.reports import AddReport
from twofold.scores import Vectors, checked_vectors, scaled
from twofold.storage.block import Block
from twofold.storage.catalogue import Known
from twofold.storage.seen import Seen
from twofold.storage.store import Store
from twofold.storage.writing import Writer

DOCUMENTS_AT_ONCE = 1_000
"""Documents a commit: large enough that batches of one length fill up, small enough to lose little to Ctrl-C."""


@dataclass(frozen=True, slots=True)
class Given:
    """The user's own vectors, read block by block, one line a document in the order of the documents."""

    lines: Any
    """(n, dimension), any float type; may be memory-mapped."""
    name: str

    @classmethod
    def of(cls, vectors: Vectors | str | Path, dimension: int) -> Given:
        """From an array, or from a .npy file that is mapped, not loaded; VectorError for another shape."""
        if isinstance(vectors, str | Path):
            given = cls(_mapped(vectors), str(vectors))
        else:
            given = cls(np.asarray(vectors), "vectors")
        checked_vectors(given.lines[:0], dimension, what=given.name)
        return given


class Adding:
    """One call of `add`: where the documents go and what has become of them so far."""

    def __init__(self, store: Store, encoder: GuardedEncoder, mode: Mode, given: Given | None) -> None:
        self._store = store
        self._encoder = encoder
        self._mode = mode
        self._given = given
        self._taken = 0
        self.report = AddReport()

    def run(self, documents: Iterable[Any], writer: Writer, progress: Progress) -> AddReport:
        """Adds all documents; every block is acknowledged before the next one is read."""
        total = len(documents) if isinstance(documents, Sequence) else None
        self._check_count(total)
        with Seen() as seen:
            for block in _blocks(as_documents(documents)):
                self._add(block, writer, seen)
                progress(self._taken, total)
        self._check_count(self._taken)
        return self.report

    def _check_count(self, documents: int | None) -> None:
        """One given vector a document, no more and no fewer."""
        if self._given is not None and documents is not None and len(self._given.lines) != documents:
            raise VectorError(
                f"{self._given.name} holds {len(self._given.lines)} vectors for {documents} documents; "
                "give one vector a document, in the same order"
            )

    def _add(self, block: list[Document], writer: Writer, seen: Seen) -> None:
        vectors = self._next_vectors(len(block))
        self._taken += len(block)
        last = {document.id: position for position, document in enumerate(block)}
        self.report.duplicates += seen.again([document.id for document in block])
        positions = sorted(last.values())
        documents = [block[position] for position in positions]
        given = None if vectors is None else vectors[positions]
        self._commit(documents, given, writer)

    def _next_vectors(self, count: int) -> Vectors | None:
        if self._given is None:
            return None
        lines = self._given.lines[self._taken : self._taken + count]
        if len(lines) < count:
            raise VectorError(
                f"{self._given.name} holds {len(self._given.lines)} vectors, fewer than there are documents"
            )
        vectors = checked_vectors(lines, self._encoder.contract.dimension, what=self._given.name)
        return scaled(vectors, self._encoder.contract.similarity, what=self._given.name)

    def _commit(self, documents: list[Document], given: Vectors | None, writer: Writer) -> None:
        hashes = [text_hash(document, None if given is None else given[n]) for n, document in enumerate(documents)]
        known = writer.known([document.id for document in documents])
        fresh, moved = [], []
        for position, document in enumerate(documents):
            stored = known.get(document.id)
            if stored is None or stored.text_hash != hashes[position]:
                fresh.append(position)
            elif stored.metadata != document.metadata_json():
                moved.append(position)
        self._count(documents, len(fresh), len(moved), sum(documents[n].id in known for n in fresh))
        parts = self._encoded([documents[n] for n in fresh], None if given is None else given[fresh])
        parts += self._kept([known[documents[n].id] for n in moved])
        if not parts:
            return
        chosen = fresh + moved
        writer.commit(
            Block(
                documents=[documents[n] for n in chosen],
                text_hashes=[hashes[n] for n in chosen],
                truncated=[part.division.lost for part in parts],
                counts=np.array([len(part.division.spans) for part in parts], dtype=np.int64),
                spans=np.concatenate([part.division.spans for part in parts]),
                vectors=np.concatenate([part.vectors for part in parts]),
            )
        )

    def _count(self, documents: list[Document], fresh: int, moved: int, replaced: int) -> None:
        report = self.report
        report.added += fresh - replaced
        report.replaced += replaced + moved
        report.metadata_only += moved
        report.unchanged += len(documents) - fresh - moved
        report.title_only += sum(not document.text.strip() and document.has_content for document in documents)
        report.without_content += sum(not document.has_content for document in documents)

    def _encoded(self, documents: list[Document], given: Vectors | None) -> list[_Part]:
        """New documents with their vectors: encoded, or the user's own."""
        if not documents:
            return []
        if given is not None:
            divisions = [Division(np.array([[0, len(each.text)]], np.int32), (each.text,), 0) for each in documents]
            vectors = given
        else:
            divisions = divide(documents, self._encoder.tokens, self._mode)
            vectors = self._encoder.encode_documents([text for each in divisions for text in each.inputs])
        ends = np.cumsum([len(division.spans) for division in divisions])
        self.report.passages += len(vectors)
        self.report.truncated += sum(division.lost > 0 for division in divisions)
        self.report.tokens_cut += sum(division.lost for division in divisions)
        return [_Part(*pair) for pair in zip(divisions, np.split(vectors, ends[:-1]), strict=True)]

    def _kept(self, stored: list[Known]) -> list[_Part]:
        """Documents of which only the metadata changed: their vectors are copied, nothing is encoded."""
        if not stored:
            return []
        with self._store.snapshot() as snapshot:
            rows = [snapshot.rows_of(np.array([each.number]))[0] for each in stored]
            return [
                _Part(Division(snapshot.spans(mine), (), each.truncated), snapshot.vectors(mine))
                for each, mine in zip(stored, rows, strict=True)
            ]


@dataclass(frozen=True, slots=True)
class _Part:
    """One document of a block, ready to be stored."""

    division: Division
    vectors: Vectors


def _mapped(path: str | Path) -> Any:
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise InputError("there is no such file", path=path) from None
    except (OSError, ValueError) as error:
        raise InputError(f"this is no .npy file of vectors ({error})", path=path) from None


def text_hash(document: Document, vector: Vectors | None) -> bytes:
    """What decides a document's vectors: title and text, and the user's own vector where there is one. 16 bytes."""
    title = document.title.encode()
    digest = hashlib.blake2b(len(title).to_bytes(8, "little") + title + document.text.encode(), digest_size=16)
    if vector is not None:
        digest.update(b"\0vector" + vector.astype("<f2").tobytes())
    return digest.digest()


def _blocks(documents: Iterator[Document]) -> Iterator[list[Document]]:
    while block := list(islice(documents, DOCUMENTS_AT_ONCE)):
        yield block
