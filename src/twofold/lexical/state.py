"""What a lexical index has read, and whether its files are there.

tantivy's commit and this note are two writes, tantivy's first. Killed between them, the index has read more than the
note says, and tantivy's stamp is later than the note's: the next update takes out what lies beyond the note and reads
it again. The note never says more than is true.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from twofold.errors import CorruptionError, InputError
from twofold.files import write_aside
from twofold.lexical.analysing import RULES, LexicalSettings
from twofold.lexical.engine import AGAIN

FORMAT = 1
"""The version of the note and of the fields that tantivy keeps."""
NOTE = "read.json"
META = "meta.json"
"""tantivy's list of its living segments."""
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
    """What has been read.

    commit, generation: of the collection, up to which all is read. stamp: tantivy's own count at that moment. end: no
    document with this number or a greater one has been read. rules: by which its texts became terms.
    """

    settings: LexicalSettings
    rules: int = RULES
    commit: int = 0
    generation: int = 0
    stamp: int = 0
    end: int = 0


def write(folder: Path, state: State) -> None:
    """Replaces the note. Raises StorageError."""
    fields = {"format": FORMAT, **asdict(state)}
    with write_aside(folder / NOTE) as file:
        file.write(json.dumps({**fields, "checksum": _checksum(fields)}, indent=1).encode() + b"\n")


def read(folder: Path) -> State:
    """The note. Raises CorruptionError where there is none, none that can be trusted, or one of other rules."""
    fields = _json(folder / NOTE)
    checksum = fields.pop("checksum", None)
    if checksum != _checksum(fields):
        raise CorruptionError(f"{folder / NOTE} is damaged: its checksum does not fit its content. {AGAIN}.")
    if (version := fields.pop("format", None)) != FORMAT:
        raise CorruptionError(f"{folder} has format {version}, this Twofold reads format {FORMAT}. {AGAIN}.")
    try:
        state = State(**{**fields, "settings": LexicalSettings.from_json(fields["settings"])})
    except (TypeError, KeyError, InputError) as error:
        raise CorruptionError(f"{folder / NOTE} cannot be understood: {error}. {AGAIN}.") from error
    if fields.get("rules") != RULES:
        raise CorruptionError(f"{folder}: another version of Twofold took its texts apart in another way. {AGAIN}.")
    return state


def stamp(folder: Path) -> int:
    """tantivy's count of what was done to it, which only grows. Raises CorruptionError."""
    found = _json(folder / META).get("opstamp")
    if not isinstance(found, int):
        raise CorruptionError(f"{folder / META} is damaged: it has no opstamp. {AGAIN}.")
    return found


def check_stamp(folder: Path, state: State) -> None:
    """Raises CorruptionError where tantivy has gone back behind what is noted, as after a restored copy."""
    if (found := stamp(folder)) < state.stamp:
        raise CorruptionError(f"{folder / META} is older (stamp {found}) than the note ({state.stamp}). {AGAIN}.")


def dead_share(folder: Path) -> float:
    """Deleted documents over all that the segments hold. Raises CorruptionError."""
    try:
        segments = _json(folder / META)["segments"]
        held = sum(segment["max_doc"] for segment in segments)
        dead = sum(segment["deletes"]["num_deleted_docs"] for segment in segments if segment["deletes"])
    except (KeyError, TypeError) as error:
        raise CorruptionError(f"{folder / META} is damaged: {error!r}. {AGAIN}.") from error
    return dead / held if held else 0.0


def check_files(folder: Path, *, content: bool = False) -> None:
    """Looks at the end of every file of the living segments, and reads all of them for `content`.

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
            if segment["deletes"] is not None:
                yield folder / f"{name}.{segment['deletes']['opstamp']}.del"
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


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except OSError as error:
        raise CorruptionError(f"{path}: {error.strerror or error}. {AGAIN}.") from error
    except ValueError as error:
        raise CorruptionError(f"{path} is damaged: {error}. {AGAIN}.") from error
    if not isinstance(found, dict):
        raise CorruptionError(f"{path} is damaged: it holds no object. {AGAIN}.")
    return found


def _checksum(fields: Mapping[str, Any]) -> int:
    return zlib.crc32(json.dumps(fields, sort_keys=True).encode())
