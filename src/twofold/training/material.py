"""Preparation before the first step: the data, the split, the negatives, and the base's rankings.

All but the data is stored with the checkpoints, so a resumed run does not encode and mine again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twofold.collection.collection import Collection
from twofold.encoders.transformer import TransformerEncoder
from twofold.files import write_aside
from twofold.progress import Progress
from twofold.rankings import Qrels, Run
from twofold.training.auditing import Audit, audit
from twofold.training.examples import Examples
from twofold.training.mining import MiningReport, Triplet, mine
from twofold.training.settings import TrainingSettings
from twofold.training.splitting import Split, split
from twofold.training.teaching import Teacher, taught
from twofold.training.trials import JudgedQueries, Trial, asked_of, collected, runs

KEPT = "material.json"


@dataclass(frozen=True, slots=True)
class Material:
    """trials: where the encoder is measured, the dev split first. before: the runs of the base there, by name."""

    encoder: TransformerEncoder
    examples: Examples
    parts: Split
    trials: list[Trial]
    before: Mapping[str, Run]
    triplets: list[Triplet]
    mined: MiningReport
    audit: Audit

    def counts(self) -> dict[str, int]:
        """How much was learned from, and how much was held out."""
        examples, parts = self.examples, self.parts
        return {
            "training_queries": len(parts.train),
            "training_pairs": sum(len(examples.positives[query]) for query in parts.train),
            "dev_queries": len(parts.dev),
            "documents": len(examples.documents),
            "near_duplicate_queries_kept_together": parts.near,
        }

    def rows(self) -> list[tuple[str, ...]]:
        """Query, answer and negatives of each triplet, as texts."""
        of = self.examples
        return [
            (of.queries[each.query], *(of.text(document) for document in (each.positive, *each.negatives)))
            for each in self.triplets
        ]

    def taught_by(self, teacher: Teacher) -> list[list[float]]:
        """The teacher's scores of the documents of each row, on the scale of cosines."""
        wanted: dict[str, list[str]] = {}
        for each in self.triplets:
            wanted.setdefault(each.query, []).extend([each.positive, *each.negatives])
        scores = taught(teacher, self.examples, wanted)
        return [
            [scores[each.query][document] for document in (each.positive, *each.negatives)] for each in self.triplets
        ]


def gathered(
    examples: Examples,
    encoder: TransformerEncoder,
    settings: TrainingSettings,
    work: Path,
    *,
    others: tuple[JudgedQueries, Sequence[Trial]],
    teacher: Teacher | None,
    progress: Progress,
) -> Material:
    """Splits, mines and evaluates the base, unless the folder of checkpoints has the results already.

    others: further trials beside the dev split: other queries for the same documents, and other collections.
    """
    dev, parts = held_out(examples, settings)
    own = Trial(dev.documents, {**dev.asked, **others[0]})
    trials = [own, *others[1]]
    known = _known(work / KEPT, trials)
    if known is None:
        with collected(encoder, own.documents(), progress) as collection:
            before = asked_of(collection, own.asked)
            triplets, mined = mined_in(collection, examples, parts, settings, teacher)
        before |= runs(encoder, others[1], progress)
        _keep(work / KEPT, before, triplets, mined)
    else:
        before, triplets, mined = known
    return Material(encoder, examples, parts, trials, before, triplets, mined, looked_at(examples, triplets, trials))


def held_out(examples: Examples, settings: TrainingSettings) -> tuple[Trial, Split]:
    """The split, and the dev part of it as a trial."""
    parts = split(examples, settings.dev_share, settings.seed)
    dev = ({query: examples.queries[query] for query in parts.dev}, examples.qrels(parts.dev))
    return Trial(examples.documents.values, {"dev": dev}), parts


def mined_in(
    collection: Collection, examples: Examples, parts: Split, settings: TrainingSettings, teacher: Teacher | None
) -> tuple[list[Triplet], MiningReport]:
    """Triplets of the training part, without any answer of the dev part."""
    of_dev = {document for query in parts.dev for document in examples.positives[query]}
    return mine(collection, examples, parts.train, of_dev, settings, teacher)


def looked_at(examples: Examples, triplets: Sequence[Triplet], others: Sequence[Trial]) -> Audit:
    """The audit, against the test split where it is among the others."""
    tested = next((trial.asked["test"] for trial in others if "test" in trial.asked), None)
    return audit(examples, triplets, None if tested is None else (tested[0], _relevant(tested[1])))


def _relevant(qrels: Qrels) -> set[str]:
    return {document for judged in qrels.values() for document, grade in judged.items() if grade > 0}


def _keep(path: Path, before: Mapping[str, Run], triplets: Sequence[Triplet], mined: MiningReport) -> None:
    kept = {"before": before, "triplets": [each.to_json() for each in triplets], "mined": mined.to_json()}
    with write_aside(path) as file:
        file.write(json.dumps(kept).encode())


def _known(path: Path, trials: Sequence[Trial]) -> tuple[dict[str, Run], list[Triplet], MiningReport] | None:
    """The stored results, if they belong to these trials."""
    try:
        kept: dict[str, Any] = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    if kept["before"].keys() != {name for trial in trials for name in trial.asked}:
        return None
    triplets = [Triplet(query, positive, tuple(negatives)) for query, positive, negatives in kept["triplets"]]
    return kept["before"], triplets, MiningReport.from_json(kept["mined"])
