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
from twofold.documents import Document
from twofold.filters import Filter
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
class Tokens(Protocol):
    """An encoder's view of a text as tokens, by which long documents are divided."""

    @property
    def room(self) -> int:
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


class Lexical(Protocol):
    """Terms → BM25 scores of documents.

    Laws: a document's score depends on the query, the document and the commit alone, never on how many others are asked
    for, nor on what has been indexed; `candidates` and `scores` give equal bits for the same document; a document that
    shares no term with the query scores 0 and is no candidate.
    """

    def candidates(self, query: str, count: int, allowed: Mask) -> tuple[Numbers, Scores]:
        """The best `count` document numbers (int64) with their scores (float32), and all that tie with the last.

        Best first, equal scores by number; fewer where no more share a term with the query. allowed: bool (document
        numbers,), which documents may appear.
        """

    def scores(self, query: str, documents: Numbers) -> Scores:
        """float32 (n,): the scores of these documents, in their order."""

    def weight(self, query: str) -> float:
        """The sum of the inverse document frequencies of the query's terms: what a document could score at most, in
        proportion."""

    def text(self, query: str) -> str:
        """What the query says, without signs that only search by words understands, and without what it excludes."""

    def restriction(self, query: str) -> Mask | None:
        """bool (document numbers,): which documents may be found, also by meaning; None for any."""


class Snapshot(VectorBlocks, Protocol):
    """One commit of a collection, as searching sees it: it does not change while it is held."""

    @property
    def commit(self) -> int:
        """The commit's number."""

    @property
    def rows_per_document(self) -> float:
        """Living rows over living documents, at least 1: how many candidates a ranking is likely to need."""

    def passing(self, where: Filter | None) -> Mask:
        """bool (rows,): the rows of living documents that pass the filter (see filters.py)."""

    def check_fields(self, where: Filter) -> None:
        """Raises FilterError where no document has a field of the filter, or has it with the type asked for."""

    def document_mask(self, rows: Mask) -> Mask:
        """bool (document numbers,): the documents of these rows, a mask over all rows."""

    def vectors(self, rows: Numbers) -> Vectors:
        """float32 (n, dimension): the stored vectors of these rows."""

    def documents_of(self, rows: Numbers) -> Numbers:
        """int64 (n,): the document number of each row."""

    def rows_of(self, documents: Numbers) -> tuple[Numbers, Numbers]:
        """All rows of these documents, and beside each the position of its document in `documents`."""

    def find(self, ids: Sequence[str]) -> dict[str, int]:
        """id → number of the living documents among these ids; ids that are not there are left out."""

    def ids(self, documents: Numbers) -> list[str]:
        """The ids of these documents, in their order."""

    def documents(self, documents: Numbers) -> list[Document]:
        """These documents, each checked against its checksum. Raises CorruptionError."""

    def spans(self, rows: Numbers) -> NDArray[np.int32]:
        """int32 (n, 2): start and end of each row in characters of its document's text."""

    def close(self) -> None:
        """Lets the commit go; nothing may be asked of the snapshot afterwards."""


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
