"""What the pages of docs/api/ describe, in their order; api_reference.py writes them."""

from __future__ import annotations

from importlib import import_module
from typing import Any, NamedTuple

import twofold

ERRORS = [name for name in twofold.__all__ if name.endswith("Error")]


class Entry(NamedTuple):
    """One name of a page. place: `module:name`, or a public name of twofold. title: what the heading calls it."""

    place: str
    title: str = ""

    @property
    def name(self) -> str:
        """The heading."""
        return self.title or self.place.rpartition(":")[2]

    @property
    def is_public(self) -> bool:
        """Whether it is `twofold.NAME`."""
        return ":" not in self.place

    @property
    def thing(self) -> Any:
        """What is described."""
        module, _, name = self.place.rpartition(":")
        return getattr(import_module(module or "twofold"), name)


class Subject(NamedTuple):
    """A page: its file's name, title, first words, and entries in their order."""

    file: str
    title: str
    opening: str
    entries: tuple[Entry, ...]


def _entries(*places: str) -> tuple[Entry, ...]:
    return tuple(Entry(place) for place in places)


SUBJECTS = (
    Subject(
        "collection",
        "Collections",
        "Creating, opening and changing a collection, reading what it holds, and its upkeep. "
        "Its methods that search are on [a page of their own](search.md).",
        _entries(
            "open_or_create",
            "create",
            "open",
            "Collection",
            "connect",
            "connect_async",
            "twofold.serving.client:RemoteCollection",
            "twofold.serving.client:AsyncCollection",
            "AddReport",
            "Progress",
            "twofold.collection.settings:Settings",
            "TokenSettings",
            "twofold.collection.information:Info",
            "twofold.collection.information:SpaceInfo",
            "twofold.collection.lexical_report:LexicalReport",
            "twofold.tuning.pipelines:Choice",
            "twofold.tuning.pipelines:Way",
            "twofold.searching.pipeline:Pipeline",
            "twofold.index_report:IndexReport",
            "twofold.index_report:OperatingPoint",
            "twofold.index_report:RecallReport",
            "twofold.reports:OptimizeReport",
            "twofold.reports:CompactReport",
            "twofold.reports:VerifyReport",
            "twofold.reports:Damage",
            "twofold.reports:BackupReport",
            "twofold.collection.exporting:ExportReport",
            "copy",
            "import_from",
            "twofold.collection.importing:ImportReport",
            "twofold.collection.copying:CopyReport",
            "twofold.collection.differing:Differences",
            "twofold.collection.ranking_differences:RankingDifference",
            "twofold.collection.migrating:MigrationReport",
            "twofold.collection.migrating:MigrationCost",
        ),
    ),
    Subject(
        "search",
        "Search and hits",
        "The methods of a collection that search, and what they return. [Filters](../filters.md) explains `where`, "
        "[scores](../scores.md) what a score says.",
        (
            Entry("twofold.collection.searches:Searching", "Collection"),
            *_entries(
                "Hits",
                "Hit",
                "twofold.searching.searcher:SnapshotSearcher",
                "load_cross_encoder",
                "CrossEncoder",
                "load_late_interaction",
                "twofold.rankers.late_interaction:LateInteraction",
                "twofold.rankers.cross_encoder:RankedText",
                "twofold.protocols:Ranker",
                "twofold.protocols:PairRanker",
                "twofold.protocols:ProbableRanker",
                "twofold.protocols:BoundedRanker",
            ),
        ),
    ),
    Subject(
        "documents",
        "Documents and reading",
        "What a collection stores, and reading it from files. "
        "[Documents, metadata and filters](../filters.md) says what becomes of each type of value.",
        _entries("Document", "Passage", "read", "Fields", "twofold.reports:ReadReport", "read_qrels", "read_run"),
    ),
    Subject(
        "encoders",
        "Encoders",
        "Texts in, vectors out. [Extending](../extending.md) shows an encoder of your own.",
        _entries(
            "load_encoder",
            "list_models",
            "similarity",
            "Contract",
            "EncodingReport",
            "HashedWords",
            "GivenVectors",
            "ApiEncoder",
            "twofold.encoders.adapted:AdaptedEncoder",
            "twofold.models.listing:ListedModel",
            "twofold.encoders.transformer:TransformerEncoder",
            "twofold.encoders.quantizing:quantize",
            "twofold.rankers.quantizing:quantize_cross_encoder",
            "twofold.encoders.quantization_report:QuantizationReport",
            "twofold.encoders.quantization_report:VectorLoss",
            "twofold.encoders.quantization_report:ScoreLoss",
            "twofold.protocols:Encoder",
            "twofold.protocols:TokenSpans",
            "twofold.protocols:KnowsWriting",
        ),
    ),
    Subject(
        "evaluation",
        "Evaluation",
        "Judged queries, measured and compared. [Evaluation](../evaluation.md) explains measures, intervals and tests.",
        _entries(
            "evaluate",
            "compare",
            "twofold.evaluation.evaluating:Evaluation",
            "twofold.evaluation.evaluating:Measured",
            "twofold.evaluation.latency:Latency",
            "twofold.evaluation.comparison:Comparison",
            "twofold.evaluation.comparison:Contrast",
        ),
    ),
    Subject(
        "training",
        "Training",
        "An encoder fine-tuned on your own pairs, and hard negatives for other trainers. [Training](../training.md) "
        "says whether it helps, and how much.",
        _entries(
            "train",
            "twofold.training.settings:TrainingSettings",
            "twofold.training.rankers:train_ranker",
            "twofold.training.ranker_settings:RankerSettings",
            "twofold.training.outcome:TrainingOutcome",
            "mine",
            "twofold.training.mined:Mined",
            "twofold.training.mined:HardNegatives",
        ),
    ),
    Subject(
        "errors",
        "Errors",
        "All errors are one tree. A message says what happened, where, and what to do; on the command line each of "
        "them is exit status 1.",
        _entries(*sorted(ERRORS, key=lambda name: (name != "TwofoldError", name)), "twofold.errors:UnfitIndexError"),
    ),
)


ALIASES = (
    "twofold.collection.collection:Documents",
    "twofold.scores:Vectors",
    "twofold.scores:Scores",
    "twofold.scores:Similarity",
    "twofold.protocols:AnyEncoder",
    "twofold.rankings:Run",
    "twofold.rankings:Qrels",
    "twofold.searching.hybrid:SearchMode",
    "twofold.passages.sizes:PassageMode",
    "twofold.values:Json",
    "twofold.values:Scalar",
    "twofold.readers.opening:PathLike",
)
"""Names of types in signatures."""
