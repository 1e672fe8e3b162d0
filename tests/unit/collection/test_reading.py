"""What a collection holds, read without a search."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from twofold.collection.building import open_or_create
from twofold.collection.collection import Collection
from twofold.collection.opening import create, open_collection
from twofold.encoders.hashed_words import HashedWords
from twofold.encoders.loading import load_encoder
from twofold.errors import ContractError, FilterError, InputError, ModelError, NoDocumentError

IDS = ["d", "b", "a", "c"]


@pytest.fixture
def collection() -> Iterator[Collection]:
    with create(None, HashedWords(16)) as made:
        made.add([{"id": name, "text": f"text {name}", "year": 2000 + place} for place, name in enumerate(IDS)])
        yield made


def test_one_document_several_and_a_page_of_all(collection: Collection) -> None:
    one = collection.get("a")
    assert one is not None
    assert (one.id, one.metadata["year"]) == ("a", 2002)
    assert collection.get("z") is None
    assert [each and each.id for each in collection.get(["c", "z", "d", "c"])] == ["c", None, "d", "c"]
    assert collection.get([]) == []
    assert [each.id for each in collection.get()] == IDS
    assert [each.id for each in collection.get(limit=2, offset=1)] == ["b", "a"]
    assert [each.id for each in collection.get(where={"year": {"$gte": 2001}}, limit=2)] == ["b", "a"]
    assert collection.get(offset=9) == []
    assert collection["a"] == one


def test_ids_in_the_order_of_addition(collection: Collection) -> None:
    assert collection.ids() == IDS
    assert collection.ids(where={"year": {"$lt": 2002}}) == ["d", "b"]
    assert collection.ids(limit=1, offset=3) == ["c"]
    collection.add([("d", "new text")])
    assert collection.ids() == ["b", "a", "c", "d"]


def test_vectors_of_documents_a_line_a_passage(collection: Collection) -> None:
    found = collection.vectors(["c", "a"])
    assert list(found) == ["c", "a"] or set(found) == {"c", "a"}
    for name, lines in found.items():
        expected = collection.encoder.encode_documents([f"text {name}"])
        assert lines.dtype == np.float32
        assert np.allclose(lines, expected, atol=1e-3)
    collection.add([{"id": "long", "text": "word " * 2_000}, {"id": "none", "text": ""}])
    found = collection.vectors(["none", "long"])
    assert found["none"].shape == (0, 16)
    assert len(found["long"]) >= 1


def test_one_id_stands_for_a_list_of_it(collection: Collection) -> None:
    assert list(collection.vectors("a")) == ["a"]
    assert (collection.count("a"), collection.count("no such")) == (1, 0)
    assert (collection.delete("a"), collection.delete("a")) == (1, 0)
    assert "a" not in collection


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda c: c["z"], NoDocumentError, "there is no document 'z' here"),
        (lambda c: c["z"], KeyError, "'z'"),
        (lambda c: c.vectors(["a", "z"]), NoDocumentError, "'z'"),
        (lambda c: c.vectors(b"4"), InputError, "ids is a list"),
        (lambda c: c.get({"id": "4"}), InputError, "ids is a list"),
        (lambda c: c.get(b"4"), InputError, "ids is a list"),
        (lambda c: c.count(3), InputError, "ids is a list"),
        (lambda c: c.delete(3), InputError, "ids is a list"),
        (lambda c: c.get(limit=-1), InputError, "limit is a count from 0 on"),
        (lambda c: c.get(offset=1.5), InputError, "offset is a count"),
        (lambda c: c.ids(limit=True), InputError, "limit is a count"),
        (lambda c: c.get(["a"], limit=1), InputError, "a page"),
        (lambda c: c.get(["a"], where={"year": 1}), InputError, "ids or a filter"),
        (lambda c: c.get(where={"yaer": 1}, strict=True), FilterError, "did you mean 'year'"),
        (lambda c: c.ids(where={"yaer": 1}, strict=True), FilterError, "did you mean 'year'"),
    ],
)
def test_what_is_not_there_or_no_page_is_said(collection: Collection, call: Any, error: Any, said: str) -> None:
    with pytest.raises(error, match=said):
        call(collection)


@pytest.mark.parametrize("path", ["", None, 3, b"c"])
def test_what_is_no_path_is_refused_in_words(path: Any) -> None:
    with pytest.raises(InputError, match=r"path is empty|a path is a text or a Path"):
        open_collection(path)
    with pytest.raises(InputError, match=r"path is empty|a path is a text or a Path|needs a folder"):
        open_or_create(path, HashedWords(16))
    if path is not None:
        with pytest.raises(InputError, match=r"path is empty|a path is a text or a Path"):
            create(path, HashedWords(16))


def test_an_encoder_without_a_name_is_not_looked_for_in_the_working_directory() -> None:
    for made in (lambda: load_encoder(""), lambda: create(None, "")):
        with pytest.raises(ModelError, match="the name of the encoder is empty"):
            made()


def test_open_or_create_makes_once_and_opens_from_then_on(tmp_path: Path) -> None:
    for expected in (0, 1):
        with open_or_create(tmp_path / "c", HashedWords(16)) as collection:
            assert len(collection) == expected
            collection.add([("a", "red")])
    with open_or_create(tmp_path / "c") as collection:  # the encoder is known by now
        assert collection.search("red")[0].id == "a"
    with pytest.raises(ContractError):
        open_or_create(tmp_path / "c", HashedWords(32))
    with pytest.raises(InputError, match="passages='auto'"):
        open_or_create(tmp_path / "c", passages="none")


def test_an_integer_names_the_document_of_its_digits(collection: Collection) -> None:
    collection.add([{"id": 7, "text": "seven"}])
    number: Any = 7
    assert collection.get(number) == collection[number] == collection["7"]
    assert number in collection
    assert list(collection.vectors([number])) == ["7"]
    one: Any = np.int64(1)
    assert collection.get(limit=one) == collection.get(limit=1)
    assert collection.count([number]) == 1
    assert collection.delete([number]) == 1
    assert number not in collection
