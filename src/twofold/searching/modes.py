"""Which modes a query can use, and which one it uses where none is named."""

from __future__ import annotations

from dataclasses import dataclass

from twofold.errors import QueryError
from twofold.scores import Similarity
from twofold.searching.hybrid import SEARCH_MODES, HybridSearch, SearchMode


@dataclass(frozen=True, slots=True)
class Modes:
    """The modes of one searcher.

    hybrid: None for dense search alone; no_lexical then says why, and what to do. encodes: whether texts have vectors
    here. similarity: how vectors are compared. preferred: the default of a text, where it is possible.
    """

    hybrid: HybridSearch | None
    no_lexical: str
    encodes: bool
    similarity: Similarity
    preferred: SearchMode | None = None

    def of_text(self, *, vector: bool) -> tuple[SearchMode, ...]:
        """The modes of a text. vector: whether it has one."""
        mixes = self.hybrid is not None and self.hybrid.mixes
        can = {"lexical": self.hybrid is not None, "dense": vector, "hybrid": vector and mixes}
        return tuple(mode for mode in SEARCH_MODES if can[mode])

    def follows(self, mode: SearchMode | None, *, vector: bool) -> bool:
        """Whether a text without a named mode is searched as preferred. vector: whether it has one."""
        return mode is None and self.preferred in self.of_text(vector=vector or self.encodes)

    def chosen(self, mode: SearchMode | None, *, text: bool, vector: bool) -> SearchMode:
        """The requested mode, if it is possible, or the default; raises QueryError. text, vector: what is given."""
        possible = self.of_text(vector=vector or self.encodes) if text else ("dense",)
        if mode is None:
            if not vector and not self.encodes and "lexical" not in possible:
                raise QueryError(
                    f"this collection cannot encode a query, and lexical search is not possible: {self.no_lexical}"
                )
            wanted = (self.preferred, "hybrid", "dense", "lexical")
            return next(each for each in wanted if each is not None and each in possible)
        if mode not in SEARCH_MODES:
            raise QueryError(f"there is no mode {mode!r}; there are {', '.join(SEARCH_MODES)}")
        if mode != "dense" and not text:
            raise QueryError(f"a {mode} search reads the query, so it needs a text, not a vector alone")
        if mode != "dense" and self.hybrid is None:
            raise QueryError(f"no search can be {mode} here: {self.no_lexical}")
        if mode not in possible:
            raise QueryError(f"no search can be {mode} here: {self._impossible(vector=vector)}")
        return mode

    def _impossible(self, *, vector: bool) -> str:
        """Why a search cannot be dense or hybrid, and what to do."""
        if not vector and not self.encodes:
            return (
                "this collection holds vectors made elsewhere and cannot encode a query; give the query's vector too, "
                "or use lexical search (mode lexical)"
            )
        if self.similarity == "dot":
            return (
                "dense and lexical scores are mixed by cosines, and this collection compares by dot products; "
                "search with the mode dense or lexical"
            )
        return "how to mix dense and lexical scores has not been fitted yet; run `twofold tune COLLECTION`"
