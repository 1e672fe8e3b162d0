"""What was written since a commit: live documents, and those deleted later, whenever one reads."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

import pytest
from storing import block, document, new_store

from twofold.documents import titled
from twofold.engines.local.document_snapshot import BATCH
from twofold.engines.local.engine import Store
from twofold.errors import CorruptionError


def written(store: Store, first: int, since: int) -> dict[int, str]:
    with store.snapshot() as snapshot:
        return {number: text for number, _, text in snapshot.written(first, since)}


def live(store: Store) -> dict[int, str]:
    with store.snapshot() as snapshot:
        texts = (titled(each.title, each.text) for each in snapshot.each())
        return dict(zip(snapshot.document_numbers().tolist(), texts, strict=True))


def test_what_was_live_at_a_commit_or_came_later_is_written_whatever_was_deleted_since(tmp_path: Path) -> None:
    draw = random.Random(5)
    with new_store(tmp_path / "c") as store, store.writing() as writer:
        states: list[dict[int, str]] = [{}]
        for turn in range(40):
            if draw.random() < 0.3 and states[-1]:
                writer.delete(draw.sample(sorted(states[-1]), draw.randint(1, len(states[-1]))))
            else:
                ids = {str(draw.randrange(30)) for _ in range(draw.randint(1, 8))}
                writer.commit(block([document(each, f"turn {turn}") for each in ids], rows=draw.randrange(3)))
            states.append(live(store))
        for since in range(len(states)):
            expected = {number: each for state in states[since:] for number, each in state.items()}
            for first in (0, 7, 1_000):
                found = written(store, first, since)
                assert found == {number: each for number, each in expected.items() if number >= first}
                assert list(found) == sorted(found)
        assert written(store, 0, len(states)) == states[-1]


def test_many_documents_are_read_in_batches_and_a_compaction_drops_the_deleted(tmp_path: Path) -> None:
    with new_store(tmp_path / "c") as store, store.writing() as writer:
        writer.commit(block([document(str(number)) for number in range(2 * BATCH + 1)]))
        writer.delete([3, BATCH])
        assert list(written(store, 1, 0)) == list(range(1, 2 * BATCH + 1))
        writer.compact()
        assert list(written(store, 0, 0)) == [n for n in range(2 * BATCH + 1) if n not in (3, BATCH)]


def test_a_damaged_document_is_an_error_and_a_damaged_one_that_is_deleted_is_passed_over(tmp_path: Path) -> None:
    with new_store(tmp_path / "c") as store, store.writing() as writer:
        writer.commit(block([document("a"), document("b")]))
        writer.delete([0])
    for number in (0, 1):
        with sqlite3.connect(tmp_path / "c" / "catalogue.sqlite") as connection:
            connection.execute("UPDATE documents SET text = 'x' WHERE number = ?", (number,))
        connection.close()
        with Store.open(tmp_path / "c") as store:
            if number == 0:
                assert list(written(store, 0, 0)) == [1]
                continue
            with pytest.raises(CorruptionError, match="'b'"):
                written(store, 0, 0)
