"""Tables of rows for tokens: StaticEmbedding folders against sentence-transformers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from random_models import word_pieces
from safetensors.numpy import load_file, save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Dense, Normalize, Router
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from tokenizers import Tokenizer

import twofold
from twofold.encoders.loading import load_encoder
from twofold.errors import ModelError

TEXTS = ["water", "Who wrote the first compiler?", "the cell " * 3000, "東京 cell", "[CLS] the [SEP]", "query: "]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    folder = tmp_path_factory.mktemp("tokenizer")
    word_pieces(folder)
    return Tokenizer.from_file(str(folder / "tokenizer.json"))


def saved(folder: Path, tokenizer: Tokenizer, *after: Any, **settings: Any) -> Path:
    torch.manual_seed(5)
    static = StaticEmbedding(tokenizer, embedding_dim=24)
    SentenceTransformer(modules=[static, *after], device="cpu", **settings).save(str(folder))
    return folder


def assert_same_vectors(folder: Path) -> None:
    theirs, ours = SentenceTransformer(str(folder), device="cpu"), load_encoder(folder)
    np.testing.assert_allclose(ours.encode_documents(TEXTS), theirs.encode_document(TEXTS), atol=1e-5)
    np.testing.assert_allclose(ours.encode_queries(TEXTS), theirs.encode_query(TEXTS), atol=1e-5)


@pytest.mark.parametrize("after", [(), (Normalize(),)], ids=["alone", "normalized"])
def test_a_table_gives_the_vectors_of_sentence_transformers(
    after: tuple[Any, ...], tokenizer: Tokenizer, tmp_path: Path
) -> None:
    folder = saved(tmp_path, tokenizer, *after, prompts={"query": "query: ", "document": ""})
    assert_same_vectors(folder)
    encoder = load_encoder(folder)
    assert encoder.contract.pooling == "mean"
    assert encoder.precision == "f32"
    assert not encoder.encode_documents([""]).any()


def test_numbers_beyond_truncate_dim_are_left_out(tokenizer: Tokenizer, tmp_path: Path) -> None:
    folder = saved(tmp_path, tokenizer, Normalize(), truncate_dim=10)
    assert_same_vectors(folder)
    assert load_encoder(folder).contract.dimension == 10


@pytest.mark.parametrize("stored", [np.float32, np.float16])
def test_a_table_of_model2vec_is_read_with_its_mapping_and_weights(
    stored: type[np.floating[Any]], tokenizer: Tokenizer, tmp_path: Path
) -> None:
    folder = saved(tmp_path, tokenizer, Normalize())
    path = next(tmp_path.rglob("model.safetensors"))
    whole = load_file(path)["embedding.weight"]
    rng = np.random.default_rng(3)
    mapping = rng.integers(0, 50, len(whole))
    weights = rng.random(len(whole)).astype(np.float64)
    save_file({"embeddings": whole[:50].astype(stored), "mapping": mapping, "weights": weights}, path)
    theirs = SentenceTransformer(str(folder), device="cpu")
    found = load_encoder(folder).encode_documents(TEXTS)
    np.testing.assert_allclose(found, theirs.encode(TEXTS), atol=1e-5 if stored is np.float32 else 2e-3)


def test_a_router_may_lead_queries_to_a_table(tokenizer: Tokenizer, tmp_path: Path) -> None:
    torch.manual_seed(5)
    towers = [StaticEmbedding(tokenizer, embedding_dim=24) for _ in range(2)]
    router = Router.for_query_document([towers[0]], [towers[1]])
    SentenceTransformer(modules=[router], device="cpu").save(str(tmp_path))
    assert_same_vectors(tmp_path)


def test_a_table_is_read_on_the_cpu_whatever_the_device(tokenizer: Tokenizer, tmp_path: Path) -> None:
    folder = saved(tmp_path, tokenizer, Normalize())
    encoder = load_encoder(folder, device="torch:cpu")
    assert encoder.device == "cpu"
    assert encoder.notes == (f"{folder} adds up rows of a table, on the CPU",)
    np.testing.assert_array_equal(encoder.encode_queries(TEXTS), load_encoder(folder).encode_queries(TEXTS))
    assert load_encoder(folder, device="auto").notes == ()
    with pytest.raises(ModelError, match="there is no device cuda:99 here"):
        load_encoder(folder, device="cuda:99")


def test_a_collection_is_made_and_searched_with_a_table(tokenizer: Tokenizer, tmp_path: Path) -> None:
    folder = saved(tmp_path / "model", tokenizer, Normalize())
    with twofold.create(tmp_path / "c", encoder=load_encoder(folder)) as collection:
        collection.add([{"id": "a", "text": "the powerhouse of the cell"}, {"id": "b", "text": "a compiler of 1952"}])
        assert collection.search("the powerhouse of the cell", mode="dense")[0].id == "a"
    with twofold.open(tmp_path / "c") as collection:
        assert collection.search("a compiler of 1952", mode="dense")[0].id == "b"


def test_what_cannot_be_followed_is_refused(tokenizer: Tokenizer, tmp_path: Path) -> None:
    folder = saved(tmp_path / "dense", tokenizer, Dense(24, 8))
    with pytest.raises(ModelError, match="'Dense' is not known after a StaticEmbedding; Normalize is"):
        load_encoder(folder)
    folder = saved(tmp_path / "other", tokenizer)
    with pytest.raises(ModelError, match="added up in f32"):
        load_encoder(folder, precision="bf16")
    path = next(folder.rglob("model.safetensors"))
    table = load_file(path)["embedding.weight"]
    for tensors, message in [
        ({"other": table}, "neither a tensor 'embedding.weight' nor 'embeddings'"),
        ({"embeddings": table, "mapping": np.full(300, 999)}, "names rows beyond 'embeddings'"),
        ({"embeddings": np.full_like(table, np.nan)}, "no table of finite numbers"),
        ({"embeddings": table[:10].copy()}, "the table of tokens has 10 rows"),
    ]:
        save_file(tensors, path)
        with pytest.raises(ModelError, match=message):
            load_encoder(folder)
    next(folder.rglob("tokenizer.json")).write_text(json.dumps({}))
    with pytest.raises(ModelError, match=r"tokenizer\.json cannot be read as a tokenizer"):
        load_encoder(folder)
