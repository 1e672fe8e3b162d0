"""Ways of searching, measured on judged questions while a collection is tuned: quality, and milliseconds a query."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from twofold.collection.guarding import GuardedEncoder
from twofold.engine import EngineSnapshot, LexicalAside
from twofold.errors import InputError, QueryError
from twofold.evaluation.latency import search_latency
from twofold.evaluation.measures import measure_values, parse_measure
from twofold.hits import Hits
from twofold.progress import Progress
from twofold.protocols import ProbableRanker, Ranker
from twofold.rankers.named import ranker_of
from twofold.rankings import Qrels, Run
from twofold.scores import Scores, Vectors
from twofold.searching.fusion import Fusion
from twofold.searching.hybrid import SEARCH_MODES, HybridSearch
from twofold.searching.pipeline import Pipeline
from twofold.searching.relevance import Calibration
from twofold.searching.searcher import SnapshotSearcher
from twofold.searching.stored_tokens import NONE_KEPT, StoredTokens
from twofold.token_codes import STORED
from twofold.tuning.calibrating import calibrated
from twofold.tuning.pipelines import DEPTHS, WEIGHTS, Choice, Values, check_budget, chosen_pipeline
from twofold.tuning.second_stages import Reread, values_of_stages
from twofold.tuning.sharing import MEASURE, TOP

TIMED, TIMED_AGAIN = 20, 10
"""Questions whose search is timed, and those with a second stage."""
CALIBRATED = 50
"""Candidates that are read to calibrate a cross-encoder where no budget says how many."""
AT_ONCE = 32
"""Questions between two reports of progress."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of the second stage.

    rankers: folders or hub names, or "token-vectors". budget: milliseconds a query, or None. tokens: gives the stored
    token vectors of a snapshot.
    """

    rankers: Sequence[str] = ()
    budget: float | None = None
    tokens: Callable[[EngineSnapshot], StoredTokens | None] = lambda _: None

    @classmethod
    def of(
        cls,
        rankers: Sequence[str | Path] | str | Path,
        budget: float | None,
        tokens: Callable[[EngineSnapshot], StoredTokens | None],
        *,
        judged: bool,
    ) -> Wanted:
        """What a call gives, checked; folders by their whole path. Raises InputError."""
        given = [rankers] if isinstance(rankers, str | Path) else list(rankers)
        for each in given:
            if not isinstance(each, str | Path) or not str(each):
                raise InputError(f"a ranker is stored by its name, a folder or a hub name, not as {each!r}")
        number = isinstance(budget, int | float | np.number) and not isinstance(budget, bool)
        if budget is not None and not (number and budget > 0):
            raise InputError(f"the budget is milliseconds a query, more than 0, not {budget!r}")
        if (given or budget is not None) and not judged:
            raise InputError("rankers and a budget are measured on judged questions; give queries and qrels too")
        named = dict.fromkeys(_whole(each) for each in given)
        return cls(tuple(named), None if budget is None else float(budget), tokens)


@dataclass(frozen=True, slots=True)
class Measured:
    """What was found: the pipeline to follow, None without a budget, and calibrations by the name of the ranker."""

    choice: Choice | None = None
    calibrations: Mapping[str, Calibration] = field(default_factory=dict)


class MeasuringPipelines:
    """Searches what is not published yet by every way that is asked for.

    fusion: as it will be published. shares: by question, a lexical share that others chose, by which it is judged.
    asked: text and vector, float32 (dimension,), of each judged query. given: whether their vectors were given, and are
    not made by a search. depth: of rankings.
    """

    def __init__(
        self,
        aside: LexicalAside,
        encoder: GuardedEncoder,
        fusion: Fusion,
        shares: Mapping[str, float],
        *,
        asked: Mapping[str, tuple[str, Vectors]],
        given: bool,
        depth: int,
        progress: Progress,
    ) -> None:
        self._aside, self._encoder, self._fusion, self._shares = aside, encoder, fusion, shares
        self._asked, self._given, self._depth, self._progress = asked, given, depth, progress
        self._tokens: StoredTokens | None = None

    def run(self, qrels: Qrels, wanted: Wanted) -> Measured:
        """The choice and the calibrations. Raises InputError, ModelError, QueryError without token vectors."""
        self._tokens = wanted.tokens(self._aside.snapshot)
        judged = {query: qrels[query] for query in self._asked}
        values, taken = dict[Pipeline, Values](), dict[Pipeline, float]()
        if wanted.budget is not None:
            taken = self._mode_times()
            check_budget(taken, wanted.budget)
            values = {Pipeline(mode=mode): values_of(self._of_mode(mode), judged) for mode in SEARCH_MODES}
        first = self._of_mode("hybrid")
        calibrations = {}
        for name in wanted.rankers:
            ranker = named_ranker(name, self._tokens)
            deepest = min(CALIBRATED, self._depth)
            if wanted.budget is not None:
                times = self._stage_times(name, ranker, wanted.budget)
                taken |= times
                within = [each.depth for each, milliseconds in times.items() if milliseconds <= wanted.budget]
                deepest = max(within, default=deepest if isinstance(ranker, ProbableRanker) else 0)
            elif not isinstance(ranker, ProbableRanker):
                raise InputError(f"the scores of {name} are no probabilities to calibrate; give a budget to measure it")
            if not deepest:
                continue
            read = self._read(ranker, first, deepest)
            if isinstance(ranker, ProbableRanker):
                calibrations[ranker.name] = calibrated(_best(ranker, read), [judged[query] for query in read])
            if wanted.budget is not None and within:
                values |= values_of_stages(name, ranker, read, judged, depths=within, weights=WEIGHTS)
        choice = None if wanted.budget is None else chosen_pipeline(values, taken, wanted.budget)
        return Measured(choice, calibrations)

    def _searcher(self, fusion: Fusion) -> SnapshotSearcher:
        """It leaves the snapshot open, which belongs to the index aside."""
        snapshot = self._aside.snapshot
        dense = snapshot.dense(exact=False)
        hybrid = HybridSearch(snapshot, dense, self._aside.lexical, fusion, depth=self._depth)
        encodes = self._encoder.can_encode
        return SnapshotSearcher(
            snapshot,
            dense,
            self._encoder,
            depth=self._depth,
            hybrid=hybrid,
            encodes=encodes,
            tokens=self._tokens,
        )

    def _by_share(self) -> Iterator[tuple[SnapshotSearcher, list[str]]]:
        """A searcher for each share, and the questions that are judged by it."""
        for share in sorted(set(self._shares.values())):
            queries = [query for query, each in self._shares.items() if each == share]
            yield self._searcher(replace(self._fusion, share=share)), queries

    def _of_mode(self, mode: Any) -> Run:
        """Query → document → score, as deep as rankings are for hybrid search."""
        depth = self._depth if mode == "hybrid" else min(TOP, self._depth)
        found: Run = {}
        for searcher, queries in self._by_share():
            texts = {query: self._asked[query][0] for query in queries}
            vectors = np.stack([self._asked[query][1] for query in queries])
            found |= searcher.run(texts, vectors=vectors, depth=depth, mode=mode)
        return {query: found[query] for query in self._asked}

    def _read(self, ranker: Ranker | StoredTokens, first: Run, depth: int) -> dict[str, Reread]:
        """Of each question the first scores and the ranker's, in the order of the first ranking."""
        read: dict[str, Reread] = {}
        for searcher, queries in self._by_share():
            for start in range(0, len(queries), AT_ONCE):
                asked = {query: self._asked[query] for query in queries[start : start + AT_ONCE]}
                read |= read_again(searcher, asked, first, ranker, depth)
                self._progress(len(read), len(self._asked))
        return {query: read[query] for query in self._asked}

    def _mode_times(self) -> dict[Pipeline, float]:
        return {Pipeline(mode=mode): self._timed(TIMED, mode=mode) for mode in SEARCH_MODES}

    def _stage_times(self, name: str, ranker: Ranker | StoredTokens, budget: float) -> dict[Pipeline, float]:
        """Milliseconds of each depth, up to the first that is beyond the budget."""
        taken: dict[Pipeline, float] = {}
        for depth in (each for each in DEPTHS if each <= self._depth):
            options: dict[str, Any] = {"ranker": _given(ranker), "rerank_depth": depth}
            pipeline = Pipeline(mode="hybrid", ranker=name, depth=depth)
            taken[pipeline] = self._timed(TIMED_AGAIN, mode="hybrid", **options)
            if taken[pipeline] > budget:
                break
        return taken

    def _timed(self, count: int, **options: Any) -> float:
        asked = dict(islice(self._asked.values(), count))
        timing = _Timing(self._searcher(self._fusion), asked if self._given else {}, options)
        return search_latency(timing, list(asked)).p50


@dataclass(frozen=True, slots=True)
class _Timing:
    """A searcher that asks as a user would. vectors: of texts, where users give them."""

    searcher: SnapshotSearcher
    vectors: Mapping[str, Vectors]
    options: Mapping[str, Any]

    def search(self, query: Any, *, k: int = 10, offset: int = 0, where: Mapping[str, Any] | None = None) -> Hits:
        vector = self.vectors.get(query)
        return self.searcher.search(query, vector=vector, k=k, offset=offset, where=where, **self.options)

    def run(self, queries: Mapping[str, str], *, depth: int = 1000) -> Run:
        return self.searcher.run(queries, depth=depth)


def named_ranker(name: str, tokens: StoredTokens | None) -> Ranker | StoredTokens:
    """The ranker of a name. tokens: the collection's token vectors. Raises QueryError where they are named and not
    there, ModelError.
    """
    ranker = ranker_of(name)
    if not isinstance(ranker, str):
        return ranker
    if tokens is None:
        raise QueryError(NONE_KEPT)
    return tokens


def read_again(
    searcher: SnapshotSearcher,
    asked: Mapping[str, tuple[str, Vectors]],
    first: Run,
    ranker: Ranker | StoredTokens,
    depth: int,
) -> dict[str, Reread]:
    """Of each question the first scores and the ranker's, in the order of the first ranking.

    asked: text and vector, float32 (dimension,), by query. first: hybrid rankings, `depth` documents at least.
    """
    texts, vectors = zip(*asked.values(), strict=True)
    options: dict[str, Any] = {"ranker": _given(ranker), "rerank_depth": depth, "mode": "hybrid"}
    found = searcher.search_many(list(texts), vectors=np.stack(vectors), k=depth, **options)
    return {
        query: Reread.of(first[query], {hit.id: hit.parts[ranker.name] for hit in hits})
        for query, hits in zip(asked, found, strict=True)
    }


def _given(ranker: Ranker | StoredTokens) -> Ranker | str:
    """The ranker as a searcher takes it."""
    return ranker.name if isinstance(ranker, StoredTokens) else ranker


def _best(ranker: ProbableRanker, read: Mapping[str, Reread]) -> list[dict[str, float]]:
    """Of each question what the ranker says of its first documents, as they are without a weight."""
    found = []
    for each in read.values():
        places = np.argsort(-each.scores, kind="stable")[:TOP]
        probable: Scores = ranker.probabilities(each.scores[places])
        found.append({each.ids[place]: float(one) for place, one in zip(places, probable, strict=True)})
    return found


def values_of(run: Run, judged: Qrels) -> Values:
    """nDCG@10 of each judged question, in their order."""
    measure = parse_measure(MEASURE)
    return measure_values([measure], run, judged, list(judged))[measure.name]


def _whole(name: str | Path) -> str:
    """A folder by its whole path, since the next search may be started elsewhere; a hub name it is."""
    if str(name) == STORED:
        return STORED
    folder = Path(name).expanduser()
    return str(folder.resolve()) if folder.exists() else str(name)
