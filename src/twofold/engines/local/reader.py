"""A snapshot that can be searched. Implements engine.EngineSnapshot."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twofold.engine import Counts, Passages, SpaceCounts
from twofold.engines.local.derived.indexes.about import reported
from twofold.engines.local.derived.indexes.opened import Indexes
from twofold.engines.local.derived.lexical.readers import LexicalReaders
from twofold.engines.local.derived.lexical.scored import LocalLexical
from twofold.engines.local.pinned import Pinned
from twofold.engines.local.selecting import Selecting
from twofold.engines.local.snapshot import StoredSnapshot
from twofold.engines.local.spaces.dense import DenseRows
from twofold.engines.local.spaces.maps import gather
from twofold.filters import Filter
from twofold.index_report import IndexReport
from twofold.lexical.reading import LexicalReader
from twofold.scores import Numbers
from twofold.space import Space


class LocalSnapshot(StoredSnapshot):
    """One commit of a collection in a folder, with what is derived from it."""

    def __init__(
        self, pinned: Pinned, indexes: Indexes, lexical_readers: LexicalReaders, space: str | None = None
    ) -> None:
        super().__init__(pinned, space)
        self._indexes = indexes
        self._lexical_readers = lexical_readers

    @property
    def counts(self) -> Counts:
        """What the commit holds."""
        head = self.head
        return Counts(
            documents=head.documents, passages=head.rows, truncated=head.truncated, tokens_cut=head.tokens_cut
        )

    def in_space(self, name: str | None) -> LocalSnapshot:
        """The same commit with the rows of another space; closing either closes both. Raises InputError."""
        if name is None or name == self.space.name:
            return self
        return LocalSnapshot(self._pinned, self._indexes, self._lexical_readers, name)

    @property
    def spaces(self) -> tuple[Space, ...]:
        """All spaces, in the order in which they were made."""
        return self.description.spaces

    def counted(self, space: str) -> SpaceCounts:
        """What the commit holds in a space."""
        head = self.in_space(space).head
        lacking = len(self.lacking(space, head.documents))
        return SpaceCounts(documents=head.documents - lacking, passages=head.rows, complete=head.complete)

    def lacking(self, space: str, count: int) -> Numbers:
        """int64, ascending: the first documents, at most `count`, that a space lacks; see engine.EngineSnapshot."""
        return self.numbers_from(self.in_space(space).head.filled, count)

    def dense(self, space: str | None = None, *, exact: bool = False) -> DenseRows:
        """One space, the default one unless it is named. exact: without the approximate index."""
        seen = self.in_space(space)
        return DenseRows(seen, self._indexes.search(seen, exact=exact), Selecting(seen, self._language))

    def index(self) -> IndexReport | None:
        """What the approximate index was measured to find; None where search is exact."""
        return reported(self)

    def lexical(self, *, query_language: bool = False, anyway: bool = False) -> LocalLexical | None:
        """The lexical side; None where there is none. Raises OutdatedError; see engine.EngineSnapshot."""
        reader = self._lexical_readers.reader(self, query_language=query_language, anyway=anyway)
        return None if reader is None else LocalLexical(reader, Selecting(self, self._language))

    def _language(self) -> LexicalReader | None:
        return self._lexical_readers.reader(self, query_language=True, anyway=True)

    def without_passages(self) -> int:
        """How many documents have no passage."""
        return self.head.documents - int(np.count_nonzero(self.document_mask(None)))

    def select(self, where: Filter | None = None) -> Numbers:
        """int64, ascending: the documents that pass the filter."""
        return self.document_numbers(where)

    def passages(self, documents: Numbers, space: str | None = None) -> Passages:
        """All passages of these documents in a space."""
        seen = self.in_space(space)
        rows, owners = seen.rows_of(documents)
        return Passages(rows, owners, seen.spans(rows))

    def codes(self, rows: Numbers, space: str) -> NDArray[np.uint16]:
        """uint16 (n, words): these rows of a space of codes, as they are stored."""
        seen = self.in_space(space)
        return gather(seen.blocks(), rows, seen.space)
