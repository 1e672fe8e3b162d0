"""The state of a lexical index, and checks of its files.

The note is written before tantivy commits, and says what is there before and after. tantivy's commit decides which of
both holds: nothing is ever deleted, so the number of its documents tells them apart. Killed at any moment, the index is
at the one or at the other.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from twofold.checked_json import checked_json, parse_checked_json
from twofold.errors import CorruptionError, FormatError, InputError
from twofold.files import write_aside
from twofold.lexical import run_files
from twofold.lexical.analysing import RULES, LexicalSettings
from twofold.lexical.engine import AGAIN
from twofold.lexical.records import Records
from twofold.lexical.run_files import RunFile

FORMAT = 1
"""The version of the note, of the records, and of the fields that tantivy keeps."""
NOTE = "read.json"
META = "meta.json"
"""tantivy's list of its live segments."""
PARTS = ("fast", "fieldnorm", "idx", "pos", "store", "term")
"""The files of a segment."""
FOOTER = struct.Struct("<II")
"""How a file of tantivy ends: the bytes of its footer (JSON with the CRC-32 of all before it), and a magic number."""
MAGIC = 1337
CHUNK = 2**20
TRIES = 20
"""A writer may merge segments while one looks; it does so now and then, not all the time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The extent of the index at one moment: how many documents were read, and the runs of their records, in order."""

    documents: int = 0
    runs: tuple[RunFile, ...] = ()

    @property
    def end(self) -> int:
        """No document with this number or a greater one has been read."""
        return self.runs[-1].first + self.runs[-1].documents if self.runs else 0


EMPTY = State()


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """How texts became terms, and the states of which tantivy is at one; rules: analysing.py's."""

    settings: LexicalSettings
    states: tuple[State, ...]
    rules: int = RULES

    def at(self, documents: int) -> State | None:
        """The state with so many documents; None where there is none."""
        return next((state for state in self.states if state.documents == documents), None)


@dataclass(frozen=True, slots=True)
class Segments:
    """tantivy's list of its live segments. content: of the file. files: names. documents: how many they hold."""

    content: bytes
    files: tuple[str, ...]
    documents: int


def write(folder: Path, note: Note) -> None:
    """Replaces the note. Raises StorageError."""
    with write_aside(folder / NOTE) as file:
        file.write(as_bytes(note))


def as_bytes(note: Note) -> bytes:
    """The content of a note's file."""
    return checked_json(asdict(note), FORMAT)


def read(folder: Path) -> Note:
    """The note. Raises CorruptionError where there is none, none that can be trusted, or one of other rules."""
    content = _content(folder / NOTE)
    try:
        fields = parse_checked_json(content, FORMAT, path=folder / NOTE)
    except (CorruptionError, FormatError) as error:
        raise CorruptionError(f"{error}. {AGAIN}.") from error
    try:
        states = tuple(_state(**state) for state in fields["states"])
        note = Note(settings=LexicalSettings.from_json(fields["settings"]), states=states, rules=fields["rules"])
    except (TypeError, KeyError, InputError) as error:
        raise CorruptionError(f"{folder / NOTE} cannot be understood: {error}. {AGAIN}.") from error
    if note.rules != RULES:
        raise CorruptionError(f"{folder}: another version of Twofold took its texts apart in another way. {AGAIN}.")
    return note


def stamp(folder: Path) -> tuple[int, ...]:
    """Changes when the note or tantivy's list is replaced; () where one is missing."""
    try:
        found = [os.stat(folder / name) for name in (NOTE, META)]
    except OSError:
        return ()
    return tuple(number for each in found for number in (each.st_ino, each.st_mtime_ns))


def _state(documents: int, runs: Iterable[Mapping[str, int]]) -> State:
    return State(documents=documents, runs=tuple(RunFile(**run) for run in runs))


def records(folder: Path, state: State) -> Records:
    """The records of a state, mapped (run_files.py). Raises CorruptionError."""
    return Records(0, tuple(run_files.mapped(folder, file) for file in state.runs))


def check_files(folder: Path, *, content: bool = False) -> None:
    """Looks at the end of every file of the live segments, and reads all of them for `content`.

    Raises CorruptionError, naming the file that is missing, cut or changed.
    """
    for _ in range(TRIES):
        before = segments(folder)
        try:
            for name in before.files:
                _check(folder / name, content)
        except CorruptionError:
            if segments(folder) == before:
                raise
        else:
            return
    raise CorruptionError(f"{folder}: its segments change faster than they can be looked at; look again later")


def segments(folder: Path) -> Segments:
    """What tantivy's list says. Raises CorruptionError."""
    content = _content(folder / META)
    found = _json(folder / META, content)
    try:
        names = [segment["segment_id"].replace("-", "") for segment in found["segments"]]
        documents = sum(segment["max_doc"] for segment in found["segments"])  # none of them is ever deleted
        return Segments(content, tuple(f"{name}.{part}" for name in names for part in PARTS), documents)
    except (KeyError, TypeError, AttributeError) as error:
        raise CorruptionError(f"{folder / META} is damaged: {error!r}. {AGAIN}.") from error


def _check(path: Path, content: bool) -> None:
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(size - FOOTER.size, 0))
            length, magic = FOOTER.unpack(file.read())
            end = size - FOOTER.size - length
            if magic != MAGIC or end < 0:
                raise ValueError("it does not end as tantivy ends its files")
            file.seek(end)
            crc = json.loads(file.read(length))["crc"]
            if content and crc != _crc(file, end):
                raise ValueError("its checksum does not fit its content")
    except OSError as error:
        raise CorruptionError(f"{path}: {error.strerror or error}. {AGAIN}.") from error
    except (ValueError, KeyError, TypeError, struct.error) as error:
        raise CorruptionError(f"{path} is damaged: {error}. {AGAIN}.") from error


def _crc(file: Any, end: int) -> int:
    file.seek(0)
    crc = 0
    while end and (part := file.read(min(CHUNK, end))):
        crc, end = zlib.crc32(part, crc), end - len(part)
    return crc


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CorruptionError(f"{path}: {error.strerror or error}. {AGAIN}.") from error


def _json(path: Path, content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except ValueError as error:
        raise CorruptionError(f"{path} is damaged: {error}. {AGAIN}.") from error
    if not isinstance(found, dict):
        raise CorruptionError(f"{path} is damaged: it holds no object. {AGAIN}.")
    return found
