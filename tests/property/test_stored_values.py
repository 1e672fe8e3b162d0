"""A stored value, used as a filter, finds its document, whatever type it came in; a filter deletes what it counts."""

from __future__ import annotations

from collections import Counter, OrderedDict, namedtuple
from collections.abc import Mapping
from datetime import time, timedelta, timezone
from enum import Enum, IntEnum, StrEnum
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from metadata import METADATA, WHERES

import twofold
from twofold.documents import Document
from twofold.errors import DocumentError, FilterError

Pair = namedtuple("Pair", "a b")


class Old(str, Enum):  # noqa: UP042 - what many programs have, and it prints another text than StrEnum
    KEEP = "keep"


class New(StrEnum):
    KEEP = "keep"


class Level(IntEnum):
    HIGH = 3


class Colour(Enum):
    RED = "red"


class Share(float, Enum):
    HALF = 0.5


class Loud(str):
    __slots__ = ()

    def __str__(self) -> str:
        return self.upper()

    __repr__ = __str__


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
INTEGERS = st.integers(-(2**63), 2**63 - 1)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.one_of(
    st.sampled_from([None, True, False, Old.KEEP, New.KEEP, Level.HIGH, Share.HALF, HTTPStatus.NOT_FOUND, -0.0, 1e308]),
    TEXTS,
    TEXTS.map(Loud),
    TEXTS.map(np.str_),
    INTEGERS,
    st.integers(-(2**31), 2**31 - 1).map(np.int32),
    INTEGERS.map(np.int64),
    st.integers(0, 255).map(np.uint8),
    FLOATS,
    FLOATS.map(np.float64),
    st.floats(width=32, allow_nan=False, allow_infinity=False).map(np.float32),
    st.booleans().map(np.bool_),
    st.datetimes(),
    st.datetimes(timezones=st.just(timezone(timedelta(hours=2)))).filter(lambda moment: 1 < moment.year < 9999),
    st.dates(),
    st.decimals(-(2**60), 2**60),
    st.uuids(),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.tuples(inner, inner).map(lambda both: Pair(*both)),
        st.dictionaries(TEXTS, inner, max_size=2),
        st.dictionaries(TEXTS, inner, max_size=2).map(OrderedDict),
        st.dictionaries(TEXTS, inner, max_size=2).map(MappingProxyType),
        TEXTS.map(Counter),
    ),
    max_leaves=5,
)
PATIENT = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@PATIENT
@given(st.lists(VALUES, min_size=1, max_size=4))
def test_a_stored_value_used_as_a_filter_finds_its_document(values: list[Any]) -> None:
    with twofold.create(None, twofold.HashedWords(16)) as collection:
        collection.add([{"id": str(number), "text": "x", "v": value} for number, value in enumerate(values)])
        for _ in range(2):  # by SQL, and by a column where there is one
            for number, value in enumerate(values):
                for where in ({"v": {"$eq": value}}, {"v": {"$in": [value]}}, {"$or": [{"v": {"$eq": value}}]}):
                    assert str(number) in {hit.id for hit in collection.search("x", where=where)}
                    assert collection.count(where={"$and": [where, {"v": {"$ne": value}}]}) == 0
                if not isinstance(value, Mapping):
                    assert str(number) in {hit.id for hit in collection.search("x", where={"v": value})}


@PATIENT
@given(st.lists(METADATA, max_size=6), WHERES)
def test_a_filter_deletes_exactly_what_it_counts(metadata: list[dict[str, Any]], where: dict[str, Any]) -> None:
    with twofold.create(None, twofold.HashedWords(16)) as collection:
        collection.add([Document(str(number), "x", "a" * (number % 3), each) for number, each in enumerate(metadata)])
        before, counted = len(collection), collection.count(where=where)
        matching = {hit.id for hit in collection.search("x", where=where)}
        try:
            deleted = collection.delete(where=where)
        except FilterError:
            assert len(collection) == before
            return
        assert deleted == counted == len(matching)
        assert {document.id for document in collection} == {str(n) for n in range(before)} - matching


@pytest.mark.parametrize("value", [{1}, b"x", object(), 1j, [float("nan")], 2**63, Colour.RED, timedelta(1), time(1)])
def test_what_cannot_be_stored_cannot_be_asked_for(value: Any) -> None:
    with twofold.create(None, twofold.HashedWords(16)) as collection:
        with pytest.raises(DocumentError):
            collection.add([{"id": "a", "text": "x", "v": value}])
        with pytest.raises(FilterError):
            collection.search("x", where={"v": value})
