"""A selection as masks over the rows and the documents of one snapshot."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from twofold.engine import Selection
from twofold.engines.local.snapshot import StoredSnapshot
from twofold.lexical.reading import LexicalReader
from twofold.scores import Mask, Numbers


class Selecting:
    """Answers selections. language: gives what reads queries of the query language; None where nobody can."""

    def __init__(self, snapshot: StoredSnapshot, language: Callable[[], LexicalReader | None]) -> None:
        self._snapshot = snapshot
        self._language = language

    def documents(self, selection: Selection) -> Mask:
        """bool (document numbers,): which documents may be found; read-only."""
        mask, ruled_out = self._snapshot.document_mask(selection.where), self._ruled_out(selection)
        if ruled_out is None:
            return mask
        mask = mask.copy()
        mask[ruled_out] = False
        return mask

    def rows(self, selection: Selection) -> Mask:
        """bool (rows,): which rows may be found; read-only."""
        mask, ruled_out = self._snapshot.row_mask(selection.where), self._ruled_out(selection)
        if ruled_out is None:
            return mask
        mask = mask.copy()
        mask[self._snapshot.rows_of(ruled_out)[0]] = False
        return mask

    def _ruled_out(self, selection: Selection) -> Numbers | None:
        """The documents that may not be found although they pass the filter, ascending; None where there are none."""
        ruled_out: list[Numbers] = []
        if selection.without:
            ruled_out.append(np.array(list(self._snapshot.find(selection.without).values()), np.int64))
        language = None if selection.said is None else self._language()
        if selection.said is not None and language is not None:
            allowed = language.restriction(selection.said)
            if allowed is not None:
                documents = np.flatnonzero(self._snapshot.document_mask(selection.where))
                inside = documents < len(allowed)
                ruled_out.append(documents[~inside])  # not read yet: nobody knows what they say
                ruled_out.append(documents[inside][~allowed[documents[inside]]])
        return np.unique(np.concatenate(ruled_out)) if ruled_out else None
