"""Rankers as they are given to a search: an object, or the folder or hub name of a cross-encoder."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from twofold.protocols import Ranker
from twofold.rankers.cross_encoder import CrossEncoder, load_cross_encoder

AnyRanker = Ranker | str | Path
"""A ranker, or a cross-encoder's folder or hub name."""


def ranker_of(given: AnyRanker | None) -> Ranker | None:
    """The ranker that is meant. The cross-encoder that was named last stays loaded, until its folder changes."""
    if not isinstance(given, str | Path):
        return given
    folder = Path(given).expanduser()
    files = folder.rglob("*") if folder.is_dir() else ()
    return _loaded(str(given), max((file.stat().st_mtime_ns for file in files), default=0))


@lru_cache(maxsize=1)
def _loaded(name: str, _changed: int) -> CrossEncoder:
    return load_cross_encoder(name)
