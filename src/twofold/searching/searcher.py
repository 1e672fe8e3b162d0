"""The searcher of one snapshot: texts, vectors or a stored document in, hits or runs out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar
from unicodedata import category

import numpy as np

from twofold import filters
from twofold.documents import Passage
from twofold.engine import DenseSnapshot, EngineSnapshot, Selection
from twofold.errors import QueryError
from twofold.hits import Hits
from twofold.protocols import Encoder, Ranker
from twofold.rankings import Hit, Run
from twofold.reports import EncodingReport
from twofold.scores import Vectors, checked_vectors, scaled
from twofold.searching.hybrid import SEARCH_MODES, HybridSearch, Ranked, SearchMode
from twofold.searching.reranking import checked_ranker, reranked
from twofold.searching.threads import later, threads

Result = TypeVar("Result")

QUERIES_AT_ONCE = 256
"""Queries that are encoded together."""


@dataclass(frozen=True, slots=True)
class _Request:
    """The request of a call, for each of its queries: places `offset` to `top` of a ranking of `depth` documents.

    mode: None for the default of each query. ranker: scores the whole ranking again.
    """

    mode: SearchMode | None
    depth: int
    top: int
    offset: int
    selection: Selection
    ranker: Ranker | None = None

    @property
    def ranked(self) -> int:
        """How many places of the first ranking are needed."""
        return self.top if self.ranker is None else self.depth


@dataclass(frozen=True, slots=True)
class _Asked:
    """One query, its mode, and a function that returns its vector. alone: other threads are free to help."""

    query: str | Vectors
    mode: SearchMode
    vector: Callable[[], Vectors]
    alone: bool = False


class SnapshotSearcher(AbstractContextManager["SnapshotSearcher"]):
    """Searches one snapshot until it is closed; later writes do not change its answers.

    depth: the length of a ranking; a page beyond it is empty. grows: a page beyond the depth raises it. hybrid:
    searches the lexical index too; without it search is dense only. no_lexical: why there is no lexical search, and
    what to do. encodes: whether texts have vectors here; where the vectors were made elsewhere, only lexical search
    answers texts.
    """

    def __init__(
        self,
        snapshot: EngineSnapshot,
        dense: DenseSnapshot,
        encoder: Encoder,
        *,
        depth: int,
        grows: bool = False,
        hybrid: HybridSearch | None = None,
        no_lexical: str = "this searcher was opened without the lexical index",
        encodes: bool = True,
    ) -> None:
        self._snapshot = snapshot
        self._dense = dense
        self._hybrid = hybrid
        self._no_lexical = no_lexical
        self._encodes = encodes
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
    def modes(self) -> tuple[SearchMode, ...]:
        """The modes that a text query can use; the default is hybrid, if it is one of them."""
        mixes = self._hybrid is not None and self._hybrid.mixes
        can = {"lexical": self._hybrid is not None, "dense": self._encodes, "hybrid": mixes}
        return tuple(mode for mode in SEARCH_MODES if can[mode])

    def search(
        self,
        query: str | Vectors,
        *,
        k: int = 10,
        offset: int = 0,
        where: Mapping[str, Any] | None = None,
        mode: SearchMode | None = None,
        ranker: Ranker | None = None,
        strict: bool = False,
        report: EncodingReport | None = None,
    ) -> Hits:
        """The k best documents after the first `offset`.

        query: a text, or a vector of float32 (dimension,), which is scaled to unit length where the contract says
        cosine. where: a filter on metadata (filters.py). mode: "dense" (vectors), "lexical" (BM25) or "hybrid"; the
        default for a text is hybrid, if it is possible (`modes`). Lexical search needs no encoder and shows the passage
        with the most words of the query. ranker: scores the whole ranking again, so that a page does not depend on k;
        it needs a text query. strict: a field of the filter that no document has is an error. report: counts truncated
        queries. Raises QueryError.
        """
        request = self._request(k, offset, mode, self._selection(where, strict=strict), ranker)
        return self._answers([query], request, report)[0]

    def search_many(
        self,
        queries: Sequence[str] | Vectors,
        *,
        k: int = 10,
        offset: int = 0,
        where: Mapping[str, Any] | None = None,
        mode: SearchMode | None = None,
        ranker: Ranker | None = None,
        strict: bool = False,
        report: EncodingReport | None = None,
    ) -> list[Hits]:
        """The hits of each query, in their order, equal to those of `search` for each alone.

        queries: texts, or vectors of float32 (n, dimension). Texts are encoded together, and queries are looked up on
        all cores. Everything else as in `search`; QueryError names the query by its position.
        """
        if isinstance(queries, str):
            raise QueryError(f"queries is a list; for one query write [{queries!r}], or call search")
        request = self._request(k, offset, mode, self._selection(where, strict=strict), ranker)
        return self._answers(queries, request, report)

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
        request = self._request(k, offset, "dense", self._selection(where, strict=strict, without=(document_id,)))
        found = self._snapshot.find([document_id])
        if not found:
            raise QueryError(f"there is no document {document_id!r} in this collection")
        passages = self._snapshot.passages(np.array(list(found.values()), dtype=np.int64)).handles
        if len(passages) == 0:
            raise QueryError(f"document {document_id!r} has neither text nor title, hence no vector to search with")
        vector = self._scaled(self._dense.vectors(passages).mean(axis=0))
        return self._hits(self._ranked(_Asked(vector, "dense", partial(np.asarray, vector)), request), request.offset)

    def run(
        self,
        queries: Mapping[str, str],
        *,
        depth: int = 1000,
        where: Mapping[str, Any] | None = None,
        mode: SearchMode | None = None,
        report: EncodingReport | None = None,
    ) -> Run:
        """The rankings of many queries, each to `depth` documents: query id → document id → score.

        where: as in `search`. Raises QueryError, also for an empty query, which it names; FilterError.
        """
        depth, mode = checked_count(depth, "depth"), self._mode("", mode)
        if empty := [name for name, text in queries.items() if _unseen(text)]:
            raise QueryError(f"the query {empty[0]!r} is empty")
        request = _Request(mode, depth, depth, 0, self._selection(where))
        rankings = self._each(list(queries.values()), request, report, partial(self._ranking, request=request))
        return dict(zip(queries, rankings, strict=True))

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
        self, k: int, offset: int, mode: SearchMode | None, selection: Selection, ranker: Ranker | None = None
    ) -> _Request:
        k = checked_count(k, "k")
        if isinstance(offset, bool) or not isinstance(offset, int) or offset < 0:
            raise QueryError(f"offset is a count from 0 on, not {offset!r}")
        depth = max(self._depth, offset + k) if self._grows else self._depth
        ranker = None if ranker is None else checked_ranker(ranker)
        return _Request(mode, depth, min(offset + k, depth), min(offset, depth), selection, ranker)

    def _selection(
        self, where: Mapping[str, Any] | None, *, strict: bool = False, without: tuple[str, ...] = ()
    ) -> Selection:
        condition = None if where is None else filters.parse(where)
        if strict and condition is not None:
            self._snapshot.check_fields(condition)
        return Selection(where=condition, without=without)

    def _vector(self, query: str | Vectors, report: EncodingReport | None) -> Vectors:
        if isinstance(query, str):
            vector: Vectors = self._encoder.encode_queries([self._text(query)], report=report)[0]
            return vector
        if not isinstance(query, np.ndarray | list | tuple):
            raise QueryError(f"a query is a text or a vector, not {type(query).__name__}")
        return self._scaled(checked_vectors([query], self._encoder.contract.dimension, what="the query vector")[0])

    def _text(self, query: str) -> str:
        """The text of a query for the encoder."""
        return query if self._hybrid is None else self._hybrid.text(query)

    def _scaled(self, vector: Vectors) -> Vectors:
        line: Vectors = scaled(vector[None], self._encoder.contract.similarity, what="the query vector")[0]
        return line

    def _mode(self, query: str | Vectors, mode: SearchMode | None) -> SearchMode:
        """The requested mode, if it is possible; raises QueryError."""
        if mode is None:
            return "hybrid" if isinstance(query, str) and "hybrid" in self.modes else "dense"
        if mode not in SEARCH_MODES:
            raise QueryError(f"there is no mode {mode!r}; there are {', '.join(SEARCH_MODES)}")
        if mode != "dense" and not isinstance(query, str):
            raise QueryError(f"a {mode} search reads the query, so it needs a text, not a vector")
        if mode != "dense" and self._hybrid is None:
            raise QueryError(f"no search can be {mode} here: {self._no_lexical}")
        if mode == "hybrid" and "hybrid" not in self.modes:
            raise QueryError(f"no search can be hybrid here: {self._unmixed()}")
        return mode

    def _unmixed(self) -> str:
        if self._encodes:
            return (
                "dense and lexical scores are mixed by cosines, and this collection compares by dot products; "
                "search with the mode dense or lexical"
            )
        return (
            "this collection holds vectors made elsewhere, so a text has no dense score to mix; search with "
            "the mode lexical, or by a vector"
        )

    def _answers(
        self, queries: Sequence[str | Vectors] | Vectors, request: _Request, report: EncodingReport | None
    ) -> list[Hits]:
        """The page of each query; a ranker gets the whole ranking of one query at a time."""
        ranker = request.ranker
        if ranker is None:
            return self._each(queries, request, report, partial(self._page, request=request, offset=request.offset))
        pages = self._each(queries, request, report, partial(self._page, request=request, offset=0))
        return [
            reranked(self._text(str(query)), page, ranker)[request.offset : request.top]
            for query, page in zip(queries, pages, strict=True)
        ]

    def _each(
        self,
        queries: Sequence[str | Vectors] | Vectors,
        request: _Request,
        report: EncodingReport | None,
        work: Callable[[_Asked], Result],
    ) -> list[Result]:
        """The work for each query; several are encoded together, and looked up on all cores."""
        modes = [self._checked(query, request, place) for place, query in enumerate(queries)]
        if len(queries) == 1:
            return [work(_Asked(queries[0], modes[0], partial(self._vector, queries[0], report), alone=True))]
        results: list[Result] = []
        for first in range(0, len(queries), QUERIES_AT_ONCE):
            block = slice(first, first + QUERIES_AT_ONCE)
            results += threads.each(work, self._asked(queries[block], modes[block], report))
        return results

    def _asked(
        self, queries: Sequence[str | Vectors] | Vectors, modes: Sequence[SearchMode], report: EncodingReport | None
    ) -> list[_Asked]:
        """The queries with their vectors; texts are encoded together, if their mode needs vectors."""
        pairs = list(zip(queries, modes, strict=True))
        texts = [self._text(query) for query, mode in pairs if isinstance(query, str) and mode != "lexical"]
        vectors = iter(self._encoder.encode_queries(texts, report=report) if texts else ())
        return [
            _Asked(
                query,
                mode,
                partial(np.asarray, next(vectors))
                if isinstance(query, str) and mode != "lexical"
                else partial(self._vector, query, report),
            )
            for query, mode in pairs
        ]

    def _checked(self, query: str | Vectors, request: _Request, place: int) -> SearchMode:
        """The mode of a query; raises QueryError for an invalid query. place: its position among several, from 0 on."""
        if isinstance(query, str) and _unseen(query):
            raise QueryError(f"query {place}: it is empty" if place else "the query is empty")
        if request.ranker is not None and not isinstance(query, str):
            raise QueryError("a ranker reads the query, so it needs a text, not a vector")
        return self._mode(query, request.mode)

    def _ranked(self, asked: _Asked, request: _Request) -> Ranked:
        """The places of the first ranking that the request needs."""
        hybrid, text = self._hybrid, asked.query if isinstance(asked.query, str) else None
        depth, top, selection = request.depth, request.ranked, request.selection
        if hybrid is not None and text is not None:
            if asked.mode == "lexical":
                return hybrid.lexical(text, depth=depth, top=top, selection=selection)
            if asked.mode == "hybrid":
                start = threads.start if asked.alone else later
                return hybrid.hybrid(text, asked.vector, depth=depth, top=top, selection=selection, start=start)
            selection = hybrid.within(text, selection)
        found = self._dense.nearest(asked.vector(), depth=depth, top=top, selection=selection)
        return Ranked(found.documents, found.scores, {"dense": found.scores}, found.passages)

    def _ranking(self, asked: _Asked, request: _Request) -> dict[str, float]:
        """Document id → score."""
        found = self._ranked(asked, request)
        return dict(zip(self._snapshot.ids(found.documents), found.scores.tolist(), strict=True))

    def _page(self, asked: _Asked, request: _Request, offset: int) -> Hits:
        return self._hits(self._ranked(asked, request), offset, asked.query)

    def _hits(self, ranked: Ranked, offset: int, query: str | Vectors = "") -> Hits:
        page = ranked.from_place(offset)
        documents = self._snapshot.documents(page.documents)
        if page.passages is None and self._hybrid is not None:
            spans = self._hybrid.spans(str(query), page.documents, documents)
        else:
            spans = self._snapshot.spans(page.documents if page.passages is None else page.passages)
        return Hits(
            Hit(score, document, Passage(start, end, document.text[start:end]), parts)
            for score, document, (start, end), parts in zip(
                page.scores.tolist(), documents, spans.tolist(), page.explained(), strict=True
            )
        )


def _unseen(text: str) -> bool:
    """Whether a text has only invisible characters: spaces, controls, joiners, lone surrogates."""
    return all(category(character)[0] in "ZC" for character in text)


def checked_count(value: object, name: str) -> int:
    """A whole number from 1 on, or QueryError naming what was given."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise QueryError(f"{name} is a count from 1 on, not {value!r}")
    return int(value)
