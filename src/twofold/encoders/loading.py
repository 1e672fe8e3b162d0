"""Loading encoders: by name, or from the source that a collection stores."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from twofold.encoders.given_vectors import GivenVectors
from twofold.encoders.hashed_words import HashedWords
from twofold.encoders.remote import ApiEncoder
from twofold.encoders.transformer import TransformerEncoder
from twofold.encoders.two_towers import UNTIED, TwoTowers
from twofold.errors import InputError
from twofold.models.folder import is_untied
from twofold.models.locating import find_model
from twofold.protocols import Encoder


def load_encoder(
    name: str | Path | None = None,
    *,
    precision: str = "auto",
    threads: int | None = None,
    on_truncation: str = "count",
    query_tower: str | Path | None = None,
    dim: int | None = None,
    device: str = "cpu",
    workers: int = 1,
) -> TransformerEncoder:
    """An encoder: a model folder, a hub name, or None for the embedded default (all-MiniLM-L6-v2, 384 dimensions).

    name: a model folder in the sentence-transformers layout, or a hub name; that of the default needs no hub.
    precision: "auto" is bf16 where the processor or a CUDA GPU has it, else f32; both can be asked for. "int8" rounds
    the weights and is another contract (docs/encoders.md); a folder that `twofold quantize` wrote is in int8 by itself.
    Where there are no such products, these weights are computed with in f32 or bf16, and `notes` say so. threads: None
    takes all cores. on_truncation: "count" truncates a text that is too long and counts it in the report, "error"
    raises TruncationError. query_tower: "static" encodes queries by the table that ships for the embedded default; a
    file or folder by what `twofold train --query-tower` made for this encoder (docs/training.md); documents are encoded
    by the encoder itself. dim: keep the first so many numbers of each vector, for a model that was trained so
    (Matryoshka; `list_models`, `twofold train --dimensions`); where it was not, the encoder's `notes` say so. device:
    "cpu"; or "cuda", "cuda:1" or "mps" for a GPU (extra `gpu`), "auto" for a GPU if there is one, "torch:cpu" for the
    GPU's arithmetic on the CPU. workers: processes that share the threads and encode long lists of texts on the CPU,
    for machines with many cores; the vectors are the same. A script that asks for several does its work below
    `if __name__ == "__main__":`. Raises ModelError for a model that cannot be used or has fewer than `dim` numbers and
    for a device that is not there, InputError for invalid arguments, MissingExtraError for a device that needs torch,
    without torch.
    """
    settings: dict[str, Any] = {
        "precision": precision,
        "threads": threads,
        "on_truncation": on_truncation,
        "dim": dim,
        "device": device,
        "workers": workers,
    }
    if query_tower is None and is_untied(find_model(name).folder):
        query_tower = UNTIED
    tower: Callable[..., TransformerEncoder] = partial(TransformerEncoder, name)
    if query_tower is not None:
        tower = partial(TwoTowers, query_tower, name)
    return tower(**settings)


def load_source(source: Mapping[str, Any]) -> Encoder:
    """The encoder that gave this source. Raises InputError for a kind that is not known, ModelError as above."""
    kind = source.get("kind")
    if kind not in KINDS:
        raise InputError(f"the encoder kind {kind!r} is not known; known are {', '.join(sorted(KINDS))}")
    return KINDS[kind](source)


def _adapted(source: Mapping[str, Any]) -> NoReturn:
    raise InputError(f"it is an object of the class {source['object']}, which only your program can make")


def _loaded_as(source: Mapping[str, Any]) -> dict[str, Any]:
    """What a source says of how its model is loaded."""
    return {"dim": source.get("dim"), "precision": source.get("precision", "auto")}


KINDS: dict[str, Callable[[Mapping[str, Any]], Encoder]] = {
    "adapted": _adapted,
    "api": ApiEncoder.from_source,
    "given-vectors": lambda source: GivenVectors(source["dimension"], similarity=source["similarity"]),
    "hashed-words": lambda source: HashedWords(source["dimension"], max_words=source["max_words"]),
    "static-queries": lambda source: TwoTowers(source["query_tower"], source["name"]),  # as it was called at first
    "transformer": lambda source: TransformerEncoder(source["name"], **_loaded_as(source)),
    "two-towers": lambda source: TwoTowers(source["query_tower"], source["name"], **_loaded_as(source)),
}
"""Kinds of encoders by the word in their source."""
