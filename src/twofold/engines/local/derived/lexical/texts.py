"""The texts that the lexical index of a collection reads: whole documents, and their passages in the default space."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from twofold.documents import titled
from twofold.engines.local.snapshot import StoredSnapshot
from twofold.lexical.stretches import Text

Division = tuple[str, int]
"""The name of a space, and the commit that began it: these decide the passages of every document."""


def division(snapshot: StoredSnapshot) -> Division:
    """Whose passages a snapshot searches."""
    return snapshot.space.name, snapshot.head.begun


def texts(snapshot: StoredSnapshot, first: int, since: int, *, passages: bool) -> Iterator[Text]:
    """The documents from a number on that were not deleted by the commit `since`, ascending.

    passages: with the texts of their passages, where they have several.
    """
    for number, title, text in snapshot.written(first, since):
        spans = list[list[int]]()
        if passages:
            rows, _ = snapshot.rows_of(np.array([number]))
            spans = snapshot.spans(rows).tolist() if len(rows) > 1 else []
        yield Text(number, titled(title, text), [text[start:end] for start, end in spans])
