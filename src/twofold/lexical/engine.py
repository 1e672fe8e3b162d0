"""Conversion of tantivy's errors.

tantivy-py raises ValueError for nearly everything, and what its Rust code did not expect comes as a PanicException,
which is no Exception. Both mean here that the files are not what was written, or that the disk cannot be written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tantivy import Schema, SchemaBuilder

from twofold.errors import CorruptionError, LockedError, StorageError

NUMBER, TEXT = "number", "text"
"""The fields: a document's number; title and text."""
LOCKS = ".tantivy-"
"""How the names of its lock files begin: empty files that may come and go."""
TERMS = "terms"
"""The name under which tantivy finds our analyser."""

_REFUSED = re.compile(r"[Nn]o space left|[Pp]ermission denied|[Rr]ead-only file system|[Qq]uota|Too many open files")
_BUSY = re.compile(r"LockBusy|[Ll]ockfile|acquire.*lock")
AGAIN = (
    "Nothing is lost: the lexical index is derived from the documents, and `twofold verify COLLECTION --repair` builds "
    "it again"
)


def _schema() -> Schema:
    fields = SchemaBuilder().add_integer_field(NUMBER, stored=False, indexed=True, fast=True)
    return fields.add_text_field(TEXT, stored=False, tokenizer_name=TERMS, index_option="position").build()


SCHEMA = _schema()
"""What is kept of a document: where its terms stand, for phrases. Its text is not."""


@contextmanager
def speaking(folder: Path) -> Iterator[None]:
    """Work inside tantivy on a folder. Raises CorruptionError, StorageError or LockedError for what it raises."""
    try:
        yield
    except (ValueError, OSError) as error:
        raise _translated(folder, error) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise _translated(folder, error) from error


def _translated(folder: Path, error: BaseException) -> CorruptionError | StorageError | LockedError:
    said = " ".join(str(error).split())
    if _BUSY.search(said):
        return LockedError(f"{folder}: another process is writing to the lexical index; wait for it to end")
    if _REFUSED.search(said):
        return StorageError(
            f"{folder}: {said}. Nothing that was acknowledged is lost; "
            "free disk space or fix permissions, and run again."
        )
    return CorruptionError(f"{folder}: tantivy cannot read this: {said}. {AGAIN}.")
