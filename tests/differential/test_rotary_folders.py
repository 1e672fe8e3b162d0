"""Whole folders of models with rotary positions: tokenizer, prompts, pooling and layers as sentence-transformers."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from random_models import CONFIGURATIONS, byte_level, gemma_words, save_random, unigram, word_pieces
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Dense, Normalize, Transformer
from sentence_transformers.sentence_transformer.modules import Pooling

import twofold
from twofold.encoders.loading import load_encoder
from twofold.errors import ModelError

TEXTS = [
    "",
    "water",
    "Who wrote the first compiler?",
    "The mitochondrion is the powerhouse of the cell. " * 8,
    "東京は日本の首都です。 Über Café",
    "  two  spaces\nand a line",
    "one two three four five six seven eight nine ten " * 12,
]
QWEN: dict[str, Any] = {
    "tokenizer_class": "Qwen2Tokenizer",
    "add_bos_token": False,
    "add_prefix_space": False,
    "padding_side": "left",
    "eos_token": "<|im_end|>",
    "pad_token": "<|endoftext|>",
    "bos_token": None,
    "unk_token": None,
    "errors": "replace",
    "split_special_tokens": False,
    "model_max_length": 60,
}
GEMMA: dict[str, Any] = {
    "tokenizer_class": "GemmaTokenizer",
    "add_bos_token": True,
    "add_eos_token": True,
    "bos_token": "<bos>",
    "eos_token": "<eos>",
    "pad_token": "<pad>",
    "unk_token": "<unk>",
    "mask_token": "<mask>",
    "model_max_length": 60,
}
PLAIN: dict[str, Any] = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 60}
MODERN: dict[str, Any] = {
    **PLAIN,
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
    "pad_token": "[PAD]",
    "mask_token": "[MASK]",
}
LLAMA: dict[str, Any] = {
    **PLAIN,
    "bos_token": "<|begin_of_text|>",
    "eos_token": "<|end_of_text|>",
    "pad_token": "<|end_of_text|>",
}

Modules = list[Any]
INSTRUCTION = "Instruct: find what answers\nQuery: "


def _gemma_layers() -> Modules:
    torch.manual_seed(5)
    wide = Dense(32, 48, bias=False, activation_function=torch.nn.Identity())
    return [Pooling(32, "mean"), wide, Dense(48, 32, bias=False, activation_function=torch.nn.Identity()), Normalize()]


FOLDERS: dict[str, tuple[Callable[[Path], None], Callable[[], Modules], dict[str, str]]] = {
    "modernbert": (
        partial(byte_level, ends=("[CLS]", "[SEP]"), special=("[CLS]", "[SEP]", "[PAD]", "[MASK]", "[UNK]"), **MODERN),
        lambda: [Pooling(32, "cls")],
        {},
    ),
    "qwen3": (
        partial(
            byte_level, ends=(None, "<|endoftext|>"), special=("<|endoftext|>", "<|im_start|>", "<|im_end|>"), **QWEN
        ),
        lambda: [Pooling(32, "lasttoken"), Normalize()],
        {"query": INSTRUCTION, "document": ""},
    ),
    "gemma3_text": (
        partial(gemma_words, ends=("<bos>", "<eos>"), **GEMMA),
        _gemma_layers,
        {"query": "task: search result | query: ", "document": "title: none | text: "},
    ),
    "gemma3_text, causal": (
        partial(gemma_words, ends=("<bos>", "<eos>"), **GEMMA),
        lambda: [Pooling(32, "lasttoken", include_prompt=False)],
        {"query": "query: ", "document": ""},
    ),
    "embedding_gemma2_text": (
        partial(gemma_words, ends=("<bos>", "<eos>"), **{**GEMMA, **PLAIN}),
        lambda: [Pooling(20, "mean"), Normalize()],
        {},
    ),
    "eurobert": (
        partial(
            byte_level,
            ends=("<|begin_of_text|>", "<|end_of_text|>"),
            special=("<|begin_of_text|>", "<|end_of_text|>", "<|mask|>"),
            **LLAMA,
        ),
        lambda: [Pooling(32, "mean")],
        {},
    ),
    "nomic_bert": (
        word_pieces,
        lambda: [Pooling(32, "mean", include_prompt=False)],
        {"query": "search_query: ", "document": "search_document: "},
    ),
    "gte": (unigram, lambda: [Pooling(32, "cls"), Normalize()], {"query": "query: "}),
}
"""What it is → its tokenizer, the modules after the transformer, and prompts."""


def saved(what: str, folder: Path) -> Path:
    """A folder as sentence-transformers saves it, but for the tokenizer, whose files are those of a hub's folder."""
    tokenizer, modules, prompts = FOLDERS[what]
    bare = save_random(CONFIGURATIONS[what](), folder / "bare")
    tokenizer(bare)
    whole = folder / "whole"
    transformer = Transformer(str(bare), max_seq_length=60)
    model = SentenceTransformer(modules=[transformer, *modules()], device="cpu", prompts=prompts)
    model.save(str(whole), create_model_card=False)
    tokenizer(whole)
    return whole


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {what: saved(what, tmp_path_factory.mktemp("folder")) for what in FOLDERS}


def assert_same_vectors(folder: Path, texts: Sequence[str] = TEXTS) -> None:
    theirs = SentenceTransformer(str(folder), device="cpu")
    documents, queries = theirs.encode_document(list(texts)), theirs.encode_query(list(texts))
    close = partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-4)
    for device in ("cpu", "torch:cpu"):
        ours = load_encoder(folder, precision="f32", device=device)
        close(ours.encode_documents(texts), documents)
        close(ours.encode_queries(texts), queries)


@pytest.mark.parametrize("what", FOLDERS)
def test_a_folder_gives_the_vectors_of_sentence_transformers(what: str, folders: dict[str, Path]) -> None:
    # An input with no token at all has no last token there; here it is a zero vector.
    assert_same_vectors(folders[what])


@pytest.mark.parametrize("what", ["qwen3", "gemma3_text", "modernbert"])
def test_a_tokenizer_saved_again_by_transformers_gives_the_same_vectors(
    what: str, folders: dict[str, Path], tmp_path: Path
) -> None:
    before = load_encoder(folders[what], precision="f32").encode_queries(TEXTS)
    folder = saved(what, tmp_path)
    transformers.AutoTokenizer.from_pretrained(folder).save_pretrained(folder)
    assert_same_vectors(folder)
    np.testing.assert_array_equal(load_encoder(folder, precision="f32").encode_queries(TEXTS), before)


@pytest.mark.parametrize("precision", ["f32", "auto"])
@pytest.mark.parametrize("what", FOLDERS)
def test_a_text_has_the_same_bits_alone_and_in_a_batch(what: str, precision: str, folders: dict[str, Path]) -> None:
    encoder = load_encoder(folders[what], precision=precision)
    together = encoder.encode_documents([*TEXTS, *TEXTS[::-1], *["more of the cell"] * 9])
    for number, text in enumerate(TEXTS):
        np.testing.assert_array_equal(encoder.encode_documents([text])[0], together[number])
    # The tables of places have grown by now, and rows that were there stay as they were.
    np.testing.assert_array_equal(
        load_encoder(folders[what], precision=precision).encode_documents(["water"])[0], together[1]
    )


@pytest.mark.parametrize("what", FOLDERS)
def test_places_hold_in_bf16_beyond_256_tokens(what: str, folders: dict[str, Path], tmp_path: Path) -> None:
    """Beyond 256 not every whole number exists in bf16, so angles that were made in it would go wrong."""
    folder = saved(what, tmp_path)
    file = folder / "sentence_bert_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "max_seq_length": 400}))
    texts = ["Who wrote the first compiler? It's Grace Hopper's work of 1952. " * 8, "cells are small " * 30]
    exact = load_encoder(folder, precision="f32").encode_documents(texts)
    rounded = load_encoder(folder).encode_documents(texts)
    cosines = np.einsum("ij,ij->i", exact, rounded) / np.linalg.norm(exact, axis=1) / np.linalg.norm(rounded, axis=1)
    assert cosines.min() > 0.99


def test_a_document_of_thousands_of_tokens_has_one_vector_beside_those_of_its_passages(tmp_path: Path) -> None:
    folder = saved("modernbert", tmp_path)
    for name, field in {
        "config.json": "max_position_embeddings",
        "sentence_bert_config.json": "max_seq_length",
    }.items():
        file = folder / name
        file.write_text(json.dumps({**json.loads(file.read_text()), field: 8192}))
    encoder = load_encoder(folder, precision="f32")
    lines = [f"In paragraph {n} a weir holds back river number {n * n % 97}.\n\n" for n in range(130)]
    text = "".join(lines)
    assert 4_000 < len(encoder.spans([text])[0]) < encoder.token_limit
    expected = SentenceTransformer(str(folder), device="cpu").encode_document([text])
    np.testing.assert_allclose(encoder.encode_documents([text]), expected, rtol=1e-4, atol=1e-4)
    documents = [{"id": "weirs", "text": text}, {"id": "short", "text": "water"}]
    places = twofold.create(tmp_path / "places", encoder, passages={"tokens": 128, "overlap": 0})
    topics = twofold.create(tmp_path / "topics", encoder, passages="none")
    with places, topics:
        assert places.add(documents).passages > 30
        report = topics.add(documents)
        assert (report.passages, report.tokens_cut) == (2, 0)
        (topic,) = topics.vectors(["weirs"])["weirs"]
        assert topic @ expected[0] / np.linalg.norm(topic) / np.linalg.norm(expected[0]) > 0.9999
        (hit,) = places.search(lines[100], k=1, mode="dense")
        assert (hit.id, hit.passage.text in text) == ("weirs", True)
        assert {each.id for each in topics.search(lines[100], mode="dense")} == {"weirs", "short"}


LONG = "CD33’s Über-Café 東京は日本の首都です 😀🎉, cells of the powerhouse " * 6


@pytest.mark.parametrize("what", FOLDERS)
def test_documents_whose_characters_are_several_tokens_are_divided(
    what: str, folders: dict[str, Path], tmp_path: Path
) -> None:
    encoder = load_encoder(folders[what])
    (spans,) = encoder.spans([LONG])
    assert len(spans) > encoder.token_limit
    assert (np.diff(spans.ravel()) >= 0).all()
    covered = np.zeros(len(LONG), dtype=bool)
    for start, end in spans:
        covered[start:end] = True
    assert all(covered[number] for number, character in enumerate(LONG) if not character.isspace())
    with twofold.create(tmp_path / "c", encoder=encoder) as collection:
        report = collection.add([{"id": "long", "text": LONG, "title": "Café"}])
        assert report.passages > 1
        assert collection.search("powerhouse")[0].id == "long"


Change = Callable[[dict[str, Any]], Any]
TOKENIZERS: list[tuple[str, str, Change, str]] = [
    ("qwen3", "tokenizer.json", lambda said: said["normalizer"].update(type="NFKC"), "field 'normalizer' is another"),
    (
        "qwen3",
        "tokenizer.json",
        lambda said: said["pre_tokenizer"]["pretokenizers"][0]["pattern"].update(Regex=r"\w+"),
        "field 'pre_tokenizer' is another than that of Qwen2Tokenizer",
    ),
    ("qwen3", "tokenizer_config.json", lambda said: said.update(add_eos_token=True), "add_eos_token is True, and"),
    ("gemma3_text", "tokenizer_config.json", lambda said: said.update(add_eos_token=False), "add_eos_token is False"),
    ("gemma3_text", "tokenizer.json", lambda said: said["model"].update(byte_fallback=False), "field 'model'"),
    (
        "eurobert",
        "tokenizer_config.json",
        lambda said: said.update(add_bos_token=True, bos_token="<|mask|>"),
        "add_bos",
    ),
    ("nomic_bert", "tokenizer_config.json", lambda said: said.update(add_eos_token=True), "'add_eos_token' is True"),
    ("gte", "tokenizer_config.json", lambda said: said.update(tokenizer_class="T5Tokenizer"), "'T5Tokenizer' is not"),
]


@pytest.mark.parametrize(
    ("what", "file", "change", "message"), TOKENIZERS, ids=[f"{what}: {said}" for what, _, _, said in TOKENIZERS]
)
def test_a_tokenizer_whose_files_disagree_is_refused(
    what: str, file: str, change: Change, message: str, tmp_path: Path
) -> None:
    folder = saved(what, tmp_path)
    said = json.loads((folder / file).read_text())
    change(said)
    (folder / file).write_text(json.dumps(said))
    with pytest.raises(ModelError, match=message):
        load_encoder(folder)
