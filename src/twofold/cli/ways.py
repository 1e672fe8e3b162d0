"""The ways of searching a collection that `twofold evaluate` and `twofold compare` measure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from typing import TYPE_CHECKING, Any, NamedTuple

from twofold.cli.second_stage import SecondStageOptions
from twofold.errors import InputError
from twofold.progress import Progress, silent
from twofold.reports import EncodingReport

if TYPE_CHECKING:
    from twofold.cli.judged import Judged
    from twofold.hits import Hits
    from twofold.protocols import Searcher
    from twofold.rankings import Run
    from twofold.scores import Vectors
    from twofold.searching.hybrid import SearchMode
    from twofold.searching.searcher import SnapshotSearcher

DEPTH = 1000
RERANKED = "+rerank"
"""Follows the name of the mode in which a second stage finds its candidates."""


class Ways(NamedTuple):
    """Ways of searching by name, and the name of the one that `twofold search` uses with the same options."""

    searchers: dict[str, Searcher]
    best: str


@contextmanager
def searchers_of(
    judged: Judged, asked: Sequence[SearchMode], report: EncodingReport, second: SecondStageOptions
) -> Iterator[Ways]:
    """The ways of searching that are asked for, or all that there are, by name: a row of the table each.

    A second stage adds one way: it orders what the best known of the others finds. So does the stored pipeline of the
    collection, where neither modes nor a second stage are asked for.
    """
    with judged.collection.searcher() as searcher:
        modes = asked or (searcher.modes if judged.vectors is None else searcher.modes_with_vector)
        if not modes:
            raise InputError(
                "the vectors of this collection were made elsewhere and no document has a text, so a query needs a "
                "vector: --vectors X.npy"
            )
        reports = [report, *(EncodingReport() for _ in modes[1:])]
        ways: dict[str, _InMode] = {
            mode: _InMode(judged, searcher, mode, each) for mode, each in zip(modes, reports, strict=True)
        }
        found = dict[str, "Searcher"](ways)
        stored = None if asked else searcher.pipeline
        first = best_known(modes, None if stored is None else stored.mode)
        best = first
        if second.options.get("ranker"):
            best = first + RERANKED
            found[best] = ways[first].ordered(second.options)
        elif stored is not None and stored.mode in modes and stored.ranker is not None and not second.options:
            best = stored.mode + RERANKED
            found[best] = ways[stored.mode].following()
        yield Ways(found, best)


class _InMode:
    """A searcher in one mode, whose runs count in a report what of the queries was cut.

    It asks with the queries' own vectors, where there are such: of each by its id, or by its text where one is timed.
    """

    def __init__(self, judged: Judged, searcher: SnapshotSearcher, mode: SearchMode, report: EncodingReport) -> None:
        self._collection = judged.collection
        self._searcher = searcher
        self._mode: SearchMode | None = mode
        self._report = report
        self._second: Mapping[str, Any] = {}
        vectors = judged.vectors
        self._of_id = {} if vectors is None else dict(zip(judged.queries, vectors, strict=True))
        self._of_text = {} if vectors is None else dict(zip(judged.queries.values(), vectors, strict=True))

    def ordered(self, second: Mapping[str, Any]) -> _InMode:
        """The same with a second stage; queries that are cut were counted already."""
        way = copy(self)
        way._second, way._report = second, EncodingReport()
        return way

    def following(self) -> _InMode:
        """The same by the stored pipeline of the collection."""
        way = self.ordered({})
        way._mode = None
        return way

    def __contains__(self, document_id: object) -> bool:
        return document_id in self._collection

    def search(
        self, query: str | Vectors, *, k: int = 10, offset: int = 0, where: Mapping[str, Any] | None = None
    ) -> Hits:
        vector = self._of_text.get(query) if isinstance(query, str) else None
        return self._searcher.search(
            query, vector=vector, k=k, offset=offset, where=where, mode=self._mode, **self._second
        )

    def run(self, queries: Mapping[str, str], *, depth: int = DEPTH, progress: Progress = silent) -> Run:
        vectors = [self._of_id[query] for query in queries] if self._of_id else None
        return self._searcher.run(
            queries,
            vectors=vectors,
            depth=depth,
            mode=self._mode,
            report=self._report,
            progress=progress,
            **self._second,
        )


def best_known(modes: Sequence[str], stored: str | None = None) -> str:
    """The mode that `twofold search` uses by default. stored: the one that was chosen for the collection."""
    wanted = ("hybrid",) if stored is None else (stored, "hybrid")
    return next((mode for mode in wanted if mode in modes), modes[0])
