"""What a writer does: adds, replaces, deletes, keeps state, refuses."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from storing import block, content, document, expected, main_of, new_store, vectors_of

from twofold.block import Known
from twofold.engines.local import writer as writing
from twofold.engines.local.catalogue.change import known
from twofold.engines.local.catalogue.space_change import BLOCK_ROWS, GROWING_ROWS
from twofold.engines.local.engine import Store
from twofold.engines.local.spaces import segments
from twofold.errors import CollectionError, DocumentError, VectorError


@pytest.fixture
def store() -> Iterator[Store]:
    with new_store(None) as made:
        yield made


def test_numbers_of_documents_and_rows_ascend_and_are_never_given_again(store: Store) -> None:
    with store.writing() as writer:
        assert writer.commit(block([document("a"), document("b")], rows=[1, 2])).tolist() == [0, 1]
        assert writer.delete([1]) == 1
        assert writer.commit(block([document("b"), document("c")])).tolist() == [2, 3]
    with store.snapshot() as snapshot:
        assert snapshot.documents_of(np.arange(5)).tolist() == [0, 1, 1, 2, 3]
        assert snapshot.rows.live.tolist() == [True, False, False, True, True]


def test_an_id_that_is_live_is_replaced_in_the_same_commit(store: Store) -> None:
    with store.writing() as writer:
        writer.commit(block([document("a", "old"), document("b")]))
    with store.snapshot() as before, store.writing() as writer:
        writer.commit(block([document("a", "new")], rows=2))
        with store.snapshot() as after:
            assert (before.commit, after.commit) == (1, 2)
            assert [each.text for each in before.each()] == ["old", "the text of b"]
            assert [each.text for each in after.each()] == ["the text of b", "new"]
            assert before.row_mask(None).tolist() == [True, True]
            assert after.row_mask(None).tolist() == [False, True, True, True]


def test_deleting_counts_what_was_live(store: Store) -> None:
    with store.writing() as writer:
        writer.commit(block([document("a"), document("b"), document("c")], truncated=[0, 7, 5]))
        assert writer.delete(np.asarray([0, 2, 99])) == 2
        assert writer.delete([0, 2]) == 0
        assert writer.delete([]) == 0
        assert writer.commit(block([])).tolist() == []
    with store.snapshot() as snapshot:
        head = snapshot.head
        assert head.commit == 3  # a deletion of what is gone is one, nothing at all is none
        assert (head.documents, head.rows, head.truncated, head.tokens_cut) == (1, 1, 1, 7)
        assert list(snapshot.find(["a", "b", "c"])) == ["b"]


def test_known_gives_what_decides_whether_a_document_changed(store: Store) -> None:
    sent = block([document("a", year=1, name="é\"'"), document("b")], truncated=[3, 0])
    with store.writing() as writer:
        writer.commit(sent)
        found = writer.known(["b", "a", "nobody"])
        assert set(found) == {"a", "b"}
        assert found["a"].metadata == sent.documents[0].metadata_json()
        assert found["b"].text_hash == sent.text_hashes[1]
    with store.snapshot() as snapshot:
        assert snapshot.dense().tokens_cut(np.array([1, 0])).tolist() == [0, 3]


def test_what_was_asked_for_is_read_again_only_after_a_commit(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[list[str]] = []

    def read(connection: sqlite3.Connection, ids: list[str]) -> dict[str, Known]:
        reads.append(list(ids))
        return known(connection, ids)

    monkeypatch.setattr(writing, "known", read)
    with store.writing() as writer:
        assert writer.known(["a", "b"]) == {}
        writer.commit(block([document("a"), document("b")]))  # asks for these, as known did
        assert [*writer.known(["b", "a"])] == ["b", "a"]
        assert [*writer.known(["a"])] == ["a"]
        assert writer.known(["c"]) == {}
        writer.delete([0])
        assert writer.known(["a"]) == {}
        writer.commit(block([document("b", "new")]))
        assert writer.known(["b"])["b"].handle == 2
    assert reads == [["a", "b"], ["b", "a"], ["c"], ["a"], ["b"], ["b"]]
    with store.snapshot() as snapshot:
        assert [each.text for each in snapshot.each()] == ["new"]


def test_state_is_kept_under_keys_and_taken_away(store: Store) -> None:
    with store.writing() as writer:
        writer.put_state("fusion", {"k": 60, "é": [1, None]})
        writer.put_state("head", "a key of ours is no key of theirs")
        assert writer.state("fusion") == {"k": 60, "é": [1, None]}
        writer.put_state("fusion", {"k": 61})
        with store.snapshot() as snapshot:
            assert snapshot.state("fusion") == {"k": 61}
            assert snapshot.state("head") == "a key of ours is no key of theirs"
        writer.put_state("fusion", None)
        assert writer.state("fusion") is None


def test_rows_cross_from_one_segment_to_the_next(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "SEGMENT_ROWS", 5)
    sent = [block([document("a"), document("b")], rows=[3, 9]), block([document("c")], rows=4)]
    with store.writing() as writer:
        for each in sent:
            writer.commit(each)
    assert content(store) == expected(sent)
    assert sorted(path.name for path in (store.path / "vectors" / "main").iterdir()) == [
        "000001.f16",
        "000002.f16",
        "000003.f16",
        "000004.f16",
    ]
    with store.snapshot() as snapshot:
        assert [(first, len(rows)) for first, rows in snapshot.blocks()] == [(0, 5), (5, 5), (10, 5), (15, 1)]


def test_documents_added_one_by_one_share_blocks(store: Store) -> None:
    sent = [block([document(str(number))]) for number in range(GROWING_ROWS + 3)]
    with store.writing() as writer:
        for each in sent:
            writer.commit(each)
    assert content(store) == expected(sent)
    with store.snapshot() as snapshot:
        assert [rows for _, rows in _blocks(snapshot)] == [GROWING_ROWS, 3]


def test_a_large_commit_makes_blocks_of_bounded_size(store: Store) -> None:
    sent = block([document("a"), document("b")], rows=[1500, 700])
    with store.writing() as writer:
        writer.commit(sent)
    assert content(store) == expected([sent])
    with store.snapshot() as snapshot:
        assert _blocks(snapshot) == [(0, BLOCK_ROWS), (BLOCK_ROWS, BLOCK_ROWS), (2 * BLOCK_ROWS, 2200 - 2 * BLOCK_ROWS)]


def _blocks(snapshot: Any) -> list[tuple[int, int]]:
    with snapshot.reading() as connection:
        return list(connection.execute("SELECT first_row, rows FROM blocks ORDER BY first_row"))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 65_520.0, -1e30])
def test_a_vector_that_float16_cannot_hold_names_its_document_and_writes_nothing(store: Store, bad: float) -> None:
    sent = block([document("a"), document("b"), document("c")], rows=[2, 0, 2])
    main_of(sent).vectors[3, 5] = bad
    with store.writing() as writer:
        with pytest.raises(VectorError, match="document 'c'"):
            writer.commit(sent)
        writer.commit(block([document("d")]))
    assert list(content(store)) == ["d"]


def test_the_largest_number_of_float16_is_stored(store: Store) -> None:
    sent = block([document("a")])
    main_of(sent).vectors[0] = 65_504
    with store.writing() as writer:
        writer.commit(sent)
    with store.snapshot() as snapshot:
        assert snapshot.vectors(np.asarray([0]))[0].tolist() == [65_504.0] * 8


def test_no_stored_vector_is_longer_than_the_longest(store: Store) -> None:
    generator = np.random.default_rng(5)
    with store.writing() as writer:
        for number in range(20):
            sent = block([document(str(number))], rows=50)
            main_of(sent).vectors[:] = generator.standard_normal(main_of(sent).vectors.shape) * generator.uniform(
                0.001, 100
            )
            writer.commit(sent)
    with store.snapshot() as snapshot:
        lengths = np.linalg.norm(snapshot.vectors(np.arange(1000)).astype(np.float64), axis=1)
        assert lengths.max() <= snapshot.longest <= lengths.max() * 1.001


def test_vectors_of_another_dimension_are_refused(store: Store) -> None:
    sent = block([document("a")])
    with store.writing() as writer, pytest.raises(VectorError, match="have 9 numbers; this collection takes 8"):
        writer.commit(replace(sent, parts={"main": replace(main_of(sent), vectors=np.zeros((1, 9), np.float32))}))


def test_a_block_whose_parts_do_not_fit_is_refused() -> None:
    sent = block([document("a"), document("b")])
    with pytest.raises(DocumentError, match="comes twice"):
        block([document("a"), document("a")])
    with pytest.raises(DocumentError, match="1 hashes"):
        replace(sent, text_hashes=[b"12345678"])
    with pytest.raises(VectorError, match="for 3 passages"):
        replace(main_of(sent), counts=np.asarray([1, 2]))
    with pytest.raises(VectorError, match="spans of the shape"):
        replace(main_of(sent), spans=np.zeros((1, 2), np.int32))


def test_a_writer_is_of_no_use_once_the_lock_is_given_up(store: Store) -> None:
    with store.writing() as writer:
        pass
    with pytest.raises(CollectionError, match="closed"):
        writer.commit(block([document("a")]))


def test_a_copied_vector_keeps_its_bits(store: Store) -> None:
    with store.writing() as writer:
        writer.commit(block([document("a", year=1)], rows=3))
        with store.snapshot() as snapshot:
            kept = snapshot.vectors(np.asarray([0, 1, 2]))
        sent = block([document("a", year=2)], rows=3)
        writer.commit(replace(sent, parts={"main": replace(main_of(sent), vectors=kept)}))
    assert content(store)["a"][2] == vectors_of("the text of a", 3).tolist()
    assert content(store)["a"][1] == {"year": 2}


def test_names_with_odd_characters_are_only_names(tmp_path: Path) -> None:
    folder = tmp_path / "a?b#c%20d é'\"" / "wiki"
    with new_store(folder) as store, store.writing() as writer:
        writer.commit(block([document("a")]))
    with Store.open(folder) as store:
        assert list(content(store)) == ["a"]
    shared = ["catalogue.sqlite-shm", "catalogue.sqlite-wal"]
    names = ["acknowledged", "catalogue.sqlite", *shared, "collection.json", "lock", "turn", "vectors"]
    assert sorted(path.name for path in folder.iterdir()) == names
    assert (folder / "catalogue.sqlite-wal").stat().st_size == 0  # closing folds it in and leaves the name
