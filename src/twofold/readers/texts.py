"""Text files as documents: a folder of .txt, .md and .rst, or one such file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from twofold.documents import Document
from twofold.errors import InputError
from twofold.files import absolute
from twofold.readers.bad_lines import BadLines
from twofold.readers.opening import BYTE_ORDER_MARK, bare_suffix, decoded, shown, unpacked_name, whole

SUFFIXES = (".txt", ".md", ".rst")

_fence = re.compile(r"\s{0,3}(```|~~~)")
_hash_heading = re.compile(r"\s{0,3}#{1,6}\s+(.*?)(\s+#+)?\s*")
_front_title = re.compile(r"title:\s*(?P<quote>[\"']?)(?P<title>.*\S)(?P=quote)\s*")
_underline = re.compile(r"(=+|-+|~+|\^+|\*+|#+|\"+)\s*")


def read_texts(folder: Path, bad: BadLines) -> Iterator[Document]:
    """A document for each text file below a folder, sorted by path; hidden files and folders are left out.

    id: the folder's name and the path below it, with slashes. title: the first heading (or the `title:` of a Markdown
    file's front matter), else the file's name without suffix. text: the whole file. A file without any text is counted
    as skipped; one that is no UTF-8 or may not be read is a bad one. Other files, hidden ones and links to folders,
    which are not followed, are counted in the report as left out.
    """
    within = _prefix_of(folder)
    for path in text_files(folder, bad):
        document = read_text(path, within + path.relative_to(folder).as_posix(), bad)
        if document is not None:
            yield document


def read_text(path: Path, identifier: str, bad: BadLines) -> Document | None:
    """One text file as a document; None where it was skipped."""
    try:
        text = decoded(whole(path).removeprefix(BYTE_ORDER_MARK), path)
        if not text.strip():
            bad.report.skip(f"{shown(path)}: an empty file")
            return None
        return _document(path, identifier, text)
    except InputError as error:
        bad.take(error)
        return None


def has_texts(folder: Path) -> bool:
    """Whether there is a text file below the folder."""
    return next(text_files(folder, BadLines(skip=True)), None) is not None


def identifier_of_file(path: Path) -> str:
    """The id of a text file that was named itself: its relative path as given; of an absolute path the name."""
    return path.name if path.is_absolute() else Path(os.path.normpath(path)).as_posix()


def check_identifiers(paths: Sequence[Path]) -> None:
    """Raises InputError where two text files, given or below the folders given, would have one id."""
    files: dict[str, Path] = {}
    folders: list[tuple[str, Path]] = []
    for given in paths:
        for identifier, path in _identified(given) if files or folders else ():
            of_that_name = (
                folder / identifier[len(within) :] for within, folder in folders if identifier.startswith(within)
            )
            for other in (files.get(identifier), *of_that_name):
                if other is not None and other.is_file() and path.exists() and not other.samefile(path):
                    raise InputError(
                        f"{shown(other)} and {shown(path)} would be one document, {identifier!r}. Name the folder "
                        "above both: each file's id is then that folder's name and its path below it"
                    )
        if given.is_dir():
            folders.append((_prefix_of(given), given))
        else:
            files[identifier_of_file(given)] = given


def _identified(given: Path) -> Iterator[tuple[str, Path]]:
    """(id, path) of the text files that were given."""
    if not given.is_dir():
        yield identifier_of_file(given), given
        return
    within = _prefix_of(given)
    for path in text_files(given, BadLines(skip=True)):
        yield within + path.relative_to(given).as_posix(), path


def _prefix_of(folder: Path) -> str:
    """The prefix of the ids of a folder's files: its name and a slash; empty for the root, which has no name.

    Without it, files of one name would replace one another when their folders are indexed one after the other.
    """
    name = absolute(folder).resolve().name if folder.name in ("", "..") else folder.name
    return f"{name}/" if name else ""


def _document(path: Path, identifier: str, text: str) -> Document:
    title = _heading(text, bare_suffix(path)) or unpacked_name(path).stem
    try:
        return Document(identifier, text, title)
    except InputError as error:
        raise InputError(str(error), path=ascii(os.fspath(path))[1:-1]) from None


def text_files(folder: Path, bad: BadLines) -> Iterator[Path]:
    """The text files below a folder, sorted by path; what is left out is counted in the report."""
    try:
        with os.scandir(folder) as entries:
            # A folder sorts as its name with a slash, so that the paths below it come in the order of whole paths.
            found = sorted(
                (entry.name + "/" if entry.is_dir(follow_symlinks=False) else entry.name, entry.path)
                for entry in entries
            )
    except OSError as error:
        bad.take(InputError(f"cannot be read: {error.strerror or error}", path=folder))
        return
    for name, path in found:
        if name.startswith("."):
            bad.report.leave_out("hidden", path)
        elif name.endswith("/"):
            yield from text_files(Path(path), bad)
        elif os.path.isdir(path):
            bad.report.leave_out("link to a folder", path)
        elif bare_suffix(name) in SUFFIXES and (os.path.isfile(path) or not os.path.exists(path)):
            yield Path(path)  # A link to nowhere is a file that cannot be read, not one to pass over.
        else:
            bad.report.leave_out(bare_suffix(name) or "without suffix", path)


def _heading(text: str, suffix: str) -> str:
    if suffix == ".txt":
        return ""
    lines = text.splitlines()
    if suffix == ".md" and lines[0].rstrip() == "---" and "---" in lines[1:]:
        closing = lines.index("---", 1)
        named = (_front_title.fullmatch(line) for line in lines[1:closing])
        title = next((match["title"] for match in named if match), "")
        return title or _first_heading(lines[closing + 1 :], suffix)
    return _first_heading(lines, suffix)


def _first_heading(lines: list[str], suffix: str) -> str:
    before, fenced = "", False
    for line in lines:
        if suffix == ".md":
            if _fence.match(line):
                fenced = not fenced
            elif not fenced and (heading := _hash_heading.fullmatch(line)):
                return heading.group(1).strip()
        if not fenced and len(line.strip()) > 2 and _underlines(line, before, suffix):
            return before.strip()
        before = "" if _underline.fullmatch(line) else line
    return ""


def _underlines(line: str, before: str, suffix: str) -> bool:
    if not before.strip() or not _underline.fullmatch(line):
        return False
    if suffix == ".md":
        return line.strip()[0] in "=-"
    return len(line.rstrip()) >= len(before.rstrip())
