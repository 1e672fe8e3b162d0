"""Prompts of models whose files do not state them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from twofold.encoders.loading import load_encoder
from twofold.models.folder import read_model_folder
from twofold.models.known_models import SEARCHING, WEB_SEARCH, prompts_of

Edit = Callable[..., None]


@pytest.mark.parametrize(
    ("source", "query", "document"),
    [
        ("BAAI/bge-small-en-v1.5", SEARCHING, ""),
        ("BAAI/bge-base-zh", "为这个句子生成表示以用于检索相关文章：", ""),
        ("intfloat/e5-base-v2", "query: ", "passage: "),
        ("intfloat/multilingual-e5-large", "query: ", "passage: "),
        ("mixedbread-ai/mxbai-embed-large-v1", SEARCHING, ""),
        ("Snowflake/snowflake-arctic-embed-l-v2.0", "query: ", ""),
        ("Qwen/Qwen3-Embedding-0.6B", f"{WEB_SEARCH}Query:", ""),
        ("google/embeddinggemma-300m", "task: search result | query: ", "title: none | text: "),
        ("/models/e5-small-v2", "query: ", "passage: "),
        ("thenlper/gte-base", "", ""),
        ("somebody/e5-base-v2", "", ""),
        ("/models/my-bge-small-en", "", ""),
        (None, "", ""),
    ],
)
def test_a_known_model_brings_its_prompts(folder: Path, source: str | None, query: str, document: str) -> None:
    assert prompts_of(read_model_folder(folder), source) == {"query": query, "document": document}


def test_what_the_folder_states_goes_first(folder: Path, edit: Edit) -> None:
    edit("config_sentence_transformers.json", prompts={"query": "mine: "})
    assert prompts_of(read_model_folder(folder), "intfloat/e5-base-v2") == {"query": "mine: ", "document": ""}


def test_a_model_in_the_hubs_cache_is_known_and_a_child_of_a_known_one_is_not(folder: Path, edit: Edit) -> None:
    cached = folder.parent / "models--intfloat--e5-small" / "snapshots" / "1a2b"
    cached.parent.mkdir(parents=True)
    cached.symlink_to(folder)
    assert prompts_of(read_model_folder(cached), str(cached))["query"] == "query: "
    edit("config.json", _name_or_path="BAAI/bge-small-en")
    assert load_encoder(folder).contract.query_prompt == ""


def test_a_child_of_a_model_with_prompts_that_states_none_is_noted(folder: Path, edit: Edit) -> None:
    edit("config.json", _name_or_path="intfloat/e5-base-v2")
    (note,) = load_encoder(folder).notes
    assert "intfloat/e5-base-v2, from which it was trained, asks for 'query: ' before queries" in note
    edit("config_sentence_transformers.json", prompts={"query": "", "document": ""})
    assert load_encoder(folder).notes == ()
