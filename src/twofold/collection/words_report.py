"""How a collection knows its words: what is published together with its lexical index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from twofold.engine import LEXICAL, EngineSnapshot
from twofold.lexical.analysing import LexicalSettings
from twofold.searching.fusion import Fusion
from twofold.space import Space
from twofold.tuning.sharing import Learned

MIXING = "mixing"
"""The field of the state that says of each space how its scores are mixed with those of words."""


@dataclass(frozen=True, slots=True)
class WordsReport:
    """How a collection knows its words, beside one of its spaces.

    fusion: how they are mixed with meaning; None where texts have no cosines, and are searched by words alone. lexical:
    how texts become terms. documents: how many there were when that was found. learned: what judgements said of the
    share of words; None where there were none.
    """

    fusion: Fusion | None
    lexical: LexicalSettings
    documents: int
    learned: Learned | None = None

    def to_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        learned = None if self.learned is None else self.learned.to_json()
        return {
            "fusion": None if self.fusion is None else self.fusion.to_json(),
            "lexical": self.lexical.to_json(),
            "documents": self.documents,
            "learned": learned,
        }

    @classmethod
    def of(cls, snapshot: EngineSnapshot, space: Space | None = None) -> WordsReport | None:
        """What a snapshot says of a space, the default one unless it is given.

        None where the collection does not know its words, or not how to mix them with this space.
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
        )

    def state(self, snapshot: EngineSnapshot, space: Space) -> dict[str, Any]:
        """The state LEXICAL in which this is said of a space, and of the others what the snapshot says.

        For every other space as well: what is mixed by chance alone does not depend on how texts become terms.
        """
        before = snapshot.state(LEXICAL) or {MIXING: {}}
        kept = {each.name for each in snapshot.spaces} & before[MIXING].keys()
        own = {name: value for name, value in self.to_json().items() if name != "lexical"}
        mixing = {name: before[MIXING][name] for name in sorted(kept)} | {space.name: own}
        return {**before, "lexical": self.lexical.to_json(), MIXING: mixing}
