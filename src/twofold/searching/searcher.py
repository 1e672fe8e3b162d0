"""The searcher of one snapshot: texts, vectors or a stored document in, hits or runs out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cache, partial
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

import numpy as np

from twofold import filters
from twofold.engine import DenseSnapshot, EngineSnapshot, Selection
from twofold.errors import QueryError
from twofold.hits import Hits, checked_relevance
from twofold.progress import Progress, displayed, silent
from twofold.protocols import Encoder, Ranker
from twofold.rankings import Run
from twofold.reports import EncodingReport
from twofold.scores import Vectors, scaled
from twofold.searching.first_stage import FirstStage
from twofold.searching.hybrid import HybridSearch, SearchMode
from twofold.searching.modes import Modes
from twofold.searching.pages import Pages
from twofold.searching.pipeline import Pipeline, StoredPipeline
from twofold.searching.queries import Asked, Query, checked_count, queries_of, unseen
from twofold.searching.relevance import Relevance
from twofold.searching.requests import USUAL, Request, Unit, Wanted
from twofold.searching.reranking import Candidates, SecondStage
from twofold.searching.stored_tokens import StoredTokens
from twofold.searching.threads import threads

Result = TypeVar("Result")

QUERIES_AT_ONCE = 256
"""Queries that are encoded together."""
RANKED_AT_ONCE = 32
"""Queries whose candidates a ranker gets together."""


class SnapshotSearcher(AbstractContextManager["SnapshotSearcher"]):
    """Searches one snapshot until it is closed; later writes do not change its answers.

    depth: the length of a ranking; a page beyond it is empty. grows: a page beyond the depth raises it. hybrid:
    searches the lexical index too; a text instead says why search is dense only, and what to do. relevance: how dense
    scores become probabilities; without it no hit has one. encodes: whether texts have vectors here; where the vectors
    were made elsewhere, a text alone is answered by lexical search, and a text with its vector by all modes. tokens:
    the stored token vectors, which are the ranker "token-vectors". stored: what a text is searched by that names
    neither mode nor ranker, where it is possible.
    """

    def __init__(
        self,
        snapshot: EngineSnapshot,
        dense: DenseSnapshot,
        encoder: Encoder,
        *,
        depth: int,
        grows: bool = False,
        hybrid: HybridSearch | str = "this searcher was opened without the lexical index",
        relevance: Relevance | None = None,
        encodes: bool = True,
        tokens: StoredTokens | None = None,
        stored: StoredPipeline | None = None,
    ) -> None:
        self._snapshot = snapshot
        self._dense = dense
        self._hybrid = None if isinstance(hybrid, str) else hybrid
        self._relevance = relevance
        self._stored = stored
        self._can = Modes(
            self._hybrid,
            hybrid if isinstance(hybrid, str) else "",
            encodes,
            encoder.contract.similarity,
            None if stored is None else stored.pipeline.mode,
        )
        self._first = FirstStage(dense, self._hybrid, relevance)
        self._pages = Pages(snapshot, dense, self._hybrid, self._first)
        self._tokens = tokens
        self._encoder = encoder
        self._depth = checked_count(depth, "depth")
        self._grows = grows

    @property
    def snapshot(self) -> EngineSnapshot:
        """The commit that is searched."""
        return self._snapshot

    @property
    def dense(self) -> DenseSnapshot:
        """Dense search over the snapshot."""
        return self._dense

    @property
    def pipeline(self) -> Pipeline | None:
        """What a text is searched by that names neither mode nor ranker; None where `tune` stored nothing."""
        return None if self._stored is None else self._stored.pipeline

    @property
    def tokens(self) -> StoredTokens | None:
        """The stored token vectors; None where there are none."""
        return self._tokens

    @property
    def modes(self) -> tuple[SearchMode, ...]:
        """The modes that a text alone can use; the default is hybrid, if it is one of them."""
        return self._can.of_text(vector=self._can.encodes)

    @property
    def modes_with_vector(self) -> tuple[SearchMode, ...]:
        """The modes that a text with its vector can use; the default is hybrid, if it is one of them."""
        return self._can.of_text(vector=True)

    def search(
        self,
        query: str | Vectors,
        *,
        vector: Vectors | None = None,
        k: int = 10,
        offset: int = 0,
        where: Mapping[str, Any] | None = None,
        mode: SearchMode | None = None,
        ranker: Ranker | str | Literal[False] | None = None,
        rerank_depth: int | None = None,
        rerank_weight: float | None = None,
        strict: bool = False,
        unit: Unit = "document",
        passages: int | None = None,
        context: int = 0,
        report: EncodingReport | None = None,
    ) -> Hits:
        """The k best documents after the first `offset`.

        query: a text, or a vector (dimension,) of any float type, which is scaled to unit length where the contract
        says cosine. vector: that of a query text, used instead of encoding it; lexical search does not read it. where:
        a filter on metadata (filters.py). mode: "dense" (vectors), "lexical" (BM25) or "hybrid"; the default for a text
        is hybrid, if it is possible (`modes`, `modes_with_vector`), and lexical for a text that has no vector. Lexical
        search needs no encoder and shows the passage with the most lexical evidence. ranker: scores the
        first `rerank_depth` documents of the ranking again (100, or as many as the page needs), and their order ends
        the ranking; it needs a text query; False for none. Where neither mode nor ranker is given, the pipeline that
        `tune` stored is followed. rerank_weight: its share in the new score (docs/second-stage.md), 1. strict: a
        field of the filter that no document has is an error. unit, passages, context: what comes back of what is
        found, as in `Collection.search`. report: counts truncated queries. Raises QueryError, VectorError.
        """
        second = self._second(ranker, rerank_depth, rerank_weight, self._follows(mode, [query], vector))
        wanted = Wanted.of(unit, passages, context)
        request = self._request(k, offset, mode, self._selection(where, strict=strict), second, wanted)
        return self._answers(self._queries([query], None if vector is None else [vector]), request, report)[0]

    def search_many(
        self,
        queries: Sequence[str] | Vectors,
        *,
        vectors: Sequence[Vectors] | Vectors | None = None,
        k: int = 10,
        offset: int = 0,
        where: Mapping[str, Any] | None = None,
        mode: SearchMode | None = None,
        ranker: Ranker | str | Literal[False] | None = None,
        rerank_depth: int | None = None,
        rerank_weight: float | None = None,
        strict: bool = False,
        unit: Unit = "document",
        passages: int | None = None,
        context: int = 0,
        report: EncodingReport | None = None,
        progress: Progress | bool = False,
    ) -> list[Hits]:
        """The hits of each query, in their order, equal to those of `search` for each alone.

        queries: texts, or vectors (n, dimension). vectors: one for each text, (n, dimension). Texts are encoded
        together, and queries are looked up on all cores. progress: in queries (progress.py). Everything else as in
        `search`; errors name the query by its
        position.
        """
        if isinstance(queries, str):
            raise QueryError(f"queries is a list; for one query write [{queries!r}], or call search")
        second = self._second(ranker, rerank_depth, rerank_weight, self._follows(mode, queries, vectors))
        wanted = Wanted.of(unit, passages, context)
        request = self._request(k, offset, mode, self._selection(where, strict=strict), second, wanted)
        with displayed(progress, "Searching", "queries") as shown:
            return self._answers(self._queries(queries, vectors), request, report, shown)

    def like(
        self,
        document_id: str,
        *,
        k: int = 10,
        offset: int = 0,
        where: Mapping[str, Any] | None = None,
        strict: bool = False,
    ) -> Hits:
        """The documents nearest to a stored one, without that one.

        Its query vector is the mean of its passages' vectors. Raises QueryError for an unknown id or one without
        a vector.
        """
        selection = self._selection(where, strict=strict, without=(document_id,))
        request = replace(self._request(k, offset, "dense", selection), relevance=False)
        found = self._snapshot.find([document_id])
        if not found:
            raise QueryError(f"there is no document {document_id!r} in this collection")
        passages = self._snapshot.passages(np.array(list(found.values()), dtype=np.int64)).handles
        if len(passages) == 0:
            raise QueryError(f"document {document_id!r} has neither text nor title, hence no vector to search with")
        mean = self._dense.vectors(passages).mean(axis=0)
        vector = scaled(mean[None], self._encoder.contract.similarity, what="the query vector")[0]
        asked = Asked(Query(None, vector), "dense", partial(np.asarray, vector))
        return self._pages.page(asked, request)

    def run(
        self,
        queries: Mapping[str, str],
        *,
        vectors: Sequence[Vectors] | Vectors | None = None,
        depth: int = 1000,
        where: Mapping[str, Any] | None = None,
        mode: SearchMode | None = None,
        ranker: Ranker | str | Literal[False] | None = None,
        rerank_depth: int | None = None,
        rerank_weight: float | None = None,
        min_relevance: float | None = None,
        report: EncodingReport | None = None,
        progress: Progress | bool = False,
    ) -> Run:
        """The rankings of many queries, each to `depth` documents: query id → document id → score.

        vectors: one for each query, in their order. where, ranker, rerank_depth, rerank_weight: as in `search`; with a
        ranker a ranking ends with the documents that it scored. min_relevance: leaves out documents of less relevance.
        progress: in queries. Raises QueryError, also for an empty query, which it names; VectorError, FilterError.
        """
        depth, follows = checked_count(depth, "depth"), self._follows(mode, list(queries.values()), vectors)
        mode = self._can.chosen(mode, text=True, vector=vectors is not None)
        if empty := [name for name, text in queries.items() if unseen(text)]:
            raise QueryError(f"the query {empty[0]!r} is empty")
        second = self._second(ranker, rerank_depth, rerank_weight, follows)
        reads = 0 if second is None else second.reads(0, depth)
        least = None if min_relevance is None else checked_relevance(min_relevance)
        request = Request(mode, depth, depth, 0, self._selection(where), second, reads)
        asked = self._queries(list(queries.values()), vectors)
        work = partial(self._ranking, request=request, least=least)
        with displayed(progress, "Searching", "queries") as shown:
            if second is None:
                return dict(zip(queries, self._each(asked, request, report, work, shown), strict=True))
            pages = [hits.at_least(min_relevance=least) for hits in self._answers(asked, request, report, shown)]
            return {name: {hit.id: hit.score for hit in page} for name, page in zip(queries, pages, strict=True)}

    def close(self) -> None:
        """Closes the snapshot."""
        self._snapshot.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __enter__(self) -> Self:
        return self

    def _request(
        self,
        k: int,
        offset: int,
        mode: SearchMode | None,
        selection: Selection,
        second: SecondStage | None = None,
        wanted: Wanted = USUAL,
    ) -> Request:
        k = checked_count(k, "k")
        if isinstance(offset, bool) or not isinstance(offset, int) or offset < 0:
            raise QueryError(f"offset is a count from 0 on, not {offset!r}")
        depth = max(self._depth, offset + k) if self._grows else self._depth
        reads = depth if second is None else second.reads(offset + k, depth)
        end = min(depth, reads)
        return Request(mode, depth, min(offset + k, end), min(offset, end), selection, second, reads, wanted=wanted)

    def _follows(self, mode: SearchMode | None, queries: Sequence[str | Vectors] | Vectors, vectors: Any) -> bool:
        """Whether these queries are searched as the collection's pipeline says: texts for which no mode is named."""
        texts = len(queries) > 0 and all(isinstance(query, str) for query in queries)
        return texts and self._can.follows(mode, vector=vectors is not None)

    def _second(
        self, ranker: Ranker | str | Literal[False] | None, depth: int | None, weight: float | None, follows: bool
    ) -> SecondStage | None:
        """The second stage of a call: the ranker that is given, or that of the pipeline that it follows."""
        stored = self._stored
        if ranker is None and follows and stored is not None and stored.pipeline.ranker is not None:
            weight = stored.pipeline.weight if weight is None else weight
            second = SecondStage.of(stored.load(stored.pipeline.ranker), depth, weight, self._relevance, self._tokens)
            return None if second is None else replace(second, least=stored.pipeline.depth)
        return SecondStage.of(None if ranker is False else ranker, depth, weight, self._relevance, self._tokens)

    def _selection(
        self, where: Mapping[str, Any] | None, *, strict: bool = False, without: tuple[str, ...] = ()
    ) -> Selection:
        condition = None if where is None else filters.parse(where)
        if strict and condition is not None:
            self._snapshot.check_fields(condition)
        return Selection(where=condition, without=without)

    def _queries(
        self, queries: Sequence[str | Vectors] | Vectors, vectors: Sequence[Vectors] | Vectors | None
    ) -> list[Query]:
        return queries_of(queries, vectors, self._encoder.contract)

    def _vector(self, query: Query, report: EncodingReport | None) -> Vectors:
        if query.vector is not None:
            return query.vector
        vector: Vectors = self._encoder.encode_queries([self._text(query.text or "")], report=report)[0]
        return vector

    def _text(self, query: str) -> str:
        """The text of a query for the encoder."""
        return query if self._hybrid is None else self._hybrid.text(query)

    def _answers(
        self, queries: list[Query], request: Request, report: EncodingReport | None, progress: Progress = silent
    ) -> list[Hits]:
        """The page of each query; a second stage gets the candidates of some queries at a time."""
        second = request.second
        if second is None:
            return self._each(queries, request, report, partial(self._pages.page, request=request), progress)
        if any(query.text is None for query in queries):
            raise QueryError("a ranker reads the query, so it needs a text, not a vector alone")
        pages: list[Hits] = []
        for first in range(0, len(queries), RANKED_AT_ONCE):
            block = queries[first : first + RANKED_AT_ONCE]
            found = self._each(block, request, report, partial(self._candidates, request=request), silent)
            texts = [self._text(query.text or "") for query in block]
            again = zip(second.ranked(texts, found), found, strict=True)
            pages += [self._pages.ranked_again(ranked, candidates, request) for ranked, candidates in again]
            progress(len(pages), len(queries))
        return pages

    def _each(
        self,
        queries: list[Query],
        request: Request,
        report: EncodingReport | None,
        work: Callable[[Asked], Result],
        progress: Progress,
    ) -> list[Result]:
        """The work for each query; several are encoded together, and looked up on all cores."""
        modes = [
            self._can.chosen(request.mode, text=query.text is not None, vector=query.vector is not None)
            for query in queries
        ]
        if len(queries) == 1:
            vector = cache(partial(self._vector, queries[0], report))
            return [work(Asked(queries[0], modes[0], vector, alone=True))]
        results: list[Result] = []
        for first in range(0, len(queries), QUERIES_AT_ONCE):
            block = slice(first, first + QUERIES_AT_ONCE)
            results += threads.each(work, self._asked(queries[block], modes[block], report))
            progress(len(results), len(queries))
        return results

    def _asked(self, queries: list[Query], modes: Sequence[SearchMode], report: EncodingReport | None) -> list[Asked]:
        """The queries with their vectors; texts are encoded together, if their mode needs vectors that they lack."""
        pairs = list(zip(queries, modes, strict=True))
        lacking = [query.vector is None and mode != "lexical" for query, mode in pairs]
        texts = [self._text(query.text or "") for query, lacks in zip(queries, lacking, strict=True) if lacks]
        encoded = iter(self._encoder.encode_queries(texts, report=report) if texts else ())
        return [
            Asked(query, mode, partial(np.asarray, next(encoded) if lacks else query.vector))
            for (query, mode), lacks in zip(pairs, lacking, strict=True)
        ]

    def _ranking(self, asked: Asked, request: Request, least: float | None = None) -> dict[str, float]:
        """Document id → score. least: the smallest relevance."""
        found = self._first.ranked(asked, request)
        if least is not None:
            found = found.at_least(least)
        return dict(zip(self._snapshot.ids(found.documents), found.scores.tolist(), strict=True))

    def _candidates(self, asked: Asked, request: Request) -> Candidates:
        if request.second is not None:
            request.second.refuse_unbounded(asked.mode, self._encoder.contract.similarity)
        return self._pages.candidates(asked, request)
