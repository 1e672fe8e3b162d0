"""What a collection knows of its lexical index: where it is, and what is said of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from twofold.engine import LEXICAL
from twofold.engines.local.derived.lexical.texts import Division
from twofold.engines.local.snapshot import StoredSnapshot
from twofold.lexical.analysing import LexicalSettings

AREA = "lexical"


@dataclass(frozen=True, slots=True)
class Known:
    """The state that the catalogue keeps, so that a snapshot sees the index and what is said of it together.

    about: JSON of what is above the engine; `lexical` in it says how texts become terms. folder: the name of the
    index's folder. since: the commit of which the index was begun: it lacks what was deleted by then, and has whatever
    was added, deleted later or not.
    """

    about: Mapping[str, Any]
    folder: str
    since: int
    passages: Division | None = None

    @property
    def settings(self) -> LexicalSettings:
        """How texts become terms."""
        return LexicalSettings.from_json(self.about["lexical"])

    @classmethod
    def of(cls, snapshot: StoredSnapshot) -> Known | None:
        """What a snapshot says; None where the collection has no lexical index."""
        state = snapshot.state(LEXICAL)
        if state is None:
            return None
        about = {name: value for name, value in state.items() if name not in ("folder", "since", "passages")}
        name, begun = state.get("passages") or (None, 0)
        return cls(
            about, state.get("folder", ""), state.get("since", 0), None if name is None else (str(name), int(begun))
        )

    def to_json(self) -> dict[str, Any]:
        """The state as JSON values."""
        passages = {} if self.passages is None else {"passages": [*self.passages]}
        return {**self.about, "folder": self.folder, "since": self.since, **passages}
