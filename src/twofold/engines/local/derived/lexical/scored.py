"""The lexical side of one snapshot. Implements engine.LexicalSnapshot."""

from __future__ import annotations

from collections.abc import Sequence

from twofold.engine import EVERYTHING, Selection
from twofold.engines.local.selecting import Selecting
from twofold.engines.local.turns import turns
from twofold.lexical.reading import LexicalReader
from twofold.scores import Numbers, Scores


class LocalLexical:
    """A reader's scores, behind selections."""

    def __init__(self, reader: LexicalReader, selecting: Selecting) -> None:
        self._reader = reader
        self._selecting = selecting

    def candidates(self, query: str, count: int, selection: Selection = EVERYTHING) -> tuple[Numbers, Scores]:
        """The best `count` documents with their scores, ties too; see engine.LexicalSnapshot."""
        with turns.taken():
            return self._reader.candidates(query, count, self._selecting.documents(selection))

    def scores(self, query: str, documents: Numbers) -> Scores:
        """float32 (n,): the scores of these documents, in their order."""
        return self._reader.scores(query, documents)

    def weight(self, query: str) -> float:
        """The sum of the inverse document frequencies of the query's terms."""
        return self._reader.weight(query)

    def evidence(self, query: str, documents: Numbers) -> Scores:
        """float32 (n,): what lexical search adds to the mixed scores of these documents, before its weight."""
        return self._reader.evidence(query, documents)

    def passage_evidence(self, query: str, documents: Numbers) -> tuple[Numbers, Scores] | None:
        """The evidence of the passages of these documents; see engine.LexicalSnapshot."""
        return self._reader.passage_evidence(query, documents)

    def passage_scores(self, query: str, documents: Numbers) -> tuple[Numbers, Scores] | None:
        """BM25 of the passages of these documents; see engine.LexicalSnapshot."""
        return self._reader.passage_scores(query, documents)

    def text(self, query: str) -> str:
        """What the query says, without signs of the query language, and without what it excludes."""
        return self._reader.text(query)

    def coverage(self, query: str, texts: Sequence[str]) -> Scores:
        """float32 (n,): the sum of the inverse document frequencies of the query's terms that each text has."""
        return self._reader.coverage(query, texts)
