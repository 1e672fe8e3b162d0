"""Hard negatives: documents that the collection's own search finds for a query and that are not its answer."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from twofold.collection.collection import Collection
from twofold.errors import InputError
from twofold.evaluation.shares import share_interval
from twofold.rankings import ranked
from twofold.training.examples import Examples
from twofold.training.settings import TrainingSettings
from twofold.training.teaching import Teacher, rated

DEPTH = 1000
SPARE = 4
"""Candidates that a teacher is asked about, for each negative that is wanted."""
Candidates = dict[tuple[str, str], list[str]]
"""(query, positive) → documents that may be its negatives, the nearest first."""


@dataclass(slots=True)
class MiningReport:
    """Candidates inside the rank window, counted by outcome.

    judged: positives of the query. held_out: positives of dev queries, which training may not see. same_text: the
    text of a positive under another id. margin: score too close to the positive's. teacher: too close by the teacher's
    scores. given: negatives that came with the data. false_negatives: the share of otherwise accepted candidates that
    the teacher scores too close to the answer, with the 95 % interval; None without a teacher. kept: taken. filled:
    negatives drawn at random, since the window had none left.
    """

    candidates: int = 0
    judged: int = 0
    held_out: int = 0
    same_text: int = 0
    margin: int = 0
    teacher: int = 0
    given: int = 0
    kept: int = 0
    filled: int = 0
    false_negatives: tuple[float, float, float] | None = None

    def add(self, other: MiningReport) -> None:
        """Adds the counts of other queries, mined without a teacher."""
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def to_json(self) -> dict[str, Any]:
        """The counts by name."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> MiningReport:
        """The report that `to_json` wrote."""
        found = values["false_negatives"]
        return cls(**{**values, "false_negatives": None if found is None else tuple(found)})

    def __str__(self) -> str:
        return (
            f"{self.candidates:,} candidates looked at; dropped: {self.judged:,} judged relevant, {self.held_out:,} "
            f"answers of dev queries, {self.same_text:,} with the answer's text, {self.margin:,} that score too close "
            f"to the answer{self._by_teacher()}; {self.kept:,} kept, {self.filled:,} places filled at random"
        )

    def _by_teacher(self) -> str:
        if self.false_negatives is None:
            return ""
        share, low, high = self.false_negatives
        return (
            f", {self.teacher:,} by the teacher, who takes {share:.1%} [{low:.1%}, {high:.1%}] of what would have been "
            "a negative for an answer"
        )


_COUNTS = [each.name for each in fields(MiningReport) if each.name != "false_negatives"]


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
    collection: Collection,
    examples: Examples,
    queries: Sequence[str],
    held_out: set[str],
    settings: TrainingSettings,
    teacher: Teacher | None = None,
) -> tuple[list[Triplet], MiningReport]:
    """One triplet for each pair of query and positive, `settings.negatives` negatives each; the same every time.

    Hard negatives, as `hard_negatives` finds them; the places that these leave are filled with others, drawn by the
    seed. Raises InputError where there are too few documents.
    """
    found, report = hard_negatives(collection, examples, queries, held_out, settings, teacher)
    ids = [document for document in sorted(examples.documents) if document not in held_out]
    draw = random.Random(settings.seed)  # noqa: S311 - a draw that can be repeated, no secret
    triplets = []
    for each in found:
        lacking = settings.negatives - len(each.negatives)
        drawn = _drawn(ids, {*examples.positives[each.query], *each.negatives}, lacking, draw)
        triplets.append(replace(each, negatives=(*each.negatives, *drawn)))
        report.filled += lacking
    return triplets, report


def hard_negatives(
    collection: Collection,
    examples: Examples,
    queries: Sequence[str],
    held_out: set[str],
    settings: TrainingSettings,
    teacher: Teacher | None = None,
) -> tuple[list[Triplet], MiningReport]:
    """One triplet for each pair of query and positive, with at most `settings.negatives` negatives, nearest first.

    Negatives that came with the data go first. Candidates are ranked by hybrid search if there is a lexical index; the
    margin uses dense scores (positive-aware mining, Moreira et al. 2024), and by the teacher's too where there is one.
    held_out: documents that may not be used.
    """
    report = MiningReport()
    candidates = _candidates(collection, examples, queries, held_out, settings, report)
    if teacher is not None:
        candidates = _unlike_answers(candidates, examples, settings, teacher, report)
    triplets = []
    for (query, positive), found in candidates.items():
        given = [each for each in examples.negatives.get(query, ()) if each not in held_out][: settings.negatives]
        negatives = list(dict.fromkeys([*given, *found]))[: settings.negatives]
        report.given += len(given)
        report.kept += len(negatives)
        triplets.append(Triplet(query, positive, tuple(negatives)))
    return triplets, report


def _candidates(
    collection: Collection,
    examples: Examples,
    queries: Sequence[str],
    held_out: set[str],
    settings: TrainingSettings,
    report: MiningReport,
) -> Candidates:
    texts = {query: examples.queries[query] for query in queries}
    found = collection.run(texts, depth=settings.window[1], ranker=False) if settings.negatives else {}
    dense = collection.run(texts, depth=DEPTH, mode="dense") if settings.negatives else {}
    candidates = {}
    for query in queries:
        window, scores = ranked(found.get(query, {}))[settings.window[0] :], dense.get(query, {})
        for positive in examples.positives[query]:
            limit = _limit(scores, positive, settings.margin)
            candidates[query, positive] = _taken(window, examples, (query, positive), held_out, (scores, limit), report)
    return candidates


def _unlike_answers(
    candidates: Candidates, examples: Examples, settings: TrainingSettings, teacher: Teacher, report: MiningReport
) -> Candidates:
    """The first candidates of each pair, without those that the teacher rates as answers."""
    some = {pair: found[: SPARE * settings.negatives] for pair, found in candidates.items()}
    wanted: dict[str, list[str]] = {}
    for (query, positive), found in some.items():
        wanted.setdefault(query, []).extend([positive, *found])
    scores = rated(teacher, examples, wanted)
    left, answers = {}, []
    for (query, positive), found in some.items():
        limit = settings.margin * scores[query][positive]
        close = [scores[query][each] > limit for each in found]
        report.teacher += sum(close)
        answers += close[: settings.negatives]
        left[query, positive] = [each for each, too_close in zip(found, close, strict=True) if not too_close]
    interval = share_interval(sum(answers), len(answers))
    report.false_negatives = (sum(answers) / max(1, len(answers)), interval.low, interval.high)
    return left


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
    score = scores.get(positive, min(scores.values(), default=0.0))
    return score * (margin if score >= 0 else 2 - margin)  # below the score by the same share of its size


def _taken(
    window: Sequence[str],
    examples: Examples,
    pair: tuple[str, str],
    held_out: set[str],
    scored: tuple[Mapping[str, float], float],
    report: MiningReport,
) -> list[str]:
    (query, _), (scores, limit) = pair, scored
    last = min(scores.values(), default=0.0)
    answers = {examples.text(each) for each in examples.positives[query]}
    taken = []
    for candidate in window:
        report.candidates += 1
        if candidate in examples.positives[query]:
            report.judged += 1
        elif candidate in held_out:
            report.held_out += 1
        elif examples.text(candidate) in answers:
            report.same_text += 1
        elif scores.get(candidate, last) > limit:
            report.margin += 1
        else:
            taken.append(candidate)
    return taken
