"""Facets are what a plain count over all documents gives, whatever happened to them before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from metadata import FIELDS, METADATA, WHERES
from storing import block, new_store

import twofold
from twofold.documents import Document
from twofold.engines.local.reader import LocalSnapshot
from twofold.errors import FilterError, InputError
from twofold.filters import TRUNCATED, Filter, fields, found_at, matches, parse

Counts = Counter[tuple[bool, Any]]
"""(whether it is a boolean, value) → documents."""


def counted(documents: Iterable[Document], field: str, where: Filter) -> Counts:
    """The plain count: a pass over the documents and the elements of each."""
    counts = Counts()
    for each in documents:
        if matches(where, each.metadata, identifier=each.id, title=each.title):
            own = {"id": [each.id], "title": [each.title]}
            held = set()
            for value in own.get(field, found_at(each.metadata, field)):
                for element in value if isinstance(value, list) else [value]:
                    if isinstance(element, str | int | float):
                        held.add((isinstance(element, bool), element))
            counts.update(held)
    return counts


def check(snapshot: LocalSnapshot, documents: Iterable[Document], field: str, where: Filter) -> None:
    pairs = list(snapshot.facets(field, where))
    found = Counts({(isinstance(value, bool), value): count for value, count in pairs})
    assert len(found) == len(pairs)
    assert found == counted(documents, field, where)


def documents_of(metadata: list[dict[str, Any]], name: str) -> list[Document]:
    titles = ["", "a", "a\0b", "東京"]
    return [Document(f"{name}{n}", "text", titles[n % len(titles)], each) for n, each in enumerate(metadata)]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(st.lists(METADATA, max_size=5), st.lists(METADATA, max_size=5), FIELDS, WHERES, st.sets(st.integers(0, 4)))
@example([{"a": 1}, {"a": 1.0}, {"a": True}, {"a": [1, 1.0, True]}], [{"a": "1"}, {"a": None}, {}], "a", {}, {1})
@example([{"a": ["x", "y", "x"]}, {"a": []}, {"a": ["y", ["x"], {"b": 1}]}], [{"a": "x"}], "a", {"a": "x"}, set())
@example([{"a.b": "x", "a": {"b": ["x", "y"]}}, {"a": {"b": "y"}}], [{}, {"a.b": 2}], "a.b", {}, {0})
@example([{"a": 2**53 + 1}, {"a": 2**53}], [{"a": 2.0**53}, {"a": -0.0}, {"a": 0}], "a", {}, set())
@example([{"a": "x"}] * 5, [{"a": "x"}] * 5, "title", {"id": {"$prefix": "later"}}, set())
@example([{"id": "x"}] * 3, [{"id": "x"}], "id", {}, {2})
@example([{"a": "x"}], [{"a": ["x\0", "y"]}, {"a": "y"}], "a", {}, set())
def test_facets_are_what_a_plain_count_gives(
    first: list[dict[str, Any]], later: list[dict[str, Any]], field: str, where: dict[str, Any], gone: set[int]
) -> None:
    condition = parse(where if TRUNCATED not in fields(parse(where)) else {})
    with new_store(None) as store, store.writing() as writer:
        documents = dict(enumerate(documents_of(first, "first")))
        if documents:
            writer.commit(block(list(documents.values()), rows=[n % 2 for n in documents]))
        with store.snapshot() as held:
            before = list(documents.values())
            for _ in range(3):  # by reading, and by a column where there is one
                check(held, before, field, condition)
            writer.delete(sorted(gone & documents.keys()))
            documents = {number: each for number, each in documents.items() if number not in gone}
            if later:
                added = documents_of(later, "later")
                documents |= dict(zip(writer.commit(block(added)).tolist(), added, strict=True))
            with store.snapshot() as snapshot:
                check(snapshot, documents.values(), field, condition)
            check(held, before, field, condition)
        writer.compact()
        with store.snapshot() as snapshot:
            check(snapshot, documents.values(), field, condition)


def test_the_most_frequent_value_comes_first_and_equal_counts_by_value() -> None:
    with twofold.create(None, twofold.HashedWords(16)) as collection:
        held = [["b", 2.0, True], ["b", 10, "é"], ["a", 2], ["a", False], "c", "b", None, {"x": "y"}]
        collection.add([{"id": str(n), "text": "x", "v": value} for n, value in enumerate(held)] + [("other", "y")])
        for _ in range(3):
            found = collection.facets("v")
            assert list(found.items()) == [
                ("b", 3),
                (2, 2),
                ("a", 2),
                (False, 1),
                (True, 1),
                (10, 1),
                ("c", 1),
                ("é", 1),
            ]
            assert type(list(found)[1]) is int
            assert list(collection.facets("v", limit=2).items()) == [("b", 3), (2, 2)]
            assert collection.facets("v", where={"v": "a"}) == {"a": 2, 2: 1, False: 1}
            assert collection.facets("v.x") == {"y": 1}
            assert collection.facets("nothing") == collection.facets("v", limit=0) == {}


def test_values_that_are_one_key_in_python_are_refused_and_not_added_up() -> None:
    with twofold.create(None, twofold.HashedWords(16)) as collection:
        collection.add([{"id": str(n), "text": "x", "v": value} for n, value in enumerate([1, True, 1.0])])
        said = r'the field "v" holds 1 in some documents and true in others.*: \{"v": 1\} and \{"v": true\}'
        with pytest.raises(InputError, match=said):
            collection.facets("v", limit=1)
        assert (collection.count(where={"v": 1}), collection.count(where={"v": True})) == (2, 1)


@pytest.mark.parametrize("field", ["$truncated", "$gt", 5, "\ud800", None], ids=repr)
def test_what_no_filter_could_name_has_no_facets(field: Any) -> None:
    with twofold.create(None, twofold.HashedWords(16)) as collection, pytest.raises(FilterError):
        collection.facets(field)


def test_strict_facets_refuse_a_field_that_no_document_has() -> None:
    with twofold.create(None, twofold.HashedWords(16)) as collection:
        collection.add([{"id": "a", "text": "x", "year": 1}])
        with pytest.raises(FilterError, match="did you mean 'year'"):
            collection.facets("yaer", strict=True)
        with pytest.raises(FilterError, match="did you mean 'year'"):
            collection.facets("year", where={"yaer": 1}, strict=True)
        assert collection.facets("title", strict=True) == {"": 1}
