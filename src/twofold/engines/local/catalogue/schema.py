"""The catalogue's tables, and the head: the row that describes the last commit.

Columns that filters and listings read come before the text, so that reading them skips the text.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field

from twofold.engines.local.catalogue import checksums
from twofold.engines.local.layout import FORMAT
from twofold.errors import CorruptionError, FormatError

APPLICATION_ID = 0x32464C44  # "2FLD": what `file` and SQLite's own tools show
PAGE_BYTES = 4096
"""What SQLite makes its pages by default."""
CHECKPOINT_PAGES = 4096
"""The write-ahead log is folded into the catalogue once it holds so many pages (16 MiB)."""
HEAD = "head"
_encode = json.JSONEncoder(separators=(",", ":")).encode

TABLES = f"""
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {FORMAT};
CREATE TABLE documents (
    number    INTEGER PRIMARY KEY,
    id        TEXT NOT NULL,
    title     TEXT NOT NULL,
    metadata  TEXT NOT NULL,
    added     INTEGER NOT NULL,
    deleted   INTEGER,
    text_hash BLOB NOT NULL,
    checksum  INTEGER NOT NULL,
    text      TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX live_ids ON documents (id) WHERE deleted IS NULL;
CREATE INDEX deletions ON documents (deleted) WHERE deleted IS NOT NULL;
CREATE TABLE blocks (
    space          TEXT NOT NULL,
    first_row      INTEGER NOT NULL,
    rows           INTEGER NOT NULL,
    segment        INTEGER NOT NULL,
    first_document INTEGER NOT NULL,
    documents      BLOB NOT NULL,
    spans          BLOB NOT NULL,
    vectors_crc    INTEGER NOT NULL,
    checksum       INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX rows ON blocks (space, first_row);
CREATE INDEX owners ON blocks (space, first_document, first_row);
CREATE TABLE segments (
    space     TEXT NOT NULL,
    number    INTEGER NOT NULL,
    id        INTEGER NOT NULL,
    first_row INTEGER NOT NULL,
    checksum  INTEGER NOT NULL,
    PRIMARY KEY (space, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE truncations (
    space    TEXT NOT NULL,
    document INTEGER NOT NULL,
    tokens   INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    PRIMARY KEY (space, document)
) STRICT, WITHOUT ROWID;
CREATE TABLE state (
    key      TEXT PRIMARY KEY,
    value    TEXT NOT NULL,
    checksum INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """The last commit's counts in one space.

    begun: the commit that began the space, to distinguish it from an earlier one of the same name. filled: documents
    with smaller numbers are in it, if they are live. next_row: the next free row number. rows: of live documents.
    truncated, tokens_cut: live documents whose vectors leave out some of their text, and how many tokens that is.
    longest: no stored vector is longer (Euclidean).
    """

    begun: int = 0
    filled: int = 0
    next_row: int = 0
    rows: int = 0
    truncated: int = 0
    tokens_cut: int = 0
    longest: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceHead(Counts):
    """The head for one space: the space's counts, and those of the collection."""

    space: str
    commit: int
    generation: int
    next_document: int
    documents: int

    @property
    def complete(self) -> bool:
        """Whether every live document is in the space."""
        return self.filled == self.next_document


NO_HEAD = SpaceHead(space="", commit=0, generation=0, next_document=0, documents=0)
"""That of a space before the first commit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The head: the last commit's counts.

    commit: its number; 0 before the first. generation: how often compacting renumbered rows. next_document: the next
    free number. documents: the live ones. total: the sum of the checksums of all other rows of the catalogue, modulo
    2^64. spaces: what each space counts.
    """

    commit: int = 0
    generation: int = 0
    next_document: int = 0
    documents: int = 0
    total: int = 0
    spaces: Mapping[str, Counts] = field(default_factory=dict)

    def of(self, space: str) -> SpaceHead:
        """The head for one space. Raises CorruptionError if there is no space of this name."""
        if space not in self.spaces:
            raise CorruptionError(
                f"the catalogue has no space {space!r}; run `twofold verify COLLECTION`, or restore a backup"
            )
        return SpaceHead(
            **{name: getattr(self.spaces[space], name) for name in Counts.__slots__},
            space=space,
            commit=self.commit,
            generation=self.generation,
            next_document=self.next_document,
            documents=self.documents,
        )

    def write(self, connection: sqlite3.Connection) -> None:
        """Replaces the head, inside the caller's transaction."""
        value = _encode(asdict(self))
        connection.execute(
            "INSERT OR REPLACE INTO state (key, value, checksum) VALUES (?, ?, ?)",
            (HEAD, value, checksums.of_row(HEAD, value)),
        )

    @classmethod
    def read(cls, connection: sqlite3.Connection) -> Head:
        """The head as this connection's transaction sees it; raises CorruptionError where it is damaged."""
        found = connection.execute("SELECT value, checksum FROM state WHERE key = ?", (HEAD,)).fetchone()
        if found is None or checksums.of_row(HEAD, found[0]) != found[1]:
            raise CorruptionError(
                "the catalogue's head is damaged or lost; run `twofold verify COLLECTION`, or restore a backup"
            )
        fields = json.loads(found[0])
        spaces = {name: Counts(**counts) for name, counts in fields.pop("spaces").items()}
        return cls(**fields, spaces=spaces)


def make_tables(connection: sqlite3.Connection, spaces: Iterable[str]) -> None:
    """Makes the tables of an empty catalogue and its first head."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(f"BEGIN IMMEDIATE; {TABLES}")
    Head(spaces={space: Counts() for space in spaces}).write(connection)
    connection.execute("COMMIT")


def check_format(connection: sqlite3.Connection) -> None:
    """Raises CorruptionError or FormatError unless this is a catalogue of a format that can be read."""
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if application != APPLICATION_ID:
        raise CorruptionError(f"the catalogue is not one of Twofold's (application id {application:#x})")
    if version > FORMAT:
        raise FormatError(
            f"the catalogue has format {version}, this Twofold reads up to format {FORMAT}. "
            "Install a newer version: pip install -U twofold"
        )
