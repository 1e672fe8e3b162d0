"""Creating and opening collections."""

from __future__ import annotations

from pathlib import Path

from twofold.collection.collection import Collection
from twofold.collection.guarding import Encoders, space_of
from twofold.collection.settings import DEPTH, Settings
from twofold.encoding import checked_encoder
from twofold.engines.local.engine import Store
from twofold.engines.local.layout import check_outside as check_outside
from twofold.errors import WAIT
from twofold.files import absolute
from twofold.passages.windows import PassageMode
from twofold.protocols import Encoder


def create(
    path: str | Path | None, encoder: Encoder, *, passages: PassageMode = "auto", depth: int = DEPTH, wait: float = WAIT
) -> Collection:
    """A new, empty collection in a folder that does not exist yet; None: in memory, deleted when closed.

    passages: "auto" gives a document that is too long for the encoder several vectors, "none" one, truncated. depth:
    length of a ranking, by default. wait: seconds that a writing call waits for another
    writer. Raises InputError for what is no encoder, VectorError for vectors that do not fit its contract,
    CollectionError, StorageError.
    """
    encoder = checked_encoder(encoder)
    if path is not None:
        check_outside(path)
    path = None if path is None else absolute(path)  # probing loads a model, and the working directory may change
    settings = Settings(passages=passages, depth=depth)
    store = Store.create(path, space=space_of(encoder), settings=settings.to_json(), wait=wait)
    return Collection(store, Encoders(store, encoder), settings)


def open_collection(path: str | Path, encoder: Encoder | None = None, *, wait: float = WAIT) -> Collection:
    """The collection in a folder. Takes no lock.

    encoder: must have the contract that the collection was made with (ContractError names every difference); by
    default the one named in the collection is loaded when it is first needed. wait: seconds that a writing call waits
    for another writer. Raises InputError for what is no encoder, NotACollectionError, FormatError.
    """
    store = Store.open(path, wait=wait)
    try:
        return Collection(store, Encoders(store, encoder), Settings.from_json(store.description.settings))
    except BaseException:
        store.close()
        raise
