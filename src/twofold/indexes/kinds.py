"""The kinds of index that a collection may build: name, building into a folder, opening.

An index is derived data: the engine stores its folder, verifies its bytes, and scores its candidates by the stored
vectors. Exact search needs no folder (flat.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from twofold.errors import InputError
from twofold.indexes import hnsw, ivf, scan
from twofold.progress import Progress, silent
from twofold.protocols import VectorBlocks, VectorIndex

Fill = Callable[[VectorBlocks, Path, int, Progress], None]
Open = Callable[[Path, int], VectorIndex]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of index: `fill(vectors, folder, threads, progress)` builds it, `open(folder, effort)` opens it.

    effort: what may be set without building again, with its usual value; 0 for a kind that has none in itself, whose
    effort is how many candidates are scored again (`scores_more`). memory: bytes held while so many rows of a dimension
    are built, where that is worth asking for. slow: building takes minutes for a million rows, so it is tried only if
    an index was asked for.
    """

    fill: Fill
    open: Open
    effort: int = 0
    memory: Callable[[int, int], int] = lambda _rows, _dimension: 0
    slow: bool = False

    @property
    def scores_more(self) -> bool:
        """Whether more effort is more candidates, and no matter of the index."""
        return self.effort == 0


KINDS: Mapping[str, Kind] = {
    "scan": Kind(scan.fill, scan.opened),
    "ivf": Kind(ivf.fill, ivf.opened, effort=ivf.EFFORT),
    "hnsw": Kind(hnsw.fill, hnsw.opened, effort=hnsw.EFFORT, memory=hnsw.memory_needed, slow=True),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexSettings:
    """The kind and the search effort.

    kind: a key of KINDS. effort: at least so many nodes of a graph, or lists of ivf; 0 for its usual. A scan reads all
    rows in any case: its effort is how many of them are scored again, at least, which is the searcher's to do.
    """

    kind: str
    effort: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"there is no index of the kind {self.kind!r}; there are {', '.join(KINDS)}")
        if isinstance(self.effort, bool) or not isinstance(self.effort, int) or self.effort < 0:
            raise InputError(f"effort is a count from 0 on, not {self.effort!r}")

    def to_json(self) -> dict[str, Any]:
        """The settings as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> IndexSettings:
        """The settings that `to_json` wrote."""
        return cls(**values)


def build(
    settings: IndexSettings, stored: VectorBlocks, folder: Path, *, threads: int, progress: Progress = silent
) -> None:
    """Fills an empty folder with an index of all stored vectors; the same vectors give the same bytes."""
    KINDS[settings.kind].fill(stored, folder, threads, progress)


def load(settings: IndexSettings, folder: Path) -> VectorIndex:
    """The index in a folder that `build` filled, whose bytes were checked. Raises CorruptionError."""
    kind = KINDS[settings.kind]
    return kind.open(folder, settings.effort or kind.effort)
