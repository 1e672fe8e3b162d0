"""A snapshot that can be searched. Implements engine.EngineSnapshot."""

from __future__ import annotations

import numpy as np

from twofold.engine import Counts, Passages
from twofold.engines.local.catalogue.connections import Lease
from twofold.engines.local.derived.indexes.about import reported
from twofold.engines.local.derived.indexes.opened import Indexes
from twofold.engines.local.derived.lexical.scored import LocalLexical
from twofold.engines.local.derived.lexical.words import Words
from twofold.engines.local.selecting import Selecting
from twofold.engines.local.snapshot import Derived, StoredSnapshot
from twofold.engines.local.spaces.dense import DenseRows
from twofold.filters import Filter
from twofold.index_report import IndexReport
from twofold.lexical.reading import LexicalReader
from twofold.scores import Numbers


class LocalSnapshot(StoredSnapshot):
    """One commit of a collection in a folder, with what is derived from it."""

    def __init__(self, lease: Lease, derived: Derived, indexes: Indexes, words: Words) -> None:
        super().__init__(lease, derived)
        self._indexes = indexes
        self._words = words

    @property
    def counts(self) -> Counts:
        """What the commit holds."""
        head = self.head
        return Counts(
            documents=head.documents, passages=head.rows, truncated=head.truncated, tokens_cut=head.tokens_cut
        )

    def dense(self, *, exact: bool = False) -> DenseRows:
        """The default space. exact: without the approximate index."""
        return DenseRows(self, self._indexes.search(self, exact=exact), Selecting(self, self._language))

    def index(self) -> IndexReport | None:
        """What the approximate index was measured to find; None where search is exact."""
        return reported(self)

    def lexical(self, *, query_language: bool = False, anyway: bool = False) -> LocalLexical | None:
        """The lexical side; None where there is none. Raises OutdatedError; see engine.EngineSnapshot."""
        reader = self._words.reader(self, query_language=query_language, anyway=anyway)
        return None if reader is None else LocalLexical(reader, Selecting(self, self._language))

    def _language(self) -> LexicalReader | None:
        return self._words.reader(self, query_language=True, anyway=True)

    def without_passages(self) -> int:
        """How many documents have no passage."""
        return self.head.documents - int(np.count_nonzero(self.passing_documents(None)))

    def select(self, where: Filter | None = None) -> Numbers:
        """int64, ascending: the documents that pass the filter."""
        return self.document_numbers(where)

    def passages(self, documents: Numbers) -> Passages:
        """All passages of these documents."""
        rows, owners = self.rows_of(documents)
        return Passages(rows, owners, self.spans(rows))
