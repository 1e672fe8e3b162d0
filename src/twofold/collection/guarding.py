"""The encoder of a collection: loaded and checked against the contract when first used, and probed before each side is
first used.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from twofold.addresses import Place
from twofold.collection.guarding_tokens import GuardedTokenEncoder
from twofold.collection.known_queries import KnownQueries
from twofold.collection.placing import MOVES, located, lost, placed
from twofold.contract import PROBE_COSINE, PROBE_TEXTS, USUAL_CONTEXT, Context, Contract, Probes, Side
from twofold.difference import Difference
from twofold.encoders.adapted import AdaptedEncoder, adapted
from twofold.encoders.given_vectors import GivenVectors
from twofold.encoders.loading import load_encoder, load_source
from twofold.encoders.token_vectors import TokenEncoder
from twofold.encoding import CheckedTokenSpans, checked_encoder, encoded, encoded_to_compare, spans_to_compare
from twofold.engine import Engine, EngineWriter
from twofold.errors import ContractError, InputError, ModelError
from twofold.logs import logger_of
from twofold.protocols import AnyEncoder, Encoder, KnowsWriting, SpanEncoder, TokenSpans
from twofold.reports import EncodingReport
from twofold.scores import Vectors
from twofold.space import MAIN, Space

logger = logger_of(__name__)

WITHOUT = "Lexical search (mode lexical) needs no encoder"


def given_encoder(encoder: AnyEncoder) -> Encoder:
    """The encoder that somebody names: an object, adapted if need be, or a model's folder or name, which is loaded.

    Raises InputError for what is no encoder, ModelError.
    """
    return load_encoder(encoder) if isinstance(encoder, str | Path) else adapted(encoder)


def probe(encoder: Encoder) -> Probes | None:
    """The vectors of the probe texts on both sides; None for an encoder that makes no vectors."""
    if isinstance(encoder, GivenVectors):
        return None
    return Probes(encoded(encoder, "query", PROBE_TEXTS), encoded(encoder, "document", PROBE_TEXTS))


def is_space_of(space: Space, encoder: Encoder | TokenEncoder, context: Context = USUAL_CONTEXT) -> bool:
    """Whether the space was made by this encoder and with this context of passages: by the contract, and by the probes
    where it comes from elsewhere.

    Adapted encoders of equal dimension have equal contracts; only their vectors tell them apart.
    """
    contract = Contract.from_json(space.contract)
    if contract.context != context or contract.differences(encoder.contract):
        return False
    if space.probes is None or not isinstance(encoder, AdaptedEncoder):
        return True
    lowest = Probes.from_json(space.probes).lowest_cosine("document", encoded(encoder, "document", PROBE_TEXTS))
    return lowest >= PROBE_COSINE


def space_of(
    encoder: Encoder, name: str = MAIN, *, home: str | Place | None = None, context: Context = USUAL_CONTEXT
) -> Space:
    """A space for the vectors of an encoder, which is asked for the probe texts; home: the collection's folder.

    context: what its passages are encoded with.
    """
    probes = probe(encoder)
    return Space(
        name=name,
        dimension=encoder.contract.dimension,
        contract=replace(encoder.contract, context=context).to_json(),
        precision=encoder.precision,
        probes=None if probes is None else probes.to_json(),
        source=placed(encoder.source, home),
    )


class GuardedEncoder:
    """An `Encoder` that never mixes vectors of two contracts.

    Raises ContractError when the encoder's contract differs from the collection's, or when the vectors of the probe
    texts differ from when the collection was created (cosine below 0.999, or 0.99 for weights in int8), which another
    runtime or library may cause.
    """

    def __init__(
        self,
        contract: Contract,
        probes: Probes | None,
        source: Mapping[str, Any],
        encoder: Encoder | None = None,
        known: KnownQueries | None = None,
    ) -> None:
        self._contract = contract
        self._probes = probes
        self._source = dict(source)
        self._queries = known
        self._lock = threading.Lock()
        self._probed: set[Side] = set()
        self._encoder = None if encoder is None else self._checked(encoder)

    @classmethod
    def of(
        cls, space: Space, home: str | Path, encoder: Encoder | None = None, known: KnownQueries | None = None
    ) -> GuardedEncoder:
        """The encoder of a space of the collection in `home`: the one given, or loaded from where the space says.

        known: keeps the vectors of its latest queries.
        """
        probes = None if space.probes is None else Probes.from_json(space.probes)
        return cls(Contract.from_json(space.contract), probes, located(space.source, home), encoder, known)

    @property
    def queries(self) -> KnownQueries | None:
        """The vectors of the latest queries, where they are kept."""
        return self._queries

    @property
    def contract(self) -> Contract:
        """The collection's contract; known without loading anything."""
        return self._contract

    @property
    def source(self) -> Mapping[str, Any]:
        """From what the encoder is loaded: as the collection names it, paths as they are now."""
        return self._source

    @property
    def precision(self) -> str:
        """How the loaded encoder computes; loads it."""
        return self.loaded().precision

    @property
    def tokens(self) -> TokenSpans | None:
        """The encoder's view of texts as tokens, where it offers one; loads it."""
        encoder = self.loaded()
        return CheckedTokenSpans(encoder) if isinstance(encoder, TokenSpans) else None

    def unfamiliar(self, texts: Sequence[str]) -> float:
        """The share of the texts' letters that the encoder hardly knows; 0 where it cannot say. Loads it."""
        encoder = self.loaded()
        return encoder.unfamiliar(texts) if isinstance(encoder, KnowsWriting) else 0.0

    @property
    def can_encode(self) -> bool:
        """Whether it makes vectors at all; one of a collection with vectors made elsewhere does not."""
        return self._probes is not None

    @property
    def probes(self) -> Probes | None:
        """What it made of the probe texts when the collection was new; None where it makes no vectors."""
        return self._probes

    def encode_queries(self, texts: Sequence[str], *, report: EncodingReport | None = None) -> Vectors:
        """float32 (n, dimension): the query side, probed before its first use."""
        if self._queries is None or report is not None:  # A report counts what is encoded now.
            return self._encoded("query", texts, report)
        return self._queries.vectors(texts, lambda new: self._encoded("query", new, None))

    def encode_documents(self, texts: Sequence[str], *, report: EncodingReport | None = None) -> Vectors:
        """float32 (n, dimension): the document side, probed before its first use."""
        return self._encoded("document", texts, report)

    def encode_spans(
        self, texts: Sequence[str], spans: Sequence[NDArray[np.int32]], *, report: EncodingReport | None = None
    ) -> Vectors:
        """float32 (all spans, dimension): the document side of spans of texts, probed before its first use."""
        encoder = self._guarded("document")
        if not isinstance(encoder, SpanEncoder):
            raise InputError(f"{type(encoder).__name__} has no method encode_spans, which the context 'document' needs")
        return spans_to_compare(encoder, encoder.contract, texts, spans, report)

    def check(self) -> None:
        """Probes both sides. Raises ContractError where the encoder makes other vectors than the collection's."""
        for side in get_args(Side):
            self._guarded(side)

    def loaded(self) -> Encoder:
        """The encoder itself, loaded and found to have the collection's contract."""
        with self._lock:
            if self._encoder is None:
                self._encoder = self._checked(self._from_source())
            return self._encoder

    def _from_source(self) -> Encoder:
        try:
            return load_source(self._source)
        except ModelError as error:
            raise ModelError(
                f"the encoder that this collection was made with cannot be loaded: {error}. If it has moved, say where "
                "it is now: open(…, encoder=load_encoder(FOLDER)), or --encoder FOLDER on the command line; "
                f"`twofold migrate COLLECTION --encoder FOLDER` stores its new place. {WITHOUT}"
            ) from error
        except InputError as error:
            raise InputError(
                f"the encoder that this collection was made with cannot be loaded: {error}. Give one of your own when "
                f"you open the collection: open(…, encoder=YOURS). {WITHOUT}"
            ) from error

    def _encoded(self, side: Side, texts: Sequence[str], report: EncodingReport | None) -> Vectors:
        # Not every model that is compared by cosine ends in a normalising layer.
        return encoded_to_compare(self._guarded(side), side, texts, report)

    def _checked(self, encoder: Encoder) -> Encoder:
        encoder = checked_encoder(encoder)
        if differences := self._contract.differences(encoder.contract):
            raise ContractError(differences)
        return encoder

    def _guarded(self, side: Side) -> Encoder:
        encoder = self.loaded()
        # Another query tower gives other vectors in the same space; that it belongs there, it knows itself.
        other_tower = side == "query" and encoder.contract.query_tower != self._contract.query_tower
        if self._probes is None or side in self._probed or other_tower:
            return encoder
        cosine = self._probes.lowest_cosine(side, encoded(encoder, side, PROBE_TEXTS))
        if not cosine >= self._contract.probe_cosine:
            raise ContractError(
                [Difference(f"{side} side of the vector space", "the same probe vectors", f"{cosine:.4f}")]
            )
        self._probed.add(side)
        return encoder


class Encoders:
    """The encoders of a collection's spaces; threads may share them.

    given: the user's own, for the space that is the default when the collection is opened. kept_queries: how many
    vectors of queries each keeps. Raises ContractError where it is not the one that the space was made with.
    """

    def __init__(self, engine: Engine, given: Encoder | None = None, kept_queries: int = 0) -> None:
        self._engine = engine
        self._kept_queries = kept_queries
        self._home = str(engine.path)
        self._given = given
        self._lock = threading.Lock()
        self._known: dict[str, tuple[Space, GuardedEncoder]] = {}
        self._tokens: tuple[Space, GuardedTokenEncoder] | None = None
        space = engine.space
        self._known[space.name] = space, GuardedEncoder.of(space, self._home, given, self._memory())

    @property
    def default(self) -> GuardedEncoder:
        """That of the space that is searched."""
        return self.of(self._engine.space)

    def of(self, space: Space) -> GuardedEncoder:
        """That of a space, loaded when it is first needed."""
        with self._lock:
            if space.name not in self._known or self._known[space.name][0] != space:
                self._known[space.name] = space, GuardedEncoder.of(space, self._home, None, self._memory())
            return self._known[space.name][1]

    def tokens(self, space: Space) -> GuardedTokenEncoder:
        """That of a space of token vectors, loaded when it is first needed."""
        with self._lock:
            if self._tokens is None or self._tokens[0] != space:
                self._tokens = space, GuardedTokenEncoder(space, self._home)
            return self._tokens[1]

    def give_tokens(self, space: Space, encoder: TokenEncoder) -> GuardedTokenEncoder:
        """Takes an encoder of token vectors that is loaded already. Raises ContractError where it does not fit."""
        guarded = GuardedTokenEncoder(space, self._home, encoder)
        with self._lock:
            self._tokens = space, guarded
        return guarded

    def give(self, space: Space, encoder: Encoder) -> GuardedEncoder:
        """Takes an encoder that is loaded already for a space. Raises ContractError where it does not fit."""
        guarded = GuardedEncoder.of(space, self._home, encoder, self._memory())
        with self._lock:
            self._known[space.name] = space, guarded
        return guarded

    def _memory(self) -> KnownQueries | None:
        return KnownQueries(self._kept_queries) if self._kept_queries else None

    def remember(self, writer: EngineWriter) -> None:
        """Stores where the user's own encoder was loaded from, if what the collection names is gone.

        Raises ContractError where it makes other vectors, StorageError.
        """
        space = self._engine.space
        if self._given is not None and lost(located(space.source, self._home)):
            self.put_place(writer, space, self._given)

    def put_place(self, writer: EngineWriter, space: Space, encoder: Encoder) -> Space:
        """The space with the place of this encoder, stored if it is another. Raises as `remember`."""
        known, given = located(space.source, self._home), encoder.source
        gone = lost(known)
        wanted = [name for name in (*MOVES, *gone) if name in known and name in given]
        placing = {**known, **{name: given[name] for name in wanted}}
        if placing == known:
            return space
        self.give(space, encoder).check()
        now = replace(space, source=placed(placing, self._home))
        writer.put_source(space.name, now.source)
        logger.info("%s: the encoder of the space %s is loaded from another place now", self._home, space.name)
        self.give(now, encoder)
        return now
