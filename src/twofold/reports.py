"""What happened to the input: cut, replaced, skipped, counted. Nothing is silent.

A caller makes an empty report and passes it in; whoever works adds to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class EncodingReport:
    """What encoding did to texts.

    texts, tokens: how many were encoded (tokens with special ones, after cutting). cut: for each text that was cut,
    its position among the texts of this report → tokens lost. surrogates: lone surrogates replaced by U+FFFD.
    """

    texts: int = 0
    tokens: int = 0
    cut: dict[int, int] = field(default_factory=dict)
    surrogates: int = 0

    @property
    def tokens_cut(self) -> int:
        """Tokens that no vector saw."""
        return sum(self.cut.values())


@dataclass(slots=True)
class ReadReport:
    """What reading did.

    read: records given out. skipped: lines or files that were bad; reasons: why the first few were. left_out: files of
    a folder that no reader is for, by kind (the suffix, or "hidden"); examples: the first of each kind.
    """

    read: int = 0
    skipped: int = 0
    reasons: list[str] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)
    examples: dict[str, str] = field(default_factory=dict)

    SHOWN = 5

    def skip(self, reason: str) -> None:
        """Counts one bad line; the first few reasons are kept."""
        self.skipped += 1
        if len(self.reasons) < self.SHOWN:
            self.reasons.append(reason)

    def leave_out(self, kind: str, path: str) -> None:
        """Counts one file that no reader is for."""
        self.left_out[kind] = self.left_out.get(kind, 0) + 1
        self.examples.setdefault(kind, path)


@dataclass(slots=True)
class AddReport:
    """What adding documents did.

    added, replaced, unchanged: documents by what became of them (metadata_only of the replaced kept their vectors).
    duplicates: ids that came more than once in this input; the last won. title_only, without_content: documents
    without a text, and with neither text nor title (kept, but never found by vector). passages: vectors written.
    truncated: documents whose vectors do not cover all of their text; tokens_cut: tokens not covered.
    """

    added: int = 0
    replaced: int = 0
    metadata_only: int = 0
    unchanged: int = 0
    duplicates: int = 0
    title_only: int = 0
    without_content: int = 0
    passages: int = 0
    truncated: int = 0
    tokens_cut: int = 0

    @property
    def documents(self) -> int:
        """Documents seen."""
        return self.added + self.replaced + self.unchanged

    def to_json(self) -> dict[str, Any]:
        """The counts by name."""
        return {name: getattr(self, name) for name in self.__slots__}
