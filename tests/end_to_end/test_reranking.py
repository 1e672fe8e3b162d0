"""A second stage from the command line: search, runs, evaluation and comparison, and models that are none."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from random_cross_encoders import classifier

from twofold.rankers.cross_encoder import load_cross_encoder
from twofold.rankers.late_interaction import load_late_interaction

Twofold = Callable[..., Any]
QUESTION = "who wrote the first compiler?"
WORDS = ("--encoder", "hashed-words:256")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return classifier("bert", tmp_path_factory.mktemp("cross") / "small-bert")


@pytest.fixture
def queries(tmp_path: Path) -> Path:
    file = tmp_path / "queries.jsonl"
    asked = [{"_id": "q1", "text": QUESTION}, {"_id": "q2", "text": "what keeps people awake?"}]
    file.write_text("".join(json.dumps(each) + "\n" for each in asked))
    return file


@pytest.fixture
def qrels(tmp_path: Path) -> Path:
    file = tmp_path / "qrels.txt"
    file.write_text("q1 0 compiler 1\nq2 0 tea 1\n")
    return file


def test_a_search_is_ordered_by_the_model(embedded: Path, model: Path, twofold: Twofold) -> None:
    first = twofold("search", embedded, QUESTION, "--json")
    done = twofold("search", embedded, QUESTION, "--rerank", model, "--explain", "--json")
    assert done.status == 0, done.err
    hits = done.json["hits"]
    scores = load_cross_encoder(model).scores(QUESTION, [f"{hit['title']} {hit['text']}" for hit in hits])
    assert [hit["score"] for hit in hits] == sorted(scores.tolist(), reverse=True)
    assert hits[0]["parts"]["small-bert"] == hits[0]["score"]
    assert sorted(done.ids) == sorted(first.ids)
    fewer = twofold("search", embedded, QUESTION, "--rerank", model, "--rerank-depth", 2, "--json")
    assert sorted(fewer.ids) == sorted(first.ids[:2])
    mixed = twofold("search", embedded, QUESTION, "--rerank", model, "--rerank-weight", 0.01, "--explain")
    assert "rerank weight" in mixed.out


def test_an_encoder_serves_for_late_interaction(embedded: Path, twofold: Twofold) -> None:
    name = "all-MiniLM-L6-v2"
    done = twofold("search", embedded, QUESTION, "--rerank", name, "--explain", "--json")
    assert done.status == 0, done.err
    plain = twofold("search", embedded, QUESTION, "--json")
    hits, first = done.json["hits"], {hit["id"]: hit for hit in plain.json["hits"]}
    scores = load_late_interaction(name).scores(QUESTION, [f"{hit['title']} {hit['text']}" for hit in hits])
    assert [hit["score"] for hit in hits] == sorted(scores.tolist(), reverse=True)
    assert hits[0]["parts"][f"sentence-transformers/{name}"] == hits[0]["score"]
    # Its scores are no probabilities: the relevance stays that of the first stage.
    assert [hit["relevance"] for hit in hits] == [first[hit["id"]]["relevance"] for hit in hits]
    mixed = twofold("search", embedded, QUESTION, "--rerank", name, "--rerank-weight", "0.5", "--explain", "--json")
    parts = mixed.json["hits"][0]["parts"]
    assert mixed.json["hits"][0]["score"] == pytest.approx((parts["first stage"] + parts["bounded"]) / 2, rel=1e-5)
    refused = twofold("search", embedded, QUESTION, "--rerank", name, "--rerank-precision", "int8")
    assert (refused.status, "not in int8" in refused.err) == (1, True)


def test_a_run_of_many_queries_is_ordered_by_the_model(
    embedded: Path, model: Path, queries: Path, tmp_path: Path, twofold: Twofold
) -> None:
    out = tmp_path / "out.trec"
    done = twofold("search", embedded, "--queries", queries, "--rerank", model, "--rerank-depth", 3, "--run", out)
    assert done.status == 0, done.err
    alone = twofold("search", embedded, QUESTION, "--rerank", model, "--rerank-depth", 3, "--json")
    lines = [line.split() for line in out.read_text().splitlines()]
    assert [document for query, _, document, *_ in lines if query == "q1"] == alone.ids


def test_passages_that_are_cut_are_told(model: Path, tmp_path: Path, twofold: Twofold) -> None:
    data = tmp_path / "long.jsonl"
    data.write_text(json.dumps({"id": "long", "text": "small cells are " * 90}) + "\n")
    twofold("index", data, "--to", tmp_path / "long.twofold", *WORDS)
    done = twofold("search", tmp_path / "long.twofold", "cells", "--rerank", model)
    assert done.status == 0, done.err
    assert "1 of 1 passages cut for the second stage" in done.err


def test_an_evaluation_measures_the_second_stage_beside_the_first(
    embedded: Path, model: Path, queries: Path, qrels: Path, tmp_path: Path, twofold: Twofold
) -> None:
    ask = ("evaluate", embedded, "--queries", queries, "--qrels", qrels, "--rerank", model, "--measure", "RR@10")
    done = twofold(*ask, "--timed", 1, "--run", tmp_path / "{mode}.trec", "--json")
    assert done.status == 0, done.err
    assert [name for name in done.json["systems"] if name.endswith("+rerank")] == [list(done.json["systems"])[-1]]
    assert all(Path(file).is_file() for file in done.json["runs"].values())
    assert len(done.json["runs"]) == len(done.json["systems"])
    table = twofold(*ask, "--timed", 0, "--mode", "dense")
    assert "dense+rerank" in table.out
    once = twofold(*ask, "--timed", 0, "--mode", "dense", "--run", tmp_path / "best.trec", "--json")
    assert list(once.json["runs"]) == ["dense+rerank"]


def test_a_comparison_is_of_reranked_collections_with_runs(
    embedded: Path, model: Path, queries: Path, qrels: Path, tmp_path: Path, twofold: Twofold
) -> None:
    run = tmp_path / "first.trec"
    twofold("search", embedded, "--queries", queries, "--run", run)
    done = twofold("compare", run, embedded, "--queries", queries, "--qrels", qrels, "--rerank", model)
    assert done.status == 0, done.err
    assert "+rerank" in done.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--rerank", "./nothing"), "./nothing is no folder"),
        (("--rerank", ""), "cross-encoder/ms-marco-MiniLM-L6-v2"),
        (("--rerank", "MODEL", "--rerank-weight", "2"), "rerank_weight"),
        (("--rerank", "MODEL", "--rerank-depth", "0"), "rerank_depth"),
        (("--rerank", "EMBEDDED"), "config.json"),
    ],
)
def test_a_model_that_is_none_is_refused_in_words(
    embedded: Path, model: Path, twofold: Twofold, words: tuple[str, ...], said: str
) -> None:
    places = {"MODEL": str(model), "EMBEDDED": str(embedded)}
    done = twofold("search", embedded, QUESTION, *(places.get(word, word) for word in words))
    assert (done.status, done.out) == (1, "")
    assert said in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    "words",
    [
        ("search", "COLLECTION", "a", "--rerank-depth", "3"),
        ("search", "COLLECTION", "--like", "tea", "--rerank", "x"),
        ("evaluate", "RUN", "--qrels", "QRELS", "--rerank", "x"),
        ("evaluate", "COLLECTION", "--queries", "QUERIES", "--qrels", "QRELS", "--rerank-weight", "0.5"),
        ("compare", "RUN", "RUN", "--qrels", "QRELS", "--rerank", "x"),
    ],
)
def test_options_that_do_not_belong_together_are_wrong_usage(
    embedded: Path, queries: Path, qrels: Path, tmp_path: Path, twofold: Twofold, words: tuple[str, ...]
) -> None:
    run = tmp_path / "run.trec"
    run.write_text("q1 Q0 tea 1 2.0 x\n")
    places = {"COLLECTION": embedded, "RUN": run, "QRELS": qrels, "QUERIES": queries}
    done = twofold(*(places.get(word, word) for word in words))
    assert done.status == 2, done.err
    assert "--rerank" in done.err
