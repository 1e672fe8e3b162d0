"""Objects of other libraries are encoders: what they return is checked, and the probes tell them apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

import twofold
from twofold.documents import Document
from twofold.encoders.adapted import AdaptedEncoder, TokenisedEncoder, adapted
from twofold.encoders.hashed_words import HashedWords
from twofold.errors import ContractError, InputError, VectorError
from twofold.models.locating import find_model
from twofold.passages.dividing import divide
from twofold.protocols import TokenSpans
from twofold.reports import EncodingReport

DIMENSION = 24
ROWS = [("a", "red apple on a tree"), ("b", "blue plum in a bowl"), ("c", "the moon over the sea")]


def as_is(vectors: NDArray[np.float32]) -> Any:
    return vectors


class OneSide:
    """Has `encode` alone. made: what becomes of the array; others: makes other vectors."""

    def __init__(self, made: Any = as_is, *, others: str = "") -> None:
        self.made, self.others = made, others

    def encode(self, sentences: list[str]) -> Any:
        assert isinstance(sentences, list)
        assert sentences, "no call without texts"
        return self.made(HashedWords(DIMENSION).encode_documents([self.others + text for text in sentences]))


class TwoSides:
    """Has both sides; `encode` must not be used then."""

    def __init__(self, query: str = "") -> None:
        self.query = query

    def encode_query(self, sentences: list[str]) -> Any:
        return OneSide(others=self.query).encode(sentences)

    def encode_document(self, sentences: list[str]) -> Any:
        return OneSide().encode(sentences)

    def encode(self, sentences: list[str]) -> Any:
        raise AssertionError("a side is known")


def sentence_transformer(seed: int = 7, **settings: Any) -> SentenceTransformer:
    torch.manual_seed(seed)
    words = {word: number for number, word in enumerate(["[UNK]", *sorted({w for _, t in ROWS for w in t.split()})])}
    tokenizer = Tokenizer(WordLevel(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    table = StaticEmbedding(tokenizer, embedding_dim=DIMENSION)
    return SentenceTransformer(modules=[table], device="cpu", **settings)


SHAPES: dict[str, Any] = {
    "float32": as_is,
    "float64": lambda vectors: vectors.astype(np.float64),
    "float16": lambda vectors: vectors.astype(np.float16),
    "not contiguous": np.asfortranarray,
    "lists": lambda vectors: vectors.tolist(),
    "a list of arrays": list,
    "a tensor": torch.tensor,
    "a tensor with a gradient": lambda vectors: torch.tensor(vectors, requires_grad=True),
    "bfloat16": lambda vectors: torch.tensor(vectors).bfloat16(),
    "a list of tensors": lambda vectors: list(torch.tensor(vectors)),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_arrays_tensors_and_lists_become_float32(shape: str) -> None:
    encoder = AdaptedEncoder(OneSide(SHAPES[shape]))
    expected = HashedWords(DIMENSION).encode_documents(["red apple", "plum"])
    for vectors in (encoder.encode_documents(["red apple", "plum"]), encoder.encode_queries(["red apple", "plum"])):
        assert vectors.dtype == np.float32
        assert vectors.flags.c_contiguous
        assert vectors.flags.writeable
        np.testing.assert_allclose(vectors, expected, atol=1e-2)
    assert encoder.contract.dimension == DIMENSION
    assert encoder.contract.similarity == "cosine"
    assert encoder.encode_queries([]).shape == (0, DIMENSION)


@pytest.mark.parametrize("model", [OneSide(), TwoSides(), sentence_transformer()])
def test_a_collection_takes_the_object_itself(model: Any, tmp_path: Path) -> None:
    with twofold.create(tmp_path / "c", model) as collection:
        collection.add(ROWS)
        assert collection.search("the moon over the sea", mode="dense")[0].id == "c"
        assert type(model).__name__ in repr(collection)
    with twofold.open(tmp_path / "c", model) as collection:
        assert collection.search("red apple on a tree", mode="dense")[0].id == "a"
    with twofold.open_or_create(tmp_path / "c", model) as collection:
        collection.add([("d", "a bowl")])
        assert collection.search("a bowl", mode="dense")[0].id == "d"


def test_each_side_goes_to_its_own_method() -> None:
    encoder = AdaptedEncoder(TwoSides(query="asked: "))
    expected = HashedWords(DIMENSION)
    np.testing.assert_array_equal(encoder.encode_queries(["a"]), expected.encode_queries(["asked: a"]))
    np.testing.assert_array_equal(encoder.encode_documents(["a"]), expected.encode_documents(["a"]))


def test_without_the_object_the_collection_says_which_one_it_needs(tmp_path: Path) -> None:
    twofold.create(tmp_path / "c", OneSide()).close()
    with (
        twofold.open(tmp_path / "c") as collection,
        pytest.raises(InputError, match=r"an object of the class \S*test_adapted\.OneSide.*encoder=YOURS"),
    ):
        collection.add(ROWS)


def test_another_object_is_told_by_its_probes_when_it_is_first_used(tmp_path: Path) -> None:
    with twofold.create(tmp_path / "c", OneSide()) as collection:
        collection.add(ROWS)
    with twofold.open(tmp_path / "c", OneSide(others="other ")) as collection:
        with pytest.raises(ContractError, match="query side of the vector space"):
            collection.search("apple", mode="dense")
        with pytest.raises(ContractError, match="document side of the vector space"):
            collection.add([("d", "pear")])
    with pytest.raises(ContractError, match="dimension"):
        twofold.open(tmp_path / "c", OneSide(lambda vectors: vectors[:, :8]))


def test_a_migration_to_another_object_of_the_same_dimension_encodes_anew(tmp_path: Path) -> None:
    with twofold.create(tmp_path / "c", OneSide()) as collection:
        collection.add(ROWS)
        report = collection.migrate(OneSide(others="other "), switch=True)
        assert (report.space, report.documents) == ("space-2", 3)
        again = collection.migrate(OneSide(others="other "))
        assert (again.space, again.documents) == ("space-2", 0)


def test_the_similarity_is_that_of_the_object_unless_one_is_given() -> None:
    assert AdaptedEncoder(sentence_transformer(similarity_fn_name="dot")).contract.similarity == "dot"
    assert AdaptedEncoder(sentence_transformer()).contract.similarity == "cosine"
    with pytest.raises(InputError, match=r"compares by 'euclidean', and a collection compares by cosine or dot"):
        twofold.create(None, sentence_transformer(similarity_fn_name="euclidean"))
    euclidean = AdaptedEncoder(sentence_transformer(similarity_fn_name="euclidean"), similarity="cosine")
    assert euclidean.contract.similarity == "cosine"


def test_prompts_of_a_sentence_transformer_are_its_own() -> None:
    model = sentence_transformer(prompts={"query": "moon ", "document": "plum "})
    encoder = AdaptedEncoder(model)
    plain = AdaptedEncoder(sentence_transformer())
    np.testing.assert_array_equal(encoder.encode_queries(["sea"]), plain.encode_queries(["moon sea"]))
    np.testing.assert_array_equal(encoder.encode_documents(["sea"]), plain.encode_documents(["plum sea"]))


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda _: None, r"OneSide\.encode returned object \(\)"),
        (lambda vectors: vectors[0], r"float32 \(24,\), and floating-point numbers \(1, dimension\) are expected"),
        (lambda vectors: vectors[:, :0], r"float32 \(1, 0\)"),
        (lambda vectors: (vectors * 100).astype(np.int8), r"int8 \(1, 24\).*neither packed nor quantised"),
        (lambda vectors: torch.tensor(vectors).to_sparse(), r"the type Tensor, which is no array of numbers"),
        (lambda _: [[1.0, 2.0], [1.0]], r"the type list, which is no array of numbers"),
    ],
)
def test_what_are_no_vectors_is_refused_before_anything_is_made(made: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(VectorError, match=said):
        twofold.create(tmp_path / "c", OneSide(made))
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda vectors: vectors[:-1], r"OneSide\.encode returned the shape \(1, 24\)"),
        (lambda vectors: np.where(len(vectors) > 1, np.nan, vectors), r"NaN or infinity for 2 of 2 texts"),
        (lambda vectors: np.full(vectors.shape, 1e300), r"NaN or infinity"),
        (lambda vectors: vectors[:, : DIMENSION - len(vectors) + 1], r"the shape \(2, 23\)"),
    ],
)
def test_what_changes_after_the_probe_is_refused_by_the_name_of_the_method(made: Any, said: str) -> None:
    model = OneSide()
    encoder = AdaptedEncoder(model)
    model.made = made
    with pytest.raises(VectorError, match=said):
        encoder.encode_documents(["a", "b"])


def test_what_cannot_encode_is_refused() -> None:
    with pytest.raises(InputError, match="int is no encoder"):
        twofold.create(None, 7)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="OneSide is a class"):
        twofold.create(None, OneSide)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="neither encode_query and encode_document, nor encode"):
        AdaptedEncoder(object())
    with pytest.raises(InputError, match=r"Tokenizer\.encode is called with a list of texts, and fails: \w+"):
        twofold.create(None, Tokenizer(WordLevel({"[UNK]": 0}, unk_token="[UNK]")))
    with pytest.raises(InputError, match="text 0 is of the type int"):
        AdaptedEncoder(OneSide()).encode_queries([1])  # type: ignore[list-item]


def test_texts_and_lone_surrogates_are_counted() -> None:
    report = EncodingReport()
    AdaptedEncoder(OneSide()).encode_documents(["a\ud800", "b"], report=report)
    assert (report.texts, report.surrogates) == (2, 1)


def test_similarity_takes_the_object_too() -> None:
    scores = twofold.similarity(["red apple"], ["red apple", "plum"], encoder=OneSide())
    assert scores[0, 0] > scores[0, 1]


@pytest.fixture(scope="module")
def reads_whole_texts() -> SentenceTransformer:
    """The embedded encoder as a SentenceTransformer that reads 32 tokens."""
    model = SentenceTransformer(str(find_model(None).folder), device="cpu", prompts={"document": "a text: "})
    model.max_seq_length = 32
    return model


LONG = " ".join(f"word{number} river" for number in range(40)) + " the moon over the sea"


def test_long_documents_are_divided_where_the_tokenizer_of_the_object_is_known(
    reads_whole_texts: SentenceTransformer, tmp_path: Path
) -> None:
    encoder = adapted(reads_whole_texts)
    assert isinstance(encoder, TokenSpans)
    assert encoder.token_limit == 32 - 2 - 3
    assert encoder.spans(["the moon", ""])[0].tolist() == [[0, 3], [4, 8]]
    with twofold.create(tmp_path / "c", encoder=reads_whole_texts) as collection:
        report = collection.add([{"id": "long", "text": LONG}, {"id": "short", "text": "a river"}])
        assert report.passages > 4
        (hit,) = collection.search("the moon over the sea", k=1, mode="dense")
        assert hit.id == "long"
        assert hit.passage.text.endswith("the moon over the sea")


def test_what_the_object_reads_of_a_passage_is_the_whole_passage(reads_whole_texts: SentenceTransformer) -> None:
    encoder = adapted(reads_whole_texts)
    assert isinstance(encoder, TokenSpans)
    (division,) = divide([Document(id="long", text=LONG)], encoder, "auto")
    for text in division.inputs:
        lengths = reads_whole_texts.tokenizer(["a text: " + text], truncation=False)["input_ids"]
        assert len(lengths[0]) <= 32


def test_an_object_without_a_fast_tokenizer_or_a_longest_input_is_one_passage_a_document() -> None:
    assert not isinstance(adapted(OneSide()), TokenSpans)
    endless = sentence_transformer()  # a table of rows reads texts of any length
    assert not isinstance(adapted(endless), TokenSpans)
    with pytest.raises(InputError, match="OneSide has no fast tokenizer"):
        TokenisedEncoder(OneSide())
