"""Documents check themselves once, when they are made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from http import HTTPStatus
from typing import Any, cast
from uuid import UUID

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from twofold import filters
from twofold.documents import MAX_ID_BYTES, Document, as_documents, identifier_of
from twofold.errors import DocumentError


class Names(StrEnum):
    KEY = "key"


class Level(IntEnum):
    HIGH = 3


class Suit(Enum):
    HEARTS = "h"


def nested(depth: int) -> dict[str, Any]:
    value: Any = 1
    for _ in range(depth - 1):
        value = [value]
    return {"a": value}


def test_a_document_without_text_or_title_has_no_content() -> None:
    assert not Document("a").has_content
    assert not Document("a", " \n\t").has_content
    assert Document("a", title="t").has_content
    assert Document("a", "t").has_content


@pytest.mark.parametrize("identifier", ["a", "ü" * 256, "a" * MAX_ID_BYTES, " ", "a/b c", "日本"])
def test_an_id_of_up_to_512_bytes_is_taken_as_it_is(identifier: str) -> None:
    assert Document(identifier).id == identifier


@pytest.mark.parametrize(
    ("identifier", "said"),
    [
        ("", "1 to 512 bytes"),
        ("a" * 513, "this one has 513"),
        ("ü" * 257, "this one has 514"),
        ("a\nb", "control characters"),
        ("a\x00", "control characters"),
        ("a\x7f", "control characters"),
        ("a\udc80", "lone surrogate"),
        (5, "an id must be text, not number"),
        (None, "an id must be text, not null"),
    ],
)
def test_an_id_that_cannot_be_stored_is_refused(identifier: Any, said: str) -> None:
    with pytest.raises(DocumentError, match=said):
        Document(identifier)


@pytest.mark.parametrize("field", ["text", "title"])
def test_what_utf8_cannot_carry_is_refused_naming_id_field_and_place(field: str) -> None:
    with pytest.raises(DocumentError, match=rf"document 'x': {field} has a lone surrogate \(U\+D800\) at character 2"):
        next(as_documents([{"id": "x", "text": "", field: "ab\ud800"}]))


@pytest.mark.parametrize("value", [5, b"bytes", ["a"], None])
def test_text_that_is_not_text_is_refused(value: Any) -> None:
    with pytest.raises(DocumentError, match="document 'x': text must be text"):
        Document("x", value)


def test_nul_and_emoji_are_text() -> None:
    assert Document("x", "a\x00b 👩‍👩‍👧 ‮abc").text == "a\x00b 👩‍👩‍👧 ‮abc"


@pytest.mark.parametrize(
    "metadata",
    [
        {"b": True, "c": 1, "d": 1.5, "e": "x", "f": [1, [2], None], "g": {"h": {}}},
        {"a": 2**63 - 1, "b": -(2**63)},
        {},
    ],
)
def test_json_values_are_metadata(metadata: dict[str, Any]) -> None:
    assert Document("x", metadata=metadata).metadata == metadata


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({"a": [float("nan")]}, r"metadata\.a\[0\] holds nan"),
        ({"a": Decimal("Infinity")}, r"metadata\.a holds inf"),
        ({"a": Decimal("1E+999999999")}, r"metadata\.a holds inf"),
        ({"a": 10**5000}, "an integer of 16610 bits, which is beyond 64 bits"),
        ({"a": np.timedelta64(3, "D")}, "holds a timedelta64"),
        ({"a": np.datetime64("12000-01-01")}, "beyond the years 1 to 9999"),
        ({"a": datetime.min.replace(tzinfo=timezone(timedelta(hours=5)))}, "in UTC is beyond"),
        ({"a": np.array(["NaT"], "M8[ns]")}, "holds NaT"),
        ({"a": float("inf")}, "metadata.a holds inf"),
        ({"a": {"b": [0, float("inf")]}}, r"metadata\.a\.b\[1\] holds inf"),
        ({"a": 2**63}, "beyond 64 bits"),
        ({"a": -(2**63) - 1}, "beyond 64 bits"),
        ({"a": b"x"}, "metadata.a holds a bytes"),
        ({"a": {1: 2}}, "key 1, which is not text"),
        ({"a": "\ud800"}, "metadata.a has a lone surrogate"),
        ({"\ud800": 1}, "metadata has a key that has a lone surrogate"),
        ({"a": Suit.HEARTS}, "metadata.a holds a Suit, .*its value or its name"),
        (nested(101), "is nested more than 100 levels deep"),
        (nested(100_000), "is nested more than 100 levels deep"),
        ([("a", 1)], "metadata must be an object"),
    ],
)
def test_metadata_beyond_json_is_refused_naming_its_place(metadata: Any, said: str) -> None:
    with pytest.raises(DocumentError, match=said):
        Document("x", metadata=metadata)


def test_equal_metadata_have_equal_json() -> None:
    one = Document("x", metadata={"b": 1, "a": {"d": "é", "c": [1, 2]}})
    two = Document("y", metadata={"a": {"c": [1, 2], "d": "é"}, "b": 1})
    assert one.metadata_json() == two.metadata_json() == '{"a":{"c":[1,2],"d":"é"},"b":1}'


def test_documents_come_from_documents_dicts_and_pairs() -> None:
    items: list[Any] = [
        Document("a", "one"),
        ("b", "two"),
        {"id": "c", "text": "three", "title": "t", "year": 1990},
        {"_id": 4, "text": "four", "metadata": {"x": 1}, "y": 2},
    ]
    assert list(as_documents(items)) == [
        Document("a", "one"),
        Document("b", "two"),
        Document("c", "three", "t", {"year": 1990}),
        Document("4", "four", "", {"x": 1, "y": 2}),
    ]


def test_metadata_that_is_no_object_is_kept_as_a_field_of_that_name() -> None:
    assert list(as_documents([{"id": "a", "text": "", "metadata": "m"}])) == [Document("a", metadata={"metadata": "m"})]


@pytest.mark.parametrize(
    ("item", "said"),
    [
        (5, "item 1 is a int"),
        (("a", "b", "c"), "item 1 is a tuple"),
        ({"text": "no id"}, r"item 1 has no id \(looked for 'id' and '_id'; it has 'text'\)"),
        ({"id": "a", "_id": "b", "text": "two ids"}, "item 1 has both 'id' and '_id'"),
        ({"id": "a", "_id": "a", "text": "two ids"}, "item 1 has both 'id' and '_id'"),
        ({"id": None}, "an id must be text or an integer, not null"),
    ],
)
def test_what_is_no_document_is_refused_naming_its_position(item: Any, said: str) -> None:
    stream = as_documents([("a", "fine"), item])
    assert next(stream).id == "a"
    with pytest.raises(DocumentError, match=said):
        next(stream)


def test_an_integer_id_becomes_its_decimal_string_and_nothing_else_does() -> None:
    assert identifier_of(12) == "12"
    assert identifier_of("012") == "012"
    for value in (True, 1.0, None, ["a"]):
        with pytest.raises(DocumentError, match="an id must be text or an integer"):
            identifier_of(value)


@pytest.mark.parametrize("name", ["text", "content", "contents", "page_content", "body"])
def test_a_text_stands_under_any_of_its_usual_names(name: str) -> None:
    assert list(as_documents([{"id": "a", name: "words", "n": 1}])) == [Document("a", "words", metadata={"n": 1})]


@pytest.mark.parametrize("record", [{"id": "mars", "moons": 3}, {"id": "mars", "title": "Mars"}, {"id": "mars"}])
def test_a_record_that_says_nothing_of_its_text_is_refused(record: dict[str, Any]) -> None:
    with pytest.raises(DocumentError, match=r"document 'mars': item 0 has no text .*replaces the whole document"):
        list(as_documents([record]))
    assert next(as_documents([{**record, "text": ""}])).text == ""
    assert next(as_documents([record], text_required=False)).text == ""


def test_a_document_keeps_values_and_no_reference_to_what_was_given() -> None:
    shared: dict[str, Any] = {"n": 0, "tags": ["a"]}
    document = Document("x", metadata=shared)
    shared["n"] = float("inf")
    shared["tags"].append(object())
    assert document.metadata == {"n": 0, "tags": ["a"]}


def test_one_dict_that_a_generator_fills_again_and_again_is_as_many_documents() -> None:
    def items() -> Iterator[dict[str, Any]]:
        one: dict[str, Any] = {"text": "x", "tags": []}
        for number in range(3):
            one.update(id=str(number), n=number)
            one["tags"].append(number)
            yield one

    assert [document.metadata for document in list(as_documents(items()))] == [
        {"n": 0, "tags": [0]},
        {"n": 1, "tags": [0, 1]},
        {"n": 2, "tags": [0, 1, 2]},
    ]


def test_what_was_put_into_a_document_since_is_checked_before_it_becomes_json() -> None:
    document = Document("x", metadata={"a": {}})
    cast(dict[str, Any], document.metadata)["a"] = float("inf")
    with pytest.raises(DocumentError, match=r"document 'x': metadata\.a holds inf"):
        document.metadata_json()
    with pytest.raises(DocumentError, match=r"metadata\.a holds inf"):
        list(as_documents([document]))


def test_what_is_missing_is_left_out_of_objects() -> None:
    missing: tuple[Any, ...] = (
        None,
        float("nan"),
        np.float32("nan"),
        Decimal("nan"),
        np.datetime64("NaT"),
        pd.NaT,
        pd.NA,
    )
    for value in missing:
        assert Document("x", metadata={"a": value, "b": {"c": value, "d": 1}}).metadata == {"b": {"d": 1}}
        (document,) = as_documents([{"id": "x", "text": "a", "title": value, "year": value}])
        assert (document.title, document.metadata) == ("", {})
        with pytest.raises(DocumentError, match=r"document 'x': its text is missing"):
            list(as_documents([{"id": "x", "text": value}]))


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (datetime(2024, 5, 1, 12, 30), "2024-05-01T12:30:00"),
        (datetime(2024, 5, 1, 1, 30, tzinfo=timezone(timedelta(hours=2))), "2024-04-30T23:30:00+00:00"),
        (date(2024, 5, 1), "2024-05-01"),
        (pd.Timestamp("2024-05-01 12:30"), "2024-05-01T12:30:00"),
        (np.datetime64("2024-05-01T12:30"), "2024-05-01T12:30:00"),
        (np.datetime64("2024-05-01"), "2024-05-01"),
        (Decimal("12.50"), 12.5),
        (Decimal("12.00"), 12),
        (UUID(int=7), "00000000-0000-0000-0000-000000000007"),
        (np.array([1, 2]), [1, 2]),
        (np.array(["2024-05-01", "2024-05-02"], "M8[ns]"), ["2024-05-01T00:00:00", "2024-05-02T00:00:00"]),
        (np.array([[1.5, 2], [3, 4]]), [[1.5, 2.0], [3.0, 4.0]]),
        (Decimal("1E+30"), 1e30),
        (Decimal(2**63 - 1), 2**63 - 1),
    ],
)
def test_each_type_of_a_table_is_stored_by_one_rule(value: Any, stored: Any) -> None:
    assert Document("x", metadata={"a": value}).metadata == {"a": stored}
    assert filters.parse({"a": value}) == filters.parse({"a": stored})


ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
NAIVE = st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1))
AWARE = st.builds(lambda moment, zone: moment.replace(tzinfo=zone), NAIVE, ZONES)


@given(st.one_of(*(st.lists(times, min_size=2) for times in (NAIVE, AWARE, st.dates()))))
@example([datetime(2024, 1, 1), datetime(2024, 1, 1, microsecond=5)])
def test_the_order_of_stored_times_is_the_order_of_times(times: list[Any]) -> None:
    stored = [cast(str, Document("x", metadata={"a": time}).metadata["a"]) for time in times]
    assert [stored[place] for place in sorted(range(len(times)), key=times.__getitem__)] == sorted(stored)


def test_values_of_other_types_become_plain() -> None:
    given: dict[Any, Any] = {
        Names.KEY: Level.HIGH,
        "n": np.float32(0.5),
        "b": np.bool_(True),
        "t": (1, np.int64(2)),
        "m": Counter("a"),
    }
    document = Document("x", metadata=given)
    assert document.metadata == {"key": 3, "n": 0.5, "b": True, "t": [1, 2], "m": {"a": 1}}
    assert [type(value) for value in document.metadata.values()] == [int, float, bool, list, dict]
    assert type(next(iter(document.metadata))) is str


class Status(str, Enum):  # noqa: UP042 - its str() is its name, where StrEnum's is its value
    KEEP = "keep"


def test_an_enumeration_of_text_is_its_value_and_not_its_name() -> None:
    document = Document("x", Status.KEEP, metadata={"status": Status.KEEP, "all": [Status.KEEP]})
    assert document.metadata == {"status": "keep", "all": ["keep"]}
    assert (document.text, type(document.text), type(document.metadata["status"])) == ("keep", str, str)


def test_an_integer_enumeration_is_checked_at_once() -> None:
    assert Document("x", metadata={"status": HTTPStatus.NOT_FOUND}).metadata == {"status": 404}
