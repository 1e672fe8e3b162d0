"""Verifying a collection with all that is derived in it, and building again what was damaged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from twofold.collection.following import Following
from twofold.collection.guarding import GuardedEncoder
from twofold.collection.indexing import STATE as INDEX
from twofold.collection.indexing import Indexes, Indexing, IndexReport
from twofold.collection.known import ROOM as WORDS
from twofold.collection.known import Known
from twofold.collection.measuring import Measuring, RecallReport, questions
from twofold.engines.local.engine import Store
from twofold.engines.local.verifying import Damage, VerifyReport
from twofold.errors import CorruptionError, InputError
from twofold.lexical.index import LexicalIndex
from twofold.progress import Progress
from twofold.scores import Vectors


def verified(store: Store, encoder: GuardedEncoder, depth: int, progress: Progress, *, repair: bool) -> VerifyReport:
    """Reads everything again; with repair, damaged indexes are built again, of vectors and of words.

    Raises what Store.verify raises.
    """
    report = store.verify(progress, repair=repair)
    words = _damage_of_words(store)
    if any(damage.repaired for damage in report.damage):
        with store.writing() as writer:
            Indexing(store, writer, encoder, depth, progress).again()
    if words is not None and repair:
        with store.writing() as writer:
            Following(store, writer, progress).make_anew()
        words = replace(words, repaired=True)
    if words is not None:
        report.damage.append(words)
    return report


def recall(store: Store, encoder: GuardedEncoder, depth: int, queries: Sequence[str] | Vectors | None) -> RecallReport:
    """Asks the collection as it is now by its index and exactly, with questions that tuning has not seen.

    Raises InputError for a collection without passages or fewer than two queries.
    """
    with store.snapshot() as snapshot:
        if not snapshot.head.rows:
            raise InputError("there are no passages, so there is nothing to find", path=store.path)
        vectors, said = questions(snapshot, encoder, queries, unseen=True)
        measuring = Measuring(snapshot, vectors, depth)
        state = snapshot.state(INDEX)
        built = IndexReport(kind="flat", why="") if state is None else IndexReport.from_json(state)
        search, effort = Indexes().search(snapshot, exact=False), 0 if built.reached is None else built.reached.effort
        return RecallReport(
            kind=built.kind,
            promise=built.promise,
            whole=measuring.recalls.measure(search, built.kind, effort),
            filtered=measuring.filtered(search, built.kind, effort),
            questions=f"{len(vectors):,} {said}",
        )


def _damage_of_words(store: Store) -> Damage | None:
    """What is wrong with the lexical index of a collection that knows its words; one that lags is whole."""
    with store.snapshot() as snapshot:
        known = Known.of(snapshot)
    if known is None or not (folder := store.folder(WORDS) / known.folder).exists():  # a backup leaves it to writers
        return None
    try:
        LexicalIndex.check(folder)
    except CorruptionError as error:
        return Damage(WORDS, str(error), derived=True)
    return None
