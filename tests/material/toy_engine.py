"""A toy engine: everything in dicts and numpy, to see that what is above an engine needs no more than its protocol."""

from __future__ import annotations

import math
import threading
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twofold.block import Block, Known
from twofold.documents import Document, titled
from twofold.engine import EVERYTHING, LEXICAL, Counts, Facts, Passages, Selection, SpaceCounts
from twofold.errors import CollectionError, LockedError
from twofold.facets import Facet, values_held
from twofold.filters import ID, TITLE, All, Filter, found_at, matches
from twofold.index_report import FLAT, IndexReport
from twofold.passage_scores import Nearest, PassageScores
from twofold.progress import Progress, silent
from twofold.reports import CompactReport, OptimizeReport, VerifyReport
from twofold.scores import Numbers, Scores, Vectors, best_positions, dense_scores
from twofold.space import Space
from twofold.values import Json, Scalar

PASSAGES = 1_000  # handles of passages: those of a document begin at its own times this


class Entry(NamedTuple):
    document: Document
    text_hash: bytes
    truncated: int
    spans: NDArray[np.int32]
    vectors: Vectors


class Version(NamedTuple):
    space: Space
    commit: int = 0
    entries: Mapping[int, Entry] = {}
    state: Mapping[str, Any] = {}


class Aside(NamedTuple):
    snapshot: ToySnapshot
    lexical: ToySnapshot
    publish: Callable[[Mapping[str, Any]], None]


class ToySnapshot:
    """One version; implements EngineSnapshot, DenseSnapshot and LexicalSnapshot."""

    def __init__(self, version: Version) -> None:
        self._version, self._entries, entries = version, version.entries, version.entries.values()
        self.commit, self.space, self.spaces = version.commit, version.space, (version.space,)
        self.state = version.state.get
        held, cut = sum(len(e.spans) for e in entries), [e.truncated for e in entries]
        self.without_passages = [len(e.spans) for e in entries].count(0).__int__
        self.counts = Counts(documents=len(cut), passages=held, truncated=len(cut) - cut.count(0), tokens_cut=sum(cut))
        texts = ((n, titled(e.document.title, e.document.text)) for n, e in self._entries.items())
        self._words = {number: Counter(text.lower().split()) for number, text in texts}

    def __enter__(self) -> ToySnapshot:
        return self

    def close(self, *_: object) -> None: ...

    __exit__ = check_fields = check_unambiguous = index = close

    def lacking(self, space: str, count: int) -> Numbers:
        return np.empty(0, np.int64)

    def counted(self, space: str) -> SpaceCounts:
        return SpaceCounts(documents=self.counts.documents, passages=self.counts.passages, complete=True)

    def dense(self, space: str | None = None, *, exact: bool = False) -> ToySnapshot:
        return self

    def tokens_cut(self, documents: Numbers) -> Numbers:
        return np.array([self._entries[number].truncated for number in documents.tolist()], np.int64)

    def lexical(self, *, query_language: bool = False, anyway: bool = False) -> ToySnapshot | None:
        return self if LEXICAL in self._version.state and not query_language else None

    def select(self, where: Filter | None = None) -> Numbers:
        condition, numbers = All(()) if where is None else where, list[int]()
        for number, entry in self._entries.items():
            document, own = entry.document, {"identifier": entry.document.id, "title": entry.document.title}
            if matches(condition, document.metadata, **own, truncated=entry.truncated > 0):
                numbers.append(number)
        return np.array(numbers, np.int64)

    def count(self, where: Filter | None = None) -> int:
        return len(self.select(where))

    def facets(self, field: str, where: Filter | None = None) -> list[Facet]:
        documents, counts = self.documents(self.select(where)), Counter[tuple[str, Scalar]]()
        for each in documents:
            own: dict[str, list[Json]] = {ID: [each.id], TITLE: [each.title]}
            counts.update(values_held(own[field] if field in own else found_at(each.metadata, field)))
        return [(value, count) for (_, value), count in counts.items()]

    def has_text(self) -> bool:
        return any(map(len, self._words.values()))

    def find(self, ids: Sequence[str]) -> dict[str, int]:
        return {entry.document.id: number for number, entry in self._entries.items() if entry.document.id in set(ids)}

    def ids(self, documents: Numbers) -> list[str]:
        return [self._entries[number].document.id for number in documents.tolist()]

    def documents(self, documents: Numbers) -> list[Document]:
        return [self._entries[number].document for number in documents.tolist()]

    def text_hashes(self, documents: Numbers) -> list[bytes]:
        return [self._entries[number].text_hash for number in documents.tolist()]

    def each(self) -> Iterator[Document]:
        return (entry.document for entry in self._entries.values())

    def passages(self, documents: Numbers, space: str | None = None) -> Passages:
        entries = [self._entries[number] for number in documents.tolist()]
        counts = [len(entry.spans) for entry in entries]
        handles = [PASSAGES * number + n for number, count in zip(documents, counts, strict=True) for n in range(count)]
        spans = np.concatenate([np.empty((0, 2), np.int32), *(entry.spans for entry in entries)])
        return Passages(np.array(handles, np.int64), np.repeat(np.arange(len(entries)), counts), spans)

    def codes(self, rows: Numbers, space: str) -> NDArray[np.uint16]:
        raise CollectionError("a toy has no space of token vectors")

    def spans(self, passages: Numbers) -> NDArray[np.int32]:
        places = [divmod(each, PASSAGES) for each in passages.tolist()]
        return np.array([self._entries[n].spans[k] for n, k in places], np.int32).reshape(-1, 2)

    def nearest(self, query: Vectors, *, depth: int, top: int, selection: Selection = EVERYTHING) -> Nearest:
        found = self.scored(query, self._selected(selection)).nearest()
        best = best_positions(found.scores, min(top, depth), lambda among: self.ids(found.documents[among]))
        return Nearest(found.documents[best], found.scores[best], found.passages[best])

    def scored(self, query: Vectors, documents: Numbers) -> PassageScores:
        some = np.array([n for n in documents.tolist() if len(self._entries[n].vectors)], np.int64)
        scores = [dense_scores(query, self._entries[number].vectors) for number in some.tolist()]
        counts = np.array([len(each) for each in scores], np.int64)
        return PassageScores(
            some, counts, self.passages(some).handles, np.concatenate([np.empty(0, np.float32), *scores])
        )

    def vectors(self, passages: Numbers) -> Vectors:
        return np.stack([self._entries[each // PASSAGES].vectors[each % PASSAGES] for each in passages.tolist()])

    def stored(self) -> Iterator[tuple[Numbers, Vectors]]:
        for number, entry in ((n, e) for n, e in self._entries.items() if len(e.vectors)):
            yield self.passages(np.array([number])).handles, entry.vectors

    def drawn(self, count: int) -> Passages:
        everything = self.passages(numbers := self.select())
        order = np.argsort([zlib.crc32(each.tobytes()) for _, block in self.stored() for each in block])[:count]
        return Passages(everything.handles[order], numbers[everything.owners[order]], everything.spans[order])

    def candidates(self, query: str, count: int, selection: Selection = EVERYTHING) -> tuple[Numbers, Scores]:
        scores = self.scores(query, numbers := self._selected(selection))
        last = np.sort(scores)[::-1][:count][-1:].sum()
        numbers, scores = (each[(scores > 0) & (scores >= last)] for each in (numbers, scores))
        order = np.lexsort((numbers, -scores))
        return numbers[order], scores[order]

    def scores(self, query: str, documents: Numbers) -> Scores:
        weights, words = self._rarities(query).items(), map(self._words.__getitem__, documents.tolist())
        return np.array([sum(w * has[t] / (has[t] + 1) for t, w in weights) for has in words], np.float32)

    def weight(self, query: str) -> float:
        return sum(self._rarities(query).values())

    def evidence(self, query: str, documents: Numbers) -> Scores:
        weights, words = self._rarities(query), map(self._words.__getitem__, documents.tolist())
        had = [[(weights[term] ** 1.5, has[term]) for term in weights.keys() & has.keys()] for has in words]
        whole = sum(weight**1.5 for weight in weights.values())
        sums = [(sum(w * n / (n + 1) for w, n in each), sum(w for w, _ in each)) for each in had]
        return np.array([total * (of / whole) ** 0.25 if whole else 0 for total, of in sums], np.float32)

    def passage_evidence(self, query: str, documents: Numbers) -> tuple[Numbers, Scores] | None:
        return None

    def passage_scores(self, query: str, documents: Numbers) -> tuple[Numbers, Scores] | None:
        return None

    def text(self, query: str) -> str:
        return query

    def coverage(self, query: str, texts: Sequence[str]) -> Scores:
        rarities, having = self._rarities(query), [set(text.lower().split()) for text in texts]
        return np.array([sum(rarities[word] for word in sorted(rarities.keys() & each)) for each in having], np.float32)

    def _rarities(self, query: str) -> dict[str, float]:
        having = Counter(word for words in self._words.values() for word in words)
        known = sorted(set(query.lower().split()) & having.keys())
        return {word: math.log1p((len(self._words) - having[word] + 0.5) / (having[word] + 0.5)) for word in known}

    def _selected(self, selection: Selection) -> Numbers:
        numbers = [each for each in self.select(selection.where).tolist() if len(self._entries[each].spans)]
        return np.array([n for n in numbers if self._entries[n].document.id not in selection.without], np.int64)


class ToyEngine:
    """Keeps the latest version; implements Engine and EngineWriter."""

    path = Path("toy")

    def __init__(self, space: Space) -> None:
        self.space, self.spaces = space, lambda: (space,)
        self._version, self._next, self._lock = Version(space), 0, threading.RLock()

    def snapshot(self) -> ToySnapshot:
        return ToySnapshot(self._version)

    @contextmanager
    def writing(self, wait: float | None = None) -> Iterator[ToyEngine]:
        if not self._lock.acquire(timeout=1 if wait is None else wait):
            raise LockedError("another thread is writing")
        try:
            yield self
        finally:
            self._lock.release()

    def known(self, ids: Sequence[str]) -> dict[str, Known]:
        found = ((n, e) for n, e in self._version.entries.items() if e.document.id in set(ids))
        return {e.document.id: Known(n, e.text_hash, e.document.metadata_json()) for n, e in found}

    def commit(self, block: Block) -> Numbers:
        part = block.parts[self.space.name]
        vectors = part.halves(self.space, block.documents).astype(np.float32)
        ends = np.cumsum(part.counts)[:-1]
        parts = np.split(part.spans, ends), np.split(vectors, ends)
        fresh = map(Entry, block.documents, block.text_hashes, part.truncated, *parts)
        numbers = range(self._next, self._next + len(block.documents))
        self._next = numbers.stop
        replaced = {document.id for document in block.documents}
        kept = {n: e for n, e in self._version.entries.items() if e.document.id not in replaced}
        self._put(entries=kept | dict(zip(numbers, fresh, strict=True)))
        return np.array(numbers)

    def delete(self, documents: Numbers) -> int:
        gone = set(documents.tolist()) & self._version.entries.keys()
        self._put(entries={n: entry for n, entry in self._version.entries.items() if n not in gone})
        return len(gone)

    def put_state(self, key: str, value: Any) -> None:
        self._put(state={**self._version.state, key: value})

    def state(self, key: str) -> Any:
        return self._version.state.get(key)

    @contextmanager
    def lexical_aside(self, settings: Mapping[str, Any], progress: Progress = silent) -> Iterator[Aside]:
        yield Aside(self.snapshot(), self.snapshot(), partial(self.put_state, LEXICAL))

    def optimize(self, *_: object, **__: object) -> OptimizeReport:
        return OptimizeReport(CompactReport(documents=0, rows=0, bytes=0), IndexReport(kind=FLAT, why="it is a toy"))

    def follow(self, *_: object, **__: object) -> None: ...

    repair = check_outside = close = follow

    def maintain(self, *_: object, **__: object) -> bool:
        return False

    def facts(self) -> Facts:
        return Facts(format=1, created="", bytes={}, log_held_back=0)

    def recall(self, *_: object, **__: object) -> Any:
        raise CollectionError("a toy can do nothing of the kind")

    backup = add_space = fill_space = make_default = drop_space = put_source = index = recall

    def verify(self, *_: object, **__: object) -> VerifyReport:
        return VerifyReport(documents=len(self._version.entries))

    def _put(self, **changes: Any) -> None:
        self._version = self._version._replace(commit=self._version.commit + 1, **changes)
