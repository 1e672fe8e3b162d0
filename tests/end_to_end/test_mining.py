"""`twofold mine`: judged queries in, a file out that sentence-transformers and `twofold train` learn from."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from riddles import small_model, write_collection

Twofold = Callable[..., Any]
WORDS = ("--encoder", "hashed-words:256")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_collection(tmp_path_factory.mktemp("judged") / "riddles")


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_beir_folder_is_mined_in_one_command(folder: Path, tmp_path: Path, twofold: Twofold) -> None:
    negatives = tmp_path / "negatives.jsonl"
    done = twofold("mine", folder, "--split", "test", *WORDS, "--to", negatives)
    assert done.status == 0, done.err
    found = records(negatives)
    assert f"{len(found)} records of triplet: {negatives}" in done.out
    assert "0 of 32 pairs have no negative" in done.out
    assert {tuple(record) for record in found} == {("anchor", "positive", "negative")}
    assert all(record["positive"] != record["negative"] for record in found)
    tuples = tmp_path / "tuples.jsonl"
    words = ("--num-negatives", 2, "--range-min", 1, "--range-max", 20, "--relative-margin", 0.1, "--format", "n-tuple")
    counted = twofold("mine", folder, "--split", "test", *WORDS, *words, "--to", tuples, "--json").json
    assert (counted["records"], counted["pairs"], counted["missing"]) == (len(records(tuples)), 32, 0)
    assert counted["mining"]["candidates"] == 32 * 19
    assert set(records(tuples)[0]) == {"anchor", "positive", "negative_1", "negative_2"}


def test_a_collection_gives_the_negatives_that_its_folder_gives(folder: Path, tmp_path: Path, twofold: Twofold) -> None:
    kept, one, two = tmp_path / "kept.twofold", tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    assert twofold("index", folder, "--to", kept, *WORDS).status == 0
    judged = ("--queries", folder / "queries.jsonl", "--qrels", folder / "qrels" / "test.tsv")
    assert twofold("mine", kept, *judged, "--to", one).status == 0
    assert twofold("mine", folder, "--split", "test", *WORDS, "--to", two).status == 0
    assert one.read_bytes() == two.read_bytes()


def test_what_was_mined_trains_an_encoder_here_and_in_sentence_transformers(
    folder: Path, tmp_path: Path, twofold: Twofold
) -> None:
    datasets = pytest.importorskip("datasets")
    from sentence_transformers import (
        SentenceTransformer,
        SentenceTransformerTrainer,
        SentenceTransformerTrainingArguments,
    )
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    base, negatives, tuples = small_model(tmp_path), tmp_path / "negatives.jsonl", tmp_path / "tuples.jsonl"
    asked = ("mine", folder, "--split", "test", "--encoder", base, "--num-negatives", 2, "--relative-margin", 0)
    assert twofold(*asked, "--to", negatives).status == 0
    assert twofold(*asked, "--to", tuples, "--format", "n-tuple").status == 0
    for file in (negatives, tuples):
        rows = datasets.load_dataset("json", data_files=str(file), split="train", cache_dir=str(tmp_path / "cache"))
        model = SentenceTransformer(str(base), device="cpu")
        settings = SentenceTransformerTrainingArguments(
            output_dir=str(tmp_path / "out"), max_steps=1, per_device_train_batch_size=8, report_to=[], use_cpu=True
        )
        trainer = SentenceTransformerTrainer(
            model=model, args=settings, train_dataset=rows, loss=MultipleNegativesRankingLoss(model)
        )
        assert trainer.train().training_loss > 0
    done = twofold("train", negatives, "--base", base, "--audit", "--json")
    assert done.status == 0, done.err
    assert done.json["queries"] == 32


def test_what_does_not_belong_together_is_said_before_anything_is_indexed(
    folder: Path, tmp_path: Path, twofold: Twofold
) -> None:
    queries, qrels = ("--queries", folder / "queries.jsonl"), ("--qrels", folder / "qrels" / "test.tsv")
    to = ("--to", tmp_path / "a.jsonl")
    for words, said in (
        ((folder, *queries, *to), "--queries and --qrels belong together"),
        ((folder, *queries, *qrels, "--split", "test", *to), "--split goes with a BEIR folder"),
        ((folder,), "--to"),
        ((folder, *to, "--format", "pairs"), "invalid choice: 'pairs'"),
    ):
        done = twofold("mine", *words)
        assert (done.status, done.out, said in done.err) == (2, "", True), done.err
    for wrong, said in (
        ((folder, "--to", tmp_path / "a.tsv"), "name the file NAME.jsonl"),
        ((folder, "--split", "test", *WORDS, "--to", folder / "queries.jsonl"), "is read"),
        ((folder, "--split", "dev", *to), "no split 'dev'"),
        ((folder, "--split", "test", *WORDS, *to, "--num-negatives", 0), "num_negatives is at least 1"),
    ):
        done = twofold("mine", *wrong)
        assert (done.status, done.out, said in done.err, "added" in done.err) == (1, "", True, False), done.err
    assert not list(tmp_path.iterdir())
