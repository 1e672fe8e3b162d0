"""Lexical search of one snapshot: records of the query's terms from the server, scored by lexical/weighing.py.
Implements engine.LexicalSnapshot."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from psycopg import sql

from twofold.engine import EVERYTHING, Selection
from twofold.engines.postgres.connecting import Session
from twofold.engines.postgres.postings import Lengths, read_records
from twofold.engines.postgres.schema import Head, LexicalHead
from twofold.engines.postgres.selecting import Selecting
from twofold.errors import QueryError
from twofold.lexical.analysing import Analysis, LexicalSettings
from twofold.lexical.asking import ask_words
from twofold.lexical.records import Records
from twofold.lexical.stretches import Stretch
from twofold.lexical.vocabulary import hashed
from twofold.lexical.weighing import Weighed
from twofold.scores import Numbers, Scores

KEPT = 64
"""Queries whose records are kept while a snapshot is used."""


class LexicalShared:
    """What the snapshots of a process share: how texts become terms, and the lengths of texts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._analyses: dict[str, Analysis] = {}
        self.lengths = Lengths()

    def analysis(self, settings: Mapping[str, Any]) -> Analysis:
        """By which texts become terms."""
        with self._lock:
            key = repr(sorted(settings.items()))
            if key not in self._analyses:
                self._analyses = {key: Analysis(LexicalSettings.from_json(settings))}
            return self._analyses[key]

    def after_fork_in_child(self) -> None:
        """A thread of the parent may have held the lock."""
        self._lock = threading.Lock()


class PostgresLexical:
    """Lexical search by one index of a snapshot."""

    def __init__(
        self, session: Session, head: Head, index: LexicalHead, selecting: Selecting, shared: LexicalShared
    ) -> None:
        self._session = session
        self._head = head
        self._index = index
        self._selecting = selecting
        self._shared = shared
        self._analysis = shared.analysis(index.settings)
        self._known: dict[str, tuple[Stretch, Weighed]] = {}

    @property
    def documents(self) -> int:
        """How many documents the index has, those among them that were deleted since it was built."""
        return Records(0, tuple(self._shared.lengths.at(self._session, self._index.index))).documents

    def candidates(self, query: str, count: int, selection: Selection = EVERYTHING) -> tuple[Numbers, Scores]:
        """The best `count` documents with their scores, and all that tie with the last; see engine.LexicalSnapshot."""
        if count < 0:
            raise QueryError(f"a count of candidates is 0 or more, not {count}")
        stretch, weighed = self._weighed(query)
        if count == 0 or not weighed.parts:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        numbers = self._allowed(stretch.with_any([*weighed.rarities]), selection)
        scores = weighed.exact(stretch, numbers)
        if len(scores) > count:
            last = np.partition(scores, len(scores) - count)[len(scores) - count]
            numbers, scores = numbers[scores >= last], scores[scores >= last]
        order = np.argsort(-scores, kind="stable")
        order = order[scores[order] > 0]
        return numbers[order], scores[order]

    def scores(self, query: str, documents: Numbers) -> Scores:
        """float32 (n,): the scores of these documents, in their order; 0 where no term is shared."""
        return self._each(query, documents, Weighed.exact)

    def weight(self, query: str) -> float:
        """The sum of the inverse document frequencies of the query's terms."""
        return self._weighed(query)[1].weight

    def evidence(self, query: str, documents: Numbers) -> Scores:
        """float32 (n,): what lexical search adds to the mixed scores of these documents, before its weight."""
        return self._each(query, documents, Weighed.evidence)

    def passage_evidence(self, query: str, documents: Numbers) -> tuple[Numbers, Scores] | None:
        """The evidence of the passages of these documents; None while the index has those of another space."""
        if self._index.space != self._head.of().number:
            return None
        stretch, weighed = self._weighed(query)
        many, scores = np.zeros(len(documents), np.int64), np.empty(0, np.float32)
        inside = documents < stretch.end
        many[inside], scores = weighed.of_passages([stretch]).passage_evidence(stretch, documents[inside])
        return many, scores

    def passage_scores(self, query: str, documents: Numbers) -> tuple[Numbers, Scores] | None:
        """BM25 of the passages of these documents, 0 of one that the index has not read; None as `passage_evidence`."""
        if self._index.space != self._head.of().number:
            return None
        stretch, weighed = self._weighed(query)
        inside = documents < stretch.end
        known, scores = weighed.of_passages([stretch]).passage_scores(stretch, documents[inside])
        counts = np.ones(len(documents), np.int64)
        counts[inside] = known
        values = np.zeros(int(counts.sum()), np.float32)
        values[np.repeat(inside, counts)] = scores
        return counts, values

    def text(self, query: str) -> str:
        """The query: it is plain text."""
        return query

    def coverage(self, query: str, texts: Sequence[str]) -> Scores:
        """float32 (n,): the sum of the inverse document frequencies of the query's terms that each text has."""
        rarities = self._weighed(query)[1].rarities
        having = (frozenset(self._analysis.terms(text)) for text in texts)
        sums = [sum(rarities[term] for term in sorted(rarities.keys() & there)) for there in having]
        return np.array(sums, np.float32)

    def _allowed(self, numbers: Numbers, selection: Selection) -> Numbers:
        """Those of these documents that may be found: live ones of the selection that have a passage."""
        chosen = self._selecting.selected(selection)
        query = sql.SQL(
            "SELECT d.number FROM documents AS d WHERE d.number = ANY(%(among)s::bigint[]) AND {} "
            "AND EXISTS (SELECT 1 FROM {} AS v WHERE v.document = d.number) ORDER BY d.number"
        ).format(chosen.sql, self._head.of().table)
        found = self._session.rows(query, {**chosen.parameters, "among": numbers.tolist()})
        return np.fromiter((number for (number,) in found), np.int64, len(found))

    def _each(self, query: str, documents: Numbers, scored: Callable[[Weighed, Stretch, Numbers], Scores]) -> Scores:
        """float32 (n,): what `scored` gives to these documents, in their order; 0 where no term is shared."""
        stretch, weighed = self._weighed(query)
        distinct, places = np.unique(np.asarray(documents, np.int64), return_inverse=True)
        scores = np.zeros(len(distinct), np.float32)
        inside = distinct < stretch.end
        if weighed.parts:
            scores[inside] = scored(weighed, stretch, distinct[inside])
        found: Scores = scores[places]
        return found

    def _weighed(self, query: str) -> tuple[Stretch, Weighed]:
        """The records of the query's terms and the query with its statistics, which each search asks for several
        times."""
        if (known := self._known.get(query)) is None:
            question = ask_words(self._analysis, query)
            hashes = np.unique(np.array([hashed(term) for term in question.terms], np.uint64))
            records = read_records(self._session, self._index.index, hashes, self._shared.lengths)
            stretch = Stretch(Path(str(self._session.address)), records, None)
            if len(self._known) >= KEPT:
                self._known.clear()
            known = self._known[query] = stretch, Weighed.of(question, [stretch], stretch.corpus)
        return known
