"""The files of one state of a lexical index, held open, so that they can be copied while a writer goes on."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from twofold.errors import CorruptionError
from twofold.lexical import state as notes
from twofold.lexical.engine import AGAIN
from twofold.lexical.state import META, NOTE, TRIES, Note

MANAGED = ".managed.json"
"""tantivy's list of the files that it may remove when they are of no use any more."""


@dataclass(frozen=True, slots=True)
class Held:
    """files: open at their beginning, by name; they are never changed. written: the content of the others, by name."""

    files: Mapping[str, BinaryIO]
    written: Mapping[str, bytes]

    @property
    def bytes(self) -> int:
        """Of all."""
        return sum(os.fstat(file.fileno()).st_size for file in self.files.values()) + sum(
            map(len, self.written.values())
        )


@contextmanager
def held(folder: Path) -> Iterator[Held]:
    """The files of the latest state of the index in a folder; put into another folder, they are an index at this state.

    What is in the files is not looked at. Raises CorruptionError where one is missing.
    """
    for _ in range(TRIES):
        with ExitStack() as stack:
            seen = notes.stamp(folder)
            try:
                found = _opened(folder, stack)
            except CorruptionError:
                if notes.stamp(folder) == seen:
                    raise
            else:
                yield found
                return
    raise CorruptionError(f"{folder}: its files change faster than they can be opened; try again later")


def _opened(folder: Path, stack: ExitStack) -> Held:
    note, meta = notes.read(folder), notes.segments(folder)
    if (state := note.at(meta.documents)) is None:
        raise CorruptionError(f"{folder} holds {meta.documents:,} documents, which is not what was written. {AGAIN}.")
    names = [*meta.files, *(run.name for run in state.runs)]
    try:
        files = {name: stack.enter_context((folder / name).open("rb")) for name in names}
    except OSError as error:
        raise CorruptionError(f"{error.filename}: {error.strerror or error}. {AGAIN}.") from error
    written = {
        NOTE: notes.as_bytes(Note(settings=note.settings, states=(state,))),
        META: meta.content,
        MANAGED: json.dumps([*meta.files, META]).encode(),
    }
    return Held(files, written)
