"""What every command prints with: lines and JSON to standard output, notes to standard error, nothing raw.

Documents come from anywhere. A control character in an id or a text could move the cursor, change the title of the
window or hide a line, so all of them are shown escaped. Imports nothing heavy.
"""

from __future__ import annotations

import codecs
import io
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TextIO

from twofold.tables import count_of as count_of

# C0, DEL and C1 controls; line and paragraph separators; the embeddings, overrides and isolates of direction.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_SPACES = re.compile(r"[ \t\r\n\f\v]+")


_quiet = ContextVar("quiet", default=False)


class OutputError(Exception):
    """Standard output cannot be written, and why. Not an OSError, which a command may take for one of its own files."""


@contextmanager
def results() -> Iterator[TextIO]:
    """Standard output, to write to it. Raises OutputError where that fails, BrokenPipeError where nobody reads it."""
    try:
        yield sys.stdout
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"standard output cannot be written: {error.strerror or error}") from error


def visible(text: str) -> str:
    """The text in one line that a terminal may be given: runs of white space are one space, controls are escaped."""
    return without_controls(_SPACES.sub(" ", text).strip())


def without_controls(line: str) -> str:
    """A line of a table with its spaces, its controls escaped."""
    return _CONTROLS.sub(lambda found: _escaped(found[0], "\\x{:02x}"), line)


def print_line(text: str = "") -> None:
    """One line to standard output, as it is; parts that come from documents go through `visible` first."""
    with results() as output:
        print(text, file=output)


def print_json(value: dict[str, Any]) -> None:
    """One JSON object on one line to standard output; every control character in it is escaped.

    Where the output is no UTF-8 everything beyond ASCII is, so that it is JSON in every encoding.
    """
    line = json.dumps(value, ensure_ascii=not _is_utf_8(sys.stdout), allow_nan=False)
    print_line(_CONTROLS.sub(lambda found: _escaped(found[0], "\\u{:04x}"), line))


@contextmanager
def results_in_utf_8() -> Iterator[TextIO]:
    """Standard output in UTF-8, whatever the terminal's encoding: for files of a format that says so, such as runs.

    Raises what `results` raises.
    """
    with results() as output:
        if not isinstance(output, io.TextIOWrapper):
            yield output
            return
        before = output.encoding
        output.reconfigure(encoding="utf-8")
        try:
            yield output
        finally:
            output.reconfigure(encoding=before)


def _is_utf_8(stream: TextIO) -> bool:
    return codecs.lookup(stream.encoding or "ascii").name == "utf-8"


def say(text: str) -> None:
    """One line to standard error."""
    print(visible(text), file=sys.stderr)  # noqa: T201 - and the one for all else


def note(text: str) -> None:
    """One line to standard error, but not with --quiet: what a result does not need to be understood."""
    if not is_quiet():
        say(text)


def is_quiet() -> bool:
    """Whether notes and progress are left out."""
    return _quiet.get()


@contextmanager
def quietly(quiet: bool) -> Iterator[None]:
    """Leaves notes and progress out of a block, if that is asked for."""
    before = _quiet.set(quiet)
    try:
        yield
    finally:
        _quiet.reset(before)


def _escaped(character: str, narrow: str) -> str:
    code = ord(character)
    return narrow.format(code) if code < 0x100 else f"\\u{code:04x}"
