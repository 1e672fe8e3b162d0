"""Small random late-interaction models, run here and by sentence-transformers: every kind of folder and setting."""

from __future__ import annotations

import string
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from random_token_models import multi_vector, pylate, stanford
from sentence_transformers import MultiVectorEncoder

from twofold.encoders.token_vectors import load_token_encoder
from twofold.maxsim import maxsim
from twofold.rankers.late_interaction import load_late_interaction

QUERIES = ["Who wrote the first compiler?", "cells", "東京", "the cell is small. " * 9]
DOCUMENTS = [
    "It's Grace Hopper's work of 1952.",
    "",
    "The mitochondrion is the powerhouse of the cell; cells are small. " * 9,
    "東京は日本の首都です。 Über Café naïve",
    "find, what: answers query passage!",
]
PUNCTUATION = tuple(string.punctuation)


def assert_same(folder: Path) -> None:
    theirs = MultiVectorEncoder(str(folder), device="cpu", model_kwargs={"dtype": torch.float32})
    ours = load_token_encoder(folder, precision="f32")
    for side, texts in (("query", QUERIES), ("document", DOCUMENTS)):
        expected = getattr(theirs, f"encode_{side}")(texts)
        found = ours.encode_queries(texts) if side == "query" else ours.encode_documents(texts)
        for one, other in zip(found, expected, strict=True):
            assert one.shape == tuple(other.shape), side
            np.testing.assert_allclose(one, np.asarray(other), atol=1e-4, err_msg=side)
    scores = theirs.similarity(theirs.encode_query(QUERIES), theirs.encode_document(DOCUMENTS)).numpy()
    documents = ours.encode_documents(DOCUMENTS)
    sums = theirs.similarity_fn_name == "maxsim"
    for query, expected in zip(ours.encode_queries(QUERIES), scores, strict=True):
        some = documents.counts > 0
        scored = maxsim(query, documents)[some] * (len(query) if sums else 1)
        np.testing.assert_allclose(scored, expected[some], atol=1e-4 * len(query))


EXPANDED: dict[str, Any] = {"strategy": "fixed", "length": 16}


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"query_length": 9, "document_length": 25, "similarity": "meanmaxsim"},
        {"query_expansion": EXPANDED, "skipped": PUNCTUATION, "prompts": {"query": "[Q] ", "document": "[D] "}},
        {"query_expansion": {**EXPANDED, "attend": True}, "kind": "modernbert"},
        {"query_expansion": {**EXPANDED, "strategy": "min", "token": "[SEP]"}},
        {"pooling": {"pool_factor": 2}},
        {"pooling": {"pool_factor": 1.5, "num_protected_tokens": 0, "normalize_embeddings": False}},
    ],
    ids=["plain", "lengths", "expanded", "expanded and attended", "at least", "pooled", "pooled as before"],
)
def test_a_multi_vector_encoder_gives_the_vectors_that_it_gives_there(options: Any, tmp_path: Path) -> None:
    assert_same(multi_vector(tmp_path, **options))


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"kind": "modernbert", "attend_to_expansion_tokens": True},
        {"do_query_expansion": False, "skiplist_words": []},
        {"prompts": {"query": "find: ", "document": ""}},
    ],
    ids=["plain", "attended", "not expanded", "with a prompt"],
)
def test_a_folder_of_pylate_gives_the_vectors_that_it_gives_there(said: Any, tmp_path: Path) -> None:
    assert_same(pylate(tmp_path, **said))


@pytest.mark.parametrize("said", [{}, {"attend_to_mask_tokens": True, "mask_punctuation": False}])
def test_a_checkpoint_of_stanford_gives_the_vectors_that_it_gives_there(said: Any, tmp_path: Path) -> None:
    assert_same(stanford(tmp_path, **said))


def test_a_text_has_the_same_vectors_and_scores_alone_and_in_every_batch(tmp_path: Path) -> None:
    for number, folder in enumerate([pylate(tmp_path / "pylate"), None]):
        ranker = load_late_interaction(folder)
        together = ranker.encoder.encode_documents(DOCUMENTS)
        for text, vectors in zip(DOCUMENTS, together, strict=True):
            assert ranker.encoder.encode_documents([text]).vectors.tobytes() == vectors.tobytes(), number
        pairs = [(query, text) for query in QUERIES for text in DOCUMENTS]
        alone = [ranker.scores(query, [text])[0] for query, text in pairs]
        assert ranker.pair_scores(pairs).tobytes() == np.array(alone).tobytes()
