"""The figures of a collection: counts, sizes, settings, index."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from twofold.collection.lexical_report import LexicalReport
from twofold.collection.settings import Settings
from twofold.contract import Contract
from twofold.engine import Engine, EngineSnapshot
from twofold.index_report import IndexReport
from twofold.space import Space


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceInfo:
    """The figures of one space.

    name: as `migrate`, `switch_space` and `drop_space` take it. searched: whether it is the default one. complete:
    whether every document is in it; documents: how many are. passages: its vectors. dimension: numbers a vector.
    encoder: the source from which it is loaded.
    """

    name: str
    searched: bool
    complete: bool
    documents: int
    passages: int
    dimension: int
    encoder: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Info:
    """One commit of a collection in figures.

    path: the folder. commit: its number, counted from 0. documents, passages: live ones. without_vector: documents
    without a passage. truncated: documents whose vectors leave out some of their text; tokens_cut: tokens left out in
    all. passage_mode, depth: the settings (`Settings`). contract: of the space that is searched. precision: with which
    its vectors were computed. format: version of the format on disk. created: ISO time, UTC. encoder: the source from
    which it is loaded. bytes: on disk, by part. log_held_back: bytes of SQLite's log that readers of older commits keep
    from being merged. index: the approximate index with its measured recall; None if search is exact. lexical: the
    settings of the lexical index and of fusion; None where there is no lexical index. spaces: all of them.
    """

    path: str
    commit: int
    documents: int
    passages: int
    without_vector: int
    truncated: int
    tokens_cut: int
    passage_mode: str
    depth: int
    contract: Contract
    precision: str
    format: int
    created: str
    encoder: Mapping[str, Any]
    bytes: Mapping[str, int]
    log_held_back: int
    index: IndexReport | None
    lexical: LexicalReport | None
    spaces: tuple[SpaceInfo, ...]

    def to_json(self) -> dict[str, Any]:
        """All figures as JSON values."""
        index = None if self.index is None else self.index.to_json()
        lexical = None if self.lexical is None else self.lexical.to_json()
        return {**asdict(self), "contract": self.contract.to_json(), "index": index, "lexical": lexical}


def describe(engine: Engine, snapshot: EngineSnapshot, contract: Contract, settings: Settings) -> Info:
    """The figures of one snapshot."""
    counts, facts = snapshot.counts, engine.facts()
    return Info(
        path=str(engine.path),
        commit=snapshot.commit,
        documents=counts.documents,
        passages=counts.passages,
        without_vector=snapshot.without_passages(),
        truncated=counts.truncated,
        tokens_cut=counts.tokens_cut,
        passage_mode=settings.passages,
        depth=settings.depth,
        contract=contract,
        precision=snapshot.space.precision,
        encoder=snapshot.space.source,
        format=facts.format,
        created=facts.created,
        bytes=facts.bytes,
        log_held_back=facts.log_held_back,
        index=snapshot.index(),
        lexical=LexicalReport.of(snapshot),
        spaces=tuple(_described(snapshot, space) for space in snapshot.spaces),
    )


def _described(snapshot: EngineSnapshot, space: Space) -> SpaceInfo:
    counts = snapshot.counted(space.name)
    return SpaceInfo(
        name=space.name,
        searched=space.name == snapshot.space.name,
        complete=counts.complete,
        documents=counts.documents,
        passages=counts.passages,
        dimension=space.dimension,
        encoder=space.source,
    )
