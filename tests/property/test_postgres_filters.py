"""Filters evaluated by PostgreSQL say exactly what the definition in filters.py says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from metadata import KEYS, METADATA, WHERES
from postgres_server import Database
from storing import SPACE, block, vectors_of

pytest.importorskip("psycopg", reason='the client of PostgreSQL is an extra: pip install "twofold[postgres]"')

from twofold.addresses import Address
from twofold.documents import Document
from twofold.engine import Selection
from twofold.engines.postgres.engine import PostgresEngine
from twofold.engines.postgres.fields import has_nul
from twofold.errors import FilterError
from twofold.filters import Filter, elements, found_at, matches, parse

TITLES = ["", "a", "ab", "東京", "1"]
STRANGE = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.function_scoped_fixture]


@pytest.fixture(scope="module")
def engine(postgres: Database) -> Iterator[PostgresEngine]:
    with PostgresEngine.create(Address.of(postgres.address()), space=SPACE, settings={}) as made:
        yield made


def check(engine: PostgresEngine, metadata: list[dict[str, Any]], condition: Filter) -> None:
    """Puts documents with these metadata in place of all that are there, and asks for those that match."""
    documents = [
        Document(str(number), "text", TITLES[number % len(TITLES)], each)
        for number, each in enumerate(each for each in metadata if not has_nul(each))
    ]
    truncated = [number % 3 for number in range(len(documents))]
    with engine.writing() as writer, engine.snapshot() as before:
        writer.delete(before.select())
        writer.commit(block(documents, truncated=truncated))
        with engine.snapshot() as snapshot:
            expected = [
                each.id
                for each, cut in zip(documents, truncated, strict=True)
                if matches(condition, each.metadata, identifier=each.id, title=each.title, truncated=cut > 0)
            ]
            assert snapshot.ids(snapshot.select(condition)) == expected
            assert snapshot.count(condition) == len(expected)
            found = snapshot.dense().nearest(
                vectors_of("query", 1)[0], depth=99, top=99, selection=Selection(where=condition)
            )
            assert sorted(snapshot.ids(found.documents)) == sorted(expected)


@settings(max_examples=60, deadline=None, suppress_health_check=STRANGE)
@given(metadata=st.lists(METADATA, max_size=6), where=WHERES)
@example(metadata=[{"a": 1}, {"a": True}, {"a": 1.0}, {"a": "1"}], where={"a": 1})
@example(metadata=[{"a": 1}, {"a": True}, {"a": [True]}, {"a": [1]}], where={"a": True})
@example(metadata=[{"a": None}, {}, {"a": []}, {"a": [None]}, {"a": {}}], where={"a": None})
@example(metadata=[{"a": {"b": 2}, "a.b": 1}, {"a": {"b": 1}, "a.b": 2}, {"a.b": None}, {}], where={"a.b": {"$ne": 1}})
@example(metadata=[{"a": ["x", "y"]}, {"a": {"0": "x"}}, {"a": "x"}], where={"a.0": "x"})
@example(metadata=[{"a.b": None}, {"a": {"b": [None]}}, {"a": {"b": 1}}, {}], where={"a.b": None})
@example(metadata=[{"a.b.c.d.e": 1}, {"a": {"b": {"c.d": {"e": 1}}}}, {}], where={"a.b.c.d.e": 1})
@example(metadata=[{"$p": 1}, {"$$p": 1}], where={"$$p": 1})
@example(metadata=[{"a": [1, [2]]}, {"a": [2]}, {"a": {"b": [2]}}], where={"a": {"$in": [[2], {"b": [2]}]}})
@example(metadata=[{"a": 2**53 + 1}, {"a": 2.0**53}, {"a": 123456789012345697}], where={"a": {"$gt": 2.0**53}})
@example(
    metadata=[{"a": 123456789012345698}, {"a": 1.2345678901234570e17}], where={"a": {"$lt": 1.2345678901234570e17}}
)
@example(metadata=[{"a": 0.1}, {"a": 1e308}, {"a": 5e-324}, {"a": -0.0}], where={"a": {"$in": [0.1, 0, 5e-324, 1e308]}})
@example(metadata=[{"a": 1}, {"a": 2}], where={"a": {"$in": [float("inf"), 2]}})
@example(metadata=[{"a": 1}, {"a": 2}], where={"$or": [{"a": float("inf")}, {"a": {"$lt": float("inf")}}]})
@example(metadata=[{"a": "a"}, {"a": "b"}, {}], where={"a": {"$gt": "a\0"}})
@example(metadata=[{"id": "2"}, {"id": "1"}, {"id": "0"}], where={"id": "2"})
@example(metadata=[{}] * 6, where={"id": {"$in": ["1", 4, "9", "1\0", None, "1"]}})
@example(metadata=[{}] * 6, where={"title": {"$in": ["a\0b", "1", 1, None]}})
@example(metadata=[{}] * 6, where={"title": {"$gt": "a\0"}})
@example(metadata=[{"title": 1}] * 6, where={"$or": [{"title": 1}, {"title": {"$exists": False}}, {"title": None}]})
@example(metadata=[{"a": "xay"}, {"a": ["xay"]}, {"a": ["a"]}, {"a": "a"}, {}], where={"a": {"$contains": "a"}})
@example(metadata=[{"a": 1}, {"a": [1]}, {"a": [True, 2]}, {"a": True}, {}], where={"a": {"$contains": 1}})
@example(metadata=[{"a": "\U0010ffff!"}, {"a": "\ud7ff"}, {"a": "é"}, {"a": "e"}], where={"a": {"$lt": "\U0010ffff"}})
@example(metadata=[{"a": "%s"}, {"a": "x%"}, {"a": "{}"}, {"%(f0)s": 1}], where={"$or": [{"a": "%s"}, {"%(f0)s": 1}]})
@example(metadata=[{"a": [[1, 2]]}, {"a": [1, 2]}, {"a": [1.0, 2]}], where={"a": {"$all": [[1, 2]]}})
@example(metadata=[{"a": "x"}, {"a": ""}, {"a": 1}, {}], where={"a": {"$prefix": "", "$contains": ""}})
@example(metadata=[{}] * 4, where={"$truncated": {"$in": [True, 1]}})
@example(metadata=[{"a": n} for n in range(4)], where={"$or": [{"a": {"$gt": n % 3}} for n in range(3_000)]})
def test_the_server_answers_a_filter_as_its_definition_does(
    engine: PostgresEngine, metadata: list[dict[str, Any]], where: dict[str, Any]
) -> None:
    check(engine, metadata, parse(where))


@settings(max_examples=40, deadline=None, suppress_health_check=STRANGE)
@given(data=st.data())
def test_values_that_are_there_are_found(engine: PostgresEngine, data: st.DataObject) -> None:
    metadata = data.draw(st.lists(METADATA.filter(bool), min_size=1, max_size=6))
    field = data.draw(
        st.sampled_from(sorted({key for each in metadata for key in each if key and key[0] != "$"} or {"a"}))
    )
    present = [value for each in metadata for value in elements(found_at(each, field))]
    value = data.draw(st.sampled_from(present or [None]))
    names = ["$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin"]
    plain = value is None or isinstance(value, bool | list | dict)
    name = "$eq" if plain else data.draw(st.sampled_from(names))
    check(engine, metadata, parse({field: {name: present if name in ("$in", "$nin") else value}}))


@pytest.mark.parametrize("key", [key for key in KEYS if key != "$" and "\0" not in key])
def test_every_odd_key_is_only_a_key(engine: PostgresEngine, key: str) -> None:
    metadata: list[dict[str, Any]] = [{key: 1}, {key: {key: 1}}, {key: [1, True]}, {}]
    check(engine, metadata, parse({key: 1}))
    check(engine, metadata, parse({f"{key}.{key}": {"$lt": 2}}))
    check(engine, metadata, parse({key: {"$exists": False}}))


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ({"yaer": 1}, "no document of this collection has the field 'yaer'; did you mean 'year'?"),
        ({"year": "x"}, "the field 'year' holds numbers, never text"),
        ({"title": 5}, "the field 'title' holds text, never numbers"),
    ],
)
def test_a_strict_filter_names_what_is_wrong(engine: PostgresEngine, where: dict[str, Any], words: str) -> None:
    check(engine, [{"year": 1990}, {"year": None}, {}], parse({}))
    with engine.snapshot() as snapshot, pytest.raises(FilterError) as raised:
        snapshot.check_fields(parse(where))
    assert words in str(raised.value)


def test_a_document_with_several_values_under_a_name_is_named(engine: PostgresEngine) -> None:
    check(engine, [{"a": {"b": 1}}, {"a": {"b": 1}, "a.b": 2}], parse({}))
    with engine.snapshot() as snapshot:
        snapshot.check_unambiguous(parse({"a.b": 3}))
        with pytest.raises(FilterError, match=r"document '1' has several values under 'a\.b'"):
            snapshot.check_unambiguous(parse({"a.b": 2}))


def test_the_values_of_a_field_are_counted(engine: PostgresEngine) -> None:
    check(engine, [{"a": [1, 1.0, True]}, {"a": 1}, {"a": "x"}, {"a": None}], parse({}))
    with engine.snapshot() as snapshot:
        assert {(repr(value), count) for value, count in snapshot.facets("a")} == {("1", 2), ("True", 1), ("'x'", 1)}
        assert dict(snapshot.facets("title", parse({"a": 1}))) == {"": 1, "a": 1}
        assert np.array_equal(snapshot.select(), sorted(snapshot.find(["0", "1", "2", "3"]).values()))
