"""The answer to one filter, which grows with the commits: only documents that were added are looked at."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from twofold.engines.local.catalogue.growing import Growing, sealed
from twofold.engines.local.catalogue.rows import Rows
from twofold.engines.local.catalogue.schema import NO_HEAD, SpaceHead
from twofold.scores import Mask

Evaluate = Callable[[int], Mask]
"""From a document's number on, whether the metadata of each pass; of deleted documents it may say either."""


@dataclass(frozen=True, slots=True)
class FilterMasks:
    """What passes a filter at a commit, read-only.

    rows: bool (rows,), of live documents. documents: bool (document numbers,), of live ones that have rows.
    metadata: bool (document numbers,), whatever became of the documents: of deleted ones it may say either.
    """

    rows: Mask
    documents: Mask
    metadata: Mask


_NONE = np.empty(0, np.bool_)
_NOTHING = FilterMasks(_NONE, _NONE, _NONE)


class Answer:
    """What passes one filter at the latest commit that was asked about; threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._head, self._masks = NO_HEAD, _NOTHING
        self._rows, self._documents, self._metadata = Growing[Mask](), Growing[Mask](), Growing[Mask]()

    def at(self, head: SpaceHead, rows: Rows, evaluate: Evaluate) -> FilterMasks:
        """What passes at the commit `head`, which has these rows."""
        with self._lock:
            if head.commit > self._head.commit:
                self._masks = self._after(head, rows, evaluate)
                self._head = head
            if head.commit == self._head.commit:
                return self._masks
        return Answer().at(head, rows, evaluate)  # an older snapshot is on its own

    def after_fork_in_child(self) -> None:
        """Makes a lock of the child's own."""
        self._lock = threading.Lock()

    def _after(self, head: SpaceHead, rows: Rows, evaluate: Evaluate) -> FilterMasks:
        """The masks at a later commit: earlier matches that are still live, and matching new documents."""
        known = self._masks
        metadata = self._metadata.put(known.metadata, evaluate(len(known.metadata)))
        of_rows, documents = known.rows, known.documents
        if head.generation != self._head.generation:
            of_rows, documents = _NONE, _NONE  # rows were numbered anew
        elif _ever_deleted(head) > _ever_deleted(self._head):
            of_rows, documents = of_rows & rows.live[: len(of_rows)], documents & rows.with_rows[: len(documents)]
        later = slice(len(documents), None)
        documents = self._documents.put(documents, metadata[later] & rows.with_rows[later])
        if rows.owners is None:  # row i is document i's, the only one it has
            return FilterMasks(sealed(documents[: len(rows)]), documents, metadata)
        later = slice(len(of_rows), None)
        return FilterMasks(
            self._rows.put(of_rows, metadata[rows.owners[later]] & rows.live[later]), documents, metadata
        )


def _ever_deleted(head: SpaceHead) -> int:
    """Every document that was ever added has a number of its own, and is live or was deleted."""
    return head.next_document - head.documents
