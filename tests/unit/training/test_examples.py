"""What is learned from: BEIR folders and files of pairs, and what is wrong with them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from twofold.errors import InputError
from twofold.training.examples import read_examples


def beir(folder: Path, judgements: str) -> Path:
    (folder / "qrels").mkdir(parents=True)
    documents = [
        {"_id": "d1", "title": "Owls", "text": "fly at night"},
        {"_id": "d2", "text": "bark"},
        {"_id": "d3", "text": ""},
    ]
    (folder / "corpus.jsonl").write_text("\n".join(json.dumps(each) for each in documents))
    queries = [{"_id": "q1", "text": "night birds"}, {"_id": "q2", "text": "dogs"}]
    (folder / "queries.jsonl").write_text("\n".join(json.dumps(each) for each in queries))
    (folder / "qrels" / "train.tsv").write_text("query-id\tcorpus-id\tscore\n" + judgements)
    return folder


def test_a_folder_gives_its_training_judgements_above_zero(tmp_path: Path) -> None:
    found = read_examples(beir(tmp_path / "zoo", "q1\td1\t1\nq1\td2\t0\n"))
    assert found.name == "zoo"
    assert found.queries == {"q1": "night birds"}
    assert found.positives == {"q1": ("d1",)}
    assert found.text("d1") == "Owls fly at night"
    assert found.text("d2") == "bark"
    assert "d3" not in found.documents  # without content it has no vector


def test_a_judged_document_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"zoo: judges the document 'd3'"):
        read_examples(beir(tmp_path / "zoo", "q1\td3\t1\n"))


def test_nothing_to_learn_from_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing to learn from"):
        read_examples(beir(tmp_path / "zoo", "q1\td1\t0\n"))


def test_equal_texts_of_pairs_are_one_query_and_one_document(tmp_path: Path) -> None:
    rows = [("a", "x"), ("a", "y"), ("b", "x"), ("a", "x")]
    file = tmp_path / "faq.jsonl"
    file.write_text("\n".join(json.dumps({"query": query, "positive": text}) for query, text in rows))
    found = read_examples(file)
    assert found.queries == {"q0": "a", "q1": "b"}
    assert {name: each.text for name, each in found.documents.items()} == {"d0": "x", "d1": "y"}
    assert found.positives == {"q0": ("d0", "d1"), "q1": ("d0",)}


def test_an_empty_text_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "faq.tsv").write_text("query\tpositive\na\tx\nb\t \n")
    with pytest.raises(InputError, match=r"empty text|no pair"):
        read_examples(tmp_path / "faq.tsv")


def test_the_fingerprint_goes_by_content(tmp_path: Path) -> None:
    one = read_examples(beir(tmp_path / "one", "q1\td1\t1\n"))
    same = read_examples(beir(tmp_path / "same", "q1\td1\t1\n"))
    other = read_examples(beir(tmp_path / "other", "q1\td2\t1\n"))
    assert one.fingerprint == same.fingerprint
    assert one.fingerprint != other.fingerprint


def test_triplets_bring_their_negatives(tmp_path: Path) -> None:
    rows = [("a", "x", "y"), ("a", "z", "x"), ("b", "y", "z")]
    lines = [json.dumps({"query": query, "positive": text, "negative": not_it}) for query, text, not_it in rows]
    (tmp_path / "faq.jsonl").write_text("\n".join([*lines, json.dumps({"query": "c", "positive": "x"})]))
    found = read_examples(tmp_path / "faq.jsonl")
    named = {identifier: document.text for identifier, document in found.documents.items()}
    told = {found.queries[query]: [named[each] for each in texts] for query, texts in found.negatives.items()}
    assert told == {"a": ["y"], "b": ["z"], "c": []}  # x answers "a" in another line
    without = replace(found, negatives={})
    assert without.fingerprint != found.fingerprint


def test_so_many_queries_at_most_are_drawn_and_all_documents_stay(tmp_path: Path) -> None:
    lines = [json.dumps({"query": f"q {number}", "positive": f"a {number}"}) for number in range(50)]
    (tmp_path / "faq.jsonl").write_text("\n".join(lines))
    whole, some = read_examples(tmp_path / "faq.jsonl"), read_examples(tmp_path / "faq.jsonl", pairs=7, seed=3)
    assert len(some.queries) == len(some.positives) == 7
    assert some.documents == whole.documents
    assert some == read_examples(tmp_path / "faq.jsonl", pairs=7, seed=3)
    assert some.queries != read_examples(tmp_path / "faq.jsonl", pairs=7, seed=4).queries
    assert read_examples(tmp_path / "faq.jsonl", pairs=99) == whole


def test_of_pairs_with_scores_the_upper_half_belongs_together(tmp_path: Path) -> None:
    rows = [("a", "x", 5), ("a", "y", 0), ("a", "z", 2.6), ("b", "x", 1), ("c", "y", 2.5)]
    lines = [json.dumps({"query": query, "positive": text, "score": score}) for query, text, score in rows]
    (tmp_path / "sts.jsonl").write_text("\n".join(lines))
    found = read_examples(tmp_path / "sts.jsonl")
    assert found.queries == {"q0": "a"}
    assert [found.text(each) for each in found.positives["q0"]] == ["x", "z"]
    assert [found.text(each) for each in found.negatives["q0"]] == ["y"]
    equal = [json.dumps({"query": query, "positive": text, "score": 1}) for query, text, _ in rows]
    (tmp_path / "equal.jsonl").write_text("\n".join(equal))
    assert len(read_examples(tmp_path / "equal.jsonl").queries) == 3
