"""How many documents hold each value of a field: counted in its column, or in what the catalogue holds."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from twofold.engines.local.catalogue.column_reading import Reading
from twofold.engines.local.catalogue.columns import FALSE, LISTED, NUMBER, TEXT, TRUE, FilterColumn
from twofold.facets import Facet, values_held
from twofold.filters import OWN, found_at
from twofold.scores import Mask, Numbers
from twofold.values import Scalar

AT_ONCE = 16_384
"""Documents that are read at a time; in between, others may have the snapshot's connection."""


def facets_by_column(column: FilterColumn, chosen: Mask) -> list[Facet]:
    """The values of the chosen documents, each with its count, in no order. chosen: bool (end of the column,)."""
    return list(_counted(column, chosen))


def facets_by_reading(name: str, chosen: Mask, reading: Reading) -> list[Facet]:
    """The same of a field that has no column; of the chosen documents all metadata are read, but no text."""
    counts = Counter[tuple[str, Scalar]]()
    numbers = np.flatnonzero(chosen)
    for start in range(0, len(numbers), AT_ONCE):
        for content in _contents(name, numbers[start : start + AT_ONCE], reading):
            counts.update(values_held([content] if name in OWN else found_at(json.loads(content), name)))
    return [(value, count) for (_, value), count in counts.items()]


def _contents(name: str, numbers: Numbers, reading: Reading) -> list[str]:
    column = name if name in OWN else "metadata"
    with reading() as connection:
        lines = connection.execute(
            f"SELECT documents.{column} FROM json_each(?) AS wanted CROSS JOIN documents ON number = wanted.value",  # noqa: S608
            (json.dumps(numbers.tolist()),),
        ).fetchall()
    return [content for (content,) in lines]


def _counted(column: FilterColumn, chosen: Mask) -> Iterator[Facet]:
    among = chosen if column.owners is None else chosen[column.owners]
    kinds = column.kinds & ~LISTED
    truths = np.flatnonzero(among & ((kinds == TRUE) | (kinds == FALSE)))
    yield from _each([False, True], (kinds[truths] == TRUE).astype(np.int64), _owners(column, truths))
    places = np.flatnonzero(among & (kinds == NUMBER))
    numbers, which = np.unique(column.numbers[places], return_inverse=True)
    yield from _each(numbers.tolist(), which.astype(np.int64), _owners(column, places))
    places = np.flatnonzero(among & (kinds == TEXT))
    yield from _each(column.codes.texts, column.texts[places].astype(np.int64), _owners(column, places))


def _owners(column: FilterColumn, places: Numbers) -> NDArray[np.int32] | None:
    return None if column.owners is None else column.owners[places]


def _each(values: Sequence[Scalar], which: Numbers, owners: NDArray[np.int32] | None) -> Iterator[Facet]:
    """How many owners have each value. which: the value of each element; owners: whose it is, None where all differ."""
    if owners is not None and len(which):
        size = np.int64(which.max() + 1)
        which = np.unique(owners * size + which) % size
    counts = np.bincount(which)
    yield from ((values[place], int(counts[place])) for place in np.flatnonzero(counts).tolist())
