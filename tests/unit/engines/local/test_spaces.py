"""Several spaces in one store: begun, filled, searched, made the default, dropped; what one does leaves the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from storing import (
    DIMENSION,
    OTHER,
    OTHER_SPACE,
    block,
    both,
    content,
    document,
    expected,
    main_of,
    new_store,
    other_part,
)

from twofold.engines.local.catalogue.owners import count_rows
from twofold.engines.local.engine import Store
from twofold.errors import InputError, VectorError
from twofold.filters import parse
from twofold.space import MAIN, Space

SENT = block([document("a"), document("b"), document("c")], rows=[1, 0, 2], truncated=[0, 3, 0])
LATER = block([document("d"), document("a", "another")], rows=[2, 1])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with new_store(tmp_path / "c") as made:
        with made.writing() as writer:
            writer.commit(SENT)
        yield made


def lacking(store: Store, count: int = 10) -> list[int]:
    with store.snapshot() as snapshot:
        return [int(number) for number in snapshot.lacking(OTHER, count)]


def test_a_space_is_filled_in_blocks_and_complete_when_every_document_is_in(store: Store) -> None:
    part = other_part(SENT)
    with store.writing() as writer:
        writer.add_space(OTHER_SPACE)
        assert lacking(store) == [0, 1, 2]
        assert not writer.fill_space(OTHER, np.array([0]), part.of(np.array([True, False, False])))
        assert lacking(store, 1) == [1]
        assert [space.name for space in writer.spaces()] == [MAIN]
        assert writer.fill_space(OTHER, np.array([1, 2]), part.of(np.array([False, True, True])))
        assert [space.name for space in writer.spaces()] == [MAIN, OTHER]
    assert lacking(store) == []
    for space in (MAIN, OTHER):
        assert content(store, space) == expected([both(SENT)], space)
    assert store.verify().damage == []


def test_while_a_space_is_not_complete_additions_go_into_the_others_and_are_filled_in_later(store: Store) -> None:
    with store.writing() as writer:
        writer.add_space(OTHER_SPACE)
        writer.fill_space(OTHER, np.array([0]), other_part(block([document("a")])))
        writer.commit(LATER)  # replaces a document that is in the space, and one that is not
        assert lacking(store) == [1, 2, 3, 4]
        left = block([document("b"), document("c"), document("d"), document("a", "another")], rows=[0, 2, 2, 1])
        assert writer.fill_space(OTHER, np.arange(1, 5), other_part(left))
        assert content(store, OTHER) == expected([both(left)], OTHER)
        sent = both(block([document("e")]))
        writer.commit(sent)
        assert content(store, OTHER) == expected([both(left), sent], OTHER)
    assert content(store) == expected([SENT, LATER, sent])
    assert store.verify().damage == []


def test_documents_that_were_deleted_meanwhile_are_left_out_and_none_is_passed_over(store: Store) -> None:
    part = other_part(SENT)
    with store.writing() as writer:
        writer.add_space(OTHER_SPACE)
        with pytest.raises(InputError, match="in the order of the documents"):
            writer.fill_space(OTHER, np.array([1, 2]), part.of(np.array([False, True, True])))
        writer.delete([1])
        assert writer.fill_space(OTHER, np.arange(3), part)
        assert set(content(store, OTHER)) == {"a", "c"}
        assert not lacking(store)


def test_a_space_whose_last_documents_were_deleted_becomes_complete(store: Store) -> None:
    with store.writing() as writer:
        writer.add_space(OTHER_SPACE)
        writer.fill_space(OTHER, np.array([0]), other_part(block([document("a")])))
        writer.delete([1, 2])
        with pytest.raises(InputError, match="lacks documents"):
            writer.make_default(OTHER)
        assert writer.fill_space(OTHER, np.empty(0, np.int64), other_part(block([])))
        writer.make_default(OTHER)
    assert store.space.name == OTHER


def test_the_default_space_is_the_one_that_snapshots_give_and_held_ones_stay(store: Store) -> None:
    with store.writing() as writer:
        writer.add_space(OTHER_SPACE)
        writer.fill_space(OTHER, np.arange(3), other_part(SENT))
        held = store.snapshot()
        writer.make_default(OTHER)
    with store.snapshot() as snapshot, held:
        assert (held.space.name, snapshot.space.name) == (MAIN, OTHER)
        assert held.counts.passages == 3
        assert snapshot.counts.passages == 6
        assert held.count(parse({"$truncated": True})) == 1
        assert snapshot.count(parse({"$truncated": True})) == 3
        assert snapshot.dense().tokens_cut(np.arange(3)).tolist() == [2, 5, 2]
        assert snapshot.dense(MAIN).tokens_cut(np.arange(3)).tolist() == [0, 3, 0]
        assert len(snapshot.passages(np.arange(3), MAIN).handles) == 3
    with Store.open(store.path) as again:
        assert again.space.name == OTHER
        assert content(again) == expected([SENT])


def test_another_process_that_has_the_collection_open_sees_what_became_of_its_spaces(store: Store) -> None:
    with Store.open(store.path) as second:
        with store.writing() as writer:
            writer.add_space(OTHER_SPACE)
            writer.fill_space(OTHER, np.arange(3), other_part(SENT))
            writer.make_default(OTHER)
        with second.snapshot() as snapshot:
            assert snapshot.space == OTHER_SPACE
        with second.writing() as writer:
            writer.commit(both(LATER))
            writer.drop_space(MAIN)
        with store.snapshot() as snapshot:
            assert [space.name for space in snapshot.spaces] == [OTHER]
        assert content(store, OTHER) == expected([both(SENT), both(LATER)], OTHER)


def test_a_dropped_space_frees_its_disk_space_and_its_name(store: Store) -> None:
    with store.writing() as writer:
        writer.add_space(OTHER_SPACE)
        writer.fill_space(OTHER, np.arange(3), other_part(SENT))
        with store.snapshot() as held:
            seen = held.in_space(OTHER)
            writer.drop_space(OTHER)
            assert seen.vectors(np.arange(3)).tolist() == other_part(SENT).vectors[:3].tolist()
        assert not (store.path / "vectors" / OTHER).exists()
        assert store.verify().damage == []
        with pytest.raises(InputError, match="there is no space 'other'"):
            writer.drop_space(OTHER)
        wider = replace(OTHER_SPACE, dimension=DIMENSION)
        writer.add_space(wider)
        writer.fill_space(OTHER, np.arange(3), main_of(SENT))
        with store.snapshot() as snapshot:
            again = snapshot.in_space(OTHER)
            assert again.vectors(np.arange(3)).tolist() == main_of(SENT).vectors.tolist()
    assert store.verify().damage == []


def test_what_cannot_be_is_refused(store: Store) -> None:
    with store.writing() as writer:
        for work, said in (
            (lambda: writer.add_space(replace(OTHER_SPACE, name=MAIN)), "there is a space 'main' already"),
            (lambda: writer.drop_space(MAIN), "is the space that is searched"),
            (lambda: writer.make_default("nowhere"), "there is no space 'nowhere'; there are main"),
            (lambda: writer.commit(both(LATER)), "encoded for the spaces main, other, and are added to main"),
        ):
            with pytest.raises(InputError, match=said):
                work()
        writer.add_space(OTHER_SPACE)
        with pytest.raises(VectorError, match="vectors have 8 numbers; this collection takes 3"):
            writer.fill_space(OTHER, np.arange(3), main_of(SENT))
        bad = other_part(SENT)
        bad.vectors[0, 0] = np.nan
        with pytest.raises(VectorError, match="document 0"):
            writer.fill_space(OTHER, np.arange(3), bad)


@pytest.mark.parametrize("name", ["", "A", "1st", "a b", "../x", "x" * 41, "ä"])
def test_a_name_that_is_no_folder_everywhere_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="a space is named by"):
        Space(name=name, dimension=3, contract={}, source={})


@pytest.mark.parametrize(("field", "value"), [("numbers", "float32"), ("numbers", "int8")])
def test_what_the_format_names_and_nobody_writes_yet_is_refused_as_text(field: str, value: str) -> None:
    with pytest.raises(InputError, match=f"passages with '{value}' are not written yet"):
        replace(OTHER_SPACE, **{field: value})  # type: ignore[arg-type]


def test_compacting_numbers_the_rows_of_every_space_anew(store: Store) -> None:
    with store.writing() as writer:
        writer.add_space(OTHER_SPACE)
        writer.fill_space(OTHER, np.arange(2), other_part(SENT).of(np.array([True, True, False])))
        writer.commit(LATER)
        report = writer.compact()
        assert (report.documents, report.rows) == (1, 3)
        assert lacking(store) == [2, 3, 4]
        left = block([document("c"), document("d"), document("a", "another")], rows=[2, 2, 1])
        assert writer.fill_space(OTHER, np.arange(2, 5), other_part(left))
        whole = [both(SENT), both(LATER)]
        for space in (MAIN, OTHER):
            assert content(store, space) == expected(whole, space)
    assert store.verify().damage == []


@pytest.mark.parametrize("documents", [[0], [1], [2, 3], [0, 5, 9], [*range(10)], [3, 99]])
def test_rows_of_documents_are_counted_by_the_blocks(store: Store, documents: list[int]) -> None:
    rows = [1, 0, 2, 1500, 0, 3, 1, 1023, 1, 40]
    with new_store(None) as made, made.writing() as writer:
        writer.commit(block([document(str(number)) for number in range(5)], rows=rows[:5]))
        for number in range(5, 10):
            writer.commit(block([document(str(number))], rows=rows[number]))
        with made.snapshot() as snapshot, snapshot.reading() as connection:
            counted = count_rows(connection, MAIN, np.array(documents, np.int64))
            assert counted == sum(rows[number] for number in documents if number < 10)
            assert count_rows(connection, "nowhere", np.array(documents, np.int64)) == 0


def test_the_source_of_an_encoder_is_replaced_and_nothing_else(store: Store, tmp_path: Path) -> None:
    before = store.space
    with store.writing() as writer:
        writer.put_source(MAIN, {"kind": "other", "name": "/models/new"})
        with pytest.raises(InputError, match="there is no space 'nowhere'"):
            writer.put_source("nowhere", {})
    assert store.space == replace(before, source={"kind": "other", "name": "/models/new"})
    with Store.open(tmp_path / "c") as again, again.snapshot() as snapshot:
        assert snapshot.space == store.space
        assert snapshot.counts.documents == 3
