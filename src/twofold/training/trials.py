"""Trials, on which an encoder is evaluated: documents and judged questions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from twofold.collection.collection import Collection
from twofold.collection.opening import create
from twofold.documents import Document
from twofold.encoders.transformer import TransformerEncoder
from twofold.errors import InputError
from twofold.progress import Progress, silent
from twofold.rankings import Qrels, Run
from twofold.readers.beir import read_beir

JudgedQueries = Mapping[str, tuple[Mapping[str, str], Qrels]]
"""Name → questions (id → text) and their judgements."""


@dataclass(frozen=True, slots=True)
class Trial:
    """documents: returns a new iterator at each call. asked: the judged questions."""

    documents: Callable[[], Iterable[Document]]
    asked: JudgedQueries


def trial_of(folder: str | Path, name: str = "") -> Trial:
    """The test split of a BEIR folder, by its own name or another."""
    judged = read_beir(folder, "test")
    return Trial(
        judged.documents, {name or judged.name: ({each: judged.queries[each] for each in judged.qrels}, judged.qrels)}
    )


def trials_of(folders: Sequence[str | Path]) -> list[Trial]:
    """The test splits of other folders. Raises InputError for two of one name."""
    trials = [trial_of(folder) for folder in folders]
    names = [name for trial in trials for name in trial.asked]
    if len({"dev", "test", *names}) < len(names) + 2:
        raise InputError(f"collections are told apart by the names of their folders: {', '.join(names)}")
    return trials


def runs(encoder: TransformerEncoder, trials: Iterable[Trial], progress: Progress = silent) -> dict[str, Run]:
    """An encoder's runs by exact dense search, by the names of the questions."""
    found: dict[str, Run] = {}
    for trial in trials:
        with collected(encoder, trial.documents(), progress) as collection:
            found |= asked_of(collection, trial.asked)
    return found


def asked_of(collection: Collection, asked: JudgedQueries) -> dict[str, Run]:
    """The runs of an existing collection."""
    return {name: collection.run(queries, mode="dense", exact=True) for name, (queries, _) in asked.items()}


def collected(encoder: TransformerEncoder, documents: Iterable[Document], progress: Progress) -> Collection:
    """A collection in memory, which the caller closes."""
    collection = create(None, encoder)
    try:
        collection.add(documents, progress=progress)
    except BaseException:
        collection.close()
        raise
    return collection
