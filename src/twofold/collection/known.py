"""What a collection knows of its words: how they are mixed with meaning, and which lexical index is the one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from twofold.engines.local.snapshot import StoredSnapshot
from twofold.lexical.analysing import LexicalSettings
from twofold.searching.fusion import Fusion
from twofold.tuning.sharing import Learned

ROOM, STATE = "lexical", "fusion"


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
    def from_json(cls, values: Mapping[str, Any]) -> WordsReport:
        """The report that `to_json` wrote."""
        return cls(
            None if values["fusion"] is None else Fusion.from_json(values["fusion"]),
            LexicalSettings.from_json(values["lexical"]),
            values["documents"],
            None if values["learned"] is None else Learned.from_json(values["learned"]),
        )


@dataclass(frozen=True, slots=True)
class Known:
    """The state that the catalogue keeps, so that a snapshot sees a report and the index that belongs to it.

    folder: the name of the index's folder. since: the commit of which the index was begun: it lacks what was deleted
    by then, and has whatever was added, deleted later or not.
    """

    report: WordsReport
    folder: str
    since: int

    @classmethod
    def of(cls, snapshot: StoredSnapshot) -> Known | None:
        """What a snapshot says; None where the collection does not know its words."""
        state = snapshot.state(STATE)
        if state is None:
            return None
        return cls(WordsReport.from_json(state), state.get("folder", ""), state.get("since", 0))

    def to_json(self) -> dict[str, Any]:
        """The state as JSON values."""
        return {**self.report.to_json(), "folder": self.folder, "since": self.since}
