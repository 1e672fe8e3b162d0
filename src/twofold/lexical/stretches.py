"""Documents of consecutive numbers: their records, by which they are scored, and a tantivy index, which matches.

The index on disk is one stretch (index.py); the documents that it has not read yet are another, in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tantivy
from tantivy import Occur, Query, Searcher

from twofold.errors import CorruptionError
from twofold.lexical.analysing import Analysis
from twofold.lexical.engine import AGAIN, NUMBER, SCHEMA, TERMS, TEXT, speaking
from twofold.lexical.recorder import Recorder
from twofold.lexical.records import Records
from twofold.lexical.scoring import Corpus
from twofold.lexical.vocabulary import hashed
from twofold.scores import Mask, Numbers, Scores

FILTERED_AT_MOST = 20_000
"""A set of more documents costs more as a filter (11 ms) than a list of all that match."""
HEAP_BYTES = 15_000_000
"""tantivy's least, for what is read into memory."""


class Text(NamedTuple):
    """A document as it is read: its number, title and text, and the texts of its passages where it has several."""

    number: int
    text: str
    passages: Sequence[str] = ()


Texts = Iterable[tuple[int, str] | Text]
"""Documents by ascending number."""


class Stretch:
    """What both kinds have in common. folder: for messages. searcher: tantivy's; None where nothing can be matched."""

    def __init__(self, folder: Path, records: Records, searcher: Searcher | None) -> None:
        self.folder = folder
        self.records = records
        self.corpus = Corpus(records.documents, records.tokens)
        self._searcher = searcher

    @cached_property
    def passages(self) -> Corpus:
        """The passages that were read; a document that has not several is one."""
        return Corpus(*self.records.passages)

    @property
    def end(self) -> int:
        """No document with this number or a greater one has been read."""
        return self.records.end

    def having(self, terms: Sequence[str]) -> Numbers:
        """int64 (n,): how many documents have each of these terms."""
        return self.records.having(np.array([hashed(term) for term in terms], np.uint64))

    def passages_having(self, terms: Sequence[str]) -> Numbers:
        """int64 (n,): how many passages have each of these terms."""
        return self.records.passages_having(np.array([hashed(term) for term in terms], np.uint64))

    def with_any(self, terms: Sequence[str]) -> Numbers:
        """int64, ascending: the documents that have one of these terms."""
        return self.records.with_any(np.array([hashed(term) for term in terms], np.uint64))

    def best(self, query: Query, count: int) -> tuple[Numbers, Scores]:
        """The first `count` documents of a query by tantivy's own scores, and these."""
        count = min(count, self._tantivy.num_docs)
        if count <= 0:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        with speaking(self.folder):
            hits = self._tantivy.search(query, limit=count, count=False).hits
            numbers = self._tantivy.fast_field_values(NUMBER, [address for _, address in hits])
        if any(number is None or not self.records.first <= number < self.end for number in numbers):
            raise CorruptionError(f"{self.folder}: there are documents without a number of their own. {AGAIN}.")
        return np.array(numbers, dtype=np.int64), np.array([score for score, _ in hits], dtype=np.float32)

    def matching(self, query: Query) -> Numbers:
        """int64, ascending: all documents that match."""
        numbers, _ = self.best(Query.const_score_query(query, 1.0), self._tantivy.num_docs)
        return np.sort(numbers)

    def among(self, query: Query, numbers: Numbers) -> Mask:
        """bool (n,): which of these documents match."""
        if len(numbers) <= FILTERED_AT_MOST:
            members = Query.term_set_query(SCHEMA, NUMBER, numbers.tolist())
            query = Query.boolean_query([(Occur.Must, members), (Occur.Must, query)])
        return np.isin(numbers, self.matching(query))

    @property
    def _tantivy(self) -> Searcher:
        if self._searcher is None:
            raise ValueError("these documents were not made ready for the query language")
        return self._searcher


class Tail(Stretch):
    """Documents that the index on disk has not read yet."""

    def __init__(self, folder: Path, records: Records) -> None:
        super().__init__(folder, records, None)

    def make_matchable(self, analysis: Analysis, texts: Texts) -> None:
        """Reads the texts of its documents, for queries of the language; other documents are skipped."""
        if self._searcher is not None:
            return
        with speaking(self.folder):
            index = tantivy.Index(SCHEMA)
            index.register_tokenizer(TERMS, analysis.written)
            index.config_reader("manual")
            writer = index.writer(HEAP_BYTES, 1)
            for number, text, *_ in texts:
                if self.records.first <= number < self.end:
                    writer.add_document(as_tantivy(number, analysis.read(text)[1]))
            writer.commit()
            writer.wait_merging_threads()
            index.reload()
            self._searcher = index.searcher()


def recorded(analysis: Analysis, first: int, texts: Texts, end: int) -> Records:
    """The records of documents with numbers from `first` to `end`, ascending."""
    recorder = Recorder(first, analysis.vocabulary)
    for each in texts:
        number, text, passages = Text(*each)
        recorder.add(number, analysis.ids(text), list(map(analysis.ids, passages)))
    recorder.skip_to(end)
    recorder.close()
    return Records(first, tuple(recorder.made))


def as_tantivy(number: int, terms: str) -> tantivy.Document:
    """A document as tantivy reads it. terms: as Analysis.read gives them."""
    return tantivy.Document.from_dict({NUMBER: number, TEXT: terms}, SCHEMA)
