"""A toy engine: everything in dicts and numpy, to see that what is above an engine needs no more than its protocol."""

from __future__ import annotations

import math
import threading
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twofold.block import Block, Known
from twofold.documents import Document, titled
from twofold.engine import EVERYTHING, Counts, Nearest, Passages, Selection
from twofold.errors import LockedError
from twofold.filters import Filter, matches
from twofold.scores import Numbers, Scores, Vectors, best_positions, dense_scores
from twofold.space import Space

SPACE = Space(dimension=8, contract={}, source={})
"""It has no other."""
PASSAGES = 1_000
"""Handles of passages: those of a document begin at its own times this."""


@dataclass(frozen=True)
class Entry:
    document: Document
    text_hash: bytes
    truncated: int
    spans: NDArray[np.int32]
    vectors: Vectors


@dataclass(frozen=True)
class Version:
    commit: int = 0
    entries: Mapping[int, Entry] = field(default_factory=dict)
    state: Mapping[str, Any] = field(default_factory=dict)
    terms: bool = False
    """Whether there is a lexical side."""

    def number(self, identifier: str) -> int | None:
        found = [number for number, entry in self.entries.items() if entry.document.id == identifier]
        return found[0] if found else None


class ToySnapshot:
    """One version; implements EngineSnapshot, DenseSnapshot and LexicalSnapshot."""

    def __init__(self, version: Version) -> None:
        self._version = version
        self._entries = version.entries
        self._words = {number: Counter(_words(entry.document)) for number, entry in self._entries.items()}

    def __enter__(self) -> ToySnapshot:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def close(self) -> None: ...

    @property
    def commit(self) -> int:
        return self._version.commit

    @property
    def counts(self) -> Counts:
        entries = self._entries.values()
        return Counts(
            documents=len(entries),
            passages=sum(len(entry.spans) for entry in entries),
            truncated=sum(entry.truncated > 0 for entry in entries),
            tokens_cut=sum(entry.truncated for entry in entries),
        )

    @property
    def space(self) -> Space:
        return SPACE

    @property
    def spaces(self) -> tuple[Space, ...]:
        return (SPACE,)

    def lacking(self, space: str, count: int) -> Numbers:
        return np.empty(0, np.int64)

    def dense(self, space: str | None = None, *, exact: bool = False) -> ToySnapshot:
        return self

    def tokens_cut(self, documents: Numbers) -> Numbers:
        return np.array([self._entries[number].truncated for number in documents.tolist()], np.int64)

    def lexical(self, *, query_language: bool = False) -> ToySnapshot | None:
        return self if self._version.terms and not query_language else None

    def check_fields(self, where: Filter) -> None:
        """It does not look."""

    def check_unambiguous(self, where: Filter) -> None:
        """It does not look."""

    def select(self, where: Filter | None = None) -> Numbers:
        return np.array(
            [
                number
                for number, entry in self._entries.items()
                if where is None or matches(where, entry.document.metadata, truncated=entry.truncated > 0)
            ],
            np.int64,
        )

    def count(self, where: Filter | None = None) -> int:
        return len(self.select(where))

    def has_text(self) -> bool:
        return any(entry.document.has_content for entry in self._entries.values())

    def find(self, ids: Sequence[str]) -> dict[str, int]:
        return {entry.document.id: number for number, entry in self._entries.items() if entry.document.id in set(ids)}

    def ids(self, documents: Numbers) -> list[str]:
        return [self._entries[number].document.id for number in documents.tolist()]

    def documents(self, documents: Numbers) -> list[Document]:
        return [self._entries[number].document for number in documents.tolist()]

    def each(self) -> Iterator[Document]:
        return (entry.document for entry in self._entries.values())

    def passages(self, documents: Numbers, space: str | None = None) -> Passages:
        entries = [self._entries[number] for number in documents.tolist()]
        counts = [len(entry.spans) for entry in entries]
        handles = [PASSAGES * number + n for number, count in zip(documents, counts, strict=True) for n in range(count)]
        spans = np.concatenate([np.empty((0, 2), np.int32), *(entry.spans for entry in entries)])
        return Passages(np.array(handles, np.int64), np.repeat(np.arange(len(entries)), counts), spans)

    def spans(self, passages: Numbers) -> NDArray[np.int32]:
        found = [self._entries[each // PASSAGES].spans[each % PASSAGES] for each in passages.tolist()]
        return np.array(found, np.int32).reshape(-1, 2)

    def state(self, key: str) -> Any:
        return self._version.state.get(key)

    def nearest(self, query: Vectors, *, depth: int, top: int, selection: Selection = EVERYTHING) -> Nearest:
        found = self.scored(query, self._selected(selection))
        best = best_positions(found.scores, min(top, depth), lambda among: self.ids(found.documents[among]))
        return Nearest(found.documents[best], found.scores[best], found.passages[best])

    def scored(self, query: Vectors, documents: Numbers) -> Nearest:
        some = [number for number in documents.tolist() if len(self._entries[number].vectors)]
        scores = [dense_scores(query, self._entries[number].vectors) for number in some]
        best = [int(each.argmax()) for each in scores]
        passages = [PASSAGES * number + place for number, place in zip(some, best, strict=True)]
        highest = [each[place] for each, place in zip(scores, best, strict=True)]
        return Nearest(np.array(some, np.int64), np.array(highest, np.float32), np.array(passages, np.int64))

    def vectors(self, passages: Numbers) -> Vectors:
        return np.stack([self._entries[each // PASSAGES].vectors[each % PASSAGES] for each in passages.tolist()])

    def stored(self) -> Iterator[tuple[Numbers, Vectors]]:
        for number, entry in self._entries.items():
            if len(entry.vectors):
                yield self.passages(np.array([number])).handles, entry.vectors

    def drawn(self, count: int) -> Passages:
        everything = self.passages(numbers := self.select())
        order = np.argsort([zlib.crc32(each.tobytes()) for _, block in self.stored() for each in block])[:count]
        return Passages(everything.handles[order], numbers[everything.owners[order]], everything.spans[order])

    def candidates(self, query: str, count: int, selection: Selection = EVERYTHING) -> tuple[Numbers, Scores]:
        numbers = self._selected(selection)
        scores = self.scores(query, numbers)
        last = np.sort(scores)[::-1][:count][-1:].sum()
        numbers, scores = (each[(scores > 0) & (scores >= last)] for each in (numbers, scores))
        order = np.lexsort((numbers, -scores))
        return numbers[order], scores[order]

    def scores(self, query: str, documents: Numbers) -> Scores:
        rarities = self._rarities(query)
        scores = [
            sum(
                rarity * self._words[number][word] / (self._words[number][word] + 1)
                for word, rarity in rarities.items()
            )
            for number in documents.tolist()
        ]
        return np.array(scores, np.float32)

    def weight(self, query: str) -> float:
        return sum(self._rarities(query).values())

    def text(self, query: str) -> str:
        return query

    def coverage(self, query: str, texts: Sequence[str]) -> Scores:
        rarities = self._rarities(query)
        having = [set(text.lower().split()) for text in texts]
        return np.array([sum(rarities[word] for word in sorted(rarities.keys() & each)) for each in having], np.float32)

    def _rarities(self, query: str) -> dict[str, float]:
        having = Counter(word for words in self._words.values() for word in words)
        known = sorted(set(query.lower().split()) & having.keys())
        return {word: math.log1p((len(self._words) - having[word] + 0.5) / (having[word] + 0.5)) for word in known}

    def _selected(self, selection: Selection) -> Numbers:
        numbers = [each for each in self.select(selection.where).tolist() if len(self._entries[each].spans)]
        return np.array([n for n in numbers if self._entries[n].document.id not in selection.without], np.int64)


class ToyWriter:
    """Replaces the engine's version; implements EngineWriter."""

    def __init__(self, engine: ToyEngine) -> None:
        self._engine = engine

    def known(self, ids: Sequence[str]) -> dict[str, Known]:
        entries = self._engine.version.entries
        found = ((n, entry) for n, entry in entries.items() if entry.document.id in set(ids))
        return {e.document.id: Known(n, e.text_hash, e.document.metadata_json()) for n, e in found}

    def spaces(self) -> tuple[Space, ...]:
        return (SPACE,)

    def commit(self, block: Block) -> Numbers:
        part = block.parts[SPACE.name]
        ends = np.cumsum(part.counts)[:-1]
        parts = zip(
            block.documents,
            block.text_hashes,
            part.truncated,
            np.split(part.spans, ends),
            np.split(part.halves(part.vectors.shape[1], block.documents).astype(np.float32), ends),
            strict=True,
        )
        version, replaced = self._engine.version, {document.id for document in block.documents}
        kept = {n: entry for n, entry in version.entries.items() if entry.document.id not in replaced}
        numbers = np.arange(len(block.documents)) + self._engine.next_number
        self._engine.next_number += len(numbers)
        fresh = {int(n): Entry(*part) for n, part in zip(numbers, parts, strict=True)}
        self._put(entries=kept | fresh)
        return numbers

    def delete(self, documents: Numbers) -> int:
        entries = self._engine.version.entries
        gone = set(documents.tolist()) & entries.keys()
        self._put(entries={n: entry for n, entry in entries.items() if n not in gone})
        return len(gone)

    def put_state(self, key: str, value: Any) -> None:
        self._put(state={**self._engine.version.state, key: value})

    def state(self, key: str) -> Any:
        return self._engine.version.state.get(key)

    def _put(self, **changes: Any) -> None:
        version = self._engine.version
        self._engine.version = replace(version, commit=version.commit + 1, **changes)


class ToyEngine:
    """Implements Engine; gone with the object."""

    path = Path("toy")
    space = SPACE

    def __init__(self) -> None:
        self.version = Version()
        self.next_number = 0
        self._lock = threading.RLock()

    def snapshot(self) -> ToySnapshot:
        return ToySnapshot(self.version)

    @contextmanager
    def writing(self, wait: float | None = None) -> Iterator[ToyWriter]:
        if not self._lock.acquire(timeout=1 if wait is None else wait):
            raise LockedError("another thread is writing")
        try:
            yield ToyWriter(self)
        finally:
            self._lock.release()

    def close(self) -> None: ...


def _words(document: Document) -> list[str]:
    return titled(document.title, document.text).lower().split()
