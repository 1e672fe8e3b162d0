"""What a file's text is after extraction, and how much of a file is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twofold.errors import InputError
from twofold.readers.opening import READING_ERRORS, opened, unreadable

MOST_BYTES = 1 << 28
"""The most bytes that a file, or what is packed in it, may have: 256 MiB. A packed file can be a thousand times its
size."""
PAGE = "\f"
"""Between two pages or slides: the number of a place's page is the count of form feeds before it, plus one."""


@dataclass(frozen=True, slots=True)
class Extracted:
    """The text of a file, or of one part of it.

    text: headings are lines of `#`, as Markdown writes them; pages are separated by PAGE. title: empty where the file
    names none. metadata: what the file says of itself. part: tells several documents of one file apart; empty where a
    file is one document. empty: why there may be no text.
    """

    text: str
    title: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    part: str = ""
    empty: str = "an empty file"


Extractor = Callable[[Path], Iterator[Extracted]]
"""The documents of one file. Raises InputError where it is damaged, MissingExtraError without the library."""


def content(path: Path) -> bytes:
    """All bytes of a file, unpacked. Raises InputError where it cannot be read, or has more than MOST_BYTES."""
    try:
        with opened(path) as file:
            read = file.read(MOST_BYTES + 1)
    except READING_ERRORS as error:
        raise unreadable(path, error) from error
    if len(read) > MOST_BYTES:
        raise too_large()
    return read


def too_large() -> InputError:
    """The error for what has more than MOST_BYTES."""
    return InputError(f"more than {MOST_BYTES >> 20} MiB of content; divide it into smaller files")


def first_heading(text: str) -> str:
    """The first line that is a heading of `#`; empty where there is none."""
    return next((line.lstrip("#").strip() for line in text.splitlines() if line.startswith("#")), "")
