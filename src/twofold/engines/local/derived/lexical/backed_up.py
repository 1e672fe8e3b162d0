"""The lexical index of a commit, held open for a backup while writers go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

from twofold.engines.local.derived.lexical.known import AREA, Known
from twofold.engines.local.folder import Folder
from twofold.engines.local.reader import LocalSnapshot
from twofold.errors import CorruptionError
from twofold.lexical.copying import Held, held

TRIES = 5
"""A writer may make the index anew meanwhile, which it does seldom."""


@dataclass(frozen=True, slots=True)
class HeldIndex:
    """The files of a lexical index, and the name of its folder in the commit's state."""

    name: str
    held: Held


@contextmanager
def with_index(folder: Folder, latest: Callable[[], LocalSnapshot]) -> Iterator[tuple[LocalSnapshot, HeldIndex | None]]:
    """The latest commit, and its lexical index of a moment before, which has read nothing beyond the commit.

    None where there is none, or none that can be opened: it is derived.
    """
    for _ in range(TRIES):
        with ExitStack() as stack:
            with latest() as earlier:
                known = Known.of(earlier)
            index = None
            if known is not None:
                with suppress(CorruptionError):
                    files = stack.enter_context(held(folder.of_engine(AREA) / known.folder))
                    index = HeldIndex(known.folder, files)
            snapshot = stack.enter_context(latest())
            now = Known.of(snapshot)
            if index is None or (now is not None and now.folder == index.name):
                yield snapshot, index
                return
    with latest() as snapshot:
        yield snapshot, None
