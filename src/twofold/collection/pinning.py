"""Searchers of a collection: the latest commit, its index, its words."""

from __future__ import annotations

import threading

from twofold.collection.guarding import GuardedEncoder
from twofold.collection.indexing import Indexes
from twofold.collection.wording import missing
from twofold.collection.words import OutdatedError, Words
from twofold.engines.local.engine import Store
from twofold.engines.local.forking import watch
from twofold.engines.local.snapshot import StoredSnapshot
from twofold.errors import CollectionError, MovedError, QueryError
from twofold.lexical.reading import LexicalReader
from twofold.searching.fusion import Fusion
from twofold.searching.hybrid import HybridSearch
from twofold.searching.searcher import SnapshotSearcher

TRIES = 3
"""Snapshots taken, one after the other, until the lexical index on disk is not ahead of it."""


class Pinning:
    """Makes searchers that are pinned to a commit; what they share is opened once, by one thread at a time.

    depth: where a ranking ends unless a call says otherwise.
    """

    def __init__(self, store: Store, encoder: GuardedEncoder, depth: int) -> None:
        self._store = store
        self._encoder = encoder
        self._depth = depth
        self._start()
        watch(self)

    def searcher(self, depth: int | None, *, exact: bool, words: bool, query_language: bool) -> SnapshotSearcher:
        """A searcher of the latest commit, until it is closed; exact: without the approximate index.

        words: opens the lexical index and reads what it lacks, which a search by meaning need not wait for.
        query_language: queries are of the language of lexical/language.py, which needs words. Raises QueryError where
        there are none.
        """
        known = words or query_language
        snapshot, side = self._begun(query_language=query_language) if known else (self._store.snapshot(), None)
        try:
            with self._lock:
                dense = self._indexes.search(snapshot, exact=exact)
            search = None if side is None else HybridSearch(snapshot, dense, *side, depth=self._depth)
            wordless = missing() if known else "this searcher was made without words"
            if query_language and search is None:
                raise QueryError(f"it cannot be asked in the query language: {wordless}")
            return SnapshotSearcher(
                snapshot,
                dense,
                self._encoder,
                depth=self._depth if depth is None else depth,
                words=search,
                wordless=wordless,
                encodes=self._encoder.can_encode,
            )
        except BaseException:
            snapshot.close()
            raise

    def _begun(self, *, query_language: bool) -> tuple[StoredSnapshot, tuple[LexicalReader, Fusion | None] | None]:
        """The latest commit, and its lexical search: of a later one where a writer has replaced the index meanwhile."""
        for left in reversed(range(TRIES)):
            snapshot = self._store.snapshot()
            try:
                with self._store.staying():
                    return snapshot, self._words.side(snapshot, query_language=query_language, last=not left)
            except OutdatedError:
                snapshot.close()
            except BaseException as error:
                snapshot.close()
                if isinstance(error, MovedError):
                    self._words.forget()  # it may have been read from the folder that is there now
                raise
        raise CollectionError(f"{self._store.path}: its lexical index changes faster than it can be opened")

    def before_fork(self) -> None:
        """Nothing: a thread in the middle of opening goes on in the parent, and the child opens for itself."""

    def after_fork_in_parent(self) -> None:
        """Nothing was stopped."""

    def after_fork_in_child(self) -> None:
        """Forgets what is the parent's."""
        self._start()

    def _start(self) -> None:
        self._lock = threading.Lock()
        self._indexes = Indexes()
        self._words = Words(self._store)
