"""BGE-M3's three heads on random weights: the numbers of FlagEmbedding's formulas, computed here with torch."""

from __future__ import annotations

import pickle
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from random_token_models import three_heads
from safetensors.torch import save_file

import twofold
from twofold.cli.main import main
from twofold.encoders.hashed_words import HashedWords
from twofold.encoders.three_heads import ThreeHeadEncoder
from twofold.encoders.token_vectors import load_token_encoder
from twofold.errors import InputError, ModelError
from twofold.rankers.late_interaction import load_late_interaction
from twofold.rankers.named import load_ranker
from twofold.rankers.three_heads import ThreeHeads, load_three_heads

QUERIES = ["Who wrote the first compiler?", "cells of the cell", "東京", "what answers? " * 30]
TEXTS = [
    "It's Grace Hopper's work of 1952.",
    "",
    "The cell is the powerhouse of the cell. " * 12,
    "東京は日本 Über Café",
]
PAIRS = [(query, text) for query in QUERIES for text in TEXTS]


@dataclass(frozen=True)
class Reference:
    """The formulas of FlagEmbedding 1.4, one text at a time."""

    model: Any
    tokenizer: Any
    multi: Any
    sparse: Any

    @classmethod
    def of(cls, folder: Path) -> Reference:
        model = transformers.AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        layers = []
        for name in ("colbert_linear", "sparse_linear"):
            tensors = torch.load(folder / f"{name}.pt", weights_only=True)
            layer = torch.nn.Linear(*reversed(tensors["weight"].shape))
            layer.load_state_dict(tensors)
            layers.append(layer)
        return cls(model, tokenizer, *layers)

    @torch.no_grad()
    def heads(self, text: str) -> tuple[Any, Any, Any]:
        """The text's vector, the sparse vector over the whole vocabulary, and the vectors of tokens."""
        tokens = self.tokenizer(text, truncation=True, max_length=60, return_tensors="pt")
        states = self.model(tokens.input_ids, tokens.attention_mask).last_hidden_state[0]
        weights = torch.relu(self.sparse(states))[:, 0]
        vocabulary = torch.zeros(500).scatter_reduce(0, tokens.input_ids[0], weights, reduce="amax")
        named = self.tokenizer
        vocabulary[[named.cls_token_id, named.eos_token_id, named.pad_token_id, named.unk_token_id]] = 0
        normalize = torch.nn.functional.normalize
        return normalize(states[0], dim=-1), vocabulary, normalize(self.multi(states[1:]), dim=-1)

    def scores(self, query: str, text: str) -> tuple[float, float, float]:
        """Dense, sparse and multi-vector score."""
        ours, theirs = self.heads(query), self.heads(text)
        multi = (ours[2] @ theirs[2].T).max(-1).values.sum() / len(ours[2])
        return float(ours[0] @ theirs[0]), float(ours[1] @ theirs[1]), float(multi)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return three_heads(tmp_path_factory.mktemp("m3") / "bge-m3")


@pytest.fixture(scope="module")
def ranker(folder: Path) -> ThreeHeads:
    return load_three_heads(folder, precision="f32")


def test_vectors_weights_and_scores_are_those_of_flag_embedding(folder: Path, ranker: ThreeHeads) -> None:
    reference = Reference.of(folder)
    made = ranker.encoder.encode_documents(TEXTS)
    for text, dense, sparse, tokens in zip(TEXTS, made.dense, made.sparse, made.tokens, strict=True):
        theirs = [np.asarray(each) for each in reference.heads(text)]
        np.testing.assert_allclose(dense, theirs[0], atol=1e-4)
        assert sparse.tokens.tolist() == np.flatnonzero(theirs[1]).tolist()
        np.testing.assert_allclose(sparse.weights, theirs[1][sparse.tokens], atol=1e-4)
        np.testing.assert_allclose(tokens, theirs[2], atol=1e-4)
    expected = np.array([reference.scores(*pair) for pair in PAIRS])
    assert (expected[:, 1] > 0).sum() >= 5, "the queries share no tokens with the texts"
    np.testing.assert_allclose(np.stack(ranker.head_scores(PAIRS), axis=1), expected, atol=1e-4)
    np.testing.assert_allclose(ranker.pair_scores(PAIRS), expected.mean(axis=1), atol=1e-4)
    weighted = ThreeHeads(ranker.encoder, (0.4, 0.2, 0.4)).pair_scores(PAIRS)
    np.testing.assert_allclose(weighted, expected @ [0.4, 0.2, 0.4], atol=1e-4)


def test_late_interaction_takes_the_multi_vector_head_alone(folder: Path, ranker: ThreeHeads) -> None:
    alone = load_late_interaction(folder, precision="f32")
    np.testing.assert_allclose(alone.pair_scores(PAIRS), ranker.head_scores(PAIRS).multi, atol=1e-6)
    assert alone.encoder.contract.layers == ("dense identity", "normalize")
    assert '"drops first": true' in alone.encoder.contract.pooling


def test_a_pair_has_the_same_bits_alone_and_in_every_batch(ranker: ThreeHeads) -> None:
    alone = np.concatenate([ranker.scores(query, [text]) for query, text in PAIRS])
    assert ranker.pair_scores(PAIRS).tobytes() == alone.tobytes()
    assert ranker.pair_scores(PAIRS[::-1]).tobytes() == alone[::-1].tobytes()


def test_the_heads_in_safetensors_are_the_same_model_and_are_preferred(folder: Path, tmp_path: Path) -> None:
    other = shutil.copytree(folder, tmp_path / "m3")
    for file in other.glob("*_linear.pt"):
        save_file(torch.load(file, weights_only=True), file.with_suffix(".safetensors"))
        file.unlink()
    assert load_token_encoder(other).contract == load_token_encoder(folder).contract
    (other / "colbert_linear.pt").write_bytes(b"not read")
    assert load_token_encoder(other).contract == load_token_encoder(folder).contract


def test_a_search_reranks_by_the_weighted_mean_and_a_collection_keeps_the_token_vectors(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ranker = load_ranker(folder)
    assert isinstance(ranker, ThreeHeads)
    with twofold.create(tmp_path / "c", HashedWords(32), token_vectors=folder) as collection:
        collection.add({f"d{n}": text for n, text in enumerate(TEXTS) if text}.items())
        hits = collection.search("the cell of Tokyo", ranker=folder)
        for hit in hits:
            assert hit.parts["bge-m3"] == hit.score == ranker.scores("the cell of Tokyo", [hit.document.text])[0]
        stored = collection.search("the cell of Tokyo", ranker="token-vectors")
        alone = load_late_interaction(folder)
        for hit in stored:
            assert hit.score == pytest.approx(alone.scores("the cell of Tokyo", [hit.document.text])[0], abs=0.05)
        with pytest.raises(twofold.QueryError, match="does not say what its scores mean"):
            collection.search("the cell of Tokyo", ranker=folder, rerank_weight=0.5)
    assert main(["search", str(tmp_path / "c"), "the cell of Tokyo", "--rerank", str(folder), "--json"]) == 0
    assert f'"id": "{hits[0].id}"' in capsys.readouterr().out.splitlines()[0]


class Harmful:
    """What a file of another's making might hold."""

    def __reduce__(self) -> Any:
        return Path.touch, (Path("harmed"),)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (lambda: pickle.dumps(Harmful()), "cannot be read as tensors alone"),
        (lambda: b"", "cannot be read as tensors alone"),
        (lambda: pickle.dumps([1, 2], protocol=2), "holds no tensors by name|cannot be read as tensors alone"),
    ],
    ids=["code", "nothing", "no tensors"],
)
def test_a_file_that_holds_anything_but_tensors_is_refused_and_runs_nothing(
    content: Any, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    model = three_heads(tmp_path / "m3")
    (model / "sparse_linear.pt").write_bytes(content())
    with pytest.raises(ModelError, match=said):
        load_ranker(model)
    torch.save({"weight": Harmful()}, model / "sparse_linear.pt")
    with pytest.raises(ModelError, match="cannot be read as tensors alone"):
        load_ranker(model)
    assert not (tmp_path / "harmed").exists()


def test_a_folder_with_half_of_the_heads_or_other_shapes_is_refused_by_name(tmp_path: Path) -> None:
    model = three_heads(tmp_path / "m3")
    (model / "sparse_linear.pt").rename(tmp_path / "sparse_linear.pt")
    with pytest.raises(ModelError, match=r"sparse_linear\.safetensors or sparse_linear\.pt is missing"):
        load_token_encoder(model)
    save_file({"weight": torch.zeros(1, 31)}, model / "sparse_linear.safetensors")
    with pytest.raises(ModelError, match=r"\(1, 31\) and None, and a token's state 32 numbers"):
        load_token_encoder(model)
    save_file({"weight": torch.zeros(2, 32)}, model / "sparse_linear.safetensors")
    with pytest.raises(ModelError, match="gives 2 numbers a token, and a weight is one"):
        load_token_encoder(model)


def test_without_torch_it_is_said_what_is_missing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twofold.models.three_heads.has_torch", lambda: False)
    with pytest.raises(
        ModelError, match=r"is read by torch, which is not installed: .* as colbert_linear\.safetensors"
    ):
        load_token_encoder(folder)


def test_a_torch_that_reads_such_files_unsafely_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "__version__", torch.torch_version.TorchVersion("2.5.1"))
    with pytest.raises(ModelError, match=r"safely by torch 2\.6 and later, and 2\.5\.1 is installed"):
        load_token_encoder(folder)


@pytest.mark.parametrize("weights", [(1, 1), (0, 0, 0), (1, -1, 1), (1, float("nan"), 1), (1, True, 1)])
def test_weights_are_three_numbers_of_which_one_counts(folder: Path, weights: Any) -> None:
    with pytest.raises(InputError, match="weights are three numbers"):
        load_three_heads(folder, weights=weights)


def test_an_encoder_without_these_heads_is_refused() -> None:
    with pytest.raises(ModelError, match="has no colbert_linear and sparse_linear"):
        ThreeHeadEncoder("all-MiniLM-L6-v2")
