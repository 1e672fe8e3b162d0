"""How a collection knows its words: what is published together with its lexical index."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from twofold.engine import LEXICAL, EngineSnapshot
from twofold.lexical.analysing import LexicalSettings
from twofold.searching.fusion import Fusion
from twofold.tuning.sharing import Learned


@dataclass(frozen=True, slots=True)
class WordsReport:
    """How a collection knows its words.

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
    def of(cls, snapshot: EngineSnapshot) -> WordsReport | None:
        """What a snapshot says; None where the collection does not know its words."""
        state = snapshot.state(LEXICAL)
        return None if state is None else cls.from_json(state)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> WordsReport:
        """The report that `to_json` wrote."""
        return cls(
            None if values["fusion"] is None else Fusion.from_json(values["fusion"]),
            LexicalSettings.from_json(values["lexical"]),
            values["documents"],
            None if values["learned"] is None else Learned.from_json(values["learned"]),
        )
