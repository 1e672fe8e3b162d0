"""The laws of the protocols Encoder and TokenSpans, over every encoder in the list.

To hold your own encoder to them, add a line to ENCODERS.
"""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable

import numpy as np
import pytest

import twofold
from twofold.contract import Contract
from twofold.encoders.hashed_words import HashedWords
from twofold.encoders.loading import load_encoder, load_source
from twofold.errors import InputError
from twofold.protocols import Encoder, TokenSpans
from twofold.reports import EncodingReport
from twofold.scores import Vectors

ENCODERS: dict[str, Callable[[], Encoder]] = {
    "default-f32": lambda: load_encoder(precision="f32"),
    "default-auto": lambda: load_encoder(),
    "default-int8": lambda: load_encoder(precision="int8"),
    "torch-cpu": lambda: load_encoder(device="torch:cpu"),
    "hashed-words": lambda: HashedWords(96),
}

NASTY = {
    "empty": "",
    "a space": " ",
    "one character": "a",
    "a word": "water",
    "ten thousand words": "the quick brown fox jumps over it " * 1430,
    "one endless word": "a" * 5000,
    "emoji": "😀🎉👩‍👩‍👧 🇪🇺",
    "right to left": "שלום עולם مرحبا بالعالم",
    "Chinese and Japanese": "東京は日本の首都です。北京是中国的首都",
    "Hangul, of which a syllable is several tokens": "한국전쟁 or 조선전쟁 " * 40,
    "control characters": "a\x00b\x01\x02\t\r\n\x7f\u200b\u202e",
    "NUL": "\x00",
    "special tokens": "[CLS] [SEP] [MASK] [PAD] [UNK]",
    "padding tokens": "[PAD] [PAD] [PAD]",
    "combining marks": "e\u0301 é Å ﬁ ½",
    "a lone surrogate": "before \ud800 after",
    "an abstract": "Deposits of amyloid are found in the brains of patients. " * 12,
}


@pytest.fixture(scope="module", params=list(ENCODERS))
def encoder(request: pytest.FixtureRequest) -> Encoder:
    return ENCODERS[request.param]()


@pytest.fixture(scope="module")
def alone(encoder: Encoder) -> dict[str, Vectors]:
    """Each nasty text's document vector, encoded by itself."""
    return {text: encoder.encode_documents([text])[0] for text in NASTY.values()}


def assert_same(encoder: Encoder, vector: Vectors, expected: Vectors) -> None:
    """Equal bits; torch promises close numbers only (docs/encoders.md)."""
    if getattr(encoder, "device", "cpu") == "cpu":
        assert vector.tobytes() == expected.tobytes()
    else:
        np.testing.assert_allclose(vector, expected, atol=1e-6)


def test_vectors_are_ordinary_float32_arrays(encoder: Encoder) -> None:
    for vectors in (encoder.encode_documents(list(NASTY.values())), encoder.encode_queries(["a", "b"])):
        assert vectors.dtype == np.float32
        assert vectors.flags.c_contiguous
        assert vectors.flags.writeable
        assert vectors.shape[1] == encoder.contract.dimension
        assert np.isfinite(vectors).all()


def test_no_texts_make_no_vectors(encoder: Encoder) -> None:
    assert encoder.encode_documents([]).shape == (0, encoder.contract.dimension)
    assert encoder.encode_queries([]).shape == (0, encoder.contract.dimension)


@pytest.mark.parametrize("seed", range(3))
def test_a_text_has_the_same_bits_alone_and_in_every_batch(
    encoder: Encoder, alone: dict[str, Vectors], seed: int
) -> None:
    texts = list(NASTY.values()) * (seed + 1) + [f"{n} " * (n % 60) for n in range(90)]
    random.Random(seed).shuffle(texts)
    vectors = encoder.encode_documents(texts)
    for text, vector in zip(texts, vectors, strict=True):
        if text in alone:
            assert_same(encoder, vector, alone[text])


def test_a_text_has_the_same_bits_in_batches_of_every_size(encoder: Encoder) -> None:
    text = NASTY["an abstract"]
    expected = encoder.encode_documents([text])[0]
    for size in (2, 3, 4, 5, 7, 8, 11):
        for vector in encoder.encode_documents([text] * size):
            assert_same(encoder, vector, expected)


def test_vectors_come_in_the_order_of_the_texts(encoder: Encoder) -> None:
    texts = [f"{'long ' * (n * 37 % 90)}number {n}" for n in range(60)]
    forward = encoder.encode_documents(texts)
    backward = encoder.encode_documents(texts[::-1])
    np.testing.assert_array_equal(forward, backward[::-1])
    assert len({vector.tobytes() for vector in forward}) == len(texts)


def test_threads_that_encode_at_once_get_their_own_vectors(encoder: Encoder) -> None:
    texts = [[f"thread {t} text {n} {'x ' * (n * 7 % 40)}" for n in range(24)] for t in range(4)]
    expected = [encoder.encode_documents(each) for each in texts]
    found: dict[int, Vectors] = {}

    def work(number: int) -> None:
        found[number] = encoder.encode_documents(texts[number])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(4):
        np.testing.assert_array_equal(found[number], expected[number])


def test_no_vector_is_zero(encoder: Encoder, alone: dict[str, Vectors]) -> None:
    for text, vector in alone.items():
        assert np.abs(vector).max() > 0, repr(text[:30])


def test_a_lone_surrogate_counts_as_a_replacement_character(encoder: Encoder) -> None:
    report = EncodingReport()
    vectors = encoder.encode_documents(["a \ud800 b \udfff", "a \ufffd b \ufffd"], report=report)
    np.testing.assert_array_equal(vectors[0], vectors[1])
    assert report.surrogates == 2


def test_a_text_that_is_cut_is_counted_with_its_position(encoder: Encoder) -> None:
    report = EncodingReport()
    encoder.encode_documents(["short"], report=report)
    encoder.encode_documents(["short", NASTY["ten thousand words"], ""], report=report)
    assert report.texts == 4
    assert list(report.cut) == [2]
    assert report.tokens_cut == report.cut[2] > 9000
    assert report.tokens <= 4 * encoder.contract.max_tokens


@pytest.mark.parametrize("wrong", ["one text", b"bytes", [1], [None], ["good", b"bad"]])
def test_what_is_no_list_of_texts_is_refused(encoder: Encoder, wrong: list[str]) -> None:
    with pytest.raises(InputError):
        encoder.encode_documents(wrong)
    with pytest.raises(InputError):
        encoder.encode_queries(wrong)


def test_the_source_makes_an_encoder_of_an_equal_contract(encoder: Encoder) -> None:
    source = json.loads(json.dumps(dict(encoder.source)))
    again = load_source(source)
    assert again.contract == encoder.contract
    assert Contract.from_json(json.loads(json.dumps(encoder.contract.to_json()))) == encoder.contract


def test_tokens_are_spans_of_the_text_in_order(encoder: Encoder) -> None:
    if not isinstance(encoder, TokenSpans):
        pytest.skip("this encoder offers no tokens")
    for text, spans in zip(NASTY.values(), encoder.spans(list(NASTY.values())), strict=True):
        assert spans.dtype == np.int32
        assert spans.shape == (len(spans), 2)
        assert (np.diff(spans.ravel()) >= 0).all()
        assert not len(spans) or spans[-1, 1] <= len(text)


def test_a_document_of_every_nasty_text_is_added_and_found(encoder: Encoder) -> None:
    with twofold.create(None, encoder) as made:
        stored = {name: text for name, text in NASTY.items() if name != "a lone surrogate"}  # no document may have one
        assert made.add(stored.items()).added == len(stored)
        assert made.search(NASTY["a word"], k=1, mode="dense")[0].id == "a word"


def test_as_many_tokens_as_the_limit_allows_are_not_cut(encoder: Encoder) -> None:
    if not isinstance(encoder, TokenSpans):
        pytest.skip("this encoder offers no tokens")
    text = "the quick brown fox " * 400
    (spans,) = encoder.spans([text])
    for extra in (0, 1):
        report = EncodingReport()
        encoder.encode_documents([text[: spans[encoder.token_limit - 1 + extra, 1]]], report=report)
        assert report.tokens_cut == extra
