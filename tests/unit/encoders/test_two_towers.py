"""Two towers in one space: documents by the transformer, queries by a table, and collections that take both."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from twofold.collection.opening import create, open_collection
from twofold.documents import Document
from twofold.encoders.loading import load_encoder, load_source
from twofold.encoders.transformer import TransformerEncoder
from twofold.errors import ModelError
from twofold.models.static_table import EMBEDDED, StaticTable
from twofold.reports import EncodingReport

TEXTS = ["", "water", "Who wrote the first compiler?", "rivers " * 300]


@pytest.fixture(scope="module")
def plain() -> TransformerEncoder:
    return load_encoder()


@pytest.fixture(scope="module")
def tower(plain: TransformerEncoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tower of random rows in the embedded default's space."""
    rows = np.random.default_rng(2).standard_normal((len(plain.vocabulary), 384)).astype(np.float32)
    file = tmp_path_factory.mktemp("tower") / "random.safetensors"
    StaticTable.packed(rows, plain.contract.space, {}).write(file)
    return file


@pytest.fixture(scope="module")
def encoder(tower: Path) -> TransformerEncoder:
    return load_encoder(query_tower=tower)


def test_documents_are_the_transformers_bit_for_bit(encoder: TransformerEncoder, plain: TransformerEncoder) -> None:
    np.testing.assert_array_equal(encoder.encode_documents(TEXTS), plain.encode_documents(TEXTS))


def test_a_query_has_the_same_bits_alone_and_in_a_batch(encoder: TransformerEncoder) -> None:
    together = encoder.encode_queries(TEXTS)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, rtol=1e-6)
    for text, vector in zip(TEXTS, together, strict=True):
        np.testing.assert_array_equal(encoder.encode_queries([text])[0], vector)


def test_a_query_that_is_cut_is_counted(encoder: TransformerEncoder) -> None:
    report = EncodingReport()
    encoder.encode_queries(TEXTS, report=report)
    assert report.texts == 4
    assert report.cut == {3: 300 - 254}


def test_only_the_tower_sets_the_contracts_apart(encoder: TransformerEncoder, plain: TransformerEncoder) -> None:
    assert encoder.contract.query_tower
    assert not plain.contract.query_tower
    assert encoder.contract != plain.contract
    assert encoder.contract.space == plain.contract.space
    assert not plain.contract.differences(encoder.contract)


def test_the_source_makes_it_again(encoder: TransformerEncoder) -> None:
    again = load_source(encoder.source)
    assert again.contract == encoder.contract
    np.testing.assert_array_equal(again.encode_queries(TEXTS), encoder.encode_queries(TEXTS))


def test_a_tower_of_another_space_is_refused(tmp_path: Path) -> None:
    StaticTable.packed(np.ones((9, 384), np.float32), "elsewhere", {}).write(tmp_path / "tower")
    with pytest.raises(ModelError, match="was made for the space elsewhere"):
        load_encoder(query_tower=tmp_path / "tower")


def test_a_collection_takes_the_tower_for_its_queries(
    encoder: TransformerEncoder, plain: TransformerEncoder, tmp_path: Path
) -> None:
    with create(tmp_path / "c.twofold", plain) as made:
        made.add([Document("a", "rivers"), Document("b", "compilers")])
        expected = made.run({"q": "water"}, mode="dense")
    with open_collection(tmp_path / "c.twofold", encoder) as opened:
        found = opened.run({"q": "water"}, mode="dense")["q"]
        stored = plain.encode_documents(["rivers", "compilers"]).astype(np.float16).astype(np.float32)
        scores = stored @ encoder.encode_queries(["water"])[0]
        assert found == pytest.approx(dict(zip("ab", scores.tolist(), strict=True)), abs=1e-5)
    with open_collection(tmp_path / "c.twofold") as again:
        assert again.run({"q": "water"}, mode="dense") == expected


def test_a_collection_that_was_made_with_the_tower_is_asked_by_it(encoder: TransformerEncoder, tmp_path: Path) -> None:
    with create(tmp_path / "c.twofold", encoder) as made:
        made.add([Document("a", "rivers"), Document("b", "compilers")])
        expected = made.run({"q": "water"}, mode="dense")
    with open_collection(tmp_path / "c.twofold") as again:
        assert again.contract.query_tower == encoder.contract.query_tower
        assert again.run({"q": "water"}, mode="dense") == expected


def test_the_tower_that_ships_lies_in_the_defaults_space_and_is_small(plain: TransformerEncoder) -> None:
    shipped = load_encoder(query_tower="static")
    questions = ["who wrote the first compiler", "how do owls hunt at night", "capital of Japan", "treatment of asthma"]
    cosines = np.einsum("ij,ij->i", shipped.encode_queries(questions), plain.encode_queries(questions))
    assert cosines.min() > 0.6
    assert EMBEDDED.stat().st_size <= 12_000_000
    assert "CC BY" in StaticTable.read(EMBEDDED).about["texts"]
