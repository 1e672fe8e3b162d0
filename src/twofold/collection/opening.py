"""Creating and opening collections."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twofold.addresses import Address, Place, place_of
from twofold.collection.collection import Collection
from twofold.collection.guarding import Encoders, given_encoder, space_of
from twofold.collection.settings import DEPTH, Settings
from twofold.collection.token_space import AnyTokens, TokenSettings, keep_tokens
from twofold.contract import USUAL_CONTEXT, Context
from twofold.encoders.loading import load_encoder
from twofold.engine import Engine
from twofold.engines.local.engine import Store
from twofold.engines.local.layout import check_outside as check_outside
from twofold.errors import WAIT, InputError, MissingExtraError
from twofold.logs import logger_of
from twofold.passages.contexts import check_context
from twofold.passages.sizes import PassageMode, check_reader
from twofold.progress import silent
from twofold.protocols import AnyEncoder
from twofold.space import Space

if TYPE_CHECKING:
    from twofold.engines.postgres.engine import PostgresEngine

logger = logger_of(__name__)


def create(
    path: str | Place | None,
    encoder: AnyEncoder | None = None,
    *,
    passages: PassageMode = "auto",
    context: Context = USUAL_CONTEXT,
    depth: int = DEPTH,
    analyser: str | None = None,
    token_vectors: AnyTokens = None,
    wait: float = WAIT,
) -> Collection:
    """A new, empty collection in a folder that does not exist yet; None: in memory, deleted when closed.

    path: the folder, or an address in PostgreSQL, postgresql://host/database?collection=NAME (docs/engines.md).
    encoder: an object (a SentenceTransformer too), or a model's folder or name; by default the embedded
    all-MiniLM-L6-v2, which is made for English. passages: "auto" gives a
    document that is too long for the encoder several vectors, {"tokens": 200, "overlap": 32} one to each passage of at
    most 200 of the encoder's tokens, whose boundaries follow the text, "none" one, truncated. context: what a passage
    of a longer document is encoded with beside its own text: "title", "headings" (the title and the headings above it),
    "document" (the text around it, read together: late chunking) or "none". depth: length of a ranking, by default.
    analyser: how texts become terms for lexical search, a language, "plain" or "ngram"; by default told from the first
    texts. token_vectors: keeps a vector for each token too (docs/second-stage.md), of the model that is named, of
    `TokenSettings`, or with True of the collection's own encoder. wait: seconds that a writing call waits for another
    writer. Raises InputError for what is no encoder, and for sizes and a context of passages that an encoder cannot
    give; VectorError for vectors that do not fit its contract, CollectionError, StorageError.
    """
    settings = Settings(passages=passages, depth=depth, analyser=analyser)
    place = None if path is None else place_of(path)  # loading a model takes a while, and the directory may change
    if isinstance(place, Path):
        check_outside(place)
    encoder = load_encoder() if encoder is None else given_encoder(encoder)
    space = space_of(encoder, home=place, context=context)
    check_reader(settings.passages, encoder)
    check_context(context, settings.passages, encoder)
    tokens = TokenSettings.of(token_vectors)
    if tokens is not None and isinstance(place, Address):
        raise InputError(f"{place}: vectors of tokens are kept in collections in a folder only")
    token_encoder = None if tokens is None else tokens.encoder(encoder.source)
    engine = _made(place, space, settings.to_json(), wait)
    logger.info("created %s", engine.path)
    encoders = Encoders(engine, encoder)
    if tokens is not None and token_encoder is not None:
        keep_tokens(engine, encoders, token_encoder, tokens, settings.passages, silent)
    return Collection(engine, encoders, settings)


def create_like(path: str | Path, space: Space, settings: Settings, *, wait: float = WAIT) -> Collection:
    """A new, empty collection whose vectors are those of another collection's space, with its settings.

    Nothing is loaded: contract, probes and source of the encoder are the space's. Raises InputError, CollectionError,
    StorageError.
    """
    place = place_of(path)
    if not isinstance(place, Address):
        check_outside(place)
    engine = _made(place, space, settings.to_json(), wait)
    logger.info("created %s", engine.path)
    return Collection(engine, Encoders(engine), settings)


def open_collection(
    path: str | Place, encoder: AnyEncoder | None = None, *, wait: float = WAIT, kept_queries: int = 0
) -> Collection:
    """The collection in a folder, or at an address, that `create` made. Takes no lock.

    path: the folder or address. encoder: an object, or a model's folder or name, with the contract that the collection
    was made with (ContractError names every difference); by default the one named in the collection is loaded when it
    is first needed. wait: seconds that a writing call waits for another writer. kept_queries: how many vectors of the
    latest query texts are kept, so that a text that is asked again is not encoded again. Raises InputError for what is
    no encoder, NotACollectionError, FormatError, StorageError.
    """
    engine, settings = _opened(place_of(path), wait)
    logger.debug("opened %s", engine.path)
    try:
        given = None if encoder is None else given_encoder(encoder)
        return Collection(engine, Encoders(engine, given, kept_queries), Settings.from_json(settings))
    except BaseException:
        engine.close()
        raise


def _made(place: Place | None, space: Space, settings: Mapping[str, Any], wait: float) -> Engine:
    """A new collection's engine."""
    if isinstance(place, Address):
        return _postgres().create(place, space=space, settings=settings, wait=wait)
    return Store.create(place, space=space, settings=settings, wait=wait)


def _opened(place: Place, wait: float) -> tuple[Engine, Mapping[str, Any]]:
    """The engine of a collection that is there, and the settings that it was made with."""
    if isinstance(place, Address):
        engine = _postgres().open(place, wait=wait)
        return engine, engine.settings
    store = Store.open(place, wait=wait)
    return store, store.description.settings


def _postgres() -> type[PostgresEngine]:
    """The engine of addresses. Raises MissingExtraError."""
    try:
        from twofold.engines.postgres.engine import PostgresEngine
    except ImportError as error:
        if (error.name or "").partition(".")[0] != "psycopg" and "psycopg" not in str(error) and "pq" not in str(error):
            raise
        raise MissingExtraError("psycopg", "postgres") from error
    return PostgresEngine
