"""Reports: what was truncated, replaced, skipped or damaged, in counts.

A caller passes an empty report in; the called code adds to it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from twofold.index_report import IndexReport
from twofold.tables import count_of


@dataclass(slots=True, repr=False)
class EncodingReport:
    """Counts of encoding.

    texts, tokens: how many were encoded (with special tokens, after truncation). cut: for each truncated text, its
    position among the texts of this report → tokens lost. surrogates: lone surrogates replaced by U+FFFD.
    """

    texts: int = 0
    tokens: int = 0
    cut: dict[int, int] = field(default_factory=dict)
    surrogates: int = 0

    @property
    def tokens_cut(self) -> int:
        """Tokens that were not encoded."""
        return sum(self.cut.values())

    def __repr__(self) -> str:
        counts = f"{count_of(self.texts, 'text')}, {count_of(self.tokens, 'token')}"
        return f"<EncodingReport: {counts}, {len(self.cut):,} texts cut, {self.tokens_cut:,} tokens not encoded>"


@dataclass(slots=True)
class ReadReport:
    """Counts of reading.

    read: records returned. skipped: bad lines or files; reasons: of the first few. unread: each file (the first
    10,000) that was to be read and was not → why. left_out: files of a folder that were not to be read, by kind (the
    suffix, or "hidden"); examples: the first of each kind. notes: what was guessed.
    """

    read: int = 0
    skipped: int = 0
    reasons: list[str] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)
    examples: dict[str, str] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    SHOWN = 5
    NAMED = 10_000

    def skip(self, reason: str) -> None:
        """Counts one bad line; the first few reasons are kept."""
        self.skipped += 1
        if len(self.reasons) < self.SHOWN:
            self.reasons.append(reason)

    def skip_file(self, path: str, reason: str) -> None:
        """Counts one file that could not be read, or has no text, and keeps its name."""
        self.skip(f"{path}: {reason}")
        if len(self.unread) < self.NAMED:
            self.unread[path] = reason

    def note(self, said: str) -> None:
        """Says once what was guessed."""
        if said not in self.notes and len(self.notes) < self.SHOWN:
            self.notes.append(said)

    def leave_out(self, kind: str, path: str) -> None:
        """Counts one file for which there is no reader."""
        self.left_out[kind] = self.left_out.get(kind, 0) + 1
        self.examples.setdefault(kind, path)


@dataclass(slots=True, repr=False)
class AddReport:
    """Counts of an addition.

    added, replaced, unchanged: documents by outcome (metadata_only of the replaced kept their vectors). duplicates: ids
    that came more than once in this input; the last one is stored. title_only, without_content: documents without a
    text, and with neither text nor title (stored, but never found by dense search). passages: vectors written. tokens:
    encoded, with special ones, where the encoder counts them. truncated: documents whose vectors do not cover all of
    their text; tokens_cut: tokens not covered. analyser: what lexical search was made for, and why, where that was told
    from the texts; empty otherwise. unsuited: that the encoder hardly knows the script of the texts, and which models
    do; empty otherwise. index: what was built, and its recall; None where none was due.
    """

    added: int = 0
    replaced: int = 0
    metadata_only: int = 0
    unchanged: int = 0
    duplicates: int = 0
    title_only: int = 0
    without_content: int = 0
    passages: int = 0
    tokens: int = 0
    truncated: int = 0
    tokens_cut: int = 0
    analyser: str = ""
    unsuited: str = ""
    index: IndexReport | None = None

    @property
    def documents(self) -> int:
        """Documents seen."""
        return self.added + self.replaced + self.unchanged

    def __repr__(self) -> str:
        names = [name for name in self.__slots__ if isinstance(getattr(self, name), int) and getattr(self, name)]
        counts = ", ".join(f"{getattr(self, name):,} {name.replace('_', ' ')}" for name in names)
        index = "" if self.index is None else f"; index {self.index.in_short}"
        return f"<AddReport: {counts or 'nothing added'}{index}>"

    def to_json(self) -> dict[str, Any]:
        """The counts by name, and the report of the index."""
        index = None if self.index is None else self.index.to_json()
        return {**{name: getattr(self, name) for name in self.__slots__}, "index": index}


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactReport:
    """What a compaction removed: lines of deleted or replaced documents, rows of vectors, bytes on disk.

    rewritten: live rows that were rewritten, since deleted ones were in their files.
    """

    documents: int
    rows: int
    bytes: int
    rewritten: int = 0

    def to_json(self) -> dict[str, Any]:
        """The figures by name."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupReport:
    """The content of a backup: the commit, its live documents and passages, and its bytes on disk."""

    commit: int
    documents: int
    passages: int
    bytes: int

    def to_json(self) -> dict[str, Any]:
        """The figures by name."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Damage:
    """One place with damage: where, what, and the ids of the live documents concerned.

    derived: it can be rebuilt, nothing is lost. repaired: it was removed and is rebuilt.
    """

    place: str
    message: str
    documents: tuple[str, ...] = ()
    derived: bool = False
    repaired: bool = False

    def __str__(self) -> str:
        hit = f" (documents {', '.join(self.documents)})" if self.documents else ""
        fate = ", removed" if self.repaired else ""
        return f"{self.place}: {self.message}{hit}{f' (derived{fate})' if self.derived else ''}"


@dataclass(slots=True, repr=False)
class VerifyReport:
    """What was verified, and what is damaged.

    documents: lines read, deleted ones among them. rows: vectors read. bytes: of texts and vectors.
    """

    documents: int = 0
    rows: int = 0
    bytes: int = 0
    damage: list[Damage] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether there is no damage that was not repaired."""
        return all(each.repaired for each in self.damage)

    def __repr__(self) -> str:
        found = count_of(len(self.damage), "damaged place") if self.damage else "no damage"
        return f"<VerifyReport: {found}, {count_of(self.documents, 'document')}, {count_of(self.rows, 'row')}>"

    def to_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        return {**asdict(self), "clean": self.clean}


@dataclass(frozen=True, slots=True)
class OptimizeReport:
    """What optimizing removed, and the index that is used now."""

    compact: CompactReport
    index: IndexReport

    def to_json(self) -> dict[str, Any]:
        """Both as JSON values."""
        return {**self.compact.to_json(), "index": self.index.to_json()}
