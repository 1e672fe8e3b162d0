"""The encoder of a collection's token vectors: loaded when it is first used, and checked as that of other spaces is."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from twofold.collection.placing import located
from twofold.contract import PROBE_TEXTS, Contract, Probes, Side
from twofold.difference import Difference
from twofold.encoders.token_vectors import TokenEncoder, load_token_encoder
from twofold.encoding import CheckedTokenSpans
from twofold.errors import ContractError, ModelError
from twofold.maxsim import TokenVectors
from twofold.protocols import TokenSpans
from twofold.reports import EncodingReport
from twofold.scores import Vectors
from twofold.space import Space
from twofold.token_codes import TokenCodes


def token_probes(encoder: TokenEncoder) -> Probes:
    """The mean of the vectors of each probe text, on both sides."""
    return Probes(_means(encoder.encode_queries(PROBE_TEXTS)), _means(encoder.encode_documents(PROBE_TEXTS)))


def _means(vectors: TokenVectors) -> Vectors:
    return np.stack([each.mean(axis=0) if len(each) else np.zeros_like(vectors.vectors[0]) for each in vectors])


class GuardedTokenEncoder:
    """A `TokenEncoder` whose vectors are those of a collection's space, or ContractError; codes: how they are stored.

    encoder: one that is loaded already; by default it is loaded from where the space says.
    """

    def __init__(self, space: Space, home: str | Path, encoder: TokenEncoder | None = None) -> None:
        self._space = space
        self._home = home
        self._lock = threading.Lock()
        self._probed: set[Side] = set()
        self._encoder = None if encoder is None else self._checked(encoder)

    @cached_property
    def codes(self) -> TokenCodes:
        """How the vectors are stored."""
        return TokenCodes(self._space.dimension, self._space.bits)

    @property
    def tokens(self) -> TokenSpans:
        """The encoder's view of texts as tokens, by which documents are divided; loads it."""
        return CheckedTokenSpans(self.loaded())

    def encode_queries(self, texts: Sequence[str], *, report: EncodingReport | None = None) -> TokenVectors:
        """The vectors of each query's tokens, turned as the stored ones are."""
        found = self._guarded("query").encode_queries(texts, report=report)
        return TokenVectors(self.codes.turned(found.vectors), found.counts)

    def encode_documents(self, texts: Sequence[str], *, report: EncodingReport | None = None) -> TokenVectors:
        """The vectors of each text's tokens, as the encoder makes them."""
        return self._guarded("document").encode_documents(texts, report=report)

    def loaded(self) -> TokenEncoder:
        """The encoder itself, loaded and found to have the contract of the space."""
        with self._lock:
            if self._encoder is None:
                source = located(self._space.source, self._home)
                try:
                    encoder = load_token_encoder(source["name"], pooling=source.get("pooling"))
                except ModelError as error:
                    raise ModelError(
                        f"the encoder of this collection's token vectors cannot be loaded: {error}. If it has moved, "
                        "say where it is now: `twofold index DATA --to COLLECTION --token-vectors FOLDER`, or "
                        "add_token_vectors(FOLDER)"
                    ) from error
                self._encoder = self._checked(encoder)
            return self._encoder

    def _checked(self, encoder: TokenEncoder) -> TokenEncoder:
        if differences := Contract.from_json(self._space.contract).differences(encoder.contract):
            raise ContractError(differences)
        return encoder

    def _guarded(self, side: Side) -> TokenEncoder:
        encoder = self.loaded()
        if side in self._probed or self._space.probes is None:
            return encoder
        made = (encoder.encode_queries if side == "query" else encoder.encode_documents)(PROBE_TEXTS)
        cosine = Probes.from_json(self._space.probes).lowest_cosine(side, _means(made))
        if not cosine >= encoder.contract.probe_cosine:
            said = f"{side} side of the token vectors"
            raise ContractError([Difference(said, "the same probe vectors", f"{cosine:.4f}")])
        self._probed.add(side)
        return encoder
