"""Documents check themselves once, when they are made."""

from __future__ import annotations

from typing import Any

import pytest

from twofold.documents import MAX_ID_BYTES, Document, as_documents, identifier_of
from twofold.errors import DocumentError


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
        next(as_documents([{"id": "x", field: "ab\ud800"}]))


@pytest.mark.parametrize("value", [5, b"bytes", ["a"], None])
def test_text_that_is_not_text_is_refused(value: Any) -> None:
    with pytest.raises(DocumentError, match="document 'x': text must be text"):
        Document("x", value)


def test_nul_and_emoji_are_text() -> None:
    assert Document("x", "a\x00b 👩‍👩‍👧 ‮abc").text == "a\x00b 👩‍👩‍👧 ‮abc"


@pytest.mark.parametrize(
    "metadata",
    [
        {"a": None, "b": True, "c": 1, "d": 1.5, "e": "x", "f": [1, [2]], "g": {"h": {}}},
        {"a": 2**63 - 1, "b": -(2**63)},
        {},
    ],
)
def test_json_values_are_metadata(metadata: dict[str, Any]) -> None:
    assert Document("x", metadata=metadata).metadata == metadata


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({"a": float("nan")}, "metadata.a holds nan"),
        ({"a": {"b": [0, float("inf")]}}, r"metadata\.a\.b\[1\] holds inf"),
        ({"a": 2**63}, "beyond 64 bits"),
        ({"a": -(2**63) - 1}, "beyond 64 bits"),
        ({"a": b"x"}, "metadata.a holds a bytes"),
        ({"a": {1: 2}}, "key 1, which is not text"),
        ({"a": "\ud800"}, "metadata.a has a lone surrogate"),
        ({"\ud800": 1}, "a key of metadata has a lone surrogate"),
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
    assert list(as_documents([{"id": "a", "metadata": "m"}])) == [Document("a", metadata={"metadata": "m"})]


@pytest.mark.parametrize(
    ("item", "said"),
    [
        (5, "item 1 is a int"),
        (("a", "b", "c"), "item 1 is a tuple"),
        ({"text": "no id"}, r"item 1 has no id \(looked for 'id' and '_id'; it has 'text'\)"),
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
