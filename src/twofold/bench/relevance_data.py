"""What the relevance of hits is fitted on: hits of judged collections, for their own questions and for foreign ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twofold.collection.collection import Collection
from twofold.collection.lexical_report import LexicalReport
from twofold.collection.opening import create
from twofold.errors import InputError
from twofold.hits import Hits
from twofold.progress import Progress, silent
from twofold.protocols import Encoder
from twofold.rankings import Qrels
from twofold.readers.beir import Beir, read_beir
from twofold.searching.hybrid import SEARCH_MODES, SearchMode

QUESTIONS, TOP = 200, 10
COLUMNS = ("question", "own", "relevant", "score", "dense", "kappa", "lexical", "weight", "best", "documents")
"""What is known of a hit; a part that its mode has not is NaN.

question: its number; own: 1 where it is a question of this collection; relevant: 1 where it is judged so. score:
`hit.score`; dense: the cosine; kappa: beyond chance; lexical: BM25; weight: W, the sum of the inverse document
frequencies of the question's terms; best: kappa of the best document of the collection; documents: in it.
"""


@dataclass(frozen=True, slots=True)
class JudgedHits:
    """The hits of one collection. values: of each mode float64 (n, columns), in the order of COLUMNS."""

    name: str
    values: dict[SearchMode, NDArray[np.float64]]

    def column(self, mode: SearchMode, name: str) -> NDArray[np.float64]:
        """float64 (n,): one value for each hit."""
        found: NDArray[np.float64] = self.values[mode][:, COLUMNS.index(name)]
        return found


def judged_hits(
    folders: Sequence[Path], encoder: Encoder, *, split: str = "test", progress: Progress = silent
) -> Iterator[JudgedHits]:
    """The first 10 hits of each mode for 200 questions of each collection and as many of another one in the list.

    folders: BEIR folders. A collection gets the questions of the one that stands half the list after it. Raises
    InputError for fewer than two.
    """
    if len(folders) < 2:
        raise InputError("relevance is fitted on two judged collections at least; each is tested by the others")
    judged = [read_beir(folder, split) for folder in folders]
    for place, each in enumerate(judged):
        foreign = judged[(place + len(judged) // 2) % len(judged)]
        yield _extracted(each, foreign, encoder)
        progress(place + 1, len(judged))


def _extracted(judged: Beir, foreign: Beir, encoder: Encoder) -> JudgedHits:
    own = list(_answerable(judged))
    texts = [*own, *_answerable(foreign)]
    queries = [*(judged.queries[query] for query in own), *(foreign.queries[query] for query in texts[len(own) :])]
    names: list[str | None] = [*own, *[None] * (len(texts) - len(own))]
    with create(None, encoder) as collection:
        collection.add(judged.documents())
        values = {mode: _values(collection, queries, names, judged.qrels, mode) for mode in SEARCH_MODES}
    return JudgedHits(judged.name, values)


def _answerable(judged: Beir) -> Iterator[str]:
    """Questions with a relevant document, in the order of the file."""
    return islice((query for query in judged.queries if max(judged.qrels[query].values()) > 0), QUESTIONS)


def _values(
    collection: Collection, queries: Sequence[str], names: Sequence[str | None], qrels: Qrels, mode: SearchMode
) -> NDArray[np.float64]:
    found = collection.search_many(queries, k=TOP, mode=mode)
    best = collection.search_many(queries, k=1, mode="dense")
    with collection.searcher() as searcher:
        report, lexical = LexicalReport.of(searcher.snapshot), searcher.snapshot.lexical()
        if report is None or report.fusion is None or lexical is None:
            raise InputError("relevance is fitted on cosines and lexical scores, and this encoder gives no cosines")
        chance, weights = report.fusion.chance, [lexical.weight(query) for query in queries]
    known = len(collection)
    lines: list[tuple[float, ...]] = []
    for number, (hits, first, name, weight) in enumerate(zip(found, best, names, weights, strict=True)):
        highest = (_part(first, 0, "dense") - chance) / (1 - chance)
        for place, hit in enumerate(hits):
            dense = _part(hits, place, "dense")
            relevant = name is not None and qrels[name].get(hit.id, 0) > 0
            beyond = (dense - chance) / (1 - chance)
            scores = (hit.score, dense, beyond, _part(hits, place, "lexical"), weight, highest, known)
            lines.append((number, name is not None, relevant, *scores))
    return np.array(lines, dtype=np.float64)


def _part(hits: Hits, place: int, name: str) -> float:
    return hits[place].parts.get(name, np.nan) if place < len(hits) else np.nan
