"""Copying a collection into another place, also into another engine, without encoding anything again.

Documents, all complete spaces and the settings of lexical search go over as they are; what is derived is built there.
The copy is marked as unfinished until its last commit, so the same call goes on after a kill.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from twofold.addresses import Place
from twofold.block import Block
from twofold.collection.collection import Collection
from twofold.collection.lexical_report import MIXING
from twofold.collection.opening import create_like, open_collection
from twofold.collection.parts import kept
from twofold.collection.placing import located, placed
from twofold.collection.questions import asking
from twofold.engine import LEXICAL, Engine, EngineSnapshot, EngineWriter
from twofold.errors import WAIT, ContractError, InputError, ModelError, NotACollectionError, ServiceError
from twofold.progress import Progress, displayed
from twofold.scores import Numbers
from twofold.space import Space

AT_ONCE = 1_000
"""Documents a commit."""
UNFINISHED = "unfinished copy"
"""The key of the state that says of what a collection is a copy that is not complete."""


@dataclass(slots=True, kw_only=True)
class CopyReport:
    """What a copy did.

    commit: of the source. documents, passages: in the copy. copied: documents of this run; the others were there from a
    run that was stopped. removed: documents that the source no longer had. spaces: their names, the default one first.
    left_out: what could not come along, and why.
    """

    commit: int
    documents: int
    passages: int = 0
    copied: int = 0
    removed: int = 0
    spaces: tuple[str, ...] = ()
    left_out: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """The figures by name."""
        return asdict(self)


def copy(
    source: str | Path, target: str | Path, *, wait: float = WAIT, progress: Progress | bool = False
) -> CopyReport:
    """Copies a collection, with vectors, passages, all complete spaces and what `tune` measured; encodes nothing.

    source, target: places of collections; the second is made. Writers may go on in the source, of which one commit is
    copied. After an interruption the same call goes on; documents that changed meanwhile are copied again. Until it is
    complete, the target holds a part. wait: seconds that writing waits for another writer. progress: in documents.

    Raises InputError where the target holds documents and is no unfinished copy of this source, or is one of another
    vector space; CorruptionError, LockedError, StorageError.
    """
    with open_collection(source) as original:
        engine = original._engine
        engine.check_outside(target)
        with engine.snapshot() as snapshot, displayed(progress, "Copying", "documents") as shown:
            space = _moved(snapshot.space, engine.path, target)
            with _opened_or_created(target, space, original, wait) as made:
                return Copying(original, snapshot, made, shown).run()


def _opened_or_created(target: str | Path, space: Space, original: Collection, wait: float) -> Collection:
    try:
        return open_collection(target, wait=wait)
    except NotACollectionError:
        return create_like(target, space, original.settings, wait=wait)


def _moved(space: Space, home: Place, target: str | Place) -> Space:
    """The space with the place of its encoder from the copy on."""
    return replace(space, source=placed(located(space.source, home), target))


class Copying:
    """One copy of one snapshot into a collection. source: that of the snapshot."""

    def __init__(self, source: Collection, snapshot: EngineSnapshot, target: Collection, progress: Progress) -> None:
        self._snapshot = snapshot
        self._collection = target
        self._settings = source.settings
        self._target: Engine = target._engine
        self._progress = progress
        home, facts = source._engine.path, source._engine.facts()
        self._mark = {"of": str(home), "created": facts.created}
        complete = [each for each in snapshot.spaces if snapshot.counted(each.name).complete]
        first = sorted(complete, key=lambda each: each.name != snapshot.space.name)
        self._spaces = [_moved(each, home, target._engine.path) for each in first]
        self._report = CopyReport(commit=snapshot.commit, documents=snapshot.counts.documents)
        self._report.left_out += [
            f"the space {each.name}, which lacks documents still" for each in snapshot.spaces if each not in complete
        ]

    def run(self) -> CopyReport:
        """Copies what is missing. Raises InputError before anything is written."""
        with self._target.writing() as writer:
            self._begin(writer)
            self._copy(writer)
            self._remove(writer)
            self._tune(writer)
            self._index(writer)
            writer.put_state(UNFINISHED, None)
        with self._target.snapshot() as now:
            self._report.passages = now.counts.passages
        self._report.spaces = tuple(each.name for each in self._spaces)
        return self._report

    def _begin(self, writer: EngineWriter) -> None:
        """Marks the target, and makes the spaces that it lacks."""
        mark = writer.state(UNFINISHED)
        with self._target.snapshot() as now:
            documents, there = now.counts.documents, {each.name: each for each in now.spaces}
            default = now.space
        if mark is None and documents:
            raise InputError(
                f"it holds {documents:,} documents and is no unfinished copy of {self._mark['of']}; name a place where "
                "there is nothing yet",
                path=str(self._target.path),
            )
        if mark is not None and mark != self._mark:
            raise InputError(
                f"it is an unfinished copy of {mark['of']}; run that again, or delete it first",
                path=str(self._target.path),
            )
        wanted = {each.name: each for each in self._spaces}
        fits = default.name == self._spaces[0].name and self._collection.settings == self._settings
        if not fits or any(name not in wanted or not _equal(each, wanted[name]) for name, each in there.items()):
            raise InputError(
                f"it was made with other spaces or settings than {self._mark['of']} has now; delete it, and copy again",
                path=str(self._target.path),
            )
        missing = [each for each in self._spaces if each.name not in there]
        if missing and documents:
            raise InputError(
                f"{self._mark['of']} has got the space {missing[0].name!r} since this copy was begun; delete the copy, "
                "and copy again",
                path=str(self._target.path),
            )
        if mark is None:
            writer.put_state(UNFINISHED, self._mark)
        for space in missing:
            writer.add_space(space)

    def _copy(self, writer: EngineWriter) -> None:
        numbers = self._snapshot.select()
        for start in range(0, len(numbers), AT_ONCE):
            self._copy_block(writer, numbers[start : start + AT_ONCE])
            self._progress(min(start + AT_ONCE, len(numbers)), len(numbers))

    def _copy_block(self, writer: EngineWriter, numbers: Numbers) -> None:
        """The documents that the copy has not, or has otherwise."""
        documents, hashes = self._snapshot.documents(numbers), self._snapshot.text_hashes(numbers)
        known = writer.known([document.id for document in documents])
        there = {name: (stored.text_hash, stored.metadata) for name, stored in known.items()}
        new = [
            place
            for place, document in enumerate(documents)
            if there.get(document.id) != (hashes[place], document.metadata_json())
        ]
        if not new:
            return
        parts = {space.name: kept(self._snapshot, numbers[new], space) for space in self._spaces}
        texts, chosen = [hashes[place] for place in new], [documents[place] for place in new]
        writer.commit(Block(documents=chosen, text_hashes=texts, parts=parts))
        self._report.copied += len(new)

    def _remove(self, writer: EngineWriter) -> None:
        """Removes what a stopped run copied and the source has deleted since."""
        with self._target.snapshot() as now:
            if now.counts.documents == self._snapshot.counts.documents:
                return
            numbers = now.select()
            for start in range(0, len(numbers), AT_ONCE):
                part = numbers[start : start + AT_ONCE]
                there = self._snapshot.find(ids := now.ids(part))
                gone = [place for place, identifier in enumerate(ids) if identifier not in there]
                self._report.removed += writer.delete(part[gone])

    def _tune(self, writer: EngineWriter) -> None:
        """Builds the lexical index, and publishes it with what was measured in the source."""
        state: Mapping[str, Any] | None = self._snapshot.state(LEXICAL)
        if state is None:
            return
        names = {space.name for space in self._spaces}
        mixing = {name: value for name, value in state[MIXING].items() if name in names}
        with writer.lexical_aside(state["lexical"], self._progress) as aside:
            aside.publish({"lexical": state["lexical"], MIXING: mixing})

    def _index(self, writer: EngineWriter) -> None:
        """Builds the index that the copy needs; its questions need the encoder, without which search stays exact."""
        ask = asking(self._target, self._collection.encoder, self._settings.depth)
        try:
            writer.follow(ask, self._progress)
        except (ModelError, ContractError, ServiceError) as error:
            self._report.left_out.append(
                f"an approximate index, whose measurement needs the encoder ({error}); optimize the copy when it "
                "can be loaded"
            )


def _equal(space: Space, other: Space) -> bool:
    """Whether two spaces hold the same vectors, wherever their encoders are."""
    return replace(space, source={}) == replace(other, source={})
