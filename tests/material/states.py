"""All that a collection holds and answers, and whether a command that was stopped half-way did whole commits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storing import content

from twofold.collection.opening import open_collection
from twofold.engines.local.engine import Store
from twofold.errors import NotACollectionError


@dataclass(frozen=True)
class State:
    """documents: text, metadata and vectors by id. answers: (id, score) of every hit, a list a question."""

    documents: dict[str, Any]
    answers: list[list[tuple[str, float]]]


def state(collection: Path, questions: Sequence[str]) -> State:
    """What a whole collection holds and answers; nothing where there is none yet."""
    try:
        with Store.open(collection) as store:
            assert store.verify().damage == []
            documents = content(store)
    except NotACollectionError:
        return State({}, [])
    with open_collection(collection) as opened:
        answers = [[(hit.id, hit.score) for hit in opened.search(question, k=20)] for question in questions]
    return State(documents, answers)


def between(command: str, found: dict[str, Any], before: dict[str, Any], after: dict[str, Any], at_once: int) -> None:
    """That a command did a whole number of its commits: blocks in the order of the file, or the one that it makes."""
    if command not in ("index", "add"):
        assert found in (before, after)
        return
    fresh = [identifier for identifier in after if before.get(identifier) != after[identifier]]
    done = [identifier for identifier in fresh if found.get(identifier) == after[identifier]]
    assert len(done) % at_once == 0 or done == fresh
    assert done == fresh[: len(done)]
    rest = {identifier: each for identifier, each in before.items() if identifier not in set(done)}
    assert found == {**rest, **{identifier: after[identifier] for identifier in done}}
