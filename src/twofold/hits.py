"""The hits of one query: a list that tables and notebooks read as well."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, Protocol, Self, SupportsIndex, overload

import numpy as np

from twofold.errors import MissingExtraError, QueryError
from twofold.rankings import Hit

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

CONTEXT = 160
"""Characters of the document's text that a notebook shows on each side of the passage."""
LONGEST = 600
"""Characters of a passage that a notebook shows."""
NAMED = 3
"""Hits that are named in the short form."""
OWN = ("id", "score", "relevance", "title", "text", "start", "end")
"""The columns that every table of hits has; the fields of the metadata follow."""


class Highlighting(Protocol):
    """Where texts have terms of the query."""

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Start and end in characters, ascending and apart."""


class Hits(list[Hit]):
    """The hits of one query, best first; a list in every other way.

    `to_pandas` and `to_arrow` make a table of them, a line a hit. A notebook shows each passage with the terms of the
    query marked; where the search was dense only, the passage itself is marked within the document's text.
    """

    def __init__(self, hits: Iterable[Hit] = (), highlighting: Highlighting | None = None) -> None:
        super().__init__(hits)
        self.highlighting = highlighting

    @overload
    def __getitem__(self, place: SupportsIndex) -> Hit: ...
    @overload
    def __getitem__(self, place: slice) -> Self: ...
    def __getitem__(self, place: SupportsIndex | slice) -> Hit | Self:
        found = super().__getitem__(place)
        return type(self)(found, self.highlighting) if isinstance(found, list) else found

    def at_least(self, min_score: float | None = None, *, min_relevance: float | None = None) -> Self:
        """The hits whose score is at least `min_score`, and whose relevance is at least `min_relevance`.

        None is no limit. Raises QueryError for what is no number, and where the relevance of a hit cannot be said.
        """
        hits: list[Hit] = self
        if min_score is not None:
            if not _is_number(min_score):
                raise QueryError(f"min_score is a number, not {min_score!r}")
            hits = [hit for hit in hits if hit.score >= min_score]
        if min_relevance is not None:
            least = checked_relevance(min_relevance)
            hits = [hit for hit in hits if known_relevance(hit.relevance) >= least]
        return self if hits is self else type(self)(hits, self.highlighting)

    def to_records(self) -> list[dict[str, Any]]:
        """A dict for each hit: id, score, relevance, title, the passage's text, start and end, the metadata's fields.

        A field that has the name of one of these is called "metadata." and its name.
        """
        return [_record(hit) for hit in self]

    def to_pandas(self) -> pd.DataFrame:
        """A DataFrame of `to_records`, the same columns without hits. Raises MissingExtraError without pandas."""
        try:
            import pandas as pd
        except ImportError:
            raise MissingExtraError("pandas", "tables") from None
        records = self.to_records()
        return pd.DataFrame(records, columns=_columns(records))

    def to_arrow(self) -> pa.Table:
        """An Arrow table of `to_records`.

        Fields that hold values of several types, which no column of Arrow's can, are JSON there. Raises
        MissingExtraError without pyarrow.
        """
        try:
            import pyarrow as pa
        except ImportError:
            raise MissingExtraError("pyarrow", "tables") from None
        records = self.to_records()
        return pa.table({name: _array(pa, [record.get(name) for record in records]) for name in _columns(records)})

    def __repr__(self) -> str:
        named = ", ".join(f"{hit.id!r} {hit.score:.3f}" for hit in self[:NAMED])
        more = ", …" if len(self) > NAMED else ""
        return f"Hits({len(self)}: {named}{more})" if self else "Hits(0)"

    def _repr_html_(self) -> str:
        if not self:
            return "<p>nothing found</p>"
        lines = "".join(
            f"<tr><td>{place}</td><td>{hit.score:.3f}</td><td>{shown_relevance(hit)}</td><td>{_named(hit)}</td>"
            f"<td>{_shown(hit, self.highlighting)}</td></tr>"
            for place, hit in enumerate(self, start=1)
        )
        heads = "".join(f"<th>{name}</th>" for name in ("", "score", "relevance", "document", "text"))
        left = ' style="text-align: left"'
        return f"<table><thead><tr>{heads}</tr></thead><tbody{left}>{lines}</tbody></table>"


def checked_relevance(least: Any) -> float:
    """A limit of relevance. Raises QueryError for what is no number from 0 to 1."""
    if not _is_number(least) or not 0 <= least <= 1:
        raise QueryError(f"min_relevance is a probability, a number from 0 to 1, not {least!r}")
    return float(least)


def known_relevance(relevance: float | None) -> float:
    """The relevance of a hit. Raises QueryError where it cannot be said."""
    if relevance is None:
        raise QueryError(
            "how relevant a hit is cannot be said here, so there is no min_relevance: it needs a text or a vector as "
            "query, cosines, and a collection that `twofold tune COLLECTION` has measured (docs/relevance.md)"
        )
    return relevance


def shown_relevance(hit: Hit) -> str:
    """The relevance of a hit in percent; empty where it cannot be said."""
    return "" if hit.relevance is None else f"{hit.relevance:.0%}"


def _is_number(value: Any) -> bool:
    return not isinstance(value, bool) and isinstance(value, int | float | np.number) and not math.isnan(value)


def _record(hit: Hit) -> dict[str, Any]:
    own = dict(zip(OWN, _own(hit), strict=True))
    for name, value in hit.metadata.items():
        column = name
        while column in own or (column != name and column in hit.metadata):
            column = f"metadata.{column}"
        own[column] = value
    return own


def _own(hit: Hit) -> tuple[Any, ...]:
    return hit.id, hit.score, hit.relevance, hit.title, hit.text, hit.passage.start, hit.passage.end


def _columns(records: Iterable[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys([*OWN, *(name for record in records for name in record)]))


def _array(pa: Any, values: Sequence[Any]) -> Any:
    import json

    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        return pa.array([None if value is None else json.dumps(value, ensure_ascii=False) for value in values])


def _named(hit: Hit) -> str:
    title = f"{escape(hit.title)}<br>" if hit.title else ""
    return f"{title}<code>{escape(hit.id)}</code>"


def _shown(hit: Hit, highlighting: Highlighting | None) -> str:
    """The passage between what stands around it in the document, with the terms of the query marked, or all of it."""
    text, start, end = hit.document.text, hit.passage.start, hit.passage.end
    before = ("…" if start > CONTEXT else "") + text[max(0, start - CONTEXT) : start]
    after = text[end : end + CONTEXT] + ("…" if end + CONTEXT < len(text) else "")
    shown = hit.text if len(hit.text) <= LONGEST else f"{hit.text[:LONGEST]}…"
    passage = _marked(shown, [(0, len(shown))] if highlighting is None else highlighting.spans(shown))
    return f"{_faint(before)}{passage}{_faint(after)}"


def _faint(text: str) -> str:
    # Half transparent is less than the rest on a light page and on a dark one.
    return f'<span style="opacity: 0.6">{escape(text)}</span>' if text else ""


def _marked(text: str, spans: Iterable[tuple[int, int]]) -> str:
    parts, done = [], 0
    for start, end in spans:
        parts += [escape(text[done:start]), f"<mark>{escape(text[start:end])}</mark>"]
        done = end
    return "".join([*parts, escape(text[done:])])
