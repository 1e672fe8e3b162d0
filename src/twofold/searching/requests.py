"""What a call asks for, whatever its queries are."""

from __future__ import annotations

from dataclasses import dataclass

from twofold.engine import Selection
from twofold.searching.hybrid import SearchMode
from twofold.searching.reranking import SecondStage


@dataclass(frozen=True, slots=True)
class Request:
    """The request of a call, for each of its queries: places `offset` to `top` of a ranking of `depth` documents.

    mode: None for the default of each query. reads: how many of the first ranking's places a second stage reads.
    relevance: whether dense scores say how relevant a document is: those of a stored document's vector do not.
    """

    mode: SearchMode | None
    depth: int
    top: int
    offset: int
    selection: Selection
    second: SecondStage | None = None
    reads: int = 0
    relevance: bool = True

    @property
    def ranked(self) -> int:
        """How many places of the first ranking are needed."""
        return self.top if self.second is None else self.reads
