"""What a call asks for, whatever its queries are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from twofold.engine import Selection
from twofold.errors import QueryError
from twofold.searching.hybrid import SearchMode
from twofold.searching.queries import checked_count
from twofold.searching.reranking import SecondStage

Unit = Literal["document", "passage"]
"""What a hit is: a document, or one of its passages."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What comes back of the documents that are found.

    unit: what a hit is. passages: how many of its best passages a document has; None for the best alone, without its
    score. context: neighbours on each side that a passage comes with.
    """

    unit: Unit = "document"
    passages: int | None = None
    context: int = 0

    @classmethod
    def of(cls, unit: Any, passages: Any, context: Any) -> Wanted:
        """What a call wants, checked. Raises QueryError."""
        if unit not in get_args(Unit):
            raise QueryError(f"there is no unit {unit!r}; there are {', '.join(get_args(Unit))}")
        if passages is not None and unit == "passage":
            raise QueryError("with unit='passage' each hit is one passage; passages=n is for hits that are documents")
        if isinstance(context, bool) or not isinstance(context, int) or context < 0:
            raise QueryError(f"context is a count of neighbours from 0 on, not {context!r}")
        return cls(unit, None if passages is None else checked_count(passages, "passages"), context)

    @property
    def reads_passages(self) -> bool:
        """Whether more is wanted than the passage that was found."""
        return self.passages is not None or self.context > 0


USUAL = Wanted()


@dataclass(frozen=True, slots=True)
class Request:
    """The request of a call, for each of its queries: places `offset` to `top` of a ranking of `depth` documents.

    mode: None for the default of each query. reads: how many of the first ranking's places a second stage reads.
    relevance: whether dense scores say how relevant a document is: those of a stored document's vector do not. wanted:
    what comes back of each.
    """

    mode: SearchMode | None
    depth: int
    top: int
    offset: int
    selection: Selection
    second: SecondStage | None = None
    reads: int = 0
    relevance: bool = True
    wanted: Wanted = USUAL

    @property
    def ranked(self) -> int:
        """How many places of the first ranking are needed."""
        return self.top if self.second is None else self.reads
