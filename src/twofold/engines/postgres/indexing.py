"""The lexical index of a collection: built from its documents, published by a commit, kept up by every later one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from twofold.addresses import Address
from twofold.block import Block
from twofold.documents import Document, titled
from twofold.engine import LEXICAL
from twofold.engines.postgres.lexical import PostgresLexical
from twofold.engines.postgres.postings import drop_indexes, recorded, write_run
from twofold.engines.postgres.recording import Change, Recording
from twofold.engines.postgres.schema import LexicalHead, put_state
from twofold.engines.postgres.snapshot import PostgresSnapshot
from twofold.lexical.analysing import Analysis, LexicalSettings
from twofold.lexical.stretches import Text
from twofold.progress import Progress
from twofold.scores import Numbers

BATCH = 1_024
"""Documents that are read at a time while an index is built."""


class Aside:
    """A lexical index that nobody else sees yet. Implements engine.LexicalAside."""

    def __init__(self, snapshot: PostgresSnapshot, built: LexicalHead, recording: Recording) -> None:
        self.snapshot = snapshot
        self.lexical: PostgresLexical = snapshot.lexical_of(built)
        self._built = built
        self._recording = recording

    def publish(self, about: Mapping[str, Any]) -> None:
        """Searches use it from this commit on."""
        publish(self._recording, self._built, about)


class Indexing:
    """Builds and keeps up the lexical index, for a writer that holds the lock. latest: gives the latest commit."""

    def __init__(self, address: Address, latest: Callable[[], PostgresSnapshot]) -> None:
        self.address = address
        self._latest = latest
        self._met: tuple[Mapping[str, Any], Analysis] | None = None

    def add(self, change: Change, numbers: Numbers, block: Block) -> None:
        """Adds the documents of a commit to the index, inside its transaction."""
        index = change.head.lexical
        if index is None:
            return
        part = block.parts[change.head.description.default]
        several = index.space == change.head.of().number
        ends = np.cumsum(part.counts)[:-1]
        spans = np.split(part.spans, ends) if several else [part.spans[:0]] * len(numbers)
        first = int(numbers[0])
        texts = (
            _text(number, document, each.tolist())
            for number, document, each in zip(numbers.tolist(), block.documents, spans, strict=True)
        )
        for run in recorded(self._analysis(index.settings), first, texts, first + len(numbers)):
            write_run(change.connection, index.index, run)

    def built(self, settings: Mapping[str, Any], recording: Recording, progress: Progress) -> LexicalHead:
        """A new index of the latest commit's documents, which nobody finds until it is published."""

        def begin(change: Change) -> LexicalHead:
            head, lexical = change.head, change.head.lexical
            drop_indexes(change.connection, None if lexical is None else lexical.index)  # left by a stopped building
            change.head = replace(head, next_index=head.next_index + 1)
            return LexicalHead(head.next_index, dict(settings), head.of().number)

        index = recording.recorded(begin)
        analysis = Analysis(LexicalSettings.from_json(settings))
        self._met = settings, analysis
        with self._latest() as snapshot:
            documents, end = snapshot.head.documents, snapshot.head.next_document
            texts = _counted(_texts(snapshot), documents, progress)
            for run in recorded(analysis, 0, texts, end):
                with recording.connection() as connection, connection.transaction():
                    write_run(connection, index.index, run)
        return index

    def renew(self, recording: Recording, progress: Progress, *, anyway: bool = False) -> None:
        """Builds the index again if it has documents that were deleted, or the passages of another space."""
        with self._latest() as snapshot:
            index, about = snapshot.head.lexical, snapshot.state(LEXICAL)
            if index is None:
                return
            lexical = snapshot.lexical_of(index)
            same = index.space == snapshot.head.of().number
            if same and not anyway and lexical.documents == snapshot.head.documents:
                return
        publish(recording, self.built(index.settings, recording, progress), about)

    def follow(self, recording: Recording, progress: Progress) -> bool:
        """Builds the index again if another space is searched now; says whether it did."""
        head = recording.head()
        if head.lexical is None or head.lexical.space == head.of().number:
            return False
        self.renew(recording, progress)
        return True

    def _analysis(self, settings: Mapping[str, Any]) -> Analysis:
        if self._met is None or self._met[0] != settings:
            self._met = settings, Analysis(LexicalSettings.from_json(settings))
        return self._met[1]


def publish(recording: Recording, built: LexicalHead, about: Mapping[str, Any]) -> None:
    """Searches use an index from this commit on; the one before is removed."""

    def work(change: Change) -> None:
        change.head = replace(change.head, lexical=built)
        put_state(change.connection, LEXICAL, about)
        drop_indexes(change.connection, built.index)

    recording.recorded(work)


def _texts(snapshot: PostgresSnapshot) -> Iterator[Text]:
    """All documents, with the texts of their passages where they have several."""
    numbers = snapshot.select()
    for start in range(0, len(numbers), BATCH):
        some = numbers[start : start + BATCH]
        passages = snapshot.passages(some)
        ends = np.searchsorted(passages.owners, np.arange(1, len(some)))
        spans = np.split(passages.spans, ends)
        for number, document, each in zip(some.tolist(), snapshot.documents(some), spans, strict=True):
            yield _text(number, document, each.tolist())


def _text(number: int, document: Document, spans: list[list[int]]) -> Text:
    several = spans if len(spans) > 1 else []
    text = document.text
    return Text(number, titled(document.title, text), [text[start:end] for start, end in several])


def _counted(texts: Iterator[Text], documents: int, progress: Progress) -> Iterator[Text]:
    for done, each in enumerate(texts, 1):
        yield each
        if done % BATCH == 0 or done == documents:
            progress(done, documents)
