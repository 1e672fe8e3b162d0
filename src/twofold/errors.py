"""Everything that Twofold raises on purpose, as one tree.

    TwofoldError                 exit status 1
    ├── InputError               what the user gave is wrong: an argument, a file, a line, a field
    │   ├── DocumentError        one document cannot be stored
    │   ├── VectorError          vectors of the wrong shape, or with values that have no meaning
    │   ├── FilterError          a `where` that cannot be understood or cannot match
    │   ├── QueryError           a search asked for what a ranking does not hold
    │   ├── TruncationError      a text is longer than the encoder reads, and that was to be an error
    │   └── UnfitIndexError      a kind of approximate index does not answer over these vectors
    ├── ModelError               a model folder or hub name that cannot be used
    ├── ContractError            the encoder at hand did not make the vectors of this collection
    ├── MissingExtraError        an optional library is not installed
    └── CollectionError          a collection on disk
        ├── NotACollectionError  the folder is none, or is none yet
        ├── FormatError          written by a newer Twofold
        ├── LockedError          another process is writing
        ├── MovedError           the folder that was opened is no longer at its path
        ├── CorruptionError      stored bytes are not those that were written
        └── StorageError         the disk refused: full, read-only, gone

A message says what happened (with values), where, and what to do. This file imports nothing of the project but
the word of a difference, and everybody may raise what stands here.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from twofold.difference import Difference

WAIT = 10.0
"""Seconds that a writing call waits for another writer before LockedError, unless it says otherwise."""
ECHOED, MESSAGE = 200, 1_000
"""Characters that a message shows of one thing that was given, and that a whole message has, at most."""


def brief(text: str, most: int = ECHOED) -> str:
    """The text as a message shows it: where it is longer than that, both ends around an ellipsis."""
    half = most // 2
    return text if len(text) <= most else f"{text[:half]}…{text[-half:]}"


class TwofoldError(Exception):
    """Base of all errors that Twofold raises on purpose."""

    def __init__(self, message: str) -> None:
        super().__init__(brief(message, MESSAGE))


class InputError(TwofoldError):
    """What the user gave is wrong; names file and line where there are any."""

    def __init__(self, message: str, *, path: str | Path | None = None, line: int | None = None) -> None:
        place = "" if path is None else f"{path}" if line is None else f"{path}, line {line}"
        super().__init__(f"{place}: {message}" if place else message)
        self.path = None if path is None else str(path)
        self.line = line


class DocumentError(InputError):
    """One document cannot be stored; carries its id as far as it is known."""

    def __init__(self, message: str, *, document_id: str | None = None) -> None:
        super().__init__(message if document_id is None else f"document {document_id!r}: {message}")
        self.document_id = document_id


class VectorError(InputError):
    """Vectors of the wrong shape or type, or with values that have no meaning (NaN, infinity, no direction)."""


class FilterError(InputError):
    """A `where` that cannot be understood, or whose field never has the type that it is compared with."""


class QueryError(InputError):
    """A search asked for what a ranking does not hold."""


class TruncationError(InputError):
    """A text is longer than the encoder reads, and `on_truncation="error"` was asked for."""


class UnfitIndexError(InputError):
    """A kind of approximate index does not answer over these vectors, as where it cannot reach all of them."""


class ModelError(TwofoldError):
    """A model folder or hub name that cannot be used; says which file or field is missing or unknown."""


class ContractError(TwofoldError):
    """The encoder at hand did not make the vectors of this collection."""

    def __init__(self, differences: Sequence[Difference]) -> None:
        super().__init__(
            f"this encoder does not fit the collection: {'; '.join(map(str, differences))}. "
            "Open the collection with the encoder it was made with, or let this one take over: twofold migrate."
        )
        self.differences = tuple(differences)


class MissingExtraError(TwofoldError):
    """An optional library is not installed."""

    def __init__(self, library: str, extra: str) -> None:
        super().__init__(f'this needs {library}, which is not installed: pip install "twofold[{extra}]"')
        self.library = library
        self.extra = extra


class CollectionError(TwofoldError):
    """Something about a collection on disk."""


class NotACollectionError(CollectionError):
    """The folder is no collection, or does not exist."""


class FormatError(CollectionError):
    """The collection was written by a newer Twofold than this one."""


class LockedError(CollectionError):
    """Another process is writing to the collection."""


class MovedError(CollectionError):
    """The folder that was opened is no longer at its path: moved, removed, or another one took its place."""


class CorruptionError(CollectionError):
    """Stored bytes are not those that were written; names the documents or the file."""


class StorageError(CollectionError):
    """The disk refused: full, read-only, gone."""
