"""Creating and opening collections."""

from __future__ import annotations

from pathlib import Path

from twofold.collection.collection import Collection
from twofold.collection.guarding import Encoders, given_encoder, space_of
from twofold.collection.settings import DEPTH, Settings
from twofold.collection.token_space import AnyTokens, TokenSettings, keep_tokens
from twofold.contract import USUAL_CONTEXT, Context
from twofold.encoders.loading import load_encoder
from twofold.engines.local.engine import Store
from twofold.engines.local.layout import check_outside as check_outside
from twofold.errors import WAIT
from twofold.files import absolute
from twofold.logs import logger_of
from twofold.passages.contexts import check_context
from twofold.passages.sizes import PassageMode, check_reader
from twofold.progress import silent
from twofold.protocols import AnyEncoder

logger = logger_of(__name__)


def create(
    path: str | Path | None,
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

    path: the folder. encoder: an object (a SentenceTransformer too), or a model's folder or name; by default the
    embedded all-MiniLM-L6-v2, which is made for English. passages: "auto" gives a
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
    if path is not None:
        path = absolute(path)  # loading a model takes a while, and the working directory may change
        check_outside(path)
    encoder = load_encoder() if encoder is None else given_encoder(encoder)
    space = space_of(encoder, home=path, context=context)
    check_reader(settings.passages, encoder)
    check_context(context, settings.passages, encoder)
    tokens = TokenSettings.of(token_vectors)
    token_encoder = None if tokens is None else tokens.encoder(encoder.source)
    store = Store.create(path, space=space, settings=settings.to_json(), wait=wait)
    logger.info("created %s", store.path)
    encoders = Encoders(store, encoder)
    if tokens is not None and token_encoder is not None:
        keep_tokens(store, encoders, token_encoder, tokens, settings.passages, silent)
    return Collection(store, encoders, settings)


def open_collection(
    path: str | Path, encoder: AnyEncoder | None = None, *, wait: float = WAIT, kept_queries: int = 0
) -> Collection:
    """The collection in a folder that `create` made. Takes no lock.

    path: the folder. encoder: an object, or a model's folder or name, with the contract that the collection was made
    with (ContractError names every difference); by default the one named in the collection is loaded when it is first
    needed. wait: seconds that a writing call waits for another writer. kept_queries: how many vectors of the latest
    query texts are kept, so that a text that is asked again is not encoded again. Raises InputError for what is no
    encoder, NotACollectionError, FormatError.
    """
    store = Store.open(path, wait=wait)
    logger.debug("opened %s", store.path)
    try:
        given = None if encoder is None else given_encoder(encoder)
        return Collection(store, Encoders(store, given, kept_queries), Settings.from_json(store.description.settings))
    except BaseException:
        store.close()
        raise
