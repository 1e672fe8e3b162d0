"""Making and opening collections."""

from __future__ import annotations

from pathlib import Path

from twofold.collection.collection import Collection
from twofold.collection.guarding import Encoders, space_of
from twofold.collection.settings import DEPTH, Settings
from twofold.engines.local.engine import Store
from twofold.files import absolute
from twofold.passages.windows import Mode
from twofold.protocols import Encoder


def create(path: str | Path | None, encoder: Encoder, *, passages: Mode = "auto", depth: int = DEPTH) -> Collection:
    """A new, empty collection in a folder that does not exist yet; with None, one that vanishes when closed.

    passages: "auto" gives a document longer than the encoder reads several vectors, "none" one, cut at the length.
    depth: where a ranking ends unless a call says otherwise. Raises CollectionError, StorageError.
    """
    path = None if path is None else absolute(path)  # probing loads a model, and the working directory may change
    settings = Settings(passages=passages, depth=depth)
    store = Store.create(path, space=space_of(encoder), settings=settings.to_json())
    return Collection(store, Encoders(store, encoder), settings)


def open_collection(path: str | Path, encoder: Encoder | None = None) -> Collection:
    """The collection in a folder. Takes no lock.

    encoder: must have the contract that the collection was made with (ContractError names every difference); by
    default the one named in the collection is loaded when it is first needed. Raises NotACollectionError, FormatError.
    """
    store = Store.open(path)
    try:
        return Collection(store, Encoders(store, encoder), Settings.from_json(store.description.settings))
    except BaseException:
        store.close()
        raise
