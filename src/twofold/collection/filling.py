"""Filling a space with the documents that it lacks, block by block; the writer's lock is taken for each block alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twofold.block import Part
from twofold.documents import Document
from twofold.engine import Engine
from twofold.progress import Progress
from twofold.space import Space

AT_ONCE = 256
"""Documents that are encoded and committed at a time."""


def filled(engine: Engine, space: Space, encode: Callable[[Sequence[Document]], Part], progress: Progress) -> int:
    """Encodes the documents that the space lacks until it is complete; returns their number.

    encode: makes the part of some documents. Raises what it raises, and StorageError.
    """
    done = 0
    while True:
        with engine.snapshot() as snapshot:
            numbers = snapshot.lacking(space.name, AT_ONCE)
            if snapshot.counted(space.name).complete:
                return done
            documents, total = snapshot.documents(numbers), snapshot.counts.documents
        part = encode(documents)
        with engine.writing() as writer:
            complete = writer.fill_space(space.name, numbers, part)
        done += len(numbers)
        progress(done, total)
        if complete:
            return done
