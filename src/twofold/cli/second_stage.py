"""--rerank: a model that orders what search found."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from twofold.cli.options import PRECISIONS
from twofold.cli.output import note
from twofold.reports import EncodingReport

if TYPE_CHECKING:
    from twofold.rankers.cross_encoder import CrossEncoder
    from twofold.rankers.late_interaction import LateInteraction
    from twofold.rankers.named import LoadedRanker
    from twofold.scores import Scores

OPTIONS = ("rerank", "rerank_depth", "rerank_weight", "rerank_precision")
NONE: dict[str, Any] = {"ranker": False}
"""The options of a search without a second stage."""


def add_rerank_options(parser: Any) -> None:
    """--rerank, and how it works."""
    group = parser.add_argument_group("a second stage")
    group.add_argument(
        "--rerank",
        metavar="MODEL",
        help="order what was found by this model, a folder or a hub name: a cross-encoder, or one for late "
        "interaction, as which any encoder can serve; token-vectors: by those that the collection keeps",
    )
    group.add_argument(
        "--no-rerank", action="store_true", help="no second stage, also where tune chose one for the collection"
    )
    group.add_argument(
        "--rerank-depth",
        type=int,
        metavar="N",
        help="documents that it reads for a query; the ranking ends with them (100, or as many as are shown)",
    )
    group.add_argument(
        "--rerank-weight",
        type=float,
        metavar="X",
        help="its share in the score, above 0 and at most 1; the first score has the rest (1)",
    )
    group.add_argument(
        "--rerank-precision",
        choices=PRECISIONS,
        help="auto uses bf16 if the processor supports it; int8 rounds the weights (auto)",
    )


@dataclass(frozen=True, slots=True)
class SecondStageOptions:
    """The options of a search that name a ranker; empty without one. report: what of the texts was cut."""

    options: Mapping[str, Any] = field(default_factory=dict)
    report: EncodingReport = field(default_factory=EncodingReport)

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> SecondStageOptions:
        """Those of the command line, with the model loaded."""
        if arguments.rerank is None:
            refuse_without_model(arguments)
            return cls(NONE if arguments.no_rerank else {})
        from twofold.token_codes import STORED

        if arguments.rerank == STORED:
            if arguments.rerank_precision is not None:
                arguments.misuse("--rerank-precision is of a model that reads texts, and token vectors are stored")
            return cls(
                {"ranker": STORED, "rerank_depth": arguments.rerank_depth, "rerank_weight": arguments.rerank_weight}
            )
        from twofold.rankers.cross_encoder import CrossEncoder
        from twofold.rankers.late_interaction import LateInteraction
        from twofold.rankers.named import load_ranker

        model = load_ranker(
            arguments.rerank,
            precision=arguments.rerank_precision or "auto",
            threads=arguments.threads,
            device=arguments.device,
        )
        report = EncodingReport()
        ranker = CountingRanker(model, report)
        if isinstance(model, CrossEncoder):
            ranker = CountingCrossEncoder(model, report)
        elif isinstance(model, LateInteraction):
            ranker = CountingLateInteraction(model, report)
        return cls(
            {"ranker": ranker, "rerank_depth": arguments.rerank_depth, "rerank_weight": arguments.rerank_weight}, report
        )

    def warn(self) -> None:
        """Reports passages that were cut."""
        if self.report.cut:
            note(
                f"{len(self.report.cut):,} of {self.report.texts:,} passages cut for the second stage, "
                f"{self.report.tokens_cut:,} tokens not read"
            )


def refuse_without_model(arguments: argparse.Namespace) -> None:
    """Ends the command where an option says how --rerank works, and there is none, and where --no-rerank is too."""
    if arguments.rerank is not None and arguments.no_rerank:
        arguments.misuse("--rerank MODEL and --no-rerank contradict each other")
    for name in OPTIONS[1:]:
        if arguments.rerank is None and getattr(arguments, name) is not None:
            arguments.misuse(f"--{name.replace('_', '-')} goes with --rerank MODEL")


class CountingRanker:
    """A model that counts in a report what it cuts."""

    def __init__(self, model: LoadedRanker, report: EncodingReport) -> None:
        self._model = model
        self._report = report
        self.name = model.name

    def scores(self, query: str, texts: Sequence[str]) -> Scores:
        """The model's."""
        return self._model.scores(query, texts, report=self._report)

    def pair_scores(self, pairs: Sequence[tuple[str, str]]) -> Scores:
        """The model's."""
        return self._model.pair_scores(pairs, report=self._report)


class CountingCrossEncoder(CountingRanker):
    """One whose scores are probabilities."""

    def __init__(self, model: CrossEncoder, report: EncodingReport) -> None:
        super().__init__(model, report)
        self.probabilities = model.probabilities


class CountingLateInteraction(CountingRanker):
    """One whose scores have bounds."""

    def __init__(self, model: LateInteraction, report: EncodingReport) -> None:
        super().__init__(model, report)
        self.bounded = model.bounded
