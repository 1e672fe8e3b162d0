"""The token vectors of a collection: what is asked for, and the space that holds them, begun and filled."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from twofold.addresses import Place
from twofold.collection.filling import filled
from twofold.collection.guarding import Encoders, is_space_of
from twofold.collection.guarding_tokens import token_probes
from twofold.collection.parts import encoded_tokens
from twofold.collection.placing import located, placed
from twofold.encoders.token_vectors import TokenEncoder, load_token_encoder
from twofold.engine import Engine, EngineSnapshot
from twofold.errors import InputError
from twofold.passages.sizes import PassageMode
from twofold.progress import Progress
from twofold.searching.stored_tokens import StoredTokens
from twofold.space import Space
from twofold.token_codes import BITS, STORED

WITH_STATES = ("transformer", "two-towers", "static-queries")
"""The kinds of encoders that have token states, by the word in their source."""


@dataclass(frozen=True, slots=True)
class TokenSettings:
    """Which token vectors a collection keeps.

    model: the folder or hub name of a ColBERT, or of any encoder; None is the collection's own encoder, whose token
    states serve as they come. bits: 4 or 2 a number. pooling: a document's vectors are merged into so many times
    fewer; None is what the model's folder says. Raises InputError.
    """

    model: str | Path | None = None
    bits: int = 4
    pooling: float | None = None

    def __post_init__(self) -> None:
        if self.bits not in BITS:
            raise InputError(
                f"token vectors are stored in {' or '.join(map(str, BITS))} bits a number, not {self.bits!r}"
            )
        if self.model is not None and not isinstance(self.model, str | Path):
            raise InputError(f"token vectors are made by a model's folder or hub name, not by {self.model!r}")

    @classmethod
    def of(cls, asked: AnyTokens) -> TokenSettings | None:
        """The settings that are meant: True is the collection's own encoder, a text a model, None and False none."""
        if asked is None or asked is False:
            return None
        return asked if isinstance(asked, TokenSettings) else cls(None if asked is True else asked)

    def encoder(self, own: Mapping[str, Any]) -> TokenEncoder:
        """The encoder that is meant. own: the source of the collection's own. Raises InputError, ModelError."""
        if self.model is not None:
            return load_token_encoder(self.model, pooling=self.pooling)
        if own["kind"] not in WITH_STATES:
            raise InputError(
                f"this collection's encoder ({own['kind']}) has no token states; name a model that gives token vectors"
            )
        return load_token_encoder(own["name"], pooling=self.pooling)


AnyTokens = TokenSettings | bool | str | Path | None
"""Token vectors as they are asked for: settings, a model's folder or name, or True for the collection's own encoder."""


def token_space_of(snapshot: EngineSnapshot) -> Space | None:
    """The space of token vectors, complete or not; None where there is none."""
    return next((space for space in snapshot.spaces if space.unit == "token"), None)


def space_of_tokens(encoder: TokenEncoder, bits: int, home: str | Place) -> Space:
    """A space for the vectors of an encoder, which is asked for the probe texts. home: the collection's folder."""
    return Space(
        name=STORED,
        dimension=encoder.dimension,
        contract=encoder.contract.to_json(),
        precision=encoder.precision,
        probes=token_probes(encoder).to_json(),
        source=placed(encoder.source, home),
        unit="token",
        numbers=f"{bits}-bit",
    )


def keep_tokens(
    engine: Engine,
    encoders: Encoders,
    encoder: TokenEncoder,
    settings: TokenSettings,
    mode: PassageMode,
    progress: Progress,
) -> int:
    """Begins the space of token vectors if there is none, and fills it; returns the number of encoded documents.

    encoder: that of the settings, loaded. mode: how documents are divided. After an interruption the same call goes on.
    Raises InputError where the collection keeps others, StorageError.
    """
    with engine.writing() as writer:
        with engine.snapshot() as snapshot:
            space = token_space_of(snapshot)
        if space is None:
            space = space_of_tokens(encoder, settings.bits, engine.path)
            writer.add_space(space)
        elif space.bits != settings.bits or not is_space_of(space, encoder):
            model = located(space.source, engine.path)["name"] or "the embedded model"
            raise InputError(
                f"this collection keeps other token vectors, of {model} in {space.bits} bits; drop them first: "
                f"`twofold migrate {shlex.quote(str(engine.path))} --drop {space.name}`"
            )
        elif located(space.source, engine.path) != dict(encoder.source):
            space = replace(space, source=placed(encoder.source, engine.path))
            writer.put_source(space.name, space.source)
    guarded = encoders.give_tokens(space, encoder)
    return filled(engine, space, lambda documents: encoded_tokens(documents, guarded, mode), progress)


def stored_tokens_of(snapshot: EngineSnapshot, encoders: Encoders) -> StoredTokens | None:
    """The ranker by the token vectors of a snapshot; None where there are none."""
    space = token_space_of(snapshot)
    return None if space is None else StoredTokens(snapshot, space, encoders.tokens(space))
