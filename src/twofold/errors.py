"""The errors that Twofold raises, as one tree.

    TwofoldError                 exit status 1
    ├── InputError               wrong input: an argument, a file, a line, a field
    │   ├── DocumentError        one document cannot be stored
    │   ├── VectorError          vectors of the wrong shape, or with invalid values
    │   ├── FilterError          a filter (`where`) that is invalid or cannot match
    │   ├── NoDocumentError      there is no document with this id
    │   ├── QueryError           a search that cannot be answered: page, mode, query
    │   ├── TruncationError      a text is too long for the encoder, with on_truncation="error"
    │   ├── LimitError           a request asks for more than the server allows
    │   ├── NotServedError       the server has no collection, model or address of this name
    │   └── UnfitIndexError      a kind of approximate index cannot be used for these vectors
    ├── ModelError               a model folder or hub name that cannot be used
    ├── ContractError            the encoder did not make the vectors of this collection
    ├── MissingExtraError        an optional library is not installed
    ├── ServiceError             a server cannot be reached, or failed
    │   ├── UnknownKeyError      the server wants a key that it knows
    │   ├── AccessError          the key does not allow this
    │   ├── BusyError            too many requests wait there already
    │   └── LateError            the server had no answer within its time limit
    └── CollectionError          a collection on disk
        ├── NotACollectionError  the folder is no collection, or does not exist
        ├── FormatError          written by a newer Twofold
        ├── LockedError          another process is writing
        ├── MovedError           the folder that was opened is no longer at its path
        ├── CorruptionError      stored bytes differ from those that were written
        └── StorageError         the disk cannot be read or written: full, read-only, removed

A message says what happened (with values), where, and what to do. This file imports only `difference.py`, and every
package may raise these errors. A command in a message stands between backticks and can be run; the command line puts
the user's collection in place of COLLECTION.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from twofold.difference import Difference

WAIT = 10.0
"""Seconds that a writing call waits for another writer before LockedError, by default."""
ECHOED, MESSAGE = 200, 1_000
"""The most characters of one value in a message, and of a whole message."""


def brief(text: str, most: int = ECHOED) -> str:
    """The text as a message shows it; a longer one is shortened to both ends around an ellipsis."""
    half = most // 2
    return text if len(text) <= most else f"{text[:half]}…{text[-half:]}"


class TwofoldError(Exception):
    """Base of all errors that Twofold raises: `except TwofoldError` catches each of them."""

    def __init__(self, message: str) -> None:
        super().__init__(brief(message, MESSAGE))


class InputError(TwofoldError):
    """Wrong input; `path` and `line` (counted from 1) name its place, None where there is none."""

    def __init__(self, message: str, *, path: str | Path | None = None, line: int | None = None) -> None:
        place = "" if path is None else f"{path}" if line is None else f"{path}, line {line}"
        super().__init__(f"{place}: {message}" if place else message)
        self.path = None if path is None else str(path)
        self.line = line


class DocumentError(InputError):
    """One document cannot be stored; `document_id` is its id, None where it is not known."""

    def __init__(self, message: str, *, document_id: str | None = None) -> None:
        super().__init__(message if document_id is None else f"document {document_id!r}: {message}")
        self.document_id = document_id


class VectorError(InputError):
    """Vectors of the wrong shape or type, or with invalid values (NaN, infinity, no direction)."""


class FilterError(InputError):
    """A filter (`where`) that is invalid, or whose field never has the type that it is compared with."""


class QueryError(InputError):
    """A search that cannot be answered: its page, mode or query."""


class TruncationError(InputError):
    """A text is too long for the encoder, with `on_truncation="error"`."""


class LimitError(InputError):
    """A request asks for more than the server allows: its size, depth, number of texts, `k`."""


class NotServedError(InputError):
    """The server has no collection, model or address of this name."""


class UnfitIndexError(InputError):
    """A kind of approximate index cannot be used for these vectors, for example if it cannot reach all of them."""


class ModelError(TwofoldError):
    """A model folder or hub name that cannot be used; names the missing or unknown file or field."""


class ContractError(TwofoldError):
    """The encoder did not make the vectors of this collection; `differences` names each field that differs."""

    def __init__(self, differences: Sequence[Difference]) -> None:
        super().__init__(
            f"this encoder does not fit the collection: {'; '.join(map(str, differences))}. "
            "Open the collection with its own encoder, or migrate it to this one: "
            "`twofold migrate COLLECTION --encoder NAME`."
        )
        self.differences = tuple(differences)


class MissingExtraError(TwofoldError):
    """An optional library is not installed; `library` names it, and `extra` what installs it."""

    def __init__(self, library: str, extra: str) -> None:
        super().__init__(f'this needs {library}, which is not installed: pip install "twofold[{extra}]"')
        self.library = library
        self.extra = extra


class ServiceError(TwofoldError):
    """A server cannot be reached, or failed."""


class UnknownKeyError(ServiceError):
    """The server wants an API key that it knows."""


class AccessError(ServiceError):
    """The API key, or the server, does not allow this."""


class BusyError(ServiceError):
    """Too many requests wait at the server already; `retry_after` is after how many seconds to ask again."""

    def __init__(self, message: str, retry_after: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class LateError(ServiceError):
    """The server had no answer within its time limit."""


class CollectionError(TwofoldError):
    """An error of a collection on disk."""


class NoDocumentError(InputError, KeyError):
    """There is no document with this id, `document_id`; a KeyError too."""

    def __init__(self, document_id: str, more: str = "") -> None:
        super().__init__(f"there is no document {brief(document_id)!r} here" + (f"; {more}" if more else ""))
        self.document_id = document_id

    __str__ = Exception.__str__  # KeyError's own shows a message in quotes


class NotACollectionError(CollectionError):
    """The folder is no collection, or does not exist."""


class FormatError(CollectionError):
    """The collection was written by a newer Twofold than this one."""


class LockedError(CollectionError):
    """Another process is writing to the collection, and did not end within the time to wait."""


class MovedError(CollectionError):
    """The folder that was opened is no longer at its path: moved, removed or replaced."""


class CorruptionError(CollectionError):
    """Stored bytes differ from those that were written; names the documents or the file."""


class StorageError(CollectionError):
    """The disk cannot be read or written: full, read-only, removed."""
