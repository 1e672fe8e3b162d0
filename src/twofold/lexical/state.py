"""The state of a lexical index, and checks of its files.

The note is written before tantivy commits, and says what is there before and after. tantivy's commit decides which of
both holds: nothing is ever deleted, so the number of its documents tells them apart. Killed at any moment, the index is
at the one or at the other.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twofold.checked_json import checked_json, parse_checked_json
from twofold.errors import CorruptionError, FormatError, InputError
from twofold.files import write_aside
from twofold.lexical.analysing import RULES, LexicalSettings
from twofold.lexical.engine import AGAIN
from twofold.lexical.records import Records

FORMAT = 1
"""The version of the note, of the records, and of the fields that tantivy keeps."""
NOTE = "read.json"
ENDS, LENGTHS, VALUES = "ends.i64", "lengths.u32", "terms.u64"
"""The files of the records (records.py)."""
DTYPES: dict[str, np.dtype[Any]] = {ENDS: np.dtype("<i8"), LENGTHS: np.dtype("<u4"), VALUES: np.dtype("<u8")}
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
    """The extent of the index at one moment.

    documents: how many. end: no document with this number or a greater one has been read. values: terms in all records.
    checksums: of each file of the records, as far as it belongs to this state, CRC-32.
    """

    documents: int = 0
    end: int = 0
    values: int = 0
    checksums: Mapping[str, int]

    def counts(self) -> dict[str, int]:
        """How many numbers each file of the records holds."""
        return {ENDS: self.end, LENGTHS: self.end, VALUES: self.values}


EMPTY = State(checksums=dict.fromkeys(DTYPES, 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """How texts became terms, and the states of which tantivy is at one; rules: analysing.py's."""

    settings: LexicalSettings
    states: tuple[State, ...]
    rules: int = RULES

    def at(self, documents: int) -> State | None:
        """The state with so many documents; None where there is none."""
        return next((state for state in self.states if state.documents == documents), None)


def write(folder: Path, note: Note) -> None:
    """Replaces the note. Raises StorageError."""
    with write_aside(folder / NOTE) as file:
        file.write(checked_json(asdict(note), FORMAT))


def read(folder: Path) -> Note:
    """The note. Raises CorruptionError where there is none, none that can be trusted, or one of other rules."""
    content = _content(folder / NOTE)
    try:
        fields = parse_checked_json(content, FORMAT, path=folder / NOTE)
    except (CorruptionError, FormatError) as error:
        raise CorruptionError(f"{error}. {AGAIN}.") from error
    try:
        states = tuple(State(**state) for state in fields["states"])
        note = Note(settings=LexicalSettings.from_json(fields["settings"]), states=states, rules=fields["rules"])
    except (TypeError, KeyError, InputError) as error:
        raise CorruptionError(f"{folder / NOTE} cannot be understood: {error}. {AGAIN}.") from error
    if note.rules != RULES:
        raise CorruptionError(f"{folder}: another version of Twofold took its texts apart in another way. {AGAIN}.")
    return note


def records(folder: Path, state: State) -> Records:
    """The records of a state, mapped; where they end is compared with its checksum. Raises CorruptionError."""
    mapped = {name: _mapped(folder / name, DTYPES[name], count) for name, count in state.counts().items()}
    for name in (ENDS, LENGTHS):
        _compare(folder / name, mapped[name], state.checksums[name])
    return Records(0, 0, mapped[ENDS], mapped[LENGTHS], mapped[VALUES])


def check_records(folder: Path, state: State) -> None:
    """Reads all records and compares their checksums. Raises CorruptionError, naming the file."""
    for name, count in state.counts().items():
        _compare(folder / name, _mapped(folder / name, DTYPES[name], count), state.checksums[name])


def _mapped(path: Path, dtype: np.dtype[Any], count: int) -> NDArray[Any]:
    if count == 0:
        return np.empty(0, dtype)
    try:
        return np.memmap(path, dtype, mode="r", shape=(count,)).view(np.ndarray)
    except OSError as error:
        raise CorruptionError(f"{path}: {error.strerror or error}. {AGAIN}.") from error
    except ValueError as error:
        raise CorruptionError(f"{path} is damaged: it is shorter than what was written. {AGAIN}.") from error


def _compare(path: Path, numbers: NDArray[Any], checksum: int) -> None:
    if zlib.crc32(numbers.data) != checksum:
        raise CorruptionError(f"{path} is damaged: its checksum does not fit its content. {AGAIN}.")


def check_files(folder: Path, *, content: bool = False) -> None:
    """Looks at the end of every file of the live segments, and reads all of them for `content`.

    Raises CorruptionError, naming the file that is missing, cut or changed.
    """
    for _ in range(TRIES):
        before = _json(folder / META)
        try:
            for path in _files(folder, before):
                _check(path, content)
        except CorruptionError:
            if _json(folder / META) == before:
                raise
        else:
            return
    raise CorruptionError(f"{folder}: its segments change faster than they can be looked at; look again later")


def _files(folder: Path, meta: Mapping[str, Any]) -> Iterator[Path]:
    try:
        for segment in meta["segments"]:
            name = segment["segment_id"].replace("-", "")
            yield from (folder / f"{name}.{part}" for part in PARTS)
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


def _json(path: Path) -> dict[str, Any]:
    content = _content(path)
    try:
        found = json.loads(content)
    except ValueError as error:
        raise CorruptionError(f"{path} is damaged: {error}. {AGAIN}.") from error
    if not isinstance(found, dict):
        raise CorruptionError(f"{path} is damaged: it holds no object. {AGAIN}.")
    return found
