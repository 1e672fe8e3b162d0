"""The kinds of files that are documents: by their suffixes, and what extracts their text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from twofold.documents import Document
from twofold.errors import InputError, MissingExtraError
from twofold.readers.bad_lines import BadLines
from twofold.readers.files.books import of_book
from twofold.readers.files.extracted import Extracted, Extractor
from twofold.readers.files.mail import of_mailbox, of_message
from twofold.readers.files.notebooks import of_notebook
from twofold.readers.files.office import of_slides, of_word
from twofold.readers.files.pages import of_page
from twofold.readers.files.portable import of_pdf
from twofold.readers.files.texts import of_text
from twofold.readers.opening import bare_suffix, shown, unpacked_name
from twofold.values import without_surrogates


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file: its suffixes, in small letters, what people call it, and how its text is extracted."""

    suffixes: tuple[str, ...]
    called: str
    extract: Extractor


KINDS = {
    "text": Kind((".txt", ".md", ".markdown", ".rst"), "text, Markdown, reStructuredText", of_text),
    "html": Kind((".html", ".htm", ".xhtml"), "web pages", of_page),
    "pdf": Kind((".pdf",), "PDF", of_pdf),
    "docx": Kind((".docx",), "Word", of_word),
    "pptx": Kind((".pptx",), "PowerPoint", of_slides),
    "epub": Kind((".epub",), "books", of_book),
    "ipynb": Kind((".ipynb",), "notebooks", of_notebook),
    "eml": Kind((".eml",), "messages", of_message),
    "mbox": Kind((".mbox",), "mailboxes", of_mailbox),
}
"""Format → kind. A file of another suffix can be read as one of these, where it is named with its format."""

FILES = "files"
"""The format of a folder of all of these."""
KIND_OF_SUFFIX = {suffix: name for name, kind in KINDS.items() for suffix in kind.suffixes}


def suffixes_of(format: str) -> tuple[str, ...]:  # noqa: A002 - as `read` calls it
    """The suffixes of the files that are read from a folder."""
    return tuple(KIND_OF_SUFFIX) if format == FILES else KINDS[format].suffixes


def documents_of(path: Path, identifier: str, format: str, bad: BadLines, *, inside: bool) -> Iterator[Document]:  # noqa: A002
    """The documents of one file. One that cannot be read, or has no text, is a bad one or skipped, and named.

    inside: it was found in a folder; then what needs a library that is not installed is left out, and named.
    """
    kind = KIND_OF_SUFFIX.get(bare_suffix(path), "text") if format == FILES else format
    try:
        for part in KINDS[kind].extract(path):
            if part.text.strip():
                yield _document(path, identifier, part)
            else:
                bad.report.skip_file(shown(path), part.empty)
    except MissingExtraError as error:
        if not inside:
            raise
        bad.report.leave_out(f"{bare_suffix(path)} ({error})", str(path))
    except InputError as error:
        bad.take_file(path, error)


def _document(path: Path, identifier: str, part: Extracted) -> Document:
    whole = f"{identifier}#{part.part}" if part.part else identifier
    # A file's name is checked with its id, so a lone surrogate in one is refused there.
    text, title = (without_surrogates(each)[0] for each in (part.text, part.title))
    return Document(whole, text, title or unpacked_name(path).stem, part.metadata)
