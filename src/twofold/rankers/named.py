"""Rankers as they are given to a search: an object, or the folder or hub name of a model."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Literal, overload

from twofold.models.devices import CPU
from twofold.models.locating import find_model
from twofold.models.three_heads import has_heads
from twofold.models.token_folder import gives_token_vectors
from twofold.protocols import Ranker
from twofold.rankers.cross_encoder import CrossEncoder, load_cross_encoder
from twofold.rankers.late_interaction import LateInteraction, load_late_interaction
from twofold.rankers.three_heads import ThreeHeads, load_three_heads
from twofold.token_codes import STORED

AnyRanker = Ranker | str | Path
"""A ranker, or the folder or hub name of a cross-encoder or of a model for late interaction."""
LoadedRanker = CrossEncoder | LateInteraction | ThreeHeads
"""What a folder or a name becomes."""


def load_ranker(
    name: str | Path, *, precision: str = "auto", threads: int | None = None, device: str = CPU
) -> LoadedRanker:
    """What a model's folder is: a ranker by three heads if it has those of BGE-M3; one by late interaction if it gives
    token vectors, or is an encoder; else a cross-encoder. The options are those of `load_cross_encoder`,
    `load_late_interaction` and `load_three_heads`, which raise the same.
    """
    folder = find_model(name, bare=True).folder if str(name) else None
    if folder is not None and has_heads(folder):
        return load_three_heads(name, precision=precision, threads=threads, device=device)
    if folder is not None and gives_token_vectors(folder):
        return load_late_interaction(name, precision=precision, threads=threads, device=device)
    return load_cross_encoder(name, precision=precision, threads=threads, device=device)


@overload
def ranker_of(given: AnyRanker) -> Ranker | str: ...
@overload
def ranker_of(given: AnyRanker | Literal[False] | None) -> Ranker | str | Literal[False] | None: ...
def ranker_of(given: AnyRanker | Literal[False] | None) -> Ranker | str | Literal[False] | None:
    """The ranker that is meant; None and False stay as they are.

    The model that was named last stays loaded, until its folder changes. "token-vectors" stays a name: the vectors are
    those of the collection that is searched. A folder of that name is given as ./token-vectors.
    """
    if given == STORED or not isinstance(given, str | Path):
        return given
    folder = Path(given).expanduser()
    files = folder.rglob("*") if folder.is_dir() else ()
    return _loaded(str(given), max((file.stat().st_mtime_ns for file in files), default=0))


@lru_cache(maxsize=1)
def _loaded(name: str, _changed: int) -> LoadedRanker:
    return load_ranker(name)
