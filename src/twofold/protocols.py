"""What an engine must offer to be used: small protocols, one to five methods each.

Whoever writes their own encoder, index or searcher implements one of these; docs/extending.md shows how, and the
contract tests in tests/contracts hold every implementation to the laws written here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from twofold.contract import Contract
from twofold.rankings import Hit, Run
from twofold.reports import EncodingReport
from twofold.scores import Mask, Numbers, Scores, Vectors


class Encoder(Protocol):
    """Texts → vectors, with a query side and a document side.

    Laws: a text's vector has the same bits alone and in any batch; results come in the order of the texts; a text
    that is cut is counted in the report.
    """

    @property
    def contract(self) -> Contract:
        """All that decides the vectors."""

    @property
    def source(self) -> Mapping[str, Any]:
        """JSON values from which `twofold.encoders.loading.load_source` makes this encoder again."""

    @property
    def precision(self) -> str:
        """How the numbers are computed ("f32", "bf16", …); recorded, no part of the contract."""

    def encode_queries(self, texts: Sequence[str], *, report: EncodingReport | None = None) -> Vectors:
        """float32 (n, dimension): the query side."""

    def encode_documents(self, texts: Sequence[str], *, report: EncodingReport | None = None) -> Vectors:
        """float32 (n, dimension): the document side."""


@runtime_checkable
class TokenSpans(Protocol):
    """An encoder's view of a text as tokens, by which long documents are divided."""

    @property
    def token_limit(self) -> int:
        """Tokens that one document input takes beside special tokens and the document prompt."""

    def spans(self, texts: Sequence[str]) -> list[NDArray[np.int32]]:
        """For each text int32 (tokens, 2): start and end of each token in characters of the text."""


class VectorBlocks(Protocol):
    """Stored vectors as an index sees them."""

    def blocks(self) -> Sequence[tuple[int, NDArray[np.float16]]]:
        """(number of the first row, float16 (n, dimension)) for every stretch of rows, ascending, no gaps."""

    @property
    def longest(self) -> float:
        """No stored vector is longer than this (Euclidean)."""


class VectorIndex(Protocol):
    """Vectors → neighbours, over the first `rows` rows of a collection.

    Laws: rows come best first by the index's own scores; a row outside `allowed` never appears; fewer rows than asked
    for means that the index has no more of them to give, as does RuntimeError; the same question gives the same rows.
    Its scores only choose candidates: stored vectors score them.
    """

    @property
    def rows(self) -> int:
        """How many rows it covers, from row 0 on; later ones are searched exactly."""

    def candidates(self, query: Vectors, count: int, allowed: Mask) -> tuple[Numbers, Scores]:
        """Up to `count` rows with the index's own scores, best first.

        query: float32 (dimension,); allowed: bool (rows,), which rows may appear.
        """


@runtime_checkable
class ExactIndex(VectorIndex, Protocol):
    """An index that finds exactly the best by its own scores, which lie near the exact ones."""

    def margin(self, query: Vectors) -> float:
        """How far the index's own score of a row may lie from its exact score."""


class Ranker(Protocol):
    """A second stage: reads query and candidate together.

    Law: a score depends on the query and that text alone, not on the others or their number.
    """

    @property
    def name(self) -> str:
        """The word under which `hit.explain()` shows the score."""

    def scores(self, query: str, texts: Sequence[str]) -> Scores:
        """float32 (n,): higher is better. Each text is a document's title, a space, and its best passage."""


class Searcher(Protocol):
    """Query → hits."""

    def search(
        self, query: str | Vectors, *, k: int = 10, offset: int = 0, where: Mapping[str, Any] | None = None
    ) -> list[Hit]:
        """The k best documents after the first `offset`."""

    def run(self, queries: Mapping[str, str], *, depth: int = 1000) -> Run:
        """The rankings of many queries to a depth, for evaluation."""
