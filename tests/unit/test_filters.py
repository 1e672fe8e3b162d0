"""`where`: what it means, and what is refused."""

from __future__ import annotations

from enum import Enum
from typing import Any

import numpy as np
import pytest

from twofold.documents import Document
from twofold.errors import FilterError
from twofold.filters import TRUNCATED, Among, Compare, Exists, Some, leaves, matches, parse, says_nothing, type_name

DOCUMENT: dict[str, Any] = {
    "year": 1990,
    "name": "Hopper",
    "draft": True,
    "nothing": None,
    "tags": ["a", 2, None],
    "author": {"name": "Grace", "born": 1906.0},
    "pages": [],
}


class Colour(Enum):
    RED = "red"


def passes(where: dict[str, Any], metadata: dict[str, Any] = DOCUMENT) -> bool:
    return matches(parse(where), metadata, identifier="d1", title="The compiler")


@pytest.mark.parametrize(
    "where",
    [
        {},
        {"year": 1990},
        {"year": {"$eq": 1990.0}},
        {"year": {"$gte": 1990, "$lt": 1991}},
        {"year": {"$gt": 1989.5}},
        {"year": {"$lte": 1990}},
        {"year": {"$in": ["1990", 1990]}},
        {"name": {"$gt": "Ada", "$lt": "Z"}},
        {"draft": True},
        {"nothing": None},
        {"missing": None},
        {"tags": "a"},
        {"tags": 2},
        {"tags": None},
        {"tags": {"$gt": 1}},
        {"author.name": "Grace"},
        {"author.born": 1906},
        {"author": {"$exists": True}},
        {"pages": {"$exists": True}},
        {"missing": {"$exists": False}},
        {"missing.deeper": {"$exists": False}},
        {"name.deeper": {"$exists": False}},
        {"missing": {"$ne": 5}},
        {"missing": {"$nin": [1, 2]}},
        {"missing": {"$not": {"$gt": 1}}},
        {"$or": [{"year": 1}, {"name": "Hopper"}]},
        {"$and": [{"year": 1990}, {"draft": True}]},
        {"year": {"$not": {"$lt": 1990}}},
        {"year": {"$in": [1990]}, "name": {"$nin": ["x"]}},
        {"name": {"$prefix": "Hop"}},
        {"name": {"$prefix": ""}},
        {"name": {"$contains": "opp"}},
        {"tags": {"$prefix": "a"}},
        {"tags": {"$contains": "a"}},
        {"tags": {"$contains": 2.0}},
        {"tags": {"$contains": None}},
        {"tags": {"$all": ["a", 2]}},
        {"tags": {"$all": [None]}},
        {"name": {"$all": ["Hopper"]}},
        {"missing": {"$not": {"$prefix": "a"}}},
        {"id": "d1"},
        {"id": {"$in": ["d1", 5]}},
        {"id": {"$ne": "d2"}, "title": {"$ne": "x"}},
        {"title": {"$prefix": "The "}},
        {"title": {"$contains": "com"}},
        {"title": {"$gte": "The"}},
        {"id": {"$exists": True}, "title": {"$exists": True}},
    ],
    ids=str,
)
def test_the_document_passes(where: dict[str, Any]) -> None:
    assert passes(where)


@pytest.mark.parametrize(
    "where",
    [
        {"year": "1990"},
        {"year": {"$gt": 1990}},
        {"year": {"$lt": 1990}},
        {"year": {"$gt": "1"}},
        {"year": {"$in": []}},
        {"year": {"$ne": 1990}},
        {"year": None},
        {"draft": 1},
        {"draft": {"$ne": True}},
        {"tags": True},
        {"tags": {"$nin": ["a"]}},
        {"tags": {"$ne": 2}},
        {"pages": None},
        {"pages": {"$exists": False}},
        {"author": "Grace"},
        {"author.missing": "x"},
        {"missing": {"$exists": True}},
        {"nothing": {"$exists": False}},
        {"$or": [{"year": 1}, {"name": "hopper"}]},
        {"$and": [{"year": 1990}, {"draft": False}]},
        {"year": 1990, "name": "x"},
        {"name": {"$prefix": "hop"}},
        {"name": {"$contains": "OPP"}},
        {"year": {"$prefix": "1"}},
        {"year": {"$contains": 1990}},
        {"nothing": {"$contains": None}},
        {"missing": {"$contains": None}},
        {"author": {"$contains": "name"}},
        {"tags": {"$contains": ""}},
        {"tags": {"$contains": True}},
        {"tags": {"$all": ["a", 3]}},
        {"missing": {"$all": ["a"]}},
        {"id": "d"},
        {"id": 1},
        {"title": None},
        {"title": ["The compiler"]},
        {"title": {"$exists": False}},
        {"id.x": {"$exists": True}},
    ],
    ids=str,
)
def test_the_document_does_not_pass(where: dict[str, Any]) -> None:
    assert not passes(where)


def test_the_names_id_and_title_mean_the_document_s_own_whatever_the_metadata_hold() -> None:
    metadata = {"id": "inner", "title": {"x": "inner"}}
    assert passes({"id": "d1", "title": "The compiler", "title.x": "inner"}, metadata)
    assert not passes({"id": "inner"}, metadata)


def test_an_integer_is_the_id_that_add_makes_of_it() -> None:
    for where in ({"id": 7}, {"id": {"$in": [7]}}, {"id": {"$in": ["x", 7]}}, {"id": {"$all": [7]}}):
        assert matches(parse(where), {}, identifier="7")
        assert not matches(parse(where), {}, identifier="8")
    assert not matches(parse({"id": {"$nin": [7, 8]}}), {}, identifier="7")
    assert not matches(parse({"id": True}), {}, identifier="True")


def test_true_is_not_one_on_either_side() -> None:
    assert not passes({"a": 1}, {"a": True})
    assert not passes({"a": True}, {"a": 1})
    assert not passes({"a": {"$in": [1]}}, {"a": [True]})
    assert passes({"a": {"$ne": 1}}, {"a": True})


def test_truncated_is_asked_of_the_document_and_not_of_its_metadata() -> None:
    asked = parse({TRUNCATED: True})
    assert matches(asked, {TRUNCATED: False}, truncated=True)
    assert not matches(asked, {TRUNCATED: True}, truncated=False)


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ([("a", 1)], "a filter is an object"),
        ("year > 3", "a filter is an object"),
        ({"a": {"$near": 1}}, r"unknown operator '\$near' on 'a' \(known: \$eq"),
        ({"$near": 1}, r"\$near is no field"),
        ({"$gt": 1}, "inside a field it would be"),
        ({"a": {"b": 1}}, "unknown operator 'b' on 'a'"),
        ({"a": {}}, "the condition on 'a' is empty"),
        ({"$or": []}, r"\$or takes at least one filter"),
        ({"$and": []}, r"\$and takes at least one filter"),
        ({"$and": {"a": 1}}, r"\$and takes a list of filters"),
        ({"a": {"$in": "abc"}}, r"\$in on 'a' takes a list"),
        ({"a": {"$nin": {"x": 1}}}, r"\$nin on 'a' takes a list"),
        ({"a": {"$in": [{1}]}}, r"\$in on 'a': the value holds a set"),
        ({"a": [1, b"2"]}, r"\$eq on 'a': the value\[1\] holds a bytes"),
        ({"a": {"$gt": [1]}}, "list has no order"),
        ({"a": {"$not": {"$not": {"$ne": Colour.RED}}}}, "the value holds a Colour.*its value or its name"),
        ({"a": {"$gt": None}}, "null has no order"),
        ({"a": {"$lte": True}}, "boolean has no order"),
        ({"a": {"$exists": 1}}, "takes true or false"),
        ({"a": {"$not": 5}}, "takes a condition"),
        ({"a": {"$prefix": 5}}, r"\$prefix on 'a' takes text, not number"),
        ({"a": {"$prefix": ["x"]}}, r"\$prefix on 'a' takes text, not list"),
        (
            {"a": {"$contains": ["x"]}},
            r"\$contains on 'a' takes a text .* not a list; for several .* {'\$all'",
        ),
        ({"a": {"$contains": {"x": 1}}}, r"\$contains on 'a' takes .* not an object$"),
        ({"a": {"$all": "x"}}, r"\$all on 'a' takes a list, not text"),
        ({"a": {"$all": []}}, r"\$all on 'a' takes at least one value"),
        ({"a": {"$contain": "x"}}, r"known: .*\$prefix, \$contains, .*\$all"),
        ({"a": float("nan")}, "NaN compares with nothing"),
        ({"a": 2**63}, "beyond 64 bits"),
        ({5: 1}, "a field is named by text"),
    ],
    ids=str,
)
def test_a_filter_that_means_nothing_is_refused_naming_field_and_operator(where: Any, said: str) -> None:
    with pytest.raises(FilterError, match=said):
        parse(where)


def test_the_leaves_of_a_tree_come_in_the_order_written() -> None:
    where = {"a": {"$gte": 1, "$ne": 3}, "$or": [{"b": {"$in": [4, 5]}}, {"c": {"$exists": True}}]}
    expected = [("a", "$gte", 1), ("a", "$eq", 3)]
    assert list(leaves(parse(where))) == [*(Compare(*each) for each in expected), Among("b", (4, 5)), Exists("c")]


@pytest.mark.parametrize(
    "where",
    [
        {},
        {"a": {"$nin": []}},
        {"$or": [{"a": 1}, {}]},
        {"$and": [{"a": 1}, {}]},
        {"a": {"$not": {"$in": []}}, "b": 1},
        {"id": {"$prefix": ""}},
        {"a": {"$contains": ""}},
    ],
    ids=str,
)
def test_a_tree_of_which_a_part_lets_everything_pass_says_nothing(where: dict[str, Any]) -> None:
    assert says_nothing(parse(where))


@pytest.mark.parametrize("where", [{"a": 1}, {"a": {"$in": []}}, {"a": {"$ne": 1}}, {"a": {"$exists": False}}], ids=str)
def test_a_tree_that_asks_for_something_says_something(where: dict[str, Any]) -> None:
    assert not says_nothing(parse(where))


def test_a_dot_belongs_to_a_key_or_enters_an_object() -> None:
    for metadata in ({"a.b": 1}, {"a": {"b": 1}}, {"a.b": 2, "a": {"b": 1}}):
        assert passes({"a.b": 1}, metadata)
    assert not passes({"a.b": 1}, {"a": [{"b": 1}]})


def test_a_field_whose_name_begins_with_a_dollar_is_written_with_two() -> None:
    assert passes({"$$price": 3}, {"$price": 3})
    assert not passes({"$$price": 3}, {"$$price": 3})


def test_types_have_the_names_of_the_error_messages() -> None:
    values: list[Any] = ["x", True, 1, 1.0, None, [], {}]
    assert [type_name(value) for value in values] == ["text", "boolean", "number", "number", "null", "list", "object"]


def test_values_of_a_list_are_one_condition_however_many_they_are() -> None:
    many = [*range(10_000), *map(str, range(10_000))]
    assert parse({"n": {"$in": many}}) == Among("n", tuple(many))
    assert parse({"$or": [{"n": 1}, {"n": {"$in": [True, "x"]}}, {"n": None}]}) == Among("n", (1, True, "x", None))
    assert parse({"$or": [{"n": 1}, {"m": 2}, {"n": {"$gt": 1}}]}) == Some(
        (Among("n", (1,)), Among("m", (2,)), Compare("n", "$gt", 1))
    )
    assert parse({"n": {"$in": [1, [2], {}]}}) == Some(
        (Among("n", (1,)), Compare("n", "$eq", [2]), Compare("n", "$eq", {}))
    )


@pytest.mark.parametrize(
    "values", [[1, True, 1.0, "1"], [np.int64(3), np.str_("x")], ["é", "x"], [2**63 - 1, -(2**63)]]
)
def test_values_of_a_list_are_those_that_a_document_would_hold(values: list[Any]) -> None:
    found = parse({"n": {"$in": values}})
    assert isinstance(found, Among)
    plainly = [Document("d", "", "", {"n": value}).metadata["n"] for value in values]
    assert [(type(value), value) for value in found.values] == [(type(value), value) for value in plainly]


@pytest.mark.parametrize(
    ("values", "said"), [([1, 2**63], "64 bits"), (["a", "\ud800"], "surrogate"), ([1.0, float("nan")], "NaN")], ids=str
)
def test_a_list_with_a_value_that_no_document_holds_is_refused(values: list[Any], said: str) -> None:
    with pytest.raises(FilterError, match=said):
        parse({"n": {"$in": values}})
