"""Searchers of a collection: the latest commit, its index, its words."""

from __future__ import annotations

from twofold.collection.guarding import GuardedEncoder
from twofold.collection.indexing import Indexes
from twofold.collection.wording import Words
from twofold.searching.searcher import SnapshotSearcher
from twofold.storage.store import Store


class Pinning:
    """Makes searchers that are pinned to a commit; what they share is opened once.

    depth: where a ranking ends unless a call says otherwise.
    """

    def __init__(self, store: Store, encoder: GuardedEncoder, depth: int) -> None:
        self._store = store
        self._encoder = encoder
        self._depth = depth
        self._indexes = Indexes()
        self._words = Words(store)

    def searcher(self, depth: int | None, *, exact: bool) -> SnapshotSearcher:
        """A searcher of the latest commit, until it is closed; exact: without the approximate index."""
        snapshot = self._store.snapshot()
        try:
            dense = self._indexes.search(snapshot, exact=exact)
            words = self._words.search(snapshot, dense)
            asked = self._depth if depth is None else depth
            return SnapshotSearcher(snapshot, dense, self._encoder, depth=asked, words=words)
        except BaseException:
            snapshot.close()
            raise

    def forget_words(self) -> None:
        """Lets go of the lexical index that was opened, since it is made again."""
        self._words.forget()
