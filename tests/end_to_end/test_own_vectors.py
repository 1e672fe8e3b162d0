"""Collections of own vectors on the command line: indexed, searched by text, by vector and by both, evaluated."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Twofold = Callable[..., Any]

DOCUMENTS = {
    "apple": "red apples grow on trees",
    "sea": "the sea is blue and deep",
    "frog": "green frogs live in ponds",
}


@pytest.fixture
def folder(tmp_path: Path, twofold: Twofold, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a collection `c` of three vectors, two queries `q.tsv` and their vectors `q.npy`."""
    monkeypatch.chdir(tmp_path)
    Path("docs.jsonl").write_text("".join(json.dumps({"id": n, "text": t}) + "\n" for n, t in DOCUMENTS.items()))
    Path("q.tsv").write_text("q1\tred fruit\nq2\tdeep water\n")
    Path("qrels.txt").write_text("q1 0 apple 1\nq2 0 sea 1\n")
    np.save("d.npy", np.eye(3, 4, dtype=np.float32))
    np.save("q.npy", np.array([[1, 0.1, 0, 0], [0, 1, 0.1, 0]], np.float32))
    np.save("one.npy", np.array([0, 0.1, 1, 0]))
    done = twofold("index", "docs.jsonl", "--to", "c", "--vectors", "d.npy")
    assert done.status == 0, done.err
    assert "3 vectors added\n" in done.out
    assert "encoded" not in done.out + done.err
    return tmp_path


def explained(done: Any) -> list[set[str]]:
    assert done.status == 0, done.err
    return [set(hit["parts"]) for hit in done.json["hits"]]


def test_a_text_is_searched_lexically_by_default_and_that_is_said_once(folder: Path, twofold: Twofold) -> None:
    asked = twofold("search", "c", "red sea", "--json", "--explain")
    assert explained(asked) == [{"lexical"}] * 2
    assert asked.err == (
        "lexical search: the vectors of this collection were made elsewhere; hybrid search needs --vector FILE\n"
    )
    assert twofold("search", "c", "red sea", "--mode", "lexical").err == ""
    run = twofold("search", "c", "--queries", "q.tsv")
    assert (run.status, run.err.count("needs --vectors X.npy")) == (0, 1)


def test_a_vector_is_searched_alone_or_with_its_text(folder: Path, twofold: Twofold) -> None:
    both = twofold("search", "c", "red fruit", "--vector", "one.npy", "--json", "--explain")
    assert explained(both) == [{"dense", "lexical", "lexical evidence", "lexical weight"}] * 3
    assert (both.ids[0], both.err) == ("frog", "")
    alone = twofold("search", "c", "--vector", "one.npy", "--json", "--explain")
    assert (alone.ids[0], alone.json["query"], explained(alone)[0]) == ("frog", None, {"dense"})
    piped = twofold("search", "c", "--vector", "-", "--json", "--explain", stdin="[0, 0.1, 1, 0]\n")
    assert piped.json["hits"] == alone.json["hits"]
    np.save("line.npy", np.load("one.npy")[None])
    assert twofold("search", "c", "--vector", "line.npy", "--json", "--explain").json == alone.json


def test_queries_of_a_file_come_with_their_vectors(folder: Path, twofold: Twofold) -> None:
    run = twofold("search", "c", "--queries", "q.tsv", "--vectors", "q.npy", "--json")
    assert (run.status, run.err) == (0, "")
    assert {query: next(iter(found)) for query, found in run.json["run"].items()} == {"q1": "apple", "q2": "sea"}
    assert [len(found) for found in run.json["run"].values()] == [3, 3]
    judged = ("--queries", "q.tsv", "--qrels", "qrels.txt", "--json", "--timed", "1")
    measured = twofold("evaluate", "c", *judged, "--vectors", "q.npy").json["systems"]
    assert list(measured) == ["dense", "lexical", "hybrid"]
    assert [each["measures"]["nDCG@10"]["mean"] for each in measured.values()] == [1, 1, 1]
    np.save("swapped.npy", np.load("q.npy")[::-1])
    swapped = twofold("evaluate", "c", *judged, "--vectors", "swapped.npy", "--mode", "dense").json["systems"]
    assert swapped["dense"]["measures"]["nDCG@10"]["mean"] < 1
    assert list(twofold("evaluate", "c", *judged).json["systems"]) == ["lexical"]


def test_what_is_no_vector_is_refused_in_words(folder: Path, twofold: Twofold) -> None:
    np.save("nan.npy", np.array([0, np.nan, 1, 0]))
    np.save("words.npy", np.array(["a", "b"]))
    np.save("short.npy", np.ones(3))
    Path("list.json").write_text('[1, "a"]')
    Path("large.json").write_text("[1" + 400 * "0" + "]")
    Path("cut.npy").write_bytes(Path("one.npy").read_bytes()[:-8])
    for name, said in (
        ("nan.npy", "the vector of the query holds NaN"),
        ("words.npy", "words.npy: one vector is needed, a line of numbers; this is <U1 of the shape (2,)"),
        ("q.npy", "q.npy: one vector is needed, a line of numbers; this is float32 of the shape (2, 4)"),
        ("short.npy", "the vector of the query has the shape (3,); this collection takes (4,)"),
        ("list.json", "list.json: this is JSON, but no list of numbers. A vector is a .npy file or a JSON list"),
        ("large.json", "large.json: a number in it is too large"),
        ("cut.npy", "cut.npy: this is no .npy file of a vector"),
        ("docs.jsonl", "docs.jsonl: no JSON: Extra data"),
        ("missing.npy", "missing.npy: cannot be read: No such file"),
    ):
        done = twofold("search", "c", "x", "--vector", name)
        assert (done.status, done.out) == (1, "")
        assert said in done.err
    done = twofold("search", "c", "--queries", "q.tsv", "--vectors", "d.npy")
    assert (done.status, "3 vectors came with 2 queries; give one vector a query" in done.err) == (1, True)
    done = twofold("evaluate", "c", "--queries", "q.tsv", "--qrels", "qrels.txt", "--vectors", "d.npy")
    assert (done.status, "d.npy: it holds 3 vectors for 2 queries" in done.err) == (1, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "one of the arguments QUERY --like --queries --vector is required"),
        (("-", "--vector", "-"), "query and --vector cannot both be standard input"),
        (("--like", "sea", "--vector", "one.npy"), "go with a query; --like compares stored vectors"),
        (("x", "--vectors", "q.npy"), "--vectors goes with --queries; the vector of one query is --vector FILE"),
        (("--queries", "q.tsv", "--vector", "one.npy"), "--vectors holds those of --queries"),
    ],
)
def test_vectors_in_the_wrong_place_are_wrong_usage(
    folder: Path, twofold: Twofold, words: tuple[str, ...], said: str
) -> None:
    done = twofold("search", "c", *words)
    assert (done.status, said in done.err) == (2, True), done.err


def test_judgements_with_vectors_tune_a_collection_of_own_vectors(folder: Path, twofold: Twofold) -> None:
    few = twofold("tune", "c", "--queries", "q.tsv", "--qrels", "qrels.txt", "--vectors", "q.npy")
    assert (few.status, "2 judged questions are too few" in few.err) == (1, True)
    assert "give their vectors" in twofold("tune", "c", "--queries", "q.tsv", "--qrels", "qrels.txt").err
    assert twofold("tune", "c", "--vectors", "q.npy").status == 2
    assert twofold("tune", "c").status == 0


def test_info_says_that_the_vectors_were_made_elsewhere(folder: Path, twofold: Twofold) -> None:
    shown = twofold("info", "c").out
    assert "none: the vectors were made elsewhere" in shown
    assert "4 numbers, cosine\n" in shown
    assert "(one vector each)" in shown
    assert "tokens" not in shown
