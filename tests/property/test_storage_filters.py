"""Filters evaluated in the catalogue say exactly what the definition in filters.py says."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from metadata import KEYS, METADATA, WHERES
from storing import block, new_store

from twofold.documents import Document
from twofold.engines.local.catalogue.columns import NO_TEXT, NUMBER, FilterColumn
from twofold.engines.local.engine import Store
from twofold.engines.local.reader import LocalSnapshot
from twofold.errors import FilterError
from twofold.filters import TRUNCATED, All, Exists, Filter, elements, fields, found_at, matches, parse

TITLES = ["", "a", "a\0b", "東京", "1"]
"""Those of the documents that `check` makes, whose ids are "0", "1", …"""


def check(metadata: list[dict[str, Any]], condition: Filter) -> None:
    for asked_before in (False, True):  # a field that is asked about again has a column, the first time it is SQL
        check_once(metadata, condition, asked_before)


def check_once(metadata: list[dict[str, Any]], condition: Filter, asked_before: bool) -> None:
    documents = [
        Document(str(number), "text", TITLES[number % len(TITLES)], each) for number, each in enumerate(metadata)
    ]
    truncated = [number % 3 for number in range(len(documents))]
    rows = [1 + number % 2 for number in range(len(documents))]
    with new_store(None) as store:
        with store.writing() as writer:
            writer.commit(block(documents, rows=rows, truncated=truncated))
        with store.snapshot() as snapshot:
            if asked_before:
                snapshot.row_mask(All(tuple(map(Exists, sorted(fields(condition))))))
            answers = [
                matches(condition, each.metadata, identifier=each.id, title=each.title, truncated=cut > 0)
                for each, cut in zip(documents, truncated, strict=True)
            ]
            assert snapshot.row_mask(condition).tolist() == np.repeat(answers, rows).astype(bool).tolist()
            assert snapshot.count(condition) == sum(answers)
            assert snapshot.document_numbers(condition).tolist() == np.flatnonzero(answers).tolist()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(st.lists(METADATA, max_size=6), WHERES)
@example([{"a": 1}, {"a": True}, {"a": 1.0}, {"a": "1"}], {"a": 1})
@example([{"a": 1}, {"a": True}, {"a": [True]}, {"a": [1]}], {"a": True})
@example([{"a": None}, {}, {"a": []}, {"a": [None]}, {"a": {}}], {"a": None})
@example([{"a": {"b": 1}}, {"a.b": 1}, {"a": [{"b": 1}]}], {"a.b": 1})
@example([{"a": {"b": 2}, "a.b": 1}, {"a": {"b": 1}, "a.b": 2}, {"a.b": None}, {}], {"a.b": {"$ne": 1}})
@example([{"a.b": None}, {"a": {"b": [None]}}, {"a": {"b": 1}}, {}], {"a.b": None})
@example([{"a.b.c": 1}, {"a.b": {"c": 1}}, {"a": {"b.c": 1}}, {"a": {"b": {"c": 1}}}], {"a.b.c": 1})
@example([{"a.b.c.d.e": 1}, {"a": {"b": {"c.d": {"e": 1}}}}, {}], {"a.b.c.d.e": 1})
@example([{"$p": 1}, {"$$p": 1}], {"$$p": 1})
@example([{"a": [1, [2]]}, {"a": [2]}, {"a": {"b": [2]}}], {"a": {"$in": [[2], {"b": [2]}]}})
@example([{"a": "u"}, {"a": "v"}, {"a": "w"}], {"a": "v"})
@example([{"a": "u"}, {"a": "v"}, {"a": "w"}, {}], {"a": {"$lte": "v"}})
@example([{"a": True}, {"a": False}], {"a": True})
@example([{"a": 2**53 + 1}, {"a": 2.0**53}], {"a": {"$gt": 2.0**53}})
@example([{"a": "a\0b"}, {"a": "a"}], {"a": "a"})
@example([{"a": "a\0b"}, {"a": "a"}], {"a": {"$in": ["a\0b", "x"]}})
@example([{"a": 1}, {"a": 2}], {"a": {"$in": [float("inf"), 2]}})
@example([{"id": "2"}, {"id": "1"}, {"id": "0"}], {"id": "2"})
@example([{}] * 6, {"id": {"$in": ["1", 4, "9", "1\0", None, "1"]}})
@example([{"a": n % 2} for n in range(6)], {"a": 1, "$or": [{"id": "1"}, {"id": {"$gt": "3"}}]})
@example([{"a": n % 2} for n in range(6)], {"a": 1, "$and": [{"id": {"$in": ["1", "2", "3"]}}, {"id": {"$ne": "3"}}]})
@example([{}] * 6, {"id": {"$nin": ["1", 2]}})
@example([{}] * 6, {"title": {"$in": ["a\0b", "1", 1, None]}})
@example([{}] * 6, {"title": {"$contains": "\0b"}})
@example([{}] * 6, {"title": {"$prefix": "a\0"}})
@example(
    [{"title": 1, "id": [1]}] * 6, {"$or": [{"title": 1}, {"id": {"$exists": False}}, {"id": [1]}, {"title": None}]}
)
@example([{"a": "xay"}, {"a": ["xay"]}, {"a": ["a"]}, {"a": "a"}, {"a": ["x", "a"]}, {}], {"a": {"$contains": "a"}})
@example([{"a": "b"}, {"a": ["b"]}, {"a": "abc"}], {"a": {"$contains": "b"}})
@example([{"a": 1}, {"a": [1]}, {"a": [True, 2]}, {"a": True}, {"a": [1.0]}, {}], {"a": {"$contains": 1}})
@example([{"a": True}, {"a": [True]}, {"a": [1]}], {"a": {"$contains": True}})
@example([{"a": None}, {"a": [None]}, {"a": [1]}, {}], {"a": {"$contains": None}})
@example([{"a.b": "abc"}, {"a": {"b": ["ab"]}}, {"a": {"b": "b"}, "a.b": ["c"]}], {"a.b": {"$contains": "b"}})
@example([{"a": "ba"}, {"a": ["ba"]}, {"a": ["b", "ab"]}], {"a": {"$prefix": "a"}})
@example([{"a": "ab"}, {"a": ["b", "ab"]}, {"a": ["b"]}, {"a": 1}, {}, {"a": {}}], {"a": {"$prefix": "a"}})
@example([{"a": "\U0010ffff!"}, {"a": "\ud7ff"}, {"a": "é"}, {"a": "e"}], {"a": {"$prefix": "\U0010ffff"}})
@example([{"a": [1, 2, "x"]}, {"a": [1]}, {"a": 1}, {"a": [2, 1]}, {"a": [[1, 2]]}], {"a": {"$all": [1, 2]}})
@example([{"a": [[1, 2]]}, {"a": [1, 2]}], {"a": {"$all": [[1, 2]]}})
@example([{"a": "x"}, {"a": ""}, {"a": 1}, {}], {"a": {"$prefix": "", "$contains": ""}})
def test_the_catalogue_answers_a_filter_as_its_definition_does(
    metadata: list[dict[str, Any]], where: dict[str, Any]
) -> None:
    check(metadata, parse(where))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_values_that_are_there_are_found(data: st.DataObject) -> None:
    metadata = data.draw(st.lists(METADATA.filter(bool), min_size=1, max_size=6))
    field = data.draw(
        st.sampled_from(sorted({key for each in metadata for key in each if key and key[0] != "$"} or {"a"}))
    )
    present = [value for each in metadata for value in elements(found_at(each, field))]
    value = data.draw(st.sampled_from(present or [None]))
    name = (
        "$eq"
        if value is None or isinstance(value, bool | list | dict)
        else data.draw(st.sampled_from(["$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin"]))
    )
    check(metadata, parse({field: {name: present if name in ("$in", "$nin") else value}}))


@pytest.mark.parametrize("key", [key for key in KEYS if key != "$"])
def test_every_odd_key_is_only_a_key(key: str) -> None:
    metadata: list[dict[str, Any]] = [{key: 1}, {key: {key: 1}}, {key: [1, True]}, {}]
    check(metadata, parse({key: 1}))
    check(metadata, parse({f"{key}.{key}": {"$lt": 2}}))
    check(metadata, parse({key: {"$exists": False}}))
    check(metadata, parse({key: "text"}))


def test_filters_that_python_takes_for_equal_have_answers_of_their_own() -> None:
    documents = [Document("one", "x", "", {"a": 1}), Document("true", "x", "", {"a": True})]
    with new_store(None) as store:
        with store.writing() as writer:
            writer.commit(block(documents))
        with store.snapshot() as snapshot:
            for _ in range(2):
                assert snapshot.row_mask(parse({"a": 1})).tolist() == [True, False]
                assert snapshot.row_mask(parse({"a": True})).tolist() == [False, True]
                assert snapshot.row_mask(parse({"a": 1.0})).tolist() == [True, False]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.lists(st.tuples(METADATA, st.integers(0, 2)), min_size=1, max_size=3)),
        st.tuples(st.just("delete"), st.lists(st.integers(0, 20), min_size=1, max_size=3)),
        st.tuples(st.just("compact"), st.none()),
        st.tuples(st.just("hold"), st.none()),
        st.tuples(st.just("ask"), st.none()),
    ),
    min_size=2,
    max_size=12,
)
"""What happens to a collection; documents are added with so many rows each."""
Documents = dict[int, tuple[Document, int]]


def passes(condition: Filter, document: Document) -> bool:
    return matches(condition, document.metadata, identifier=document.id, title=document.title)


def check_answers(snapshot: LocalSnapshot, conditions: list[Filter], documents: Documents) -> None:
    """documents: the live ones by number, with the rows of each."""
    for condition in conditions:
        matching = [number for number, (document, _) in documents.items() if passes(condition, document)]
        owners = [number for number, (_, rows) in documents.items() for _ in range(rows)]
        live = np.flatnonzero(snapshot.row_mask(None))
        assert snapshot.documents_of(live).tolist() == owners
        expected = [owner for owner in owners if owner in matching]
        assert snapshot.documents_of(np.flatnonzero(snapshot.row_mask(condition))).tolist() == expected
        assert np.flatnonzero(snapshot.document_mask(condition)).tolist() == sorted(set(expected))
        assert snapshot.document_numbers(condition).tolist() == matching
        assert snapshot.count(condition) == len(matching)
    assert snapshot.document_numbers().tolist() == list(documents)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(STEPS, st.lists(WHERES, min_size=1, max_size=2))
@example(
    [
        *(("add", [({"a": 1}, 1)]), ("ask", None), ("ask", None), ("add", [({}, 0), ({"a": [1, 2]}, 2)])),
        *(("hold", None), ("delete", [0]), ("ask", None), ("compact", None), ("add", [({"a": 1}, 1)]), ("ask", None)),
        ("delete", [2]),
    ],
    [{"a": 1}, {"a": {"$ne": 1}}],
)
@example(
    [
        *(("add", [({"a": 1}, 1), ({}, 0)]), ("ask", None), ("delete", [0]), ("ask", None), ("add", [({}, 1)])),
        *(("hold", None), ("ask", None), ("compact", None), ("add", [({}, 1), ({}, 2)]), ("ask", None)),
    ],
    [{"id": {"$in": ["0-0", "0-1", "4-0", "8-1"]}}, {"id": {"$prefix": "0"}}],
)
def test_answers_are_those_of_the_definition_whatever_happened_before(
    steps: list[tuple[str, Any]], wheres: list[dict[str, Any]]
) -> None:
    conditions, documents = [parse(where) for where in wheres], Documents()
    conditions = [each for each in conditions if TRUNCATED not in fields(each)]
    with new_store(None) as store, store.writing() as writer:
        held: list[tuple[LocalSnapshot, Documents]] = []
        for count, (step, what) in enumerate([*steps, ("ask", None)]):
            if step == "add":
                added = [Document(f"{count}-{place}", "x", "", metadata) for place, (metadata, _) in enumerate(what)]
                rows = [rows for _, rows in what]
                numbers = writer.commit(block(added, rows=rows)).tolist()
                documents = documents | dict(zip(numbers, zip(added, rows, strict=True), strict=True))
            elif step == "delete":
                writer.delete(what)
                documents = {number: each for number, each in documents.items() if number not in what}
            elif step == "compact":
                writer.compact()
            elif step == "hold":
                held.append((store.snapshot(), documents))
            else:
                with store.snapshot() as snapshot:
                    for asked, there in (held[0] if held else (snapshot, documents), (snapshot, documents), *held):
                        check_answers(asked, conditions, there)
        for snapshot, _ in held:
            snapshot.close()


NUMBERS = st.lists(st.one_of(st.integers(-40, 40), st.floats(-3, 3), st.sampled_from([2**53, 1e-20, 1e300, 0.1, -0.0])))


@settings(max_examples=200, deadline=None)
@given(NUMBERS, NUMBERS)
@example([0, 1e-20, -1], [0])
@example([1e300, 0, None], [1e300])
@example([1, None, 2], [float("inf"), 1])
@example([1, None, 2], [float("inf")])
@example([2.0**53, 5], [2**53 - 1, 2**53])
def test_numbers_are_looked_up_exactly_whether_in_a_table_or_by_search(held: list[Any], sought: list[float]) -> None:
    numbers = np.array([np.nan if number is None else number for number in held], np.float64)
    kinds, texts = np.full(len(held), NUMBER, np.int8), np.full(len(held), NO_TEXT, np.int32)
    column = FilterColumn(len(held), kinds=kinds, numbers=numbers, texts=texts)
    assert column.among(sought).tolist() == [number in sought for number in held]


def test_one_true_and_one_point_zero_in_a_list_have_answers_of_their_own() -> None:
    metadata: list[dict[str, Any]] = [{"a": value} for value in (1, True, 1.0, "1", None, False, 0)]
    with new_store(None) as store:
        with store.writing() as writer:
            writer.commit(block([Document(str(n), "x", "", each) for n, each in enumerate(metadata)]))
        with store.snapshot() as snapshot:
            for _ in range(3):  # by SQL, by a column, remembered
                for values in ([1, "x"], [True, "x"], [1.0, "x"], [False, None], [0, None]):
                    where = parse({"a": {"$in": values}})
                    assert snapshot.row_mask(where).tolist() == [matches(where, each) for each in metadata], values


def test_the_answer_to_a_filter_follows_the_commits() -> None:
    with new_store(None) as store, store.writing() as writer:
        for number in range(40):
            writer.commit(block([Document(str(number), "x", "", {"n": number % 2})]))
            with store.snapshot() as snapshot:
                assert snapshot.count(parse({"n": 0})) == number // 2 + 1


def test_threads_on_snapshots_of_their_own_are_answered_by_the_definition_while_documents_come_and_go() -> None:
    conditions = [parse({"n": {"$lt": 30}}), parse({"n": {"$in": list(range(0, 60, 7))}}), parse({"n": {"$ne": 3}})]
    wrong: list[tuple[Filter, int]] = []
    done = threading.Event()

    def ask(store: Store) -> None:
        while not done.is_set():
            with store.snapshot() as snapshot:
                there = [each.metadata for each in snapshot.each()]
                for condition in conditions:
                    expected = sum(matches(condition, each) for each in there)
                    if {snapshot.count(condition), int(snapshot.row_mask(condition).sum())} != {expected}:
                        wrong.append((condition, snapshot.commit))

    with new_store(None) as store, ThreadPoolExecutor(4) as pool, store.writing() as writer:
        asking = [pool.submit(ask, store) for _ in range(4)]
        for number in range(60):
            writer.commit(block([Document(str(number), "x", "", {"n": number})]))
            if number % 5 == 4:
                writer.delete([number - 2])
            if number == 40:
                writer.compact()
        done.set()
        for each in asking:
            each.result()
    assert wrong == []


def test_columns_follow_additions_and_deletions_and_old_snapshots_keep_theirs() -> None:
    where = parse({"n": {"$gte": 5}})
    with new_store(None) as store, store.writing() as writer:
        held = []
        for number in range(12):
            numbers = writer.commit(block([Document(str(number), "x", "", {"n": number})]))
            if number >= 5:
                held.append((store.snapshot(), number - 4 - max(0, number - 7)))
                assert store.snapshot().row_mask(where).sum() == held[-1][1]
            if number >= 7:
                writer.delete(numbers)
        for snapshot, count in held:
            assert snapshot.row_mask(parse({"n": {"$gte": 4.5}})).sum() == count
            snapshot.close()


def test_a_filter_finds_nothing_before_and_after_the_documents_that_have_its_field() -> None:
    where, other = parse({"n": "one"}), parse({"n": {"$ne": "one"}})
    with new_store(None) as store, store.writing() as writer:
        writer.commit(block([Document("kept", "x", "", {"m": 1})]))
        for turn in range(3):  # by SQL, and by a column
            for there in (False, True, False):
                if there:
                    gone = writer.commit(block([Document("gone", "x", "", {"n": "one"})]))
                with store.snapshot() as snapshot:
                    assert snapshot.count(where) == there, turn
                    assert snapshot.count(other) == 1
                    assert snapshot.row_mask(where).sum() == there
                    assert snapshot.row_mask(other).sum() == 1
                if there:
                    writer.delete(gone)


def test_a_type_that_only_deleted_documents_had_is_as_unknown_as_one_that_none_had() -> None:
    with new_store(None) as store, store.writing() as writer:
        writer.commit(block([Document("kept", "x", "", {"n": 1})]))
        gone = writer.commit(block([Document("gone", "x", "", {"n": "one"})]))
        for _ in range(3):
            with store.snapshot() as snapshot:
                assert snapshot.row_mask(parse({"n": "one"})).tolist() == [False, True]
            writer.put_state("turn", 1)  # a new commit, so that no answer is remembered
        writer.delete(gone)
        with store.snapshot() as snapshot, pytest.raises(FilterError, match="never text"):
            snapshot.check_fields(parse({"n": "one"}))


def test_integers_beyond_float64_and_very_many_texts_are_compared_exactly_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    check([{"a": 2**53 + 1}, {"a": 2**53 + 2}], parse({"a": {"$gt": 2**53 + 1}}))
    monkeypatch.setattr("twofold.engines.local.catalogue.kept_columns.TEXTS", 3)
    check([{"a": text} for text in "uvwxyz"], parse({"a": {"$gt": "w"}}))
    check([{"a": text} for text in "uvwxyz"], parse({"id": {"$gt": "2"}, "title": {"$contains": "a"}}))


def test_a_collection_without_documents_answers_nothing_rather_than_an_error() -> None:
    with new_store(None) as store, store.snapshot() as snapshot:
        assert snapshot.count(parse({"year": {"$gt": 1990}})) == 0


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ({"year": "1990"}, "the field 'year' holds numbers, never text"),
        ({"yaer": 1990}, "no document of this collection has the field 'yaer'; did you mean 'year'?"),
        (
            {"author.nmae": "x"},
            "no document of this collection has the field 'author.nmae'; did you mean 'author.name'?",
        ),
        ({"yaer": {"$exists": False}}, "no document of this collection has the field 'yaer'"),
        ({"yaer": {"$ne": 1990}}, "no document of this collection has the field 'yaer'"),
        ({"$or": [{"year": 1990}, {"tags": 3}]}, "the field 'tags' holds text, never numbers"),
        ({"empty": "x"}, "the field 'empty' holds empty lists, never text"),
        ({"author": "x"}, "the field 'author' holds objects, never text"),
        ({"year": {"$in": [1990, True]}}, "the field 'year' holds numbers, never booleans"),
    ],
)
def test_a_strict_filter_that_can_match_nothing_says_why(where: dict[str, Any], words: str) -> None:
    metadata: list[dict[str, Any]] = [
        {"year": 1990, "tags": ["a"], "empty": [], "author": {"name": "Hopper"}},
        {"year": None},
        {},
    ]
    documents = [Document(str(number), "x", "", each) for number, each in enumerate(metadata)]
    with new_store(None) as store:
        with store.writing() as writer:
            writer.commit(block(documents))
        with store.snapshot() as snapshot, pytest.raises(FilterError) as raised:
            snapshot.check_fields(parse(where))
    assert words in str(raised.value)


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ({"titel": "x"}, "no document of this collection has the field 'titel'; did you mean 'title'?"),
        ({"idd": "x"}, "did you mean 'id'?"),
        ({"title": 5}, "the field 'title' holds text, never numbers"),
        ({"id": {"$contains": True}}, "the field 'id' holds text, never booleans"),
    ],
)
def test_a_strict_filter_knows_id_and_title(where: dict[str, Any], words: str) -> None:
    with new_store(None) as store, store.writing() as writer:
        writer.commit(block([Document("a", "x"), Document("b", "x", "", {"year": 1})]))
        with store.snapshot() as snapshot:
            snapshot.check_fields(parse({"id": "zz", "title": {"$contains": "zz"}}))
            with pytest.raises(FilterError) as raised:
                snapshot.check_fields(parse(where))
    assert words in str(raised.value)


def test_a_filter_that_names_ids_looks_at_these_documents_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[str] = []

    def counting(condition: Filter, metadata: Any, *, identifier: str, **own: Any) -> bool:
        looked_at.append(identifier)
        return matches(condition, metadata, identifier=identifier, **own)

    monkeypatch.setattr("twofold.engines.local.catalogue.conditions.matches", counting)
    by_definition = {"odd\\name": {"$exists": False}}
    with new_store(None) as store, store.writing() as writer:
        writer.commit(block([Document(str(n), "x", "", {"n": n % 2}) for n in range(100)]))
        for ids in ({"$in": ["7", "99", "unknown"]}, "7", {"$all": ["99"]}):
            with store.snapshot() as snapshot:
                for _ in range(2):
                    found = snapshot.ids(snapshot.select(parse({**by_definition, "id": ids})))
                    assert found == sorted(looked_at, key=int)
            looked_at.clear()
            writer.put_state("turn", str(ids))  # a new commit, so that no answer is remembered


def test_what_has_another_id_or_title_in_its_metadata_is_not_deleted_by_it() -> None:
    with new_store(None) as store, store.writing() as writer:
        writer.commit(block([Document("a", "x", "A", {"title": "B"}), Document("b", "x", "B", {"title": "B"})]))
        with store.snapshot() as snapshot:
            snapshot.check_unambiguous(parse({"title": "B"}))
            with pytest.raises(FilterError, match="'a' has several values under 'title', its own and in its metadata"):
                snapshot.check_unambiguous(parse({"title": "A"}))


def test_a_long_list_of_values_and_a_broad_tree_are_answered() -> None:
    metadata: list[dict[str, Any]] = [{"n": number, "t": str(number)} for number in range(50)]
    many = [*range(0, 10_000, 7), *map(str, range(2_000)), None, True]
    check([*metadata, {"n": True}, {"n": "7"}, {}], parse({"n": {"$in": many}}))
    check(metadata, parse({"$or": [{"n": {"$gt": 48 - number % 3}, "t": {"$ne": "x"}} for number in range(600)]}))
    check(metadata, parse({"$and": [{"n": {"$gte": 5}} for _ in range(1500)]}))
