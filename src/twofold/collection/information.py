"""What a collection is, in figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from twofold.collection.settings import Settings
from twofold.collection.words_report import WordsReport
from twofold.contract import Contract
from twofold.engines.local.engine import Store
from twofold.engines.local.reader import LocalSnapshot
from twofold.index_report import IndexReport
from twofold.space import Space


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceInfo:
    """One space in figures. searched: whether it is the default one. complete: whether it holds every document;
    documents: how many it holds. encoder: from what that is loaded."""

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

    truncated: documents whose vectors leave out some of their text; tokens_cut: tokens left out in all. bytes: on disk,
    by part. log_held_back: bytes of SQLite's log that readers of older commits keep from being folded in. index: the
    approximate index and what it was measured to find; None where search is exact. words: how the collection knows its
    words; None where it does not.
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
    words: WordsReport | None
    spaces: tuple[SpaceInfo, ...]

    def to_json(self) -> dict[str, Any]:
        """All figures as JSON values."""
        index = None if self.index is None else self.index.to_json()
        words = None if self.words is None else self.words.to_json()
        return {**asdict(self), "contract": self.contract.to_json(), "index": index, "words": words}


def describe(store: Store, snapshot: LocalSnapshot, contract: Contract, settings: Settings) -> Info:
    """The figures of one snapshot."""
    head, made, space = snapshot.head, snapshot.description, snapshot.space
    return Info(
        path=str(store.path),
        commit=head.commit,
        documents=head.documents,
        passages=head.rows,
        without_vector=head.documents - int(np.count_nonzero(snapshot.passing_documents(None))),
        truncated=head.truncated,
        tokens_cut=head.tokens_cut,
        passage_mode=settings.passages,
        depth=settings.depth,
        contract=contract,
        precision=space.precision,
        encoder=space.source,
        format=made.format,
        created=made.created,
        bytes=store.bytes(),
        log_held_back=store.held_back(),
        index=snapshot.index(),
        words=WordsReport.of(snapshot),
        spaces=tuple(_described(snapshot.in_space(each.name), space) for each in snapshot.spaces),
    )


def _described(snapshot: LocalSnapshot, default: Space) -> SpaceInfo:
    space, head = snapshot.space, snapshot.head
    return SpaceInfo(
        name=space.name,
        searched=space.name == default.name,
        complete=head.complete,
        documents=head.documents - len(snapshot.lacking(space.name, head.documents)),
        passages=head.rows,
        dimension=space.dimension,
        encoder=space.source,
    )
