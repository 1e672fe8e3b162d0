"""Searchers of a collection: the latest commit, its index, its words."""

from __future__ import annotations

import threading

from twofold.collection.guarding import GuardedEncoder
from twofold.collection.index_search import Indexes
from twofold.collection.wording import Words, missing
from twofold.engines.local.engine import Store
from twofold.engines.local.forking import watch
from twofold.engines.local.snapshot import StoredSnapshot
from twofold.errors import MovedError, QueryError
from twofold.searching.hybrid import HybridSearch
from twofold.searching.nearest import NearestSearch
from twofold.searching.searcher import SnapshotSearcher


class Pinning:
    """Makes searchers that are pinned to a commit; words that they share are opened once, by one thread at a time.

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

        words: catches the lexical index up and opens it, which a search by meaning need not wait for. query_language:
        queries are of the language of lexical/language.py, which needs words. Raises QueryError where there are none.
        """
        snapshot = self._store.snapshot()
        try:
            dense = self._indexes.search(snapshot, exact=exact)
            with self._lock:
                known = words or query_language
                search = self._by_words(snapshot, dense, query_language=query_language) if known else None
            wordless = missing(snapshot) if known else "this searcher was made without words"
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

    def _by_words(self, snapshot: StoredSnapshot, dense: NearestSearch, *, query_language: bool) -> HybridSearch | None:
        try:
            with self._store.staying():
                return self._words.search(snapshot, dense, self._depth, query_language=query_language)
        except MovedError:
            self._words.forget()  # it may have been read from the folder that is there now
            raise

    def forget_words(self) -> None:
        """Lets go of the lexical index that was opened, since it is made again."""
        with self._lock:
            self._words.forget()

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
