"""An encoder that breaks its protocol is refused where it comes in, with the method and what it gave back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

import twofold
from twofold.contract import Contract
from twofold.encoders.hashed_words import HashedWords
from twofold.encoders.similarity import similarity
from twofold.encoding import checked_encoder
from twofold.errors import InputError, ModelError, TwofoldError, VectorError
from twofold.evaluation.sentences import evaluate_sentences
from twofold.scores import Similarity

DIMENSION = 8
EIGHT = "float32 (8, 8) is expected"
"""Eight probe texts of eight numbers."""


class Custom:
    """A whole encoder, of which a test takes or bends a part."""

    precision: Any = "f32"

    def __init__(self) -> None:
        self.source: Any = {"kind": "custom"}
        self._words = HashedWords(DIMENSION)
        self.contract: Any = self._words.contract

    def encode_queries(self, texts: Sequence[str], *, report: Any = None) -> Any:
        return self._words.encode_queries(texts, report=report)

    def encode_documents(self, texts: Sequence[str], *, report: Any = None) -> Any:
        return self._words.encode_documents(texts, report=report)


class Given(Custom):
    """Gives back what it is told to for documents."""

    def __init__(self, found: Any, similarity: Similarity = "cosine") -> None:
        super().__init__()
        self.contract = replace(self.contract, similarity=similarity)
        self.found = found

    def encode_documents(self, texts: Sequence[str], *, report: Any = None) -> Any:
        return self.found(texts)


def without(name: str) -> Any:
    return type("Lacking", (), {key: value for key, value in vars(whole()).items() if key != name})()


def whole() -> type:
    return type(
        "Whole",
        (),
        {
            "contract": HashedWords(DIMENSION).contract,
            "source": {"kind": "custom"},
            "precision": "f32",
            "encode_queries": Custom.encode_queries,
            "encode_documents": Custom.encode_documents,
        },
    )


def ones(texts: Sequence[str]) -> Any:
    return np.ones((len(texts), DIMENSION), np.float32)


def second_infinite(texts: Sequence[str]) -> Any:
    vectors = ones(texts)
    vectors[1, 3] = np.inf
    return vectors


@pytest.mark.parametrize("name", ["contract", "source", "precision", "encode_queries", "encode_documents"])
def test_what_an_encoder_lacks_is_named_wherever_it_comes_in(name: str, tmp_path: Path) -> None:
    twofold.create(tmp_path / "made", Custom()).close()
    takes: list[Any] = [
        lambda encoder: twofold.create(tmp_path / "c", encoder),
        lambda encoder: twofold.open(tmp_path / "made", encoder),
        lambda encoder: similarity(["a"], ["b"], encoder=encoder),
        lambda encoder: evaluate_sentences(encoder, [("a", "b", 1.0), ("a", "c", 2.0)]),
    ]
    for take in takes:
        with pytest.raises(InputError, match=rf"Lacking is no encoder: it has no (method )?{name}"):
            take(without(name))
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("contract", {"dimension": 8}, r"Custom\.contract is a twofold\.Contract, not \{'dimension': 8\}"),
        ("source", "custom", r"Custom\.source is a dict of JSON values, not 'custom'"),
        ("source", None, r"Custom\.source is a dict"),
        ("source", {"path": Path("a")}, r"Custom\.source holds what is no JSON value"),
        ("source", {"rate": float("nan")}, r"no JSON value"),
        ("source", {1: "one"}, r"no JSON value"),
        ("source", {"name": "\ud800"}, r"no JSON value"),
        ("precision", 32, r"Custom\.precision is a text, not 32"),
        ("encode_queries", "no", r"it has no method encode_queries"),
        ("encode_documents", lambda texts: texts, r"Custom\.encode_documents is called as .*report=…"),
    ],
)
def test_a_part_of_another_kind_is_refused_by_its_name(name: str, value: Any, said: str, tmp_path: Path) -> None:
    encoder = Custom()
    setattr(encoder, name, value)
    with pytest.raises(InputError, match=said):
        twofold.create(tmp_path / "c", encoder)
    assert not (tmp_path / "c").exists()


def test_a_folder_is_loaded_and_a_class_is_told_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=str(tmp_path)):
        twofold.create(None, tmp_path)
    with pytest.raises(InputError, match=r"Custom is a class, .*: Custom\(…\)"):
        twofold.create(None, cast(Any, Custom))
    assert checked_encoder(encoder := Custom()) is encoder


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (lambda texts: ones(texts).tolist(), rf"the type list, and a numpy array of {EIGHT}"),
        (lambda _texts: None, r"the type NoneType"),
        (lambda texts: ones(texts).astype(np.float64), rf"float64 (8, 8), and {EIGHT}: vectors.astype(np.float32)"),
        (lambda texts: ones(texts).astype(object), r"object (8, 8)"),
        (lambda texts: ones(texts)[:-1], rf"the shape (7, 8), and {EIGHT}"),
        (lambda texts: ones(texts)[:, :-1], r"the shape (8, 7)"),
        (lambda texts: ones(texts)[0], r"the shape (8,)"),
        (lambda texts: ones(texts) * np.float32(np.nan), r"NaN or infinity for 8 of 8 texts, first 'water'"),
        (second_infinite, r"1 of 8 texts, first 'Who wrote"),
    ],
)
@pytest.mark.parametrize("similarity", ["cosine", "dot"])
def test_vectors_that_the_contract_does_not_promise_are_refused_with_the_method(
    found: Any, said: str, similarity: Similarity, tmp_path: Path
) -> None:
    with pytest.raises(VectorError) as caught:
        twofold.create(tmp_path / "c", Given(found, similarity))
    assert str(caught.value).startswith("Given.encode_documents returned ")
    assert said in str(caught.value)
    assert not (tmp_path / "c").exists()


def test_vectors_that_go_wrong_later_are_refused_with_the_text_and_store_nothing() -> None:
    def found(texts: Sequence[str]) -> Any:
        vectors = HashedWords(DIMENSION).encode_documents(texts)
        vectors[[text == "bad" for text in texts]] = np.nan
        return vectors

    with twofold.create(None, Given(found)) as made:
        made.add([("good", "good")])
        with pytest.raises(VectorError, match=r"Given\.encode_documents returned NaN .* 1 of 2 texts, first 'bad'"):
            made.add([("also", "also good"), ("bad", "bad")])
        assert [document.id for document in made] == ["good"]


def test_an_encoder_that_makes_nothing_of_a_probe_text_is_used_for_others(tmp_path: Path) -> None:
    def found(texts: Sequence[str]) -> Any:
        vectors = HashedWords(DIMENSION).encode_documents(texts)
        vectors[[not text.isascii() for text in texts]] = 0
        return vectors

    for kind in ("cosine", "dot"):
        with twofold.create(tmp_path / kind, Given(found, kind)) as made:
            made.add([("a", "red apple"), ("b", "blue plum")])
            assert made.search("red apple", mode="dense")[0].id == "a"
        with (
            twofold.open(tmp_path / kind, Given(HashedWords(DIMENSION).encode_documents, kind)) as other,
            pytest.raises(TwofoldError, match="document side of the vector space"),
        ):
            other.add([("c", "green pear")])


class Dividing(Custom):
    """Says how it reads texts."""

    token_limit: Any = 4

    def __init__(self, spans: Any) -> None:
        super().__init__()
        self.spans = spans


@pytest.mark.parametrize(
    ("spans", "said"),
    [
        (lambda _texts: None, "the type NoneType, and a list of 1 arrays"),
        (lambda _texts: [], "0 of them"),
        (lambda texts: [[(0, 1)] for _ in texts], "[(0, 1)], and int32 (tokens, 2)"),
        (lambda texts: [np.zeros((1, 2), np.float32) for _ in texts], "int32 (tokens, 2)"),
        (lambda texts: [np.array([0, 1]) for _ in texts], "int32 (tokens, 2)"),
        (lambda texts: [np.array([[0, len(text) + 1]]) for text in texts], "within the 0 characters of ''"),
        (lambda texts: [np.array([[1, 2], [0, 1]])[: len(text)] for text in texts], "within the 9 characters"),
        (lambda texts: [np.array([[0, 2], [0, 1]])[: len(text)] for text in texts], "within the 9 characters"),
        (lambda texts: [np.array([[2, 1]])[: len(text)] for text in texts], "within the 9 characters"),
    ],
)
def test_tokens_that_break_their_protocol_are_refused(spans: Any, said: str) -> None:
    with twofold.create(None, Dividing(spans)) as made, pytest.raises(InputError) as caught:
        made.add([("a", "red apple")])
    assert str(caught.value).startswith("Dividing.spans returned ")
    assert said in str(caught.value)


@pytest.mark.parametrize("token_limit", [0, -1, 2.0, None, True])
def test_the_token_limit_is_a_count(token_limit: Any) -> None:
    encoder = Dividing(HashedWords(DIMENSION).spans)
    encoder.token_limit = token_limit
    with twofold.create(None, encoder) as made, pytest.raises(InputError, match=r"Dividing\.token_limit is a count"):
        made.add([("a", "red apple")])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("weights", None),
        ("query_prompt", 1),
        ("dimension", 0),
        ("dimension", np.int64(8)),
        ("dimension", True),
        ("max_tokens", -1),
        ("max_tokens", 1.5),
        ("layers", ["normalize"]),
        ("layers", "normalize"),
        ("similarity", "euclid"),
    ],
)
def test_a_contract_of_other_values_is_refused_when_it_is_made(field: str, value: Any) -> None:
    whole: dict[str, Any] = {"weights": "w", "tokenizer": "t", "dimension": 8, "pooling": "p", "max_tokens": 8}
    Contract(**whole)
    with pytest.raises(InputError, match=rf"the {field} of a contract"):
        Contract(**{**whole, field: value})
