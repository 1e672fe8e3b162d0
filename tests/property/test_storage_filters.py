"""Filters evaluated in the catalogue say exactly what the definition in filters.py says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from storing import block, new_store

from twofold.documents import Document
from twofold.errors import FilterError
from twofold.filters import TRUNCATED, All, Compare, Exists, Filter, comparisons, matches, parse, type_name, values_at
from twofold.storage.columns import fields

KEYS = ["year", "a", "b", "", "é", "x y", "[0]", "#", "$", 'quo"te', "back\\slash", "line\nbreak", "nul\0", "'", "true"]
NUMBERS = st.one_of(
    st.sampled_from(
        [0, 1, -1, 2**53, 2**53 + 1, 2**63 - 1, -(2**63), 0.0, -0.0, 1.0, 1.5, 0.1, 1e308, 5e-324, 2.0**53]
    ),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
)
TEXTS = st.one_of(
    st.sampled_from(
        ["", "1", "true", "null", "a", "A", "é", "e\u0301", "東京", "🙂", "a\0b", "a\0c", 'q"', "\\", "\n", "\x7f"]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KEYS), inner, max_size=2)),
    max_leaves=6,
)
METADATA = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=4)
FIELDS = st.one_of(st.sampled_from(KEYS), st.lists(st.sampled_from(KEYS), min_size=2, max_size=3).map(".".join)).filter(
    lambda field: not field.startswith("$")
)
OPERANDS = st.one_of(SCALARS, st.just(float("inf")), st.just(float("-inf")))
ORDERED = st.one_of(NUMBERS, TEXTS)
CONDITIONS = st.recursive(
    st.one_of(
        OPERANDS,
        st.fixed_dictionaries({}, optional={"$eq": OPERANDS, "$ne": OPERANDS, "$exists": st.booleans()}),
        st.fixed_dictionaries({}, optional=dict.fromkeys(("$gt", "$gte", "$lt", "$lte"), ORDERED)),
        st.dictionaries(st.sampled_from(["$in", "$nin"]), st.lists(OPERANDS, max_size=5), max_size=2),
    ).filter(lambda condition: condition != {}),
    lambda inner: inner.filter(lambda condition: isinstance(condition, dict)).map(
        lambda condition: {"$not": condition}
    ),
    max_leaves=2,
)
WHERES = st.recursive(
    st.one_of(
        st.dictionaries(FIELDS, CONDITIONS, max_size=3),
        st.fixed_dictionaries({TRUNCATED: st.one_of(SCALARS, st.just({"$ne": True}), st.just({"$exists": True}))}),
    ),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"$and": parts}),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"$or": parts}),
    ),
    max_leaves=4,
)


def ever(compare: Compare, metadata: list[dict[str, Any]]) -> bool:
    """Whether a comparison makes sense: some document has the operand's type in the field."""
    if compare.value is None or compare.field == TRUNCATED or not metadata:
        return True
    for each in metadata:
        if any(type_name(value) == type_name(compare.value) for value in values_at(each, compare.field)):
            return True
    return False


def check(metadata: list[dict[str, Any]], condition: Filter) -> None:
    for asked_before in (False, True):  # a field that is asked about again has a column, the first time it is SQL
        check_once(metadata, condition, asked_before)


def check_once(metadata: list[dict[str, Any]], condition: Filter, asked_before: bool) -> None:
    documents = [Document(str(number), "text", "", each) for number, each in enumerate(metadata)]
    truncated = [number % 3 for number in range(len(documents))]
    rows = [1 + number % 2 for number in range(len(documents))]
    with new_store(None) as store:
        with store.writing() as writer:
            writer.commit(block(documents, rows=rows, truncated=truncated))
        with store.snapshot() as snapshot:
            if asked_before:
                snapshot.passing(All(tuple(map(Exists, sorted(fields(condition))))))
            if not all(ever(compare, metadata) for compare in comparisons(condition)):
                with pytest.raises(FilterError, match="field"):
                    snapshot.passing(condition)
                return
            answers = [
                matches(condition, each, truncated=cut > 0) for each, cut in zip(metadata, truncated, strict=True)
            ]
            assert snapshot.passing(condition).tolist() == np.repeat(answers, rows).astype(bool).tolist()
            assert snapshot.count(condition) == sum(answers)
            assert snapshot.document_numbers(condition).tolist() == np.flatnonzero(answers).tolist()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(st.lists(METADATA, max_size=6), WHERES)
@example([{"a": 1}, {"a": True}, {"a": 1.0}, {"a": "1"}], {"a": 1})
@example([{"a": 1}, {"a": True}, {"a": [True]}, {"a": [1]}], {"a": True})
@example([{"a": None}, {}, {"a": []}, {"a": [None]}, {"a": {}}], {"a": None})
@example([{"a": {"b": 1}}, {"a.b": 1}, {"a": [{"b": 1}]}], {"a.b": 1})
@example([{"a": "u"}, {"a": "v"}, {"a": "w"}], {"a": "v"})
@example([{"a": "u"}, {"a": "v"}, {"a": "w"}, {}], {"a": {"$lte": "v"}})
@example([{"a": True}, {"a": False}], {"a": True})
@example([{"a": 2**53 + 1}, {"a": 2.0**53}], {"a": {"$gt": 2.0**53}})
@example([{"a": "a\0b"}, {"a": "a"}], {"a": "a"})
@example([{"a": "a\0b"}, {"a": "a"}], {"a": {"$in": ["a\0b", "x"]}})
@example([{"a": 1}, {"a": 2}], {"a": {"$in": [float("inf"), 2]}})
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
    present = [value for each in metadata for value in values_at(each, field) if not isinstance(value, list | dict)]
    value = data.draw(st.sampled_from(present or [None]))
    name = (
        "$eq"
        if value is None or isinstance(value, bool)
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
                assert snapshot.passing(parse({"a": 1})).tolist() == [True, False]
                assert snapshot.passing(parse({"a": True})).tolist() == [False, True]
                assert snapshot.passing(parse({"a": 1.0})).tolist() == [True, False]


def test_the_answer_to_a_filter_follows_the_commits() -> None:
    with new_store(None) as store, store.writing() as writer:
        for number in range(40):
            writer.commit(block([Document(str(number), "x", "", {"n": number % 2})]))
            with store.snapshot() as snapshot:
                assert snapshot.count(parse({"n": 0})) == number // 2 + 1


def test_columns_follow_additions_and_deletions_and_old_snapshots_keep_theirs() -> None:
    where = parse({"n": {"$gte": 5}})
    with new_store(None) as store, store.writing() as writer:
        held = []
        for number in range(12):
            numbers = writer.commit(block([Document(str(number), "x", "", {"n": number})]))
            if number >= 5:
                held.append((store.snapshot(), number - 4 - max(0, number - 7)))
                assert store.snapshot().passing(where).sum() == held[-1][1]
            if number >= 7:
                writer.delete(numbers)
        for snapshot, count in held:
            assert snapshot.passing(parse({"n": {"$gte": 4.5}})).sum() == count
            snapshot.close()


def test_a_type_that_only_deleted_documents_had_is_as_unknown_as_one_that_none_had() -> None:
    with new_store(None) as store, store.writing() as writer:
        writer.commit(block([Document("kept", "x", "", {"n": 1})]))
        gone = writer.commit(block([Document("gone", "x", "", {"n": "one"})]))
        for _ in range(3):
            with store.snapshot() as snapshot:
                assert snapshot.passing(parse({"n": "one"})).tolist() == [False, True]
            writer.put_state("turn", 1)  # a new commit, so that no answer is remembered
        writer.delete(gone)
        with store.snapshot() as snapshot, pytest.raises(FilterError, match="never text"):
            snapshot.passing(parse({"n": "one"}))


def test_integers_beyond_float64_and_very_many_texts_are_compared_exactly_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    check([{"a": 2**53 + 1}, {"a": 2**53 + 2}], parse({"a": {"$gt": 2**53 + 1}}))
    monkeypatch.setattr("twofold.storage.columns.TEXTS", 3)
    check([{"a": text} for text in "uvwxyz"], parse({"a": {"$gt": "w"}}))


def test_a_collection_without_documents_answers_nothing_rather_than_an_error() -> None:
    with new_store(None) as store, store.snapshot() as snapshot:
        assert snapshot.count(parse({"year": {"$gt": 1990}})) == 0


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ({"year": "1990"}, "the field 'year' holds null and numbers, never text"),
        ({"yaer": 1990}, "no document of this collection has the field 'yaer'"),
        ({"yaer": {"$ne": 1990}}, "no document of this collection has the field 'yaer'"),
        ({"$or": [{"year": 1990}, {"tags": 3}]}, "the field 'tags' holds text, never numbers"),
        ({"empty": "x"}, "the field 'empty' holds empty lists, never text"),
        ({"author": "x"}, "the field 'author' holds objects, never text"),
        ({"year": {"$in": [1990, True]}}, "the field 'year' holds null and numbers, never booleans"),
    ],
)
def test_a_comparison_that_can_match_nothing_says_why(where: dict[str, Any], words: str) -> None:
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
            snapshot.passing(parse(where))
    assert words in str(raised.value)


def test_a_long_list_of_values_and_a_broad_tree_are_answered() -> None:
    metadata: list[dict[str, Any]] = [{"n": number, "t": str(number)} for number in range(50)]
    many = [*range(0, 10_000, 7), *map(str, range(2_000)), None, True]
    check([*metadata, {"n": True}, {"n": "7"}, {}], parse({"n": {"$in": many}}))
    check(metadata, parse({"$or": [{"n": {"$gt": 48 - number % 3}, "t": {"$ne": "x"}} for number in range(600)]}))
    check(metadata, parse({"$and": [{"n": {"$gte": 5}} for _ in range(1500)]}))
