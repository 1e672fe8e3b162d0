"""The bench of storing: syncs are counted, documents are the ones that were given; no time is asserted."""

from __future__ import annotations

from pathlib import Path

import pytest

from twofold.bench import corpus as corpora
from twofold.bench import storage
from twofold.bench.corpus import corpus
from twofold.bench.storage import bench_storage
from twofold.bench.storage_peers import PeerMissingError, Stored
from twofold.bench.storing import BARE, OURS_ALONE, OURS_HELD, add_in_blocks, one_at_a_time
from twofold.collection import adding
from twofold.collection.opening import open_collection
from twofold.errors import InputError
from twofold.progress import silent


def missing(folder: Path, documents: object) -> Stored:
    raise PeerMissingError("Some store")


def test_an_acknowledged_block_costs_two_syncs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adding, "GIVEN_AT_ONCE", 10)
    monkeypatch.setattr("twofold.bench.storing.BLOCK", 10)
    documents = corpus(None, 100, 16, tmp_path)
    added = add_in_blocks(tmp_path / "c", documents, silent)
    assert (added.documents, added.blocks, added.segments) == (100, 10, 1)
    assert added.syncs == 2 * added.blocks
    with open_collection(tmp_path / "c") as collection:
        assert len(collection) == 100
        assert collection.verify().clean


def test_a_corpus_is_the_same_every_time_and_its_bytes_are_those_of_its_content(tmp_path: Path) -> None:
    documents = corpus(None, 50, 16, tmp_path)
    first = list(documents.documents())
    assert first == list(documents.documents())
    assert len({each.id for each in first}) == 50
    assert sum(map(len, documents.blocks())) == 50
    assert documents.bytes() == sum(
        len((each.title + each.text + each.metadata_json()).encode()) + 32 for each in first
    )


def test_a_corpus_of_the_users_own_holds_no_more_than_there_is(tmp_path: Path) -> None:
    file = tmp_path / "texts.jsonl"
    file.write_text('{"id": "a", "text": "one"}\n{"id": "b", "text": "two"}\n')
    assert corpus(file, 10, 16, tmp_path).count == 2
    file.write_text("")
    with pytest.raises(InputError, match="no documents"):
        corpus(file, 10, 16, tmp_path)


def test_single_documents_take_turns_with_a_bare_commit(tmp_path: Path) -> None:
    taken = one_at_a_time(tmp_path, corpus(None, 20, 16, tmp_path), 4)
    assert list(taken) == [OURS_ALONE, OURS_HELD, BARE]
    assert len(taken[OURS_ALONE]) == len(taken[BARE]) == 4
    assert all((each > 0).all() for each in taken.values())


def test_the_report_says_what_other_stores_were_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "lancedb_stored", missing)
    monkeypatch.setattr(storage, "chroma_stored", lambda folder, documents: Stored("Other", 1.0, 0.5, 1_000_000))
    report = bench_storage(count=corpora.BLOCK, dimension=16, rounds=2)
    adding_, singles, reading, stores = report.tables
    assert adding_.rows[0][0] == reading.rows[0][0] == corpora.BLOCK
    assert adding_.rows[0][2] == 2.0
    assert len(singles.rows) == 3
    assert [row[0] for row in stores.rows] == ["Twofold", "Other"]
    assert "Some store is not installed, and left out" in stores.notes
