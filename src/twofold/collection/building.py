"""From documents to a collection on disk in one call, for the command line, the benchmarks and library users."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from twofold.addresses import Place, place_of
from twofold.collection.collection import Collection
from twofold.collection.guarding import given_encoder
from twofold.collection.opening import create, open_collection
from twofold.collection.own_vectors import AnyVectors
from twofold.collection.token_space import AnyTokens, TokenSettings
from twofold.contract import Context
from twofold.documents import Document
from twofold.errors import WAIT, InputError, LockedError, NotACollectionError
from twofold.passages.sizes import PassageMode, checked_mode
from twofold.progress import Progress
from twofold.protocols import AnyEncoder, Encoder
from twofold.reports import AddReport
from twofold.rows import rows_of

PAUSE = 0.02
"""Seconds between two tries where another process is making the collection; that takes milliseconds."""


def build(
    documents: Iterable[Document | Mapping[str, Any] | tuple[str, str]],
    path: str | Path,
    *,
    encoder: AnyEncoder | None = None,
    vectors: AnyVectors | None = None,
    wait: float = WAIT,
    progress: Progress | bool = False,
    **settings: Any,
) -> tuple[Collection, AddReport]:
    """Adds documents to the collection in a folder, created if there is none; the caller closes it.

    Run again with the same documents it continues where it stopped: what is there is not encoded again. encoder,
    settings (passages, context, depth, analyser, token_vectors): as in `open_or_create`. wait: seconds to wait for
    another writer. An input without documents raises InputError before anything is made. A large collection gets an
    approximate index; the report says whether it keeps its promise. Raises what `add` raises.
    """
    place = place_of(path)  # reading the documents takes a while, and may change the working directory
    rows = rows_of(documents)
    stream = iter(rows)
    first = next(stream, None)
    if first is None:
        raise InputError("there are no documents in this input")
    collection = open_or_create(place, encoder, wait=wait, **settings)
    try:
        everything = rows if isinstance(rows, list | tuple) else chain([first], stream)
        with collection.writing(wait):
            report = collection.add(everything, vectors=vectors, progress=progress)
            return collection, report
    except BaseException:
        collection.close()
        raise


def open_or_create(
    path: str | Place,
    encoder: AnyEncoder | None = None,
    *,
    passages: PassageMode | None = None,
    context: Context | None = None,
    depth: int | None = None,
    analyser: str | None = None,
    token_vectors: AnyTokens = None,
    wait: float = WAIT,
) -> Collection:
    """The collection in a folder, created if there is none; an existing one must agree with what is asked for.

    path: the folder. encoder: an object, or a model's folder or name; by default that of the collection, and for a new
    one the embedded all-MiniLM-L6-v2. passages, context, depth, analyser, token_vectors: as in `create`; token vectors
    of documents that are there already are made at once. wait: seconds to wait for another writer, also for one that is
    making the collection. Raises ContractError for another encoder, InputError where the collection was made with other
    settings, and what `create` and `open` raise.
    """
    if path is None:
        raise InputError("open_or_create needs a folder; create(None) makes a collection in memory")
    place = place_of(path)
    given = None if encoder is None else given_encoder(encoder)
    mode = None if passages is None else checked_mode(passages)
    asked = {"passages": mode, "context": context, "depth": depth, "analyser": analyser}
    settings = {name: value for name, value in asked.items() if value is not None}
    collection = _within(wait, lambda: _opened_or_created(place, given, settings, wait))
    for name, value in settings.items():
        holder = collection.contract if name == "context" else collection.settings
        if value != (kept := getattr(holder, name)):
            collection.close()
            raise InputError(f"the collection was made with {name}={kept!r}, not {value!r}", path=str(place))
    if (tokens := TokenSettings.of(token_vectors)) is not None:
        try:
            collection.add_token_vectors(tokens)
        except BaseException:
            collection.close()
            raise
    return collection


def _opened_or_created(path: Place, encoder: Encoder | None, settings: Mapping[str, Any], wait: float) -> Collection:
    try:
        return open_collection(path, encoder, wait=wait)
    except NotACollectionError:
        pass
    try:
        return create(path, encoder, wait=wait, **settings)
    except InputError as error:
        return _made_meanwhile(path, encoder, error)


def _made_meanwhile(path: Place, encoder: Encoder | None, error: InputError) -> Collection:
    """The collection that another process made since we looked; the error where there is none."""
    try:
        return open_collection(path, encoder)
    except NotACollectionError:
        raise error from None


def _within(wait: float, opened: Callable[[], Collection]) -> Collection:
    """Opens or makes the collection, again while another process is making it, for `wait` seconds."""
    deadline = time.monotonic() + wait
    while True:
        try:
            return opened()
        except LockedError:
            if time.monotonic() >= deadline:
                raise
        time.sleep(PAUSE)
