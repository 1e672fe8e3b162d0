"""The bench of upkeep: what is added, found and counted; no time is asserted."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from twofold.bench import upkeep, upkeep_supply
from twofold.bench import upkeep_beside as beside
from twofold.bench.upkeep import Given, bench_upkeep
from twofold.bench.upkeep_beside import Searching, changed_answers, grown, singly
from twofold.bench.upkeep_supply import DIMENSION, FIELD, Supply, encoder_for, given_supply, made_supply, questions
from twofold.collection.collection import Collection
from twofold.collection.opening import create
from twofold.encoders.hashed_words import HashedWords
from twofold.errors import InputError
from twofold.tables import Estimate


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"MANY": 20, "FILTERED": 5, "ANSWERED": 3, "SEARCHES": 10, "SEARCHING": 2, "SINGLES": 3}.items():
        monkeypatch.setattr(upkeep, name, value)
    monkeypatch.setattr(upkeep_supply, "QUERIES", 12)


@pytest.fixture
def supply(tmp_path: Path) -> Supply:
    return made_supply(60, tmp_path)


@pytest.fixture
def collection(supply: Supply) -> Iterator[Collection]:
    with create(None, HashedWords(DIMENSION)) as made:
        made.add(supply.documents(0, supply.first), vectors=supply.lines(0, supply.first))
        made.tune()
        yield made


def test_everything_is_measured_over_a_made_up_collection(few: None) -> None:
    (table,) = bench_upkeep(Given(rows=300)).tables
    assert [column.name for column in table.columns] == ["what", "asked for", "seen", "unit"]
    said = [(str(row[0]), row[2]) for row in table.rows]
    assert "300 documents added, upkeep included" in said[0][0]
    recalls = [seen.value for what, seen in said if isinstance(seen, Estimate) and "recall@10" in what]
    assert len(recalls) == 4
    assert min(recalls) > 0.9
    counted = {what: seen for what, seen in said if isinstance(seen, int)}
    for zero in (
        "separate processes: searches that failed",
        "one process: searches that failed",
        "separate processes: additions that failed, documents not found",
        "one process: additions that failed, documents not found",
        "of them neither those before nor those after",
    ):
        assert counted[zero] == 0, zero
    assert sum(what.startswith("ratio") for what, _ in said) == 2 + 2 * 2
    assert dict(said)["what optimize() chose: kind"] == "flat"
    assert "300 documents, 15 more twice" in table.notes[0]


def test_an_interrupted_run_leaves_no_folder_behind(few: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(beside, "singly", interrupted)
    with pytest.raises(KeyboardInterrupt):
        bench_upkeep(Given(rows=100))
    assert not list(tmp_path.iterdir())


def test_shards_of_documents_and_vectors_are_read_in_one_order(tmp_path: Path) -> None:
    rows, texts, vectors = 330, tmp_path / "texts", tmp_path / "vectors"
    texts.mkdir()
    vectors.mkdir()
    lines = np.random.default_rng(0).standard_normal((rows, 8)).astype(np.float16)
    for number, part in enumerate(np.array_split(np.arange(rows), 4)):
        records = [json.dumps({"id": f"d{place}", "text": f"text {place}"}) for place in part.tolist()]
        (texts / f"{number}.jsonl").write_text("\n".join(records) + "\n")
        kept = lines[part] if number % 2 else lines[part].astype(np.float32)
        np.save(vectors / f"{number:02}.npy", kept)
    supply = given_supply([texts], [vectors], None, tmp_path)
    assert (supply.first, supply.more, supply.singles) == (209, 10, 229)
    assert [each.id for each in supply.documents(90, 3)] == ["d90", "d91", "d92"]
    assert np.array_equal(supply.lines(0, rows), lines[: supply.singles + 100])
    assert {each.metadata[FIELD] for each in supply.documents(0, 2)} == {0, 729}
    few = given_supply([texts], [vectors / "00.npy", vectors / "01.npy"], 40, tmp_path)
    assert (few.first, few.more) == (40, 2)
    assert given_supply([texts], [vectors / "00.npy", vectors / "01.npy"], 50_000, tmp_path).first == 59
    with pytest.raises(InputError, match="83 vectors are too few; give more than 100"):
        given_supply([texts], [vectors / "00.npy"], None, tmp_path)
    with pytest.raises(InputError, match=r"no \.npy file"):
        given_supply([texts], [texts], None, tmp_path)


def test_documents_come_with_vectors(tmp_path: Path) -> None:
    for given in (Given(data=[tmp_path]), Given(vectors=[tmp_path])):
        with pytest.raises(InputError, match="documents and --vectors, in one order, or neither"):
            bench_upkeep(given)


def test_an_encoder_of_another_dimension_is_refused(supply: Supply) -> None:
    with pytest.raises(InputError, match="makes 8 numbers a vector, and these have 32"):
        encoder_for(supply, HashedWords(8))


def test_queries_are_given_or_words_of_documents(supply: Supply, tmp_path: Path) -> None:
    texts = {each.text for each in supply.documents(0, supply.first)}
    assert all(any(query in text for text in texts) for query in questions(None, supply))
    (tmp_path / "q.txt").write_text("one\ntwo\n")
    assert questions(tmp_path / "q.txt", supply) == ["one", "two"]


def test_an_addition_says_when_it_was_acknowledged_and_done(collection: Collection, supply: Supply) -> None:
    found = grown(collection, supply, supply.first)
    assert found.begun <= found.acknowledged <= found.done
    assert len(collection) == supply.first + supply.more


def test_documents_that_are_not_found_or_not_added_are_counted(
    collection: Collection, supply: Supply, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(collection) == supply.first
    found = singly(collection, supply, supply.singles, 3)
    assert (len(found.seconds), found.missed, found.failed) == (3, 0, ())
    add = Collection.add
    monkeypatch.setattr(Collection, "add", lambda *_, **__: None)
    assert singly(collection, supply, supply.singles + 3, 2).missed == 4
    monkeypatch.setattr(Collection, "add", add)
    collection.close()
    assert len(singly(collection, supply, supply.singles + 3, 2).failed) == 2


def test_searches_are_noted_by_mode_and_failures_counted(collection: Collection) -> None:
    vector = np.ones(DIMENSION, np.float32)
    with Searching(collection, [("dense", vector), ("lexical", "word")], 2) as searching:
        searching.wait(20)
    assert not searching.failed
    assert min(map(len, searching.taken.values())) > 0
    assert searching.p99("dense") is not None
    assert searching.p99("dense", begun=0, done=1) is None
    with Searching(collection, [("dense", "a text"), ("dense", np.ones(3, np.float32))], 1) as failing:
        failing.wait(4)
    assert "VectorError" in failing.failed[0]


def test_answers_that_are_neither_old_nor_new_are_counted(collection: Collection) -> None:
    asked: list[beside.Question] = [("dense", np.ones(DIMENSION, np.float32))]
    given, changed = changed_answers(collection, asked, lambda: None)
    assert changed == 0

    def work() -> None:
        for _ in range(30):
            collection.add([("other", "other")], vectors=np.ones((1, DIMENSION), np.float32))
            collection.search(asked[0][1])
            collection.delete(["other"])

    given, changed = changed_answers(collection, asked, work)
    assert 0 < changed <= given
