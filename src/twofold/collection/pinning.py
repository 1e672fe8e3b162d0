"""Opens searchers of the latest commit: its vectors and its lexical index."""

from __future__ import annotations

from twofold.collection.guarding import Encoders
from twofold.collection.lexical_report import LexicalReport
from twofold.collection.lexical_tuning import missing, textless
from twofold.collection.token_space import stored_tokens_of
from twofold.engine import Engine, EngineSnapshot, LexicalSnapshot, OutdatedError
from twofold.errors import CollectionError, InputError, ModelError, QueryError
from twofold.protocols import Ranker
from twofold.rankers.named import ranker_of
from twofold.searching.hybrid import HybridSearch
from twofold.searching.pipeline import StoredPipeline
from twofold.searching.searcher import SnapshotSearcher

TRIES = 3
"""Snapshots taken, one after the other, until the lexical index is not ahead of it."""


class Pinning:
    """Makes searchers that are pinned to a commit. depth: length of a ranking, by default."""

    def __init__(self, engine: Engine, encoders: Encoders, depth: int) -> None:
        self._engine = engine
        self._encoders = encoders
        self._depth = depth

    def searcher(self, depth: int | None, *, exact: bool, lexical: bool, query_language: bool) -> SnapshotSearcher:
        """A searcher of the latest commit, until it is closed; exact: without the approximate index.

        lexical: opens the lexical index, which a dense search does not need. query_language: queries are of the
        language of lexical/language.py, which needs the lexical index. Raises QueryError where there is none.
        """
        wanted = lexical or query_language
        snapshot, index = self._begun(query_language=query_language) if wanted else (self._engine.snapshot(), None)
        try:
            dense, report = snapshot.dense(exact=exact), LexicalReport.of(snapshot)
            encoder, search = self._encoders.of(snapshot.space), None
            relevance = None if report is None else report.relevance(snapshot)
            if index is not None and report is not None:
                search = HybridSearch(
                    snapshot,
                    dense,
                    index,
                    report.fusion,
                    depth=self._depth,
                    query_language=query_language,
                    settings=report.settings,
                    relevance=relevance,
                )
            no_lexical = (
                missing(snapshot) if wanted and search is None else "this searcher was opened without the lexical index"
            )
            if query_language and search is None:
                raise QueryError(f"the query language cannot be used: {no_lexical}")
            return SnapshotSearcher(
                snapshot,
                dense,
                encoder,
                depth=self._depth if depth is None else depth,
                grows=depth is None,
                hybrid=no_lexical if search is None else search,
                relevance=relevance,
                encodes=encoder.can_encode,
                tokens=stored_tokens_of(snapshot, self._encoders),
                stored=_stored(report),
            )
        except BaseException:
            snapshot.close()
            raise

    def _begun(self, *, query_language: bool) -> tuple[EngineSnapshot, LexicalSnapshot | None]:
        """The latest commit and its lexical search; a later commit if a writer has updated the index meanwhile."""
        for left in reversed(range(TRIES)):
            snapshot = self._engine.snapshot()
            try:
                if textless(snapshot):
                    return snapshot, None
                return snapshot, snapshot.lexical(query_language=query_language, anyway=not left)
            except OutdatedError:
                snapshot.close()
            except BaseException:
                snapshot.close()
                raise
        raise CollectionError(f"{self._engine.path}: its lexical index changes faster than it can be opened")


def _stored(report: LexicalReport | None) -> StoredPipeline | None:
    choice = None if report is None else report.pipeline
    return None if choice is None else StoredPipeline(choice.pipeline, _loaded)


def _loaded(name: str) -> Ranker | str:
    """The ranker of a stored pipeline. Raises ModelError that says how to search without it."""
    try:
        return ranker_of(name)
    except (ModelError, InputError, OSError) as error:
        raise ModelError(
            f"`tune` chose the ranker {name!r} for this collection, and it cannot be loaded: {error}\n"
            "Search without it (--no-rerank, in Python ranker=False), or run `twofold tune COLLECTION` again"
        ) from error
