"""Searchers of a collection: the latest commit, its vectors, its terms."""

from __future__ import annotations

from twofold.collection.guarding import Encoders
from twofold.collection.wording import WordsReport, missing, textless
from twofold.engine import DenseSnapshot, Engine, EngineSnapshot
from twofold.engines.local.derived.words import STATE
from twofold.errors import QueryError
from twofold.searching.hybrid import HybridSearch
from twofold.searching.searcher import SnapshotSearcher


class Pinning:
    """Makes searchers that are pinned to a commit. depth: where a ranking ends unless a call says otherwise."""

    def __init__(self, engine: Engine, encoders: Encoders, depth: int) -> None:
        self._engine = engine
        self._encoders = encoders
        self._depth = depth

    def searcher(self, depth: int | None, *, exact: bool, words: bool, query_language: bool) -> SnapshotSearcher:
        """A searcher of the latest commit, until it is closed; exact: without the approximate index.

        words: opens the lexical index, which a dense search does not need. query_language: queries are of the language
        of lexical/language.py, which needs the lexical index. Raises QueryError where there is none.
        """
        snapshot = self._engine.snapshot()
        try:
            dense, encoder = snapshot.dense(exact=exact), self._encoders.of(snapshot.space)
            known = words or query_language
            search = self._hybrid(snapshot, dense, query_language=query_language) if known else None
            wordless = missing(snapshot) if known else "this searcher was made without words"
            if query_language and search is None:
                raise QueryError(f"it cannot be asked in the query language: {wordless}")
            return SnapshotSearcher(
                snapshot,
                dense,
                encoder,
                depth=self._depth if depth is None else depth,
                words=search,
                wordless=wordless,
                encodes=encoder.can_encode,
            )
        except BaseException:
            snapshot.close()
            raise

    def _hybrid(self, snapshot: EngineSnapshot, dense: DenseSnapshot, *, query_language: bool) -> HybridSearch | None:
        """How a snapshot is searched by terms; None where it has no lexical index."""
        state = snapshot.state(STATE)
        if state is None or textless(snapshot, state):
            return None
        lexical = snapshot.lexical(query_language=query_language)
        if lexical is None:
            return None
        fusion = WordsReport.from_json(state).fusion
        return HybridSearch(snapshot, dense, lexical, fusion, depth=self._depth, query_language=query_language)
