"""Searching a collection: each call reads the latest commit, alone or awaited."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from twofold.collection.pinning import Pinning
from twofold.errors import QueryError
from twofold.hits import Hits
from twofold.progress import Progress
from twofold.rankers.named import AnyRanker, ranker_of
from twofold.rankings import Run
from twofold.reports import EncodingReport
from twofold.scores import Vectors
from twofold.searching.hybrid import SearchMode
from twofold.searching.requests import Unit
from twofold.searching.searcher import SnapshotSearcher


class Searching:
    """The searching half of a collection; one object may be used by many threads."""

    _pinning: Pinning

    def search(
        self,
        query: str | Vectors,
        *,
        vector: Vectors | None = None,
        k: int = 10,
        offset: int = 0,
        where: Mapping[str, Any] | None = None,
        depth: int | None = None,
        exact: bool = False,
        mode: SearchMode | None = None,
        ranker: AnyRanker | Literal[False] | None = None,
        rerank_depth: int | None = None,
        rerank_weight: float | None = None,
        strict: bool = False,
        unit: Unit = "document",
        passages: int | None = None,
        context: int = 0,
        min_score: float | None = None,
        min_relevance: float | None = None,
    ) -> Hits:
        """The k best documents after the first `offset`, best first.

        query: a text, or a vector (dimension,). vector: that of a query text, used instead of encoding it; a collection
        of own vectors needs it for all but lexical search (docs/own-vectors.md). k: hits at most; fewer if the ranking
        is shorter. offset: hits before the first one, for pages. where: a filter such as `{"year": {"$lt": 1990}}`
        (docs/filters.md). depth: length of the ranking; without it a page beyond the collection's depth raises it.
        exact: without the approximate index. mode: "dense", "lexical" or "hybrid"; the default is hybrid if there is a
        lexical index (`tune`), and lexical for a text alone in a collection of own vectors. ranker: scores the first
        `rerank_depth` documents again (100, or as many as the page needs), and the ranking ends with them: an object,
        a folder or a hub name; False for none. Without mode and ranker the pipeline that `tune` stored is followed.
        rerank_weight: its share in the new score, 1 for the ranker alone (docs/second-stage.md). strict: refuse a
        filter whose fields no document has; otherwise it matches nothing. unit: "document", or "passage" for passages
        as hits, which k and offset count. passages: so many of each document, with scores, are in `hit.passages`.
        context: neighbours on each side, in `passage.context` (docs/passages.md). min_score, min_relevance: leave out
        hits with a smaller score (docs/scores.md) or probability of being relevant (docs/relevance.md).

        A score depends on query and document alone, never on k. Raises QueryError, FilterError, VectorError,
        ContractError.
        """
        lexical = isinstance(query, str) and mode != "dense"
        page: dict[str, Any] = {"k": k, "offset": offset, "where": where, "mode": mode, "strict": strict}
        page |= {"ranker": ranker_of(ranker), "rerank_depth": rerank_depth, "rerank_weight": rerank_weight}
        page |= {"unit": unit, "passages": passages, "context": context}
        with self.searcher(depth=depth, exact=exact, lexical=lexical) as searcher:
            hits = searcher.search(query, vector=vector, **page)
        return hits.at_least(min_score, min_relevance=min_relevance)

    def search_many(
        self,
        queries: Sequence[str] | Vectors,
        *,
        vectors: Sequence[Vectors] | Vectors | None = None,
        k: int = 10,
        offset: int = 0,
        where: Mapping[str, Any] | None = None,
        depth: int | None = None,
        exact: bool = False,
        mode: SearchMode | None = None,
        ranker: AnyRanker | Literal[False] | None = None,
        rerank_depth: int | None = None,
        rerank_weight: float | None = None,
        strict: bool = False,
        unit: Unit = "document",
        passages: int | None = None,
        context: int = 0,
        min_score: float | None = None,
        min_relevance: float | None = None,
        progress: Progress | bool = False,
    ) -> list[Hits]:
        """The hits of each query, in their order: the same, bit for bit, as `search` gives for each alone.

        queries: texts, or vectors (n, dimension). vectors: one for each text, (n, dimension), used instead of encoding
        them. k, offset, where, depth, exact, mode, ranker, rerank_depth, rerank_weight, strict, unit, passages,
        context, min_score, min_relevance: as in `search`. progress: True shows it on standard error, a function is
        called with it, in queries.

        All are asked of one commit; texts are encoded together, and looked up on all cores. Raises what `search`
        raises; a QueryError names the query by its position.
        """
        page: dict[str, Any] = {"k": k, "offset": offset, "where": where, "mode": mode, "strict": strict}
        page |= {"ranker": ranker_of(ranker), "rerank_depth": rerank_depth, "rerank_weight": rerank_weight}
        page |= {"unit": unit, "passages": passages, "context": context}
        with self.searcher(depth=depth, exact=exact, lexical=mode != "dense") as searcher:
            found = searcher.search_many(queries, vectors=vectors, progress=progress, **page)
        return [hits.at_least(min_score, min_relevance=min_relevance) for hits in found]

    def like(
        self,
        document_id: str,
        *,
        k: int = 10,
        offset: int = 0,
        where: Mapping[str, Any] | None = None,
        depth: int | None = None,
        strict: bool = False,
    ) -> Hits:
        """The k documents nearest to a stored one, itself left out, by dense scores.

        document_id: its id; the query is the mean of its passages' vectors. k, offset, where, depth, strict: as in
        `search`. Raises QueryError for an unknown id or a document without a vector, FilterError.
        """
        with self.searcher(depth=depth, lexical=False) as searcher:
            return searcher.like(document_id, k=k, offset=offset, where=where, strict=strict)

    def run(
        self,
        queries: Mapping[str, str],
        *,
        vectors: Sequence[Vectors] | Vectors | None = None,
        depth: int = 1000,
        where: Mapping[str, Any] | None = None,
        exact: bool = False,
        mode: SearchMode | None = None,
        ranker: AnyRanker | Literal[False] | None = None,
        rerank_depth: int | None = None,
        rerank_weight: float | None = None,
        min_relevance: float | None = None,
        report: EncodingReport | None = None,
        progress: Progress | bool = False,
    ) -> Run:
        """The rankings of many queries: query id → document id → score, each `depth` long, for evaluation.

        queries: id → text. vectors: one for each query, in their order. where, exact, mode, ranker, rerank_depth,
        rerank_weight, min_relevance: as in `search`; with a ranker a ranking ends with the documents that it scored.
        report: counts truncated queries. progress: as in `search_many`. `run_hits` gives the documents too. Raises
        QueryError, also for an empty query, which it names; VectorError, FilterError, ContractError.
        """
        with self.searcher(depth=depth, exact=exact, lexical=mode != "dense") as searcher:
            return searcher.run(
                queries,
                vectors=vectors,
                depth=depth,
                where=where,
                mode=mode,
                ranker=ranker_of(ranker),
                rerank_depth=rerank_depth,
                rerank_weight=rerank_weight,
                min_relevance=min_relevance,
                report=report,
                progress=progress,
            )

    def run_hits(
        self, queries: Mapping[str, str], *, vectors: Sequence[Vectors] | Vectors | None = None, **options: Any
    ) -> dict[str, Hits]:
        """The hits of many queries: query id → hits, the best of what `run` ranks with documents and passages.

        queries: id → text. vectors: one for each query, in their order. options: those of `search_many`; k is 10.
        """
        if not isinstance(queries, Mapping):
            raise QueryError("the queries of run_hits have ids: {id: text}; search_many takes a list of texts")
        found = self.search_many(list(queries.values()), vectors=vectors, **options)
        return dict(zip(queries, found, strict=True))

    def searcher(
        self, *, depth: int | None = None, exact: bool = False, lexical: bool = True, query_language: bool = False
    ) -> SnapshotSearcher:
        """A searcher pinned to the latest commit until it is closed.

        depth: length of a ranking; a page beyond it is empty. exact: without the approximate index. lexical: opens the
        lexical index too, which hybrid and lexical searches need. query_language: enables the operators "a phrase",
        AND, OR, NOT, +, -, parentheses and ^ (docs/hybrid.md); what a query requires or excludes then holds in every
        mode. Raises QueryError for query_language without a lexical index.
        """
        return self._pinning.searcher(depth, exact=exact, lexical=lexical, query_language=query_language)

    async def asearch(self, query: str | Vectors, **options: Any) -> Hits:
        """`search` of a query in a worker thread, for programs with an event loop; the same options."""
        return await asyncio.to_thread(self.search, query, **options)

    async def asearch_many(self, queries: Sequence[str] | Vectors, **options: Any) -> list[Hits]:
        """`search_many` of several queries in a worker thread; the same options."""
        return await asyncio.to_thread(self.search_many, queries, **options)
