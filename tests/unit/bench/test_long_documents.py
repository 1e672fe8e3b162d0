"""Long documents: where evidence lies, and what is measured of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from twofold.bench.long_documents import bench_long, holds, read_evidence
from twofold.encoders.hashed_words import HashedWords
from twofold.errors import InputError
from twofold.tables import Estimate

FILLER = "Some words that have nothing to do with any question stand here. "


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three documents; what answers the question stands after 0, 40 and 160 sentences."""
    facts = {"venus": "Lead melts on Venus.", "mars": "Iron colours Mars.", "earth": "Rain falls on Earth."}
    documents, queries, qrels, evidence = [], [], ["query-id\tcorpus-id\tscore"], ["query-id\tcorpus-id\tstart\tend"]
    for place, (name, fact) in enumerate(facts.items()):
        before = FILLER * (0, 40, 160)[place]
        documents.append(json.dumps({"_id": name, "text": before + fact + " " + FILLER * (160 - 60 * place)}))
        queries.append(json.dumps({"_id": f"q-{name}", "text": fact.replace(".", "?")}))
        qrels.append(f"q-{name}\t{name}\t1")
        evidence.append(f"q-{name}\t{name}\t{len(before)}\t{len(before) + len(fact)}")
    (tmp_path / "qrels").mkdir()
    for name, lines in {"corpus.jsonl": documents, "queries.jsonl": queries}.items():
        (tmp_path / name).write_text("\n".join(lines) + "\n")
    (tmp_path / "qrels" / "test.tsv").write_text("\n".join(qrels) + "\n")
    (tmp_path / "evidence.tsv").write_text("\n".join(evidence) + "\n")
    return tmp_path


def test_each_question_is_counted_at_its_depth_and_truncation_misses_what_lies_deep(folder: Path) -> None:
    (table,) = bench_long(folder).tables
    assert [column.heading for column in table.columns][3:7] == [
        "first 512 (1)",
        "to 2,048 (1)",
        "to 8,192 (1)",
        "beyond (0)",
    ]
    rows = {(row[0], row[1]): row for row in table.rows}
    assert ("late chunking", "dense") in rows
    assert all(row[6] is None for row in rows.values())
    windows, truncated = rows["windows", "hybrid"], rows["truncation", "dense"]
    assert [each.value for each in windows[3:6] if isinstance(each, Estimate)] == [1, 1, 1]
    assert isinstance(truncated[2], Estimate)
    assert truncated[2].value < 1


def test_documents_are_ranked_by_the_bm25_of_their_best_passage_too(folder: Path) -> None:
    """The words of the question stand together in a passage of one document, and apart all over the other."""
    apart = "".join(f"{word} {FILLER * 8}" * 12 for word in ("Lead", "melts", "Venus"))
    corpus = folder / "corpus.jsonl"
    corpus.write_text(corpus.read_text() + json.dumps({"_id": "apart", "text": apart}) + "\n")
    (table,) = bench_long(folder, queries=1, encoder=HashedWords(64)).tables
    rows = {(row[0], row[1]): [each.value for each in row[2:3] if isinstance(each, Estimate)] for row in table.rows}
    assert rows["windows", "lexical"][0] < 1
    assert rows["structure", "BM25 of passages"] == [1]


def test_evidence_that_begins_behind_512_tokens_is_not_among_the_first_512(folder: Path) -> None:
    answers = {"venus": "word " * 511, "mars": "word " * 512}
    documents = [json.dumps({"_id": name, "text": f"{before}answer"}) for name, before in answers.items()]
    (folder / "corpus.jsonl").write_text("\n".join([*documents, '{"_id": "earth", "text": "Earth"}']) + "\n")
    lines = [f"q-{name}\t{name}\t{len(before)}\t{len(before) + 6}" for name, before in answers.items()]
    (folder / "evidence.tsv").write_text("\n".join(["query-id\tcorpus-id\tstart\tend", *lines]) + "\n")
    (table,) = bench_long(folder, encoder=HashedWords(64)).tables
    assert [column.heading for column in table.columns][3:5] == ["first 512 (1)", "to 2,048 (1)"]


def test_a_passage_holds_evidence_if_it_shares_half_of_the_shorter_of_both() -> None:
    assert holds(0, 100, [(40, 60)])
    assert holds(0, 100, [(90, 110)])
    assert not holds(0, 100, [(91, 111)])
    assert holds(40, 60, [(0, 100)])
    assert not holds(0, 10, [(20, 30)])


def test_evidence_that_is_missing_or_no_span_is_refused(folder: Path) -> None:
    (folder / "evidence.tsv").write_text("query-id\tcorpus-id\tstart\tend\nq-venus\tvenus\t3\tend\n")
    with pytest.raises(InputError, match="query-id, corpus-id, start and end"):
        read_evidence(folder)
    (folder / "evidence.tsv").unlink()
    with pytest.raises(InputError, match=r"there is no evidence\.tsv"):
        bench_long(folder)
