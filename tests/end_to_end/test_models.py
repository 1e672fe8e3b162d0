"""`twofold models`, and naming the embedded encoder, from the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Twofold = Callable[..., Any]


def test_models_are_listed_with_what_they_are_good_for(twofold: Twofold) -> None:
    done = twofold("models")
    assert (done.status, done.err) == (0, "")
    first = done.out.splitlines()[:4]
    assert first[:2] == ["embedded: needs no network", "  sentence-transformers/all-MiniLM-L6-v2"]
    assert first[2:] == [
        "    384 numbers, 256 tokens, English, Apache-2.0",
        "    good for: a fast start in English, on any processor",
    ]
    assert "    prompts: query 'query: ', document 'passage: '" in done.out
    listed = twofold("models", "--json").json["models"]
    assert {"intfloat/multilingual-e5-small", "BAAI/bge-m3"} <= {model["name"] for model in listed}
    assert listed[0]["place"] == "embedded"


def test_the_word_that_info_prints_names_the_embedded_encoder(articles: Path, tmp_path: Path, twofold: Twofold) -> None:
    made = twofold("index", articles, "--to", tmp_path / "c", "--encoder", "all-MiniLM-L6-v2")
    assert made.status == 0
    assert "the encoder all-MiniLM-L6-v2 is the embedded copy" in made.err
    assert "all-MiniLM-L6-v2, embedded" in twofold("info", tmp_path / "c").out
    assert twofold("search", tmp_path / "c", "who wrote the first compiler?", "--json").ids[0] == "compiler"
    assert twofold("search", tmp_path / "c", "moon", "--encoder", "all-MiniLM-L6-v2", "-q").err == ""


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_a_script_that_the_encoder_hardly_knows_is_noted_once(
    tmp_path: Path, twofold: Twofold, words: tuple[str, ...]
) -> None:
    data = tmp_path / "data.jsonl"
    data.write_text(
        '{"id": "a", "text": "人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心。"}\n', encoding="utf-8"
    )
    done = twofold("index", data, "--to", tmp_path / "c", *words)
    assert done.status == 0
    assert done.err.count("mostly Chinese, which the encoder hardly knows") == 1
    assert "intfloat/multilingual-e5-small" in done.err
    assert "hardly knows" not in twofold("index", data, "--to", tmp_path / "d", "--quiet", *words).err


def test_shorter_vectors_are_asked_for_and_kept(articles: Path, tmp_path: Path, twofold: Twofold) -> None:
    made = twofold("index", articles, "--to", tmp_path / "c", "--dim", 128)
    assert made.status == 0
    assert made.err.count("does not say that it was trained for shorter vectors") == 1
    assert twofold("info", tmp_path / "c", "--json").json["contract"]["dimension"] == 128
    for words in ((), ("--precision", "f32"), ("--dim", 128, "-q")):
        assert twofold("search", tmp_path / "c", "who wrote the first compiler?", "--json", *words).ids[0] == "compiler"
    other = twofold("search", tmp_path / "c", "compiler", "--dim", 64)
    assert other.status == 1
    assert "dimension" in other.err
    assert twofold("encode", articles, "--to", tmp_path / "v.npy", "--dim", 500).status == 1
    hashed = twofold("index", articles, "--to", tmp_path / "h", "--encoder", "hashed-words:64", "--dim", 32)
    assert (hashed.status, "write hashed-words:32" in hashed.err) == (1, True)
