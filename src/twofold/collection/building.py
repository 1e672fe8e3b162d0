"""From documents to a collection on disk in one call, for the command line, the benchmarks and library users."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from twofold.collection.collection import Collection
from twofold.collection.opening import create, open_collection
from twofold.collection.settings import DEPTH
from twofold.documents import Document
from twofold.errors import WAIT, InputError, LockedError, NotACollectionError
from twofold.files import absolute
from twofold.passages.windows import PassageMode
from twofold.progress import Progress, silent
from twofold.protocols import Encoder
from twofold.reports import AddReport
from twofold.scores import Vectors

PAUSE = 0.02
"""Seconds between two tries where another process is making the collection; that takes milliseconds."""


def build(
    documents: Iterable[Document | Mapping[str, Any] | tuple[str, str]],
    path: str | Path,
    *,
    encoder: Encoder | None = None,
    passages: PassageMode | None = None,
    depth: int | None = None,
    vectors: Vectors | str | Path | None = None,
    wait: float = WAIT,
    progress: Progress = silent,
) -> tuple[Collection, AddReport]:
    """Adds documents to the collection in a folder, created if there is none; the caller closes it.

    Run again with the same documents it continues where it stopped: what is there is not encoded again. encoder,
    passages, depth: for a new collection (an encoder is needed then); given for an existing one they must agree with
    its settings. wait: seconds to wait for another writer. An input without documents raises InputError before
    anything is made. A large collection gets an approximate index; the report says whether it keeps its promise.
    Raises what `add` raises.
    """
    path = absolute(path)  # reading the documents takes a while, and may change the working directory
    stream = iter(documents)
    first = next(stream, None)
    if first is None:
        raise InputError("there are no documents in this input")
    collection = _within(wait, lambda: open_or_create(path, encoder, passages=passages, depth=depth))
    try:
        everything = documents if isinstance(documents, list | tuple) else chain([first], stream)
        with collection.writing(wait):
            report = collection.add(everything, vectors=vectors, progress=progress)
            return collection, report
    except BaseException:
        collection.close()
        raise


def open_or_create(
    path: str | Path, encoder: Encoder | None, *, passages: PassageMode | None = None, depth: int | None = None
) -> Collection:
    """The collection in a folder, created if there is none; an existing one must agree with what is asked for.

    Raises ContractError for another encoder, InputError where the collection divides documents otherwise, or where
    there is none and no encoder was given to make it.
    """
    path = absolute(path)
    try:
        collection = open_collection(path, encoder)
    except NotACollectionError:
        if encoder is None:
            raise InputError(
                "there is no collection here yet, and no encoder was given to make one", path=path
            ) from None
        try:
            return create(path, encoder, passages=passages or "auto", depth=DEPTH if depth is None else depth)
        except InputError as error:
            collection = _made_meanwhile(path, encoder, error)
    made = collection.settings
    for name, asked, kept in (("passages", passages, made.passages), ("depth", depth, made.depth)):
        if asked is not None and asked != kept:
            collection.close()
            raise InputError(f"the collection was made with {name}={kept!r}, not {asked!r}", path=path)
    return collection


def _made_meanwhile(path: str | Path, encoder: Encoder, error: InputError) -> Collection:
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
