"""`train` as a user would try it: pairs in, an encoder or a query tower out, and a collection that uses it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from riddles import GOES_WITH, small_model, write_collection, write_riddles

Twofold = Callable[..., Any]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_model(tmp_path_factory.mktemp("base"))


def as_printed(output: str, twofold: Twofold) -> Any:
    """The command after "use it", run as it is printed."""
    (line,) = [line for line in output.splitlines() if line.startswith("use it: ")]
    program, *words = shlex.split(line.removeprefix("use it: ").strip("`"))
    assert program == "twofold"
    done = twofold(*words)
    assert done.status == 0, done.err
    return done


def test_pairs_make_an_encoder_that_a_collection_uses(base: Path, tmp_path: Path, twofold: Twofold) -> None:
    riddles, encoder = write_riddles(tmp_path / "riddles.jsonl"), tmp_path / "encoder"
    settings = ("--epochs", 2, "--batch", 16, "--learning-rate", 0.01, "--dev-share", 0.2, "--margin", 1, "--blend", 1)
    done = twofold("train", riddles, "--base", base, "--to", encoder, *settings)
    assert done.status == 0, done.err
    assert "Before and after" in done.out
    assert "dev: training helped, nDCG@10 +0." in done.out
    assert "hard negatives: " in done.out
    scores = as_printed(done.out, twofold)
    assert len(scores.out.splitlines()) == len(riddles.read_text().splitlines())
    answers = tmp_path / "answers.jsonl"
    things = sorted(set(GOES_WITH.values()))
    answers.write_text("\n".join(json.dumps({"_id": thing, "text": thing}) for thing in things))
    collection = tmp_path / "answers.twofold"
    assert twofold("index", answers, "--encoder", encoder, "--to", collection).status == 0
    assert twofold("search", collection, "horse", "--mode", "dense", "--json").ids[0] == GOES_WITH["horse"]


@pytest.mark.parametrize("kind", [("cross-encoder", "--loss", "bce"), ("late-interaction",)])
def test_pairs_make_a_ranker_that_a_search_uses(
    kind: tuple[str, ...], base: Path, tmp_path: Path, twofold: Twofold
) -> None:
    riddles, ranker = write_riddles(tmp_path / "riddles.jsonl"), tmp_path / "ranker"
    models = ("--base", base, "--encoder", base, "--to", ranker)
    settings = ("--epochs", 1, "--batch", 16, "--negatives", 2, "--dev-share", 0.2, "--margin", 1)
    done = twofold("train", riddles, "--kind", *kind, *models, *settings)
    assert done.status == 0, done.err
    assert "Before and after" in done.out
    assert "dev: " in done.out
    assert f"use it: --rerank {ranker} of search" in done.out
    answers = tmp_path / "answers.jsonl"
    answers.write_text("\n".join(json.dumps({"_id": thing, "text": thing}) for thing in sorted(GOES_WITH.values())))
    collection = tmp_path / "answers.twofold"
    assert twofold("index", answers, "--encoder", base, "--to", collection).status == 0
    found = twofold("search", collection, "horse", "--rerank", ranker, "--explain", "--json")
    assert found.status == 0, found.err
    assert "ranker" in found.json["hits"][0]["parts"]


@pytest.mark.parametrize(
    "words",
    [
        ("--kind", "cross-encoder", "--loss", "kl"),
        ("--kind", "late-interaction", "--loss", "mse"),
        ("--kind", "cross-encoder", "--audit"),
        ("--kind", "cross-encoder", "--blend", "0.5"),
        ("--kind", "cross-encoder", "--query-tower", "static"),
        ("--loss", "listwise"),
        ("--encoder", "x"),
    ],
)
def test_options_of_another_kind_of_model_are_wrong_usage(
    words: tuple[str, ...], tmp_path: Path, twofold: Twofold
) -> None:
    done = twofold("train", tmp_path / "pairs.jsonl", "--to", tmp_path / "x", *words)
    assert done.status == 2
    assert words[-2] in done.err or words[-1] in done.err


def test_an_audit_looks_and_writes_nothing(base: Path, tmp_path: Path, twofold: Twofold) -> None:
    riddles = write_riddles(tmp_path / "riddles.jsonl")
    done = twofold("train", riddles, "--base", base, "--audit")
    assert done.status == 0, done.err
    assert "pairs without a word in common" in done.out
    assert "hard negatives: " in done.out
    looked = twofold("train", riddles, "--base", base, "--audit", "--json").json
    assert looked["wordless"] == looked["pairs"]  # no answer shares a word with its riddle
    assert looked["mining"]["candidates"] > 0
    assert len(looked["sheet"]) == 50
    assert [path.name for path in tmp_path.iterdir()] == ["riddles.jsonl"]
    assert twofold("train", riddles, "--base", base).status == 2
    assert twofold("train", "--to", tmp_path / "x").status == 2


def test_a_corpus_alone_is_learned_from_and_the_limits_of_that_are_said(
    base: Path, tmp_path: Path, twofold: Twofold, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, other = write_collection(tmp_path / "riddles"), write_collection(tmp_path / "elsewhere")
    asked = ("train", folder, "--from-corpus", "--base", base, "--epochs", 1, "--batch", 16)
    done = twofold(*asked, "--to", tmp_path / "one", "--also", other)
    assert done.status == 0, done.err
    assert "dev asks with the corpus's own titles and sentences" in done.out
    assert "other collections: nDCG@10" in done.out
    monkeypatch.chdir(tmp_path)
    assert as_printed(done.out, twofold).out.endswith("riddles.twofold holds 32 documents\n")
    assert twofold("search", tmp_path / "riddles.twofold", "stone", "--encoder", tmp_path / "one", "--json").ids
    looked = twofold(*asked, "--audit", "--teacher", tmp_path / "one", "--json")
    assert looked.status == 0, looked.err
    assert len(looked.json["mining"]["false_negatives"]) == 3
    done = twofold(*asked, "--to", tmp_path / "two", "--loss", "kl")
    assert (done.status, done.out) == (1, "")
    assert "margin-mse and kl need a teacher" in done.err
    done = twofold("train", folder, "--base", base, "--to", tmp_path / "two")
    assert done.status == 1
    assert "train" in done.err  # the folder has no such split


def test_bad_settings_and_missing_data_are_said(base: Path, tmp_path: Path, twofold: Twofold) -> None:
    riddles = write_riddles(tmp_path / "riddles.jsonl")
    done = twofold("train", riddles, "--base", base, "--to", tmp_path / "x", "--epochs", 0)
    assert (done.status, done.out) == (1, "")
    assert "epochs, batch" in done.err
    done = twofold("train", tmp_path / "missing.jsonl", "--base", base, "--to", tmp_path / "x")
    assert done.status == 1
    assert "missing.jsonl" in done.err
    assert not (tmp_path / "x").exists()


def test_a_query_tower_is_fitted_and_asked(
    base: Path, tmp_path: Path, twofold: Twofold, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts, tower, collection = tmp_path / "texts.jsonl", tmp_path / "tower.safetensors", tmp_path / "c.twofold"
    words = sorted({*GOES_WITH, *GOES_WITH.values()})
    pairs = [f"the {one} and the {other}." for one in words for other in words if one < other]
    texts.write_text("\n".join(json.dumps({"_id": pair, "text": pair}) for pair in pairs))
    apart = tmp_path / "it's apart"
    apart.mkdir()
    monkeypatch.chdir(apart)
    (apart / "texts.twofold").touch()
    printed = twofold("train", texts, "--query-tower", "static", "--base", base, "--to", apart / "tower.safetensors")
    assert as_printed(printed.out, twofold).status == 0
    assert (apart / "texts-2.twofold").is_dir()
    done = twofold("train", texts, "--query-tower", "static", "--base", base, "--to", tower, "--json")
    assert done.status == 0, done.err
    assert done.json["cosine"] > 0.9
    assert done.json["nearest"] > 0.5
    assert done.json["texts"] + done.json["held_out"] == len(pairs)
    assert twofold("index", texts, "--encoder", base, "--to", collection).status == 0
    found = twofold("search", collection, "the horse and the lamp", "--query-tower", tower, "--json")
    assert found.status == 0, found.err
    done = twofold("train", texts, "--query-tower", "static", "--base", base, "--to", tower)
    assert done.status == 1
    assert "something here already" in done.err
    done = twofold("train", texts, "--base", base, "--to", tower)
    assert done.status == 1
    assert "something here already" in done.err
    assert twofold("train", texts, "--query-tower", "static", "--to", tmp_path / "x", "--epochs", 2).status == 2


def test_a_tower_of_fewer_layers_is_fitted_to_a_collection_and_tried_on_it(
    base: Path, tmp_path: Path, twofold: Twofold
) -> None:
    texts, tower, collection = tmp_path / "texts.jsonl", tmp_path / "tower", tmp_path / "c.twofold"
    words = sorted({*GOES_WITH, *GOES_WITH.values()})
    documents = [
        {"_id": f"{one}-{other}", "title": f"{one} {other}", "text": f"The {other} of the {one} was. It is a {one}!"}
        for one in words
        for other in words
        if one < other
    ]
    texts.write_text("\n".join(json.dumps(each) for each in documents))
    assert twofold("index", texts, "--encoder", base, "--to", collection).status == 0
    small = tmp_path / "small"
    asked = ("train", "--query-tower", "2-layer", "--for", collection, "--to", small)
    done = twofold(*asked)
    assert (done.status, done.out) == (1, "")
    assert "the model has 2 layers, so a smaller tower has 1 to 1, not 2" in done.err
    assert not small.exists()
    done = twofold("train", "--query-tower", "static", "--for", collection, "--to", tower, "--json")
    assert done.status == 0, done.err
    figures = done.json["found"]["systems"]
    assert figures["the tower"]["measures"]["nDCG@10"]["mean"] > 0
    assert figures["the encoder itself"]["queries"] == len(documents)
    deep = tmp_path / "deep.twofold"
    assert twofold("index", texts, "--encoder", small_model(tmp_path / "deep", 3), "--to", deep).status == 0
    done = twofold("train", "--query-tower", "2-layer", "--for", deep, "--to", small)
    assert done.status == 0, done.err
    assert "a query is encoded" in done.out
    assert "times as fast, at nDCG@10" in done.out
    assert as_printed(done.out, twofold).status == 0
    assert twofold("search", deep, "stone river", "--query-tower", small, "--mode", "dense", "--json").ids
    assert twofold("train", "--query-tower", "static", "--to", tower).status == 2
    assert twofold("train", texts, "--for", collection, "--to", tmp_path / "x").status == 2
    assert twofold("train", texts, "--query-tower", "static", "--for", collection, "--base", base).status == 2


def test_the_tower_that_ships_answers_a_collection_of_the_default(
    articles: Path, tmp_path: Path, twofold: Twofold
) -> None:
    assert twofold("index", articles, "--to", tmp_path / "c.twofold").status == 0
    for mode in ("dense", "hybrid"):
        asked = ("search", tmp_path / "c.twofold", "who wrote the first compiler?", "--mode", mode, "--json")
        assert twofold(*asked, "--query-tower", "static").ids[0] == "compiler"


def test_a_collection_keeps_its_tower_however_the_model_is_loaded(
    articles: Path, tmp_path: Path, twofold: Twofold
) -> None:
    collection = tmp_path / "c.twofold"
    assert twofold("index", articles, "--query-tower", "static", "--to", collection).status == 0
    asked = ("search", collection, "who wrote the first compiler?", "--mode", "dense", "--json")
    plain, loaded = (twofold(*asked, *more).json["hits"] for more in ((), ("--precision", "f32")))
    assert loaded == plain  # the stored vectors are the same, and the tower knows no precision


def test_a_tower_is_refused_where_no_model_is(articles: Path, tmp_path: Path, twofold: Twofold) -> None:
    collection = tmp_path / "c.twofold"
    assert twofold("index", articles, "--encoder", "hashed-words:64", "--to", collection).status == 0
    for words in (
        ("search", collection, "tea", "--query-tower", "static"),
        ("search", collection, "tea", "--query-tower", "static", "--encoder", "hashed-words:64"),
    ):
        done = twofold(*words)
        assert (done.status, done.out) == (1, "")
        assert "fitted to" in done.err or "was made without a model" in done.err
