"""PDF: the text of each page, with the headings that its outline names."""

from __future__ import annotations

import io
import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from twofold.errors import InputError, MissingExtraError
from twofold.readers.files.extracted import MOST_BYTES, PAGE, Extracted, content, too_large
from twofold.readers.opening import COMPRESSED

DEEPEST = 6
"""Levels of headings, as in Markdown."""


def of_pdf(path: Path) -> Iterator[Extracted]:
    """Pages separated by PAGE. title, author: as the file says. A page's line that is an entry of the outline becomes a
    heading of its level. Raises InputError for a file that is damaged or encrypted, MissingExtraError."""
    try:
        from pypdf import PdfReader
        from pypdf.errors import FileNotDecryptedError
    except ImportError:
        raise MissingExtraError("pypdf", "files") from None
    # It logs a line for each small fault, which Python would write to standard error.
    logging.getLogger("pypdf").addHandler(logging.NullHandler())
    with ExitStack() as stack:
        file = io.BytesIO(content(path)) if path.suffix.lower() in COMPRESSED else stack.enter_context(_file(path))
        try:
            reader = PdfReader(file)
            pages = [page.extract_text() for page in reader.pages]
            headings = _outline(reader)
            title, author = _said(reader)
        except FileNotDecryptedError:
            raise InputError("encrypted; remove its password first") from None
        except MemoryError:
            raise too_large() from None
        except Exception as error:  # noqa: BLE001 - a damaged file makes the library raise whatever it leads to
            raise InputError(f"damaged: {type(error).__name__} ({error})") from None
    text = PAGE.join(_with_headings(page, headings.get(number, ())) for number, page in enumerate(pages))
    yield Extracted(
        text if text.replace(PAGE, "").strip() else "",
        title,
        {"pages": len(pages), **({"author": author} if author else {})},
        empty=f"no text in its {len(pages)} pages; scanned pages need a program that recognises characters first",
    )


def _file(path: Path) -> Any:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise too_large()
        return open(path, "rb")
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}") from None


def _said(reader: Any) -> tuple[str, str]:
    about = reader.metadata
    title, author = (about.title, about.author) if about is not None else (None, None)
    return " ".join(str(title or "").split()), " ".join(str(author or "").split())


def _outline(reader: Any) -> dict[int, list[tuple[str, int]]]:
    """The entries of the outline by page, from 0: (title, level)."""
    found: dict[int, list[tuple[str, int]]] = defaultdict(list)
    waiting: list[tuple[Any, int]] = [(reader.outline, 1)]
    numbers = {}
    if reader.outline:
        numbers = {page.indirect_reference.idnum: number for number, page in enumerate(reader.pages)}
    while waiting:
        entry, level = waiting.pop()
        if isinstance(entry, list):
            # The entries below one follow it as a list of their own.
            waiting += reversed([(each, level + isinstance(each, list)) for each in entry])
            continue
        place = getattr(entry.page, "idnum", None)
        if place in numbers and entry.title:
            found[numbers[place]].append((str(entry.title), min(level, DEEPEST)))
    return found


def _with_headings(page: str, headings: Sequence[tuple[str, int]]) -> str:
    """The page, in which the lines that are these headings, in their order, are marked as such."""
    if not headings:
        return page
    lines = page.split("\n")
    place = 0
    for title, level in headings:
        wanted = _bare(title)
        found = next((at for at in range(place, len(lines)) if _bare(lines[at]) == wanted), None)
        if found is not None:
            lines[found] = f"\n{'#' * level} {lines[found].strip()}\n"
            place = found + 1
    return "\n".join(lines)


def _bare(text: str) -> str:
    return "".join(text.split()).casefold()
