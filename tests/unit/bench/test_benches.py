"""Every bench runs on a tiny input, and its counts are those of the input; no time is asserted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from random_cross_encoders import classifier

from twofold.bench.compression import bench_compression, codes_of
from twofold.bench.encode import Asked, bench_encode, of_length
from twofold.bench.filters import bench_filters
from twofold.bench.hybrid import bench_hybrid
from twofold.bench.indexing import bench_indexing
from twofold.bench.long_texts import in_new_python
from twofold.bench.precision import bench_precision
from twofold.bench.quality import bench_quality
from twofold.bench.search import bench_search
from twofold.bench.second_stage import bench_second_stage
from twofold.bench.shapes import SHAPES, make_shape
from twofold.bench.startup import bench_startup
from twofold.bench.texts import sample, spaced
from twofold.bench.vectors import bench_vectors
from twofold.bench.walkthrough import bench_walkthrough, walkthrough
from twofold.collection.collection import Collection
from twofold.collection.opening import create
from twofold.encoders.hashed_words import HashedWords
from twofold.errors import InputError, ModelError
from twofold.models.architectures import ARCHITECTURES
from twofold.models.folder import read_model_folder
from twofold.models.locating import find_model
from twofold.models.profiling import linear_weights
from twofold.models.transformer import TransformerModel
from twofold.tables import Estimate, Report

LATE = "sentence-transformers/all-MiniLM-L6-v2"
TEXTS = {f"d{number}": f"document about subject{number} and little else" for number in range(30)}


@pytest.fixture
def encoder() -> HashedWords:
    return HashedWords(64)


@pytest.fixture
def collection(tmp_path: Path, encoder: HashedWords) -> Iterator[Collection]:
    with create(tmp_path / "tiny.twofold", encoder) as made:
        made.add(TEXTS.items())
        yield made


@pytest.fixture
def beir(tmp_path: Path) -> Path:
    folder = tmp_path / "judged"
    (folder / "qrels").mkdir(parents=True)
    corpus = [{"_id": key, "title": "", "text": text} for key, text in TEXTS.items()]
    queries = [{"_id": f"q{number}", "text": f"subject{number}"} for number in range(4)]
    for name, records in (("corpus", corpus), ("queries", queries)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    judged = "".join(f"q{number}\td{number}\t1\n" for number in range(4))
    (folder / "qrels" / "test.tsv").write_text(f"query-id\tcorpus-id\tscore\n{judged}")
    return folder


def rows(report: Report, table: int = 0) -> dict[Any, dict[str, Any]]:
    """The rows of a table by their first cell, each a dict by column name."""
    names = [column.name for column in report.tables[table].columns]
    return {row[0]: dict(zip(names, row, strict=True)) for row in report.tables[table].rows}


def test_quality_finds_what_is_judged_with_and_without_passages(beir: Path, encoder: HashedWords) -> None:
    found = rows(bench_quality(beir, encoder=encoder))
    assert list(found) == ["none", "auto"]
    for row in found.values():
        assert (row["queries"], row["documents"], row["vectors"]) == (4, 30, 30)
        assert isinstance(row["nDCG@10"], Estimate)
        assert row["nDCG@10"].value == pytest.approx(1.0)


def test_quality_refuses_a_split_that_is_not_there(beir: Path, encoder: HashedWords) -> None:
    with pytest.raises(InputError, match="dev"):
        bench_quality(beir, split="dev", encoder=encoder)


def test_precision_compares_the_quality_of_int8_with_that_of_f32(beir: Path) -> None:
    found = rows(bench_precision([beir]))
    assert list(found) == [beir.name, "mean of the collections"]
    for row in found.values():
        before, after = row["nDCG@10 of f32"], row["nDCG@10 of int8"]
        assert 0.5 < after <= 1
        assert row["kept"] == pytest.approx(100 * after / before)
    assert found[beir.name]["queries"] == 4
    assert isinstance(found[beir.name]["difference"], Estimate)


def test_precision_refuses_a_split_that_is_not_there(beir: Path) -> None:
    with pytest.raises(InputError, match="dev"):
        bench_precision([beir], split="dev")


def test_indexing_again_encodes_nothing(beir: Path, encoder: HashedWords) -> None:
    told: list[tuple[int, int | None]] = []
    report = bench_indexing(beir, limit=20, encoder=encoder, progress=lambda done, total: told.append((done, total)))
    found = rows(report)
    assert [row["documents"] for row in found.values()] == [20, 20]
    assert [row["passages encoded"] for row in found.values()] == [20, 0]
    assert [row["unchanged"] for row in found.values()] == [0, 20]
    assert told[-1] == (20, 20)
    assert list(rows(report, 1)) == ["documents up to 6", "documents 6 to 20", "again, nothing changed"]


def test_searching_is_timed_beside_an_exact_reference(collection: Collection) -> None:
    report = bench_search(collection.path, queries=["subject1", "subject2"], rounds=2)
    found = rows(report)
    assert list(found) == ["encode the query", "exact search by vector", "encode and search", "FAISS IndexFlatIP, f32"]
    assert all(0 < row["p50"] <= row["p95"] <= row["p99"] for row in found.values())
    assert "30 documents, 30 vectors of 64 numbers" in report.tables[0].notes[0]


def test_vectors_are_added_opened_in_a_new_process_and_found_as_the_reference_finds_them() -> None:
    table = bench_vectors(count=300, dimension=8, rounds=1).tables[0]
    assert [row[0] for row in table.rows][:3] == ["open", "the first exact search", "exact search"]
    assert table.notes[0].startswith("300 random unit vectors of 8 numbers")
    same = int(table.notes[-1].split(" of ")[0])
    assert 190 <= same <= 200, "float16 may swap a neighbour at the edge, not more"


def test_starting_is_measured_in_new_processes() -> None:
    report = bench_startup(rounds=1)
    assert len(report.tables[0].rows) == 3
    sizes = rows(report, 1)
    assert sizes["all"]["size"] == pytest.approx(sum(row["size"] for name, row in sizes.items() if name != "all"))
    assert sizes["openvino"]["size"] > sizes["rich"]["size"] > 0


def test_the_walkthrough_extrapolates_from_one_pair_to_all(collection: Collection) -> None:
    found = {str(row[0]): row[2] for row in walkthrough(collection).rows}
    pair, every = found["a cross-encoder reads one pair"], found["… all pairs (extrapolated)"]
    assert isinstance(pair, float)
    assert every == pytest.approx(pair / 1000 * 30)
    assert found["kept on disk, all parts"] == pytest.approx(sum(collection.info().bytes.values()) / 1e6)
    faster, total = found["times faster, in all"], found["text in, hits out"]
    assert isinstance(faster, float)
    assert isinstance(total, float)
    assert faster * total / 1000 == pytest.approx(every, rel=1e-6)


def test_the_walkthrough_asks_with_ones_own_questions_and_measures_quality(
    collection: Collection, beir: Path, tmp_path: Path
) -> None:
    questions = tmp_path / "questions.txt"
    questions.write_text("what is a stack?\nwhere are files?\n")
    report = bench_walkthrough(collection.path, queries=questions, judged=beir)
    assert [row[0] for row in report.tables[0].rows] == [row[0] for row in walkthrough(collection).rows]
    (_, bi, *_), (_, cross, *_) = report.tables[1].rows
    assert isinstance(bi, Estimate)
    assert cross == "not measured: name one with --cross-encoder"


def test_encoding_is_timed_beside_sentence_transformers_on_equal_vectors(beir: Path) -> None:
    pytest.importorskip("sentence_transformers")
    report = bench_encode(beir, Asked(precisions=["f32"]), count=4, rounds=2)
    found = rows(report)
    assert list(found)[:2] == ["twofold, f32", "sentence-transformers, torch f32"]
    assert [table.title for table in report.tables[1:]] == ["Where the time goes, f32", "Loading, to the first vector"]
    shares = [float(str(share)) for _, share in report.tables[1].rows]
    assert 0 < sum(shares[1:]) <= 100.01
    said = " ".join([*found, *report.tables[0].notes])
    assert all(name in said for name in ("transformers, openvino", "transformers, onnx", "fastembed"))
    ours = found["twofold, f32"]
    assert ours["lowest cosine to it"] > 0.9999
    assert ours["tokens"] / ours["passages"].value == pytest.approx(
        found["sentence-transformers, torch f32"]["tokens"]
        / found["sentence-transformers, torch f32"]["passages"].value
    )


def test_a_second_stage_is_timed_beside_sentence_transformers_on_equal_scores(beir: Path, tmp_path: Path) -> None:
    pytest.importorskip("sentence_transformers")
    folder = classifier("bert", tmp_path / "small-bert")
    report = bench_second_stage(beir, models=[str(folder)], candidates=5, rounds=2)
    found = rows(report)
    assert next(iter(found)) == "twofold, f32"
    assert list(found)[-1] == "sentence-transformers, torch f32"
    ours = found["twofold, f32"]
    assert ours["largest difference of a score"] < 1e-4
    assert ours["pairs"] == pytest.approx(5 / ours["one query"].value * 1000)
    assert report.tables[0].notes[0].startswith("5 candidates of ")
    judged = bench_second_stage(beir, models=[str(folder)], judged=beir, candidates=2, rounds=1).tables[-1]
    assert [row[0] for row in judged.rows] == [
        "bi-encoder",
        "hybrid",
        *(f"{first}'s first 100 by {name}" for name in ("small-bert", LATE) for first in ("bi-encoder", "hybrid")),
        "everything by small-bert",
    ]


def test_without_a_model_two_random_ones_are_timed() -> None:
    pytest.importorskip("sentence_transformers")
    report = bench_second_stage(candidates=2, rounds=1)
    assert [table.title for table in report.tables] == [
        f"Scoring candidates: MiniLM of {layers} layers, random" for layers in (6, 2)
    ]
    tokens = int(report.tables[0].notes[0].split(", ")[1].split()[0])
    assert 80 <= tokens <= 250


def test_a_shape_is_made_once_and_its_long_texts_are_measured_in_new_processes(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    asked = Asked(shape="minilm", to=tmp_path, precisions=["f32"], long=True)
    found = rows(bench_encode(None, asked, count=4, rounds=1))
    assert list(found) == [510]
    assert found[510]["peak memory"] > found[510]["above that of a short text"] >= 0
    written = (tmp_path / "minilm" / "model.safetensors").stat().st_mtime_ns
    assert make_shape("minilm", tmp_path) == tmp_path / "minilm"
    assert (tmp_path / "minilm" / "model.safetensors").stat().st_mtime_ns == written


def test_a_new_process_that_ends_early_is_said_in_words() -> None:
    with pytest.raises(ModelError, match="ended without a figure: ValueError: no memory"):
        in_new_python("raise ValueError('no memory')", "")


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_has_a_configuration_that_twofold_reads(shape: str) -> None:
    transformers = pytest.importorskip("transformers")
    _, configuration = SHAPES[shape]
    assert configuration(transformers).model_type in ARCHITECTURES


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"model": "x", "shape": "minilm"}, "exclude each other"),
        ({"to": Path("x")}, "needs a shape"),
        ({"lengths": "endless"}, "short, medium, long, not 'endless'"),
    ],
)
def test_what_cannot_be_measured_together_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Asked(**fields)


def test_an_unknown_shape_and_a_folder_that_holds_something_else_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="known are minilm, bert-base"):
        make_shape("huge", tmp_path)
    (tmp_path / "minilm").mkdir()
    with pytest.raises(InputError, match="holds no model"):
        make_shape("minilm", tmp_path)


def test_texts_are_cut_or_joined_to_a_length() -> None:
    texts = ["one two " * 50, "three " * 400]
    assert [len(text.split()) for text in of_length(texts, "short")] == [12, 12]
    assert [len(text.split()) for text in of_length(texts, "medium")] == [100, 200]
    assert all(len(text.split()) >= 1500 for text in of_length(texts, "long"))
    assert of_length(texts, None) == texts
    assert of_length([""], "long") == [""]


def test_the_weights_that_a_token_is_multiplied_by_are_counted() -> None:
    folder = read_model_folder(find_model(None).folder)
    assert folder.network is not None
    graph = TransformerModel(folder, folder.network, precision="f32").graph()
    assert linear_weights(graph) == 6 * (4 * 384 * 384 + 2 * 384 * 1536)


def test_a_sample_is_spaced_over_the_whole_and_puts_the_title_first(tmp_path: Path) -> None:
    assert spaced(list("abcdefghij"), 3) == ["a", "d", "g"]
    assert spaced(list("ab"), 5) == ["a", "b"]
    path = tmp_path / "some.jsonl"
    path.write_text('{"id": "a", "title": "T", "text": "x"}\n{"id": "b", "text": "y"}\n{"id": "c", "text": ""}\n')
    assert sample(path, 10) == ["T x", "y"]


def test_searches_in_every_mode_are_timed_behind_every_filter(collection: Collection, tmp_path: Path) -> None:
    questions = tmp_path / "questions.txt"
    questions.write_text("what is subject3?\nwhere is subject7?\n")
    with pytest.raises(InputError, match="run `twofold tune` first"):
        bench_hybrid(collection.path, questions)
    collection.add([{"id": f"n{number}", "text": f"number{number} subject3", "n": number} for number in range(400)])
    collection.tune()
    table = bench_hybrid(collection.path, questions, field="n").tables[0]
    assert [row[0] for row in table.rows] == ["dense", "lexical", "hybrid"] * 4
    assert [row[1] for row in table.rows[::3]] == ["none", "50.0% pass", "5.0% pass", "0.1% pass"]
    assert all(isinstance(row[5], float) and 0 < row[5] <= 10 for row in table.rows)


def test_codes_are_compared_at_equal_bytes(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "judged"
    (folder / "qrels").mkdir(parents=True)
    rng = np.random.default_rng(0)
    texts = [" ".join(f"w{word}" for word in rng.integers(0, 400, 12)) for _ in range(300)]
    (folder / "corpus.jsonl").write_text(
        "".join(json.dumps({"_id": f"d{n}", "text": text}) + "\n" for n, text in enumerate(texts))
    )
    (folder / "queries.jsonl").write_text(
        "".join(json.dumps({"_id": f"q{n}", "text": " ".join(texts[n].split()[:5])}) + "\n" for n in range(20))
    )
    (folder / "qrels" / "test.tsv").write_text(
        "query-id\tcorpus-id\tscore\n" + "".join(f"q{n}\td{n}\t1\n" for n in range(20))
    )
    report = bench_compression(tmp_path / "data", encoder=HashedWords(64))
    means: dict[Any, Any] = {row[0]: row[1:] for row in report.tables[0].rows}
    assert set(means) == {*(name for _, name in codes_of(64)), "Twofold scan", "Twofold hnsw"}
    assert means["SQfp16"][1] == pytest.approx(100)
    assert all(row[3] >= row[1] - 1 for row in means.values())
    assert means["PCA8,SQ8"][1] < means["SQ8"][1]
    assert [row[3] for row in report.tables[-1].rows] == [1] * 4
    with pytest.raises(InputError, match="no judged collection"):
        bench_compression(tmp_path / "data", only=["other"], encoder=HashedWords(64))


def test_filters_are_asked_once_and_again_and_after_every_kind_of_change() -> None:
    once, asked, changed = bench_filters(count=200, rounds=2).tables
    assert [row[0] for row in once.rows][1:3] == [
        "numbers, the first time: by SQL",
        "numbers, the second time: their column",
    ]
    assert once.notes[0].startswith("200 documents")
    assert "other threads waited at most" in once.notes[1]
    assert len(asked.rows) == 9
    assert [str(row[0]).partition(":")[0] for row in changed.rows][::3] == ["one added", "one replaced", "one deleted"]
    assert all(0 < row[1] <= row[2] for table in (asked, changed) for row in table.rows)  # type: ignore[operator]
