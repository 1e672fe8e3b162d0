"""Protocols of encoders, indexes, rankers and searchers: one to five methods each.

Your own encoder, index, ranker or searcher implements one of these; docs/extending.md shows how, and tests/contracts
tests every implementation against the laws that are written here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from twofold.contract import Contract
from twofold.rankings import Hit, Run
from twofold.reports import EncodingReport
from twofold.scores import Mask, Numbers, Scores, Vectors


class Encoder(Protocol):
    """Texts → vectors, with a query side and a document side.

    Laws: a text's vector has the same bits alone and in any batch; results are in the order of the texts; a truncated
    text is counted in the report.
    """

    @property
    def contract(self) -> Contract:
        """Everything that determines the vectors."""

    @property
    def source(self) -> Mapping[str, Any]:
        """JSON values from which `twofold.encoders.loading.load_source` loads this encoder again."""

    @property
    def precision(self) -> str:
        """How the numbers are computed ("f32", "bf16", …); recorded, not part of the contract."""

    def encode_queries(self, texts: Sequence[str], *, report: EncodingReport | None = None) -> Vectors:
        """float32 (n, dimension): the query side."""

    def encode_documents(self, texts: Sequence[str], *, report: EncodingReport | None = None) -> Vectors:
        """float32 (n, dimension): the document side."""


@runtime_checkable
class TokenSpans(Protocol):
    """An encoder's view of a text as tokens, by which long documents are divided."""

    @property
    def token_limit(self) -> int:
        """The most tokens of one document input, without special tokens and the document prompt."""

    def spans(self, texts: Sequence[str]) -> list[NDArray[np.int32]]:
        """For each text int32 (tokens, 2): start and end of each token in characters of the text."""


@runtime_checkable
class SpanEncoder(Protocol):
    """An encoder that makes vectors of spans of a text, each token of which is encoded with the text around it."""

    def encode_spans(
        self, texts: Sequence[str], spans: Sequence[NDArray[np.int32]], *, report: EncodingReport | None = None
    ) -> Vectors:
        """float32 (all spans, dimension): the document side, in the order of the texts and of the spans of each.

        spans: of each text int32 (n, 2), start and end in characters. Law: a vector depends on its text and span alone.
        Nothing is truncated. Raises InputError for a span without a token.
        """

    def check_spans(self) -> None:
        """Raises InputError where the model cannot do so."""


class Encodes(Protocol):
    """An object of another library that encodes both sides alike; `twofold.encoders.adapted` adapts it."""

    @property
    def encode(self) -> Callable[..., Any]:
        """A list of texts → one vector a text."""


class EncodesSides(Protocol):
    """An object of another library that encodes each side; `twofold.encoders.adapted` adapts it."""

    @property
    def encode_query(self) -> Callable[..., Any]:
        """A list of queries → one vector a text."""

    @property
    def encode_document(self) -> Callable[..., Any]:
        """A list of documents → one vector a text."""


AnyEncoder = Encoder | Encodes | EncodesSides | str | Path
"""An encoder, an object of another library such as a SentenceTransformer, or a model's folder or name."""


@runtime_checkable
class KnowsWriting(Protocol):
    """An encoder that can say how well it knows the writing of texts."""

    def unfamiliar(self, texts: Sequence[str]) -> float:
        """The share, from 0 to 1, of the texts' letters that its tokenizer has no words or syllables for."""


class VectorBlocks(Protocol):
    """Stored vectors, as an index reads them."""

    def blocks(self) -> Sequence[tuple[int, NDArray[np.float16]]]:
        """(number of the first row, float16 (n, dimension)) for every range of rows, ascending, without gaps."""

    @property
    def longest(self) -> float:
        """The largest Euclidean norm of a stored vector, or a larger number."""


class VectorIndex(Protocol):
    """Vectors → neighbours, over the first `rows` rows of a collection.

    Laws: rows come best first by the index's own scores; a row outside `allowed` never appears; fewer rows than
    `count`, or a RuntimeError, mean that the index cannot return more; the same question gives the same rows. Its
    scores only choose candidates, which are scored by the stored vectors.
    """

    @property
    def rows(self) -> int:
        """The number of rows that it covers, from row 0 on; later ones are searched exactly."""

    def candidates(self, query: Vectors, count: int, allowed: Mask) -> tuple[Numbers, Scores]:
        """Up to `count` rows with the index's own scores, best first.

        query: float32 (dimension,); allowed: bool (rows,), which rows may appear.
        """


@runtime_checkable
class ExactIndex(VectorIndex, Protocol):
    """An index that returns exactly the best rows by its own scores, which differ little from the exact scores."""

    def margin(self, query: Vectors) -> float:
        """The largest difference between the index's score of a row and its exact score."""


class Ranker(Protocol):
    """Scores candidates again, from query and text together, as a cross-encoder does.

    Law: a score depends on the query and that text alone, not on the other texts or their number.
    """

    @property
    def name(self) -> str:
        """The name under which `hit.explain()` shows the score."""

    def scores(self, query: str, texts: Sequence[str]) -> Scores:
        """float32 (n,): higher is better. Each text is a document's title, a space, and its best passage."""


@runtime_checkable
class PairRanker(Ranker, Protocol):
    """A ranker that takes the pairs of many queries at once, as a cross-encoder does in batches."""

    def pair_scores(self, pairs: Sequence[tuple[str, str]]) -> Scores:
        """float32 (n,): for each (query, text) the score that `scores` gives it."""


@runtime_checkable
class BoundedRanker(Ranker, Protocol):
    """A ranker whose scores can be mixed with those of the first stage, but are no probabilities of relevance."""

    def bounded(self, scores: Scores) -> Scores:
        """float32 (n,), from 0 to 1 and rising with the score."""


@runtime_checkable
class ProbableRanker(Ranker, Protocol):
    """A ranker whose scores can be mixed with those of the first stage, and are a hit's relevance."""

    def probabilities(self, scores: Scores) -> Scores:
        """float32 (n,), from 0 to 1 and rising with the score: how probable each score of this ranker makes it that
        the text is relevant.
        """


class Searcher(Protocol):
    """Query → hits."""

    def search(
        self, query: str | Vectors, *, k: int = 10, offset: int = 0, where: Mapping[str, Any] | None = None
    ) -> list[Hit]:
        """The k best documents after the first `offset`."""

    def run(self, queries: Mapping[str, str], *, depth: int = 1000) -> Run:
        """The rankings of many queries to a depth, for evaluation."""
