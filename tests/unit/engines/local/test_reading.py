"""What a snapshot gives: documents, passages, vectors, rows; and that it stays as it was."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from storing import block, content, document, expected, new_store, vectors_of

from twofold.documents import Document
from twofold.engine import EngineSnapshot
from twofold.engines.local.engine import Store
from twofold.engines.local.spaces.maps import SegmentMaps
from twofold.errors import CorruptionError
from twofold.space import Space


@pytest.fixture
def store() -> Iterator[Store]:
    with new_store(None) as made, made.writing() as writer:
        writer.commit(block([document("a"), document("b", "no rows"), document("c", "Würde 東京 🙂")], rows=[2, 0, 3]))
        writer.commit(block([Document("d", "text\0with NUL", "title", {"n": [1, 2.5, True, None, {"x": "y"}]})]))
        yield made


def test_a_snapshot_is_what_searching_expects(store: Store) -> None:
    with store.snapshot() as snapshot:
        expected: EngineSnapshot = snapshot
        assert expected.commit == 2
        assert snapshot.documents_of(np.asarray([4, 0, 5])).tolist() == [2, 0, 3]
        rows, positions = snapshot.rows_of(np.asarray([3, 1, 0, 2]))
        assert rows.tolist() == [5, 0, 1, 2, 3, 4]
        assert positions.tolist() == [0, 2, 2, 3, 3, 3]
        assert snapshot.ids(np.asarray([3, 0, 3])) == ["d", "a", "d"]
        assert snapshot.spans(np.asarray([4, 5, 1])).tolist() == [[2, 10], [0, 13], [1, 13]]


def test_documents_come_back_as_they_were_given(store: Store) -> None:
    with store.snapshot() as snapshot:
        (found,) = snapshot.documents(np.asarray([3]))
    assert found == Document("d", "text\0with NUL", "title", {"n": [1, 2.5, True, None, {"x": "y"}]})
    assert isinstance(found.metadata["n"][2], bool)  # type: ignore[index]


def test_nothing_asked_for_gives_nothing(store: Store) -> None:
    none = np.empty(0, np.int64)
    with store.snapshot() as snapshot:
        assert not snapshot.documents(none)
        assert not snapshot.ids(none)
        assert snapshot.spans(none).shape == (0, 2)
        assert snapshot.vectors(none).shape == (0, 8)
        assert [len(part) for part in snapshot.rows_of(none)] == [0, 0]
        assert snapshot.find([]) == {}


def test_an_empty_collection_has_no_rows() -> None:
    with new_store(None) as store, store.snapshot() as snapshot:
        assert (snapshot.count(), len(snapshot.row_mask(None)), len(snapshot.blocks())) == (0, 0, 0)
        assert (snapshot.longest, list(snapshot.each()), snapshot.vectors(np.empty(0, np.int64)).shape) == (
            0,
            [],
            (0, 8),
        )


def test_what_is_handed_out_cannot_be_changed(store: Store) -> None:
    with store.snapshot() as snapshot:
        for array in (snapshot.row_mask(None), snapshot.rows.owners, snapshot.rows.ends, snapshot.blocks()[0][1]):
            assert array is not None
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 0


def test_a_pinned_snapshot_sees_nothing_of_what_comes_later(store: Store) -> None:
    with store.snapshot() as pinned:
        with store.writing() as writer:
            for number in range(30):
                writer.commit(block([document(f"later {number}"), document("a", f"version {number}")]))
                with store.snapshot() as between:
                    assert len(between.row_mask(None)) == 6 + 2 * (number + 1)
                    assert between.vectors(np.asarray([5 + 2 * (number + 1)])).tolist() == (
                        vectors_of(f"version {number}", 1).tolist()
                    )
            writer.delete([2, 3])
        assert [each.id for each in pinned.each()] == ["a", "b", "c", "d"]
        assert pinned.row_mask(None).tolist() == [True] * 6
        assert sum(len(rows) for _, rows in pinned.blocks()) == 6
        assert list(pinned.find(["a", "later 1"])) == ["a"]
    assert len(content(store)) == 32


def test_a_mask_that_was_handed_out_does_not_change_when_documents_are_deleted(store: Store) -> None:
    with store.snapshot() as before:
        mask = before.row_mask(None)
        with store.writing() as writer:
            writer.delete([0, 2])
            with store.snapshot() as after:
                assert after.row_mask(None).tolist() == [False] * 5 + [True]
                writer.commit(block([document("e")]))
                with store.snapshot() as last:
                    assert last.row_mask(None).tolist() == [False] * 5 + [True] * 2
                assert after.row_mask(None).tolist() == [False] * 5 + [True]
        assert mask.tolist() == [True] * 6


def test_rows_read_late_by_an_older_snapshot_are_its_own(store: Store) -> None:
    older = store.snapshot()
    with store.writing() as writer:
        writer.commit(block([document("a", "new")], rows=4))
    with store.snapshot() as newer:
        assert newer.row_mask(None).tolist() == [False, False, *[True] * 8]
    assert older.row_mask(None).tolist() == [True] * 6  # the cache is ahead of it by now
    assert len(older.rows) == 6
    older.close()


def test_maps_grow_by_few_pieces_and_keep_what_was_handed_out(tmp_path: Path) -> None:
    sent = [block([document(str(number))]) for number in range(200)]
    with new_store(tmp_path / "c") as store, store.writing() as writer:
        first = None
        for each in sent:
            writer.commit(each)
            with store.snapshot() as snapshot:
                pieces = snapshot.blocks()
                assert sum(len(rows) for _, rows in pieces) == snapshot.head.next_row
                assert len(pieces) <= 9
                first = pieces[0][1] if first is None else first
        assert first is not None
        assert first.astype(np.float32).tolist() == vectors_of("the text of 0", 1).tolist()
        assert content(store) == expected(sent)


def test_a_map_of_more_rows_serves_an_older_snapshot_its_own(store: Store) -> None:
    maps = SegmentMaps(store.path / "vectors" / "main", Space(dimension=8, contract={}, source={}))
    with store.snapshot() as older:
        with store.writing() as writer:
            writer.commit(block([document("e")], rows=9))
        with store.snapshot() as newer:
            assert sum(len(rows) for _, rows in maps.pieces(newer.segments)) == 15
        assert sum(len(rows) for _, rows in maps.pieces(older.segments)) == 6


def test_a_changed_document_is_never_given_out(tmp_path: Path) -> None:
    with new_store(tmp_path / "c") as store, store.writing() as writer:
        writer.commit(block([document("a", year=1), document("b")]))
    for column, value in [
        ("text", "the tent of a"),
        ("title", "x"),
        ("metadata", '{"year":2}'),
        ("id", "A"),
        ("added", 3),
        ("text_hash", b"87654321"),
    ]:
        with sqlite3.connect(tmp_path / "c" / "catalogue.sqlite", isolation_level=None) as connection:
            (kept,) = connection.execute(f"SELECT {column} FROM documents WHERE number = 0").fetchone()
            connection.execute(f"UPDATE documents SET {column} = ? WHERE number = 0", (value,))
        with Store.open(tmp_path / "c") as store, store.snapshot() as snapshot:
            with pytest.raises(CorruptionError, match=r"document '[aA]' is damaged"):
                snapshot.documents(np.asarray([0]))
            with pytest.raises(CorruptionError, match=r"document '[aA]' is damaged"):
                list(snapshot.each())
            assert snapshot.documents(np.asarray([1]))[0].id == "b"
        connection.execute(f"UPDATE documents SET {column} = ? WHERE number = 0", (kept,))
        connection.close()
    with Store.open(tmp_path / "c") as store:
        assert list(content(store)) == ["a", "b"]


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM blocks",
        "DELETE FROM segments",
        "DELETE FROM state WHERE key = 'head'",
        "UPDATE state SET value = replace(value, '\"documents\":2', '\"documents\":1')",
        "UPDATE blocks SET rows = 1",
        "UPDATE blocks SET documents = zeroblob(8)",
        "UPDATE segments SET first_row = 1",
        "UPDATE documents SET deleted = 1 WHERE number = 0",
    ],
)
def test_a_catalogue_that_does_not_add_up_is_an_error_and_not_an_answer(tmp_path: Path, damage: str) -> None:
    with new_store(tmp_path / "c") as store, store.writing() as writer:
        writer.commit(block([document("a"), document("b")]))
    with sqlite3.connect(tmp_path / "c" / "catalogue.sqlite") as connection:
        connection.execute(damage)
    connection.close()
    with pytest.raises(CorruptionError), Store.open(tmp_path / "c") as store:
        content(store)


def test_a_segment_that_is_short_gone_or_another_is_named(tmp_path: Path) -> None:
    with new_store(tmp_path / "c") as store, store.writing() as writer:
        writer.commit(block([document("a"), document("b")]))
    path = tmp_path / "c" / "vectors" / "main" / "000001.f16"
    whole = path.read_bytes()
    for damaged, words in [(whole[:-1], "cut short"), (whole[:10], "header"), (b"X" + whole[1:], "header")]:
        path.write_bytes(damaged)
        with Store.open(tmp_path / "c") as store:
            with pytest.raises(CorruptionError, match=rf"000001\.f16.*{words}"), store.snapshot() as snapshot:
                snapshot.vectors(np.asarray([0]))
            if len(damaged) < len(whole):
                with pytest.raises(CorruptionError, match="were written"), store.writing():
                    pass
    path.unlink()
    with Store.open(tmp_path / "c") as store, store.snapshot() as snapshot:
        with pytest.raises(CorruptionError, match=r"000001\.f16"):
            snapshot.blocks()
        assert [each.id for each in snapshot.each()] == ["a", "b"]


def test_what_follows_from_a_rows_place_is_kept_only_when_it_no_longer_does(tmp_path: Path) -> None:
    with new_store(tmp_path / "c") as store:
        with store.writing() as writer:
            writer.commit(block([document("a"), document("b")]))
        plain = store.snapshot()
        assert (plain.rows.owners, plain.rows.starts) == (None, None)
        with store.writing() as writer:
            writer.commit(block([document("c"), document("d")], rows=[2, 1]))
        with store.snapshot() as later:
            assert later.documents_of(np.arange(5)).tolist() == [0, 1, 2, 2, 3]
            assert later.spans(np.arange(5))[:, 0].tolist() == [0, 0, 0, 1, 0]
            assert [each.tolist() for each in later.rows_of(np.array([3, 0, 2]))] == [[4, 0, 2, 3], [0, 1, 2, 2]]
        assert plain.documents_of(np.array([1, 0])).tolist() == [1, 0]
        assert [each.tolist() for each in plain.rows_of(np.array([1, 0, 7]))] == [[1, 0], [0, 1]]
        assert plain.spans(np.array([1]))[0, 0] == 0
        plain.close()
