"""Migrating: a second space, made by another encoder from the stored texts while the first one serves, and the switch.

The writer's lock is taken for one block at a time, so additions are possible. Documents that are added before the space
is complete are encoded into it later; afterwards additions go into both spaces. After an interruption the same call
resumes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Container
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any

from twofold.collection.filling import filled
from twofold.collection.guarding import Encoders, GuardedEncoder, given_encoder, is_space_of, space_of
from twofold.collection.lexical_tuning import LexicalTuning
from twofold.collection.measuring_spaces import Compared, Judged, compared
from twofold.collection.parts import encoded
from twofold.collection.questions import asking
from twofold.collection.settings import Settings
from twofold.contract import Context, Contract
from twofold.engine import Engine, EngineSnapshot
from twofold.errors import InputError
from twofold.logs import logger_of
from twofold.passages.contexts import check_context
from twofold.progress import Progress
from twofold.protocols import AnyEncoder, Encoder
from twofold.space import Space

logger = logger_of(__name__)

SAMPLE = 32
"""Documents that are encoded to estimate the time; what was made of them is not kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationCost:
    """The estimated cost of a migration.

    space: its name. documents: still to be encoded. passages, seconds, bytes: of them, their encoding and their
    vectors, estimated from a sample.
    """

    space: str
    documents: int
    passages: int
    seconds: float
    bytes: int

    def to_json(self) -> dict[str, Any]:
        """The figures by name."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationReport:
    """The result of a migration: the space, the number of encoded documents, the comparison, whether it was switched
    to, and whether its encoder is loaded from another place from now on.
    """

    space: str
    documents: int
    compared: Compared | None
    switched: bool
    moved: bool = False

    def to_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        found = None if self.compared is None else self.compared.to_json()
        counts = {"space": self.space, "documents": self.documents, "compared": found}
        return {**counts, "switched": self.switched, "moved": self.moved}


class Migrating:
    """One migration of a collection. encoder: that of the second space."""

    def __init__(self, engine: Engine, encoders: Encoders, settings: Settings, progress: Progress) -> None:
        self._engine = engine
        self._encoders = encoders
        self._settings = settings
        self._progress = progress

    def run(
        self,
        encoder: AnyEncoder,
        name: str | None,
        judged: Judged,
        told: Callable[[MigrationCost], None],
        *,
        switch: bool,
        context: Context | None = None,
    ) -> MigrationReport:
        """Begins or resumes the space, fills it, compares both, and switches if that is asked for.

        told: called with the cost before the first block. context: of the passages, by default that of the space that
        is searched. Raises InputError, ContractError, LockedError,
        StorageError.
        """
        encoder = given_encoder(encoder)
        space = self._space(encoder, name, context)
        guarded = self._encoders.give(space, encoder)
        with self._engine.writing() as writer:
            now = self._encoders.put_place(writer, space, encoder)
        moved, space = now != space, now
        with self._engine.snapshot() as snapshot:
            told(self._cost(snapshot, space, guarded))
        encode = partial(encoded, encoder=guarded, mode=self._settings.passages)
        done = filled(self._engine, space, encode, self._progress)
        logger.info("%s: encoded %d documents into the space %s", self._engine.path, done, space.name)
        with self._engine.snapshot() as snapshot:
            default = snapshot.space.name == space.name
            found = None if default else compared(snapshot, space, self._encoders, self._settings.depth, judged)
        if switch:
            self.switch(space.name)
        return MigrationReport(space=space.name, documents=done, compared=found, switched=switch, moved=moved)

    def switch(self, name: str) -> None:
        """Makes a complete space the one that is searched, after building its index and measuring its mixing.

        Raises InputError.
        """
        with self._engine.writing() as writer:
            with self._engine.snapshot() as snapshot:
                space, searched = _named(snapshot, name), snapshot.space
            if space.name == searched.name:
                return
            encoder = self._encoders.of(space)
            writer.index(space, asking(self._engine, encoder, self._settings.depth), self._progress)
            LexicalTuning(self._engine, writer, encoder, self._settings, self._progress).prepare(space)
            writer.make_default(space.name)
            logger.info("%s: the space %s is searched now", self._engine.path, space.name)

    def _space(self, encoder: Encoder, name: str | None, asked: Context | None) -> Space:
        """The space of this encoder and context: one that was begun, or a new one. Raises InputError."""
        with self._engine.snapshot() as snapshot:
            spaces = {space.name: space for space in snapshot.spaces}
            context = Contract.from_json(snapshot.space.contract).context if asked is None else asked
        check_context(context, self._settings.passages, encoder)
        alike = [each for each in spaces.values() if is_space_of(each, encoder, context)]
        if name in spaces and spaces[name] not in alike:
            raise InputError(
                f"the space {name!r} was made by another encoder or with another context of passages; choose another "
                "name, or drop it first"
            )
        if found := [each for each in alike if name in (None, each.name)]:
            return found[-1]
        space = space_of(encoder, name or _free_name(spaces), home=self._engine.path, context=context)
        if space.probes is None:
            raise InputError(
                "vectors made elsewhere cannot be made from the stored texts; give an encoder that encodes"
            )
        with self._engine.writing() as writer:
            writer.add_space(space)
        logger.info("%s: began the space %s", self._engine.path, space.name)
        return space

    def _cost(self, snapshot: EngineSnapshot, space: Space, encoder: GuardedEncoder) -> MigrationCost:
        left = snapshot.lacking(space.name, snapshot.counts.documents)
        sample = snapshot.documents(left[:: max(1, len(left) // SAMPLE)][:SAMPLE])
        encoded(sample[:1], encoder, self._settings.passages)  # the first text warms the model
        start = time.perf_counter()
        part = encoded(sample, encoder, self._settings.passages)
        share = len(left) / max(1, len(sample))
        rows = round(len(part.vectors) * share)
        return MigrationCost(
            space=space.name,
            documents=len(left),
            passages=rows,
            seconds=(time.perf_counter() - start) * share,
            bytes=2 * rows * space.dimension,
        )


def _named(snapshot: EngineSnapshot, name: str) -> Space:
    for space in snapshot.spaces:
        if space.name == name:
            return space
    raise InputError(f"there is no space {name!r}; there are {', '.join(space.name for space in snapshot.spaces)}")


def _free_name(taken: Container[str]) -> str:
    return next(name for number in count(2) if (name := f"space-{number}") not in taken)
