"""The embedded default against sentence-transformers itself, text by text."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer

from twofold.encoders.loading import load_encoder
from twofold.encoders.transformer import TransformerEncoder
from twofold.errors import ModelError
from twofold.models.locating import find_model
from twofold.reports import EncodingReport

NASTY = [
    "",
    " ",
    "a",
    "water",
    "word " * 10_000,
    "a" * 5000,
    "😀🎉👩‍👩‍👧 🇪🇺",
    "שלום עולם مرحبا بالعالم",
    "東京は日本の首都です。北京是中国的首都",
    "a\x00b\x01\x02\t\r\n\x7f\u200b\u202e",
    "\x00",
    "[CLS] [SEP] [MASK] [PAD] [UNK]",
    "[PAD] [PAD] [PAD]",
    "e\u0301 é Å ﬁ ½ ǅ ß İ",
    "a lone \ud800 surrogate",
    "https://example.org/?q=1&r=2#x 3.14159e-7 __init__",
    *("Deposits of amyloid are found in the brains of patients. " * n for n in range(1, 26, 2)),
]
COSINES = {"f32": 0.99999, "bf16": 0.9995}


@pytest.fixture(scope="module")
def theirs() -> SentenceTransformer:
    return SentenceTransformer(str(find_model(None).folder), device="cpu")


@pytest.fixture(scope="module", params=list(COSINES))
def encoder(request: pytest.FixtureRequest) -> TransformerEncoder:
    try:
        return load_encoder(precision=request.param)
    except ModelError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def expected(theirs: SentenceTransformer) -> NDArray[np.float32]:
    vectors: NDArray[np.float32] = theirs.encode([text.replace("\ud800", "\ufffd") for text in NASTY], batch_size=4)
    return vectors


def test_every_nasty_text_has_the_vector_of_sentence_transformers(
    encoder: TransformerEncoder, expected: NDArray[np.float32]
) -> None:
    found = encoder.encode_documents(NASTY)
    cosines = np.einsum("ij,ij->i", found.astype(np.float64), expected.astype(np.float64))
    lowest = int(cosines.argmin())
    assert cosines[lowest] >= COSINES[encoder.precision], (NASTY[lowest][:40], cosines[lowest])


def test_vectors_have_the_length_one_in_every_precision(encoder: TransformerEncoder) -> None:
    lengths = np.linalg.norm(encoder.encode_queries(NASTY).astype(np.float64), axis=1)
    np.testing.assert_allclose(lengths, 1, atol=3e-7)


def test_the_tokens_cut_are_those_that_the_tokenizer_cuts(
    encoder: TransformerEncoder, theirs: SentenceTransformer
) -> None:
    report = EncodingReport()
    encoder.encode_documents(NASTY, report=report)
    for position, text in enumerate(NASTY):
        whole = len(theirs.tokenizer(text.replace("\ud800", "\ufffd"), truncation=False, verbose=False)["input_ids"])
        assert report.cut.get(position, 0) == max(0, whole - theirs.max_seq_length)


def test_the_length_is_that_of_sentence_transformers_and_not_the_tokenizer_files(theirs: SentenceTransformer) -> None:
    assert load_encoder().contract.max_tokens == theirs.max_seq_length == 256
