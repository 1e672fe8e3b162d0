"""What becomes of documents that are added, counted in the report."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from twofold.collection.adding import ENCODED_AT_ONCE
from twofold.collection.collection import Collection
from twofold.collection.opening import create
from twofold.documents import Document
from twofold.encoders.given_vectors import GivenVectors
from twofold.encoders.hashed_words import HashedWords
from twofold.errors import DocumentError, InputError, VectorError
from twofold.reports import EncodingReport
from twofold.scores import Vectors


class CountingWords(HashedWords):
    """HashedWords that remembers which document texts it was asked for."""

    def __init__(self, dimension: int, *, max_words: int = 256) -> None:
        super().__init__(dimension, max_words=max_words)
        self.seen: list[str] = []

    def encode_documents(self, texts: object, *, report: EncodingReport | None = None) -> Vectors:
        self.seen.extend(texts)  # type: ignore[arg-type]  # whatever the protocol is given
        return super().encode_documents(texts, report=report)  # type: ignore[arg-type]


@pytest.fixture
def encoder() -> CountingWords:
    return CountingWords(32)


@pytest.fixture
def collection(encoder: CountingWords) -> Iterator[Collection]:
    with create(None, encoder) as made:
        encoder.seen.clear()
        yield made


def test_new_documents_are_found(collection: Collection) -> None:
    report = collection.add([("a", "red apple"), ("b", "blue plum")])
    assert (report.added, report.passages, report.documents) == (2, 2, 2)
    assert [hit.id for hit in collection.search("blue plum")] == ["b", "a"]
    assert collection.get("a") == Document("a", "red apple")
    assert len(collection) == 2


def test_documents_dicts_and_pairs_are_taken(collection: Collection) -> None:
    collection.add([Document("a", "x", metadata={"n": 1}), {"_id": 7, "title": "t", "text": "y", "n": 2}, ("c", "z")])
    assert [document.id for document in collection] == ["a", "7", "c"]
    assert collection.get("7") == Document("7", "y", "t", {"n": 2})


def test_the_same_documents_again_are_not_encoded_again(collection: Collection, encoder: CountingWords) -> None:
    documents = [(f"d{n}", f"text number {n}") for n in range(50)]
    collection.add(documents)
    encoder.seen.clear()
    report = collection.add(documents)
    assert (report.unchanged, report.added, report.replaced) == (50, 0, 0)
    assert not any("number" in text for text in encoder.seen)


def test_a_changed_text_replaces_the_document(collection: Collection) -> None:
    collection.add([("a", "red apple"), ("b", "green pear")])
    report = collection.add([("a", "blue plum")])
    assert (report.replaced, report.added) == (1, 0)
    assert len(collection) == 2
    assert collection.search("blue plum")[0].id == "a"
    assert collection.search("blue plum")[0].document.text == "blue plum"
    assert all(hit.document.text != "red apple" for hit in collection.search("red apple", k=10))


def test_changed_metadata_keeps_the_vectors(collection: Collection, encoder: CountingWords) -> None:
    long = " ".join(f"w{n}" for n in range(700))
    collection.add([{"id": "a", "text": long, "year": 1}, {"id": "b", "text": "short"}])
    before = collection.search("w650 w651 w652")[0]
    encoder.seen.clear()
    report = collection.add([{"id": "a", "text": long, "year": 2}])
    assert (report.replaced, report.metadata_only, report.added) == (1, 1, 0)
    assert not any("w1" in text for text in encoder.seen)
    after = collection.search("w650 w651 w652", where={"year": 2})[0]
    assert (after.score, after.passage) == (before.score, before.passage)
    assert collection.count(where={"year": {"$lt": 2}}) == 0


def test_of_duplicate_ids_in_one_input_the_last_wins_and_they_are_counted(collection: Collection) -> None:
    documents = [("same", f"version {n}") for n in range(3)] + [("other", "text")]
    assert collection.add(documents).duplicates == 2
    assert collection.get("same") == Document("same", "version 2")
    far_apart = [("x", "first"), *((f"d{n}", f"text {n}") for n in range(2_500)), ("x", "last")]
    assert collection.add(iter(far_apart)).duplicates == 1
    assert collection.get("x") == Document("x", "last")


def test_a_title_alone_is_encoded_and_nothing_at_all_is_kept_without_a_vector(collection: Collection) -> None:
    report = collection.add([Document("t", "", "red apple"), Document("e"), Document("s", " \n")])
    assert (report.title_only, report.without_content, report.passages) == (1, 2, 1)
    assert len(collection) == 3
    assert [hit.id for hit in collection.search("red apple")] == ["t"]
    assert collection.get("s") == Document("s", " \n")
    assert collection.info().without_vector == 2


def test_what_the_vectors_do_not_cover_is_counted_and_can_be_found() -> None:
    with create(None, HashedWords(32, max_words=100), passages="none") as made:
        report = made.add([("long", "word " * 500), ("short", "word")])
        assert (report.truncated, report.tokens_cut, report.passages) == (1, 400, 2)
        assert [hit.id for hit in made.search("word", where={"$truncated": True})] == ["long"]
        assert made.count(where={"$truncated": False}) == 1
        info = made.info()
        assert (info.truncated, info.tokens_cut) == (1, 400)
        made.add([{"id": "long", "text": "word " * 500, "new": "field"}])
        assert made.info().tokens_cut == 400


def test_a_document_that_cannot_be_stored_is_refused_and_what_came_before_stays(collection: Collection) -> None:
    documents = [*((f"d{n}", "text") for n in range(1_500)), ("bad", "\ud800")]
    with pytest.raises(DocumentError, match=r"'bad'.*surrogate"):
        collection.add(documents)
    assert len(collection) == 1_500 // ENCODED_AT_ONCE * ENCODED_AT_ONCE


def test_own_vectors_are_found_as_they_are(tmp_path: Path) -> None:
    vectors = np.random.default_rng(0).standard_normal((2_500, 8)).astype(np.float32)
    np.save(tmp_path / "vectors.npy", vectors)
    with create(None, GivenVectors(8)) as made:
        made.add(((f"{n}", f"text {n}") for n in range(2_500)), vectors=tmp_path / "vectors.npy")
        for n in (0, 999, 1_000, 2_499):
            assert made.search(vectors[n], k=1)[0].id == f"{n}"
        again = made.add([(f"{n}", f"text {n}") for n in range(2_500)], vectors=vectors)
        assert again.unchanged == 2_500
        moved = made.add([("0", "text 0")], vectors=vectors[1:2])
        assert moved.replaced == 1
        assert {hit.id for hit in made.search(vectors[1], k=2)} == {"0", "1"}


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        (np.ones((2, 7)), r"7\).*\(n, 8\)"),
        (np.ones(8), r"\(n, 8\)"),
        (np.array([[1.0] * 8, [np.nan] * 8]), "line 1 holds NaN"),
        (np.array([[1.0] * 8, [0.0] * 8]), "line 1 is a zero vector"),
        (np.ones((3, 8)), "3 vectors for 2 documents"),
        (np.array([["a"] * 8] * 2), "must be numbers"),
    ],
)
def test_vectors_that_have_no_meaning_are_refused(vectors: Vectors, message: str) -> None:
    with create(None, GivenVectors(8)) as made:
        with pytest.raises(VectorError, match=message):
            made.add([("a", "x"), ("b", "y")], vectors=vectors)
        assert len(made) == 0


@pytest.mark.parametrize("vectors", [2, 4])
def test_a_stream_of_another_number_than_its_vectors_stores_nothing_of_the_last_block(vectors: int) -> None:
    with create(None, GivenVectors(8)) as made:
        with pytest.raises(VectorError, match=f"{vectors} vectors"):
            made.add(((name, name) for name in "abc"), vectors=np.ones((vectors, 8), np.float32))
        assert len(made) == 0


def test_an_id_alone_with_its_vector_does_not_erase_a_text() -> None:
    vectors = np.eye(3, 8, dtype=np.float32)
    with create(None, GivenVectors(8)) as made:
        made.add([{"id": "a", "text": "alpha"}, {"id": "b"}, {"id": "c", "text": "gamma"}], vectors=vectors)
        with pytest.raises(DocumentError, match=r"'a'.*has a text.*delete the document first"):
            made.add([{"id": "b", "n": 2}, {"id": "a", "n": 1}], vectors=vectors[1::-1])
        document = made.get("a")
        assert document is not None
        assert (document.text, document.metadata) == ("alpha", {})
        assert made.add([{"id": "b", "n": 2}], vectors=vectors[:1]).replaced == 1
        made.delete(["a"])
        assert made.add([{"id": "a", "n": 1}], vectors=vectors[:1]).added == 1


def test_a_collection_of_own_vectors_needs_them() -> None:
    with create(None, GivenVectors(8)) as made:
        with pytest.raises(InputError):
            made.add([("a", "x")])
        with pytest.raises(InputError):
            made.search("text")
        assert len(made) == 0


class HashedWordsWithoutTokens:
    """Cuts and counts, but does not say how it reads: the collection cannot divide for it."""

    def __init__(self, dimension: int, *, max_words: int) -> None:
        self._words = HashedWords(dimension, max_words=max_words)
        self.contract, self.source, self.precision = self._words.contract, self._words.source, self._words.precision
        self.encode_queries, self.encode_documents = self._words.encode_queries, self._words.encode_documents


def test_what_an_encoder_cuts_by_itself_is_counted_too() -> None:
    with create(None, HashedWordsWithoutTokens(32, max_words=100)) as made:
        report = made.add([("short", "word"), ("empty", ""), ("long", "word " * 150), ("longer", "word " * 300)])
        assert (report.truncated, report.tokens_cut, report.passages) == (2, 250, 3)
        assert {hit.id for hit in made.search("word", where={"$truncated": True})} == {"long", "longer"}


def test_a_file_that_holds_no_vectors_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "many.npz", a=np.ones((1, 8)))
    np.save(tmp_path / "one.npy", np.float32(1))
    (tmp_path / "empty.npy").touch()
    with create(None, GivenVectors(8)) as made:
        for name in ("many.npz", "one.npy", "empty.npy", "missing.npy"):
            with pytest.raises(InputError, match=name):
                made.add([("a", "x")], vectors=tmp_path / name)


def test_a_line_without_meaning_is_named_by_its_place_in_the_whole() -> None:
    vectors = np.ones((1_500, 8), dtype=np.float32)
    vectors[1_200] = np.nan
    with create(None, GivenVectors(8)) as made:
        with pytest.raises(VectorError, match="from line 1000 on: line 200 holds NaN"):
            made.add([(f"{n}", "x") for n in range(1_500)], vectors=vectors)
        assert len(made) == 1_000
