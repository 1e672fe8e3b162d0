"""The settings of lexical and hybrid search, which are published together with the lexical index."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from twofold.engine import LEXICAL, EngineSnapshot
from twofold.lexical.analysing import LexicalSettings
from twofold.searching.fusion import Fusion
from twofold.searching.relevance import Calibration, Relevance, calibrations_from_json, calibrations_to_json
from twofold.space import Space
from twofold.tuning.pipelines import Choice
from twofold.tuning.sharing import Learned

MIXING = "mixing"
"""The field of the state that says of each space how its scores are mixed with lexical scores."""


@dataclass(frozen=True, slots=True)
class LexicalReport:
    """How a collection is searched lexically, and how that is mixed with the dense scores of one space.

    fusion: how dense and lexical scores are mixed; None where texts have no cosines, so that only lexical search
    answers them. settings: how texts become terms. documents: their number when this was measured. learned: the lexical
    share learned from judgements, and its evidence; None where there were none. reason: why the analyser was chosen,
    empty where somebody chose it or nothing could be told. calibrations: of relevance, by mode or by the name of a
    ranker; empty without judgements. pipeline: the way of searching that was chosen within a budget; None without one.
    """

    fusion: Fusion | None
    settings: LexicalSettings
    documents: int
    learned: Learned | None = None
    reason: str = ""
    calibrations: Mapping[str, Calibration] = field(default_factory=dict)
    pipeline: Choice | None = None

    @property
    def told(self) -> str:
        """The analyser, and what of the texts it was chosen for; empty where nothing was told from them."""
        return f"{self.settings.analyser}, since the texts are {self.reason}" if self.reason else ""

    def __str__(self) -> str:
        """The lexical settings of a collection, in a sentence."""
        fusion, learned = self.fusion, self.learned
        if fusion is None:
            return (
                f"{self.settings.analyser}; not mixed with dense scores, which are dot products here (--mode lexical)"
            )
        said = f"{self.settings.analyser}; chance cosine {fusion.chance:.3f}; lexical share {fusion.share:g}"
        if learned is None:
            return f"{said} (no judgements)"
        return (
            f"{said}, learned from {learned.questions:,} judged questions: nDCG@10 {learned.held_out:.4f} held out, "
            f"{learned.gain:+.4f} [{learned.low:+.4f}, {learned.high:+.4f}] against the default, "
            f"{learned.dense:.4f} by dense search alone"
        )

    def relevance(self, snapshot: EngineSnapshot) -> Relevance:
        """How scores become probabilities in this collection."""
        return Relevance(fusion=self.fusion, documents=snapshot.counts.documents, calibrations=self.calibrations)

    def to_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        learned = None if self.learned is None else self.learned.to_json()
        return {
            "fusion": None if self.fusion is None else self.fusion.to_json(),
            "settings": self.settings.to_json(),
            "documents": self.documents,
            "learned": learned,
            "reason": self.reason,
            "calibrations": calibrations_to_json(self.calibrations),
            "pipeline": None if self.pipeline is None else self.pipeline.to_json(),
        }

    @classmethod
    def of(cls, snapshot: EngineSnapshot, space: Space | None = None) -> LexicalReport | None:
        """The settings for a space of a snapshot, the default one unless it is given.

        None where the collection has no lexical index, or none of its settings is for this space.
        """
        state = snapshot.state(LEXICAL)
        mixed = None if state is None else state[MIXING].get((space or snapshot.space).name)
        if mixed is None:
            return None
        return cls(
            None if mixed["fusion"] is None else Fusion.from_json(mixed["fusion"]),
            LexicalSettings.from_json(state["lexical"]),
            mixed["documents"],
            None if mixed["learned"] is None else Learned.from_json(mixed["learned"]),
            mixed["reason"],
            calibrations_from_json(mixed.get("calibrations", {})),
            None if mixed.get("pipeline") is None else Choice.from_json(mixed["pipeline"]),
        )

    def state(self, snapshot: EngineSnapshot, space: Space) -> dict[str, Any]:
        """The state LEXICAL with this report for a space, and the snapshot's values for the others.

        For every other space as well: what is mixed by chance alone does not depend on how texts become terms.
        """
        before = snapshot.state(LEXICAL) or {MIXING: {}}
        kept = {each.name for each in snapshot.spaces} & before[MIXING].keys()
        own = {name: value for name, value in self.to_json().items() if name != "settings"}
        mixing = {name: before[MIXING][name] for name in sorted(kept)} | {space.name: own}
        return {**before, "lexical": self.settings.to_json(), MIXING: mixing}
