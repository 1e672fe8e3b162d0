"""Judgements in every form that people hold them in mean the same."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import numpy as np
import pytest

import twofold
from twofold.collection.opening import create
from twofold.encoders.hashed_words import HashedWords
from twofold.errors import InputError
from twofold.judgements import qrels_of

GRADED = {"q1": {"d1": 2, "d2": 1}, "q2": {"d1": 0}}
TRIPLES = [("q1", "d1", 2), ("q1", "d2", 1), ("q2", "d1", 0)]
RECORDS = [dict(zip(("query-id", "corpus-id", "score"), triple, strict=True)) for triple in TRIPLES]
Qrel = namedtuple("Qrel", ("query_id", "doc_id", "relevance", "iteration"))


def frames() -> list[Any]:
    pd, pa = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    frame = pd.DataFrame(RECORDS)
    indexed = frame.set_index("query-id")
    floats = frame.astype({"score": float}).rename(columns={"query-id": "query_id", "corpus-id": "doc_id"})
    return [frame, indexed, floats, pa.table(frame)]


@pytest.mark.parametrize(
    "held",
    [
        GRADED,
        {"q1": {"d1": np.int64(2), "d2": True}, "q2": {"d1": 0.0}},
        TRIPLES,
        iter(TRIPLES),
        [list(triple) for triple in TRIPLES],
        RECORDS,
        [Qrel(*triple, "0") for triple in TRIPLES],
    ],
)
def test_graded_judgements_are_read_from_mappings_triples_and_records(held: Any) -> None:
    assert qrels_of(held) == GRADED


def test_tables_of_other_libraries_are_judgements() -> None:
    for frame in frames():
        assert qrels_of(frame) == GRADED


@pytest.mark.parametrize(
    "held",
    [
        {"1": ["7", "8"]},
        {1: {7, 8}},
        {"1": ("7", "8", "8")},
        {np.int64(1): np.array([7, 8])},
        [("1", "7"), ("1", "8")],
        [(1, 7), (1, 8), (1, 7)],
        [{"qid": 1, "docno": 7}, {"qid": 1, "docno": 8}],
    ],
)
def test_without_a_relevance_it_is_one_and_an_integer_id_is_its_digits(held: Any) -> None:
    assert qrels_of(held) == {"1": {"7": 1, "8": 1}}


def test_a_query_without_judgements_is_known_and_nothing_is_shared_with_what_was_given() -> None:
    given: dict[str, Any] = {"q": {}, "r": {"d": 1}}
    made = qrels_of(given)
    made["r"]["d"] = 0
    assert (qrels_of(given), qrels_of({"q": []})) == ({"q": {}, "r": {"d": 1}}, {"q": {}})


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ("qrels.tsv", r"a file is read by read_qrels\('qrels.tsv'\)"),
        (7, "a int holds no judgements; judgements are"),
        ({"q": "d1"}, "query 'q' has 'd1', which is no list of documents"),
        ({"q": 1}, "which is no list of documents"),
        ({"q": [("d", 1)]}, "has the document .*, which is no id"),
        ({"q": {"d": 0.5}}, "query 'q' and document 'd': a relevance is a whole number of 32 bits, not 0.5"),
        ({"q": {"d": "1"}}, "not '1'"),
        ({"q": {"d": None}}, "not None"),
        ({"q": {"d": float("nan")}}, "not nan"),
        ({"q": {"d": 2**40}}, "32 bits"),
        ({None: {"d": 1}}, "the query None of a judgement is no id"),
        ([("q", 1.5)], "the document 1.5 of a judgement is no id"),
        ([("q",)], "is no judgement"),
        (["q"], "'q' is no judgement"),
        ([("q", "d", 1), ("q", "d", 2)], "query 'q' and document 'd' are judged twice, as 1 and 2"),
        ([{"query": "q", "score": 1}], "a judgement has no column corpus-id; there are query, score"),
    ],
)
def test_what_is_no_judgement_is_said_with_the_right_form(held: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        qrels_of(held)


def test_one_column_of_a_table_is_no_judgement() -> None:
    pd = pytest.importorskip("pandas")
    with pytest.raises(InputError, match="a Series is one column; judgements are"):
        qrels_of(pd.DataFrame(RECORDS)["score"])


def test_every_call_that_takes_judgements_takes_every_form() -> None:
    texts = {"tea": "leaves in hot water", "bread": "flour water and yeast", "moon": "people walked on the moon"}
    queries = {f"q{number}": text for number, text in enumerate(["hot leaves", "walked on the moon"] * 5)}
    pairs = [(query, "moon" if "moon" in text else "tea") for query, text in queries.items()]
    forms: list[Any] = [{query: {document: 1} for query, document in pairs}, {query: [each] for query, each in pairs}]
    forms += [{query: {each} for query, each in pairs}, pairs]
    with create(None, HashedWords(64)) as one, create(None, HashedWords(8)) as other:
        one.add(texts.items())
        other.add(texts.items())
        found = [
            (
                twofold.evaluate(one, queries, qrels).measures,
                twofold.compare({"one": one, "other": other}, qrels, queries=queries).to_json(),
                one.tune(queries=queries, qrels=qrels).to_json(),
            )
            for qrels in forms
        ]
    assert all(each == found[0] for each in found)
