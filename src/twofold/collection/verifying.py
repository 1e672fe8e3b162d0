"""Verifying a collection with all that is derived in it, and building again what was damaged."""

from __future__ import annotations

from dataclasses import replace

from twofold.collection.wording import caught_up
from twofold.engine import Ask
from twofold.engines.local.derived.words import ROOM as WORDS
from twofold.engines.local.derived.words import STATE
from twofold.engines.local.engine import Store
from twofold.errors import CorruptionError
from twofold.lexical.index import LexicalIndex
from twofold.progress import Progress
from twofold.reports import Damage, VerifyReport


def verified(engine: Store, ask: Ask, progress: Progress, *, repair: bool) -> VerifyReport:
    """Reads everything again; with repair, damaged indexes are built again, of vectors and of words.

    Raises what Engine.verify raises.
    """
    report = engine.verify(progress)
    words = _damage_of_words(engine)
    if repair:
        with engine.writing() as writer:
            writer.repair(report, ask, progress)
    if words is not None and repair:
        with engine.writing() as writer, engine.snapshot() as snapshot:
            caught_up(writer, snapshot, None, progress)
        words = replace(words, repaired=True)
    if words is not None:
        report.damage.append(words)
    return report


def _damage_of_words(store: Store) -> Damage | None:
    """What is wrong with the lexical index of a collection that knows its words; one that lags is whole."""
    with store.snapshot() as snapshot:
        if snapshot.state(STATE) is None or not store.folder(WORDS).exists():  # a backup leaves it to be made again
            return None
    try:
        LexicalIndex.check(store.folder(WORDS))
    except CorruptionError as error:
        return Damage(WORDS, str(error), derived=True)
    return None
