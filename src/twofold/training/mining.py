"""Hard negatives: documents that the collection's own search finds for a query and that are not its answer."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from twofold.collection.collection import Collection
from twofold.errors import InputError
from twofold.rankings import ranked
from twofold.training.examples import Examples
from twofold.training.settings import TrainingSettings

DEPTH = 1000


@dataclass(slots=True)
class MiningReport:
    """Candidates inside the rank window, and what became of them.

    judged: positives of the query. held_out: positives of dev queries, which training may not see. same_text: the
    positive's own text under another id. margin: score too close to the positive's. kept: taken. filled: places for
    which the window had nothing left and a document was drawn at random.
    """

    candidates: int = 0
    judged: int = 0
    held_out: int = 0
    same_text: int = 0
    margin: int = 0
    kept: int = 0
    filled: int = 0

    def to_json(self) -> dict[str, int]:
        """The counts by name."""
        return asdict(self)

    def __str__(self) -> str:
        return (
            f"{self.candidates:,} candidates looked at; dropped: {self.judged:,} judged relevant, {self.held_out:,} "
            f"answers of dev queries, {self.same_text:,} with the answer's text, {self.margin:,} that score too close "
            f"to the answer; {self.kept:,} kept, {self.filled:,} places filled at random"
        )


@dataclass(frozen=True, slots=True)
class Triplet:
    """Ids of a query, one of its positives, and its negatives."""

    query: str
    positive: str
    negatives: tuple[str, ...]

    def to_json(self) -> list[Any]:
        """The three as a list."""
        return [self.query, self.positive, list(self.negatives)]


def mine(
    collection: Collection, examples: Examples, queries: Sequence[str], held_out: set[str], settings: TrainingSettings
) -> tuple[list[Triplet], MiningReport]:
    """One triplet for each pair of query and positive, `settings.negatives` negatives each; the same every time.

    Candidates are ranked by hybrid search where the collection knows its words; the margin goes by dense scores
    (positive-aware mining, Moreira et al. 2024). held_out: documents that may not be used.
    """
    report = MiningReport()
    texts = {query: examples.queries[query] for query in queries}
    found = collection.run(texts, depth=settings.window[1]) if settings.negatives else {}
    dense = collection.run(texts, depth=DEPTH, mode="dense") if settings.negatives else {}
    ids = [document for document in sorted(examples.documents) if document not in held_out]
    draw = random.Random(settings.seed)  # noqa: S311 - a draw that can be repeated, no secret
    triplets = []
    for query in queries:
        window = ranked(found.get(query, {}))[settings.window[0] :]
        for positive in examples.positives[query]:
            limit = _limit(dense.get(query, {}), positive, settings.margin)
            taken = _taken(window, examples, (query, positive), held_out, (dense.get(query, {}), limit), report)
            negatives = taken[: settings.negatives]
            report.kept += len(negatives)
            report.filled += settings.negatives - len(negatives)
            negatives += _drawn(
                ids, {*examples.positives[query], *negatives}, settings.negatives - len(negatives), draw
            )
            triplets.append(Triplet(query, positive, tuple(negatives)))
    return triplets, report


def _drawn(ids: Sequence[str], not_these: set[str], count: int, draw: random.Random) -> list[str]:
    """As many ids that are allowed, at random. Raises InputError where there are not so many."""
    # Whatever is left out, enough of so many remain if there are enough at all.
    drawn = draw.sample(ids, min(len(ids), count + len(not_these))) if count else []
    allowed = [each for each in drawn if each not in not_these][:count]
    if len(allowed) < count:
        raise InputError(f"{len(ids)} documents are too few for so many negatives a pair: ask for fewer")
    return allowed


def _limit(scores: Mapping[str, float], positive: str, margin: float) -> float:
    """The score above which a candidate is too good; a positive that was not found scores no more than the last."""
    return margin * scores.get(positive, min(scores.values(), default=0.0))


def _taken(
    window: Sequence[str],
    examples: Examples,
    pair: tuple[str, str],
    held_out: set[str],
    scored: tuple[Mapping[str, float], float],
    report: MiningReport,
) -> list[str]:
    (query, positive), (scores, limit) = pair, scored
    last = min(scores.values(), default=0.0)
    taken = []
    for candidate in window:
        report.candidates += 1
        if candidate in examples.positives[query]:
            report.judged += 1
        elif candidate in held_out:
            report.held_out += 1
        elif examples.text(candidate) == examples.text(positive):
            report.same_text += 1
        elif scores.get(candidate, last) > limit:
            report.margin += 1
        else:
            taken.append(candidate)
    return taken
