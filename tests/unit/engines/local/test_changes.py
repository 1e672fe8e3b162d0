"""What happened since a commit: documents added and deleted, neither more nor less."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

import pytest
from storing import block, document, new_store

from twofold.documents import Document
from twofold.engines.local.catalogue.changes import DELETED_AFTER
from twofold.engines.local.document_snapshot import BATCH
from twofold.engines.local.engine import Store
from twofold.errors import CorruptionError


def living(store: Store) -> dict[int, Document]:
    with store.snapshot() as snapshot:
        return dict(zip(snapshot.document_numbers().tolist(), snapshot.each(), strict=True))


def changed(store: Store, since: int) -> tuple[list[int], dict[int, Document]]:
    with store.snapshot() as snapshot:
        changes = snapshot.changes(since)
        return changes.deleted.tolist(), {number: each for batch in changes.added for number, each in batch}


def test_the_changes_since_any_commit_lead_from_its_documents_to_the_latest(tmp_path: Path) -> None:
    draw = random.Random(5)
    with new_store(tmp_path / "c") as store, store.writing() as writer:
        states = [living(store)]
        for turn in range(40):
            if draw.random() < 0.3 and states[-1]:
                writer.delete(draw.sample(sorted(states[-1]), draw.randint(1, len(states[-1]))))
            else:
                ids = {str(draw.randrange(30)) for _ in range(draw.randint(1, 8))}
                writer.commit(block([document(each, f"turn {turn}") for each in ids], rows=draw.randrange(3)))
            states.append(living(store))
        for since, before in enumerate(states):
            deleted, added = changed(store, since)
            assert deleted == sorted(set(before) - set(states[-1]))
            assert added == {number: each for number, each in states[-1].items() if number not in before}
            assert list(added) == sorted(added)
        assert changed(store, -1) == ([], states[-1])
        assert changed(store, 1_000) == ([], {})


def test_after_a_compaction_what_was_added_is_found_and_dropped_documents_are_not(tmp_path: Path) -> None:
    with new_store(tmp_path / "c") as store, store.writing() as writer:
        for number in range(6):
            writer.commit(block([document(f"{number}-{each}") for each in range(3)]))
        writer.delete([0, 4, 5, 8, 12, 13, 14, 17])
        writer.compact()
        for since in range(7):
            deleted, added = changed(store, since)
            assert deleted == []
            assert list(added) == [each for each in [1, 2, 3, 6, 7, 9, 10, 11, 15, 16] if each >= 3 * since]


def test_many_documents_come_in_batches(tmp_path: Path) -> None:
    with new_store(tmp_path / "c") as store:
        with store.writing() as writer:
            writer.commit(block([document("before")]))
            writer.commit(block([document(str(number)) for number in range(2 * BATCH + 1)]))
        with store.snapshot() as snapshot:
            batches = list(snapshot.changes(1).added)
        assert [len(batch) for batch in batches] == [BATCH, BATCH, 1]
        assert [number for batch in batches for number, _ in batch] == list(range(1, 2 * BATCH + 2))


def test_a_damaged_document_is_an_error_and_no_change(tmp_path: Path) -> None:
    with new_store(tmp_path / "c") as store, store.writing() as writer:
        writer.commit(block([document("a")]))
    with sqlite3.connect(tmp_path / "c" / "catalogue.sqlite") as connection:
        connection.execute("UPDATE documents SET text = 'x'")
    connection.close()
    with Store.open(tmp_path / "c") as store, pytest.raises(CorruptionError, match="'a'"):
        changed(store, 0)


def test_deletions_are_found_by_their_index_and_not_among_all_documents(tmp_path: Path) -> None:
    with new_store(tmp_path / "c") as store, store.writing() as writer:
        writer.commit(block([document("a", "text")], rows=1))
    connection = sqlite3.connect(tmp_path / "c" / "catalogue.sqlite")
    plan = [line[-1] for line in connection.execute(f"EXPLAIN QUERY PLAN {DELETED_AFTER}", (1, 1))]
    connection.close()
    assert plan == ["SEARCH documents USING INDEX deletions (deleted>?)"]
