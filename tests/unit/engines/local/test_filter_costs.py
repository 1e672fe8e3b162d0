"""What a filter looks at: documents that were added, and nothing that was looked at before; and who waits for whom."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from storing import block, document, new_store

from twofold.engines.local.catalogue import column_reading, filtering, kept_columns, live
from twofold.engines.local.catalogue.columns import FilterColumn, NoColumnError
from twofold.engines.local.engine import Store
from twofold.filters import parse

YEAR, LANG = parse({"year": {"$lt": 5}}), parse({"lang": "de"})


@pytest.fixture
def store() -> Iterator[Store]:
    """A hundred documents, of whose fields each was asked about once."""
    with new_store(None) as made:
        with made.writing() as writer:
            writer.commit(block([document(f"d{n}", year=n % 10, lang="de" if n % 3 else "en") for n in range(100)]))
        with made.snapshot() as snapshot:
            snapshot.row_mask(parse({"year": {"$exists": True}, "lang": {"$exists": True}}))
        yield made


def spied(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, what: Callable[..., Any]) -> list[Any]:
    """Notes of every call of a function, which goes on as before."""
    calls: list[Any] = []
    function = getattr(module, name)

    def noting(*arguments: Any) -> Any:
        calls.append(what(*arguments))
        return function(*arguments)

    monkeypatch.setattr(module, name, noting)
    return calls


def add(store: Store, name: str, **metadata: Any) -> int:
    with store.writing() as writer:
        return int(writer.commit(block([document(name, **metadata)]))[0])


def test_after_an_addition_a_filter_looks_at_what_was_added_and_copies_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with store.snapshot() as snapshot:
        snapshot.row_mask(YEAR)
    looked_at = spied(monkeypatch, filtering, "matching_documents", lambda where, columns, count: count)
    read = spied(monkeypatch, kept_columns, "read", lambda name, first, end, *_: (name, first, end))
    answers = []
    for turn in range(3):
        add(store, f"new{turn}", year=turn * 4)
        with store.snapshot() as snapshot:
            answers.append((snapshot.row_mask(YEAR), snapshot.document_mask(YEAR)))
    assert looked_at == [1, 1, 1]
    assert read == [("year", 100, 101), ("year", 101, 102), ("year", 102, 103)]
    assert [rows[100:].tolist() for rows, _ in answers] == [[True], [True, True], [True, True, False]]
    for before, after in zip(answers[0], answers[2], strict=True):
        assert np.shares_memory(before, after)


def test_a_filter_that_has_no_column_looks_by_sql_at_what_was_added(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = parse({"big": {"$gt": 2**53 + 1}})
    looked_at = spied(monkeypatch, filtering, "_numbers", lambda where, head, first, _: (first, head.next_document))
    for number in range(3):
        add(store, f"new{number}", big=2**53 + number)
        with store.snapshot() as snapshot:
            assert snapshot.count(where) == max(0, number - 1)
    assert looked_at == [(0, 101), (101, 102), (102, 103)]


def test_an_addition_to_an_answer_of_sql_begins_no_column(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    read = spied(monkeypatch, kept_columns, "read", lambda name, first, end, *_: (name, first, end))
    for number in range(3):
        add(store, f"new{number}", month=number)
        with store.snapshot() as snapshot:
            assert snapshot.count(parse({"month": {"$gte": 1}})) == number
    assert read == []


def test_a_column_that_was_read_after_a_compaction_is_not_asked_for_an_older_snapshot(store: Store) -> None:
    with store.snapshot() as held:
        with store.writing() as writer:
            writer.delete([3, 7])
            writer.compact()
        with store.snapshot() as snapshot:
            assert snapshot.count(YEAR) == 49
        assert held.count(YEAR) == 50
        assert held.row_mask(parse({"year": {"$lt": 8}})).sum() == 80


def test_after_a_deletion_and_after_a_compaction_a_filter_looks_at_no_document_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with store.snapshot() as held:
        before = held.row_mask(YEAR)
        looked_at = spied(monkeypatch, filtering, "matching_documents", lambda where, columns, count: count)
        with store.writing() as writer:
            writer.delete([3, 7])
            with store.snapshot() as snapshot:
                assert snapshot.row_mask(YEAR).sum() == 49
            writer.compact()
            with store.snapshot() as snapshot:
                assert (snapshot.row_mask(YEAR).sum(), len(snapshot.row_mask(YEAR))) == (49, 98)
                assert snapshot.count(YEAR) == 49
        assert looked_at == [0, 0]
        assert held.row_mask(YEAR) is before


def test_a_column_is_read_on_into_its_own_capacity_and_what_was_handed_out_stays(store: Store) -> None:
    columns = kept_columns.Columns()

    def column() -> FilterColumn:
        with store.snapshot() as snapshot:
            return columns.of({"year"}, snapshot.head, snapshot.reading)["year"]

    with pytest.raises(NoColumnError):
        column()
    first = column()
    add(store, "new", year=[1, 2])
    second = column()
    add(store, "newer")
    third = column()
    assert np.shares_memory(second.numbers, third.numbers)
    assert (len(first.numbers), first.owners, first.end) == (100, None, 100)
    assert third.owners is not None
    assert third.owners[-3:].tolist() == [100, 100, 101]
    assert third.missing.tolist() == [101]
    assert first.numbers.tolist() == [n % 10 for n in range(100)]


def test_a_column_of_one_type_holds_only_what_differs(store: Store) -> None:
    columns = kept_columns.Columns()
    with store.snapshot() as snapshot:
        with pytest.raises(NoColumnError):
            columns.of({"year", "lang"}, snapshot.head, snapshot.reading)
        both = columns.of({"year", "lang"}, snapshot.head, snapshot.reading)
    held = {name: [each.strides != (0,) for each in (c.kinds, c.numbers, c.texts)] for name, c in both.items()}
    assert held == {"year": [False, True, False], "lang": [False, False, True]}


def test_nobody_waits_for_a_column_but_those_who_ask_for_it(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    reading, go_on = threading.Event(), threading.Event()
    read = column_reading.read

    def slowly(name: str, *rest: Any) -> Any:
        found = read(name, *rest)
        if name == "lang":
            reading.set()
            go_on.wait()
        return found

    monkeypatch.setattr(kept_columns, "read", slowly)
    with store.snapshot() as shared, store.snapshot() as other:
        shared.row_mask(YEAR)
        answers: list[int] = []
        builder = threading.Thread(target=lambda: answers.append(shared.count(LANG)))
        builder.start()
        assert reading.wait(30)
        asked: list[int] = []

        def ask() -> None:
            for snapshot in (shared, other):
                asked.append(snapshot.count(YEAR))  # an answer that is there
                asked.append(snapshot.count(parse({"year": {"$gte": len(asked)}})))  # another column
                asked.append(len(snapshot.ids(np.array([1, 2]))))

        asker = threading.Thread(target=ask, daemon=True)
        asker.start()
        asker.join(30)
        waited = asker.is_alive()
        go_on.set()
        builder.join()
    assert not waited
    assert (asked, answers) == ([50, 90, 2, 50, 60, 2], [66])


def test_counting_and_selecting_by_a_column_asks_nothing_of_the_catalogue(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with store.snapshot() as snapshot:
        assert snapshot.count(YEAR) == 50
        statements: list[str] = []
        with snapshot.reading() as connection:
            connection.set_trace_callback(statements.append)
        assert snapshot.count(parse({"year": {"$lt": 4}})) == 40
        assert snapshot.document_numbers(parse({"year": {"$lt": 3}})).tolist() == [n for n in range(100) if n % 10 < 3]
        assert snapshot.document_numbers().tolist() == list(range(100))
        with snapshot.reading() as connection:
            connection.set_trace_callback(None)
    assert statements == []


def test_documents_without_rows_are_looked_for_among_those_that_were_added(monkeypatch: pytest.MonkeyPatch) -> None:
    since = spied(monkeypatch, live, "_still_without_rows", lambda before, head, *_: (len(before), head.next_document))
    with new_store(None) as store, store.writing() as writer:
        numbers = writer.commit(block([document(f"d{n}", n=n) for n in range(6)], rows=[1, 0, 2, 0, 1, 0]))
        held = store.snapshot()
        for gone in (1, 2):
            with store.snapshot() as snapshot:
                assert snapshot.document_numbers().tolist() == [n for n in range(6) if n not in range(1, gone)]
            writer.delete(numbers[[gone]])
        with store.snapshot() as snapshot:
            assert snapshot.document_numbers().tolist() == [0, 3, 4, 5]
            assert snapshot.count(parse({"n": {"$gte": 3}})) == 3
        assert held.count(parse({"n": {"$lte": 3}})) == 4
        held.close()
    assert since == [(0, 0), (3, 6), (2, 6), (0, 0)]


def test_a_document_that_is_replaced_copies_masks_and_nothing_else() -> None:
    with new_store(None) as store, store.writing() as writer:
        writer.commit(block([document(f"d{n}") for n in range(50)], rows=2))
        taken = []
        for _ in range(4):
            writer.commit(block([document("d7")], rows=2))
            with store.snapshot() as snapshot:
                taken.append(snapshot.rows)
    _, first, _, last = taken  # the first reading takes the capacity that it needs
    assert (first.live.sum(), last.live.sum(), len(last)) == (100, 100, 108)
    for name in ("owners", "starts", "ends"):
        assert np.shares_memory(getattr(first, name), getattr(last, name)), name
    assert not np.shares_memory(first.live, last.live)
