"""Judgements in the forms that people hold them in → qrels as in TREC."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from twofold.documents import identifier_of
from twofold.errors import DocumentError, InputError, brief
from twofold.rankings import Qrels
from twofold.rows import is_table, row_of, rows_of

Judgements = Mapping[str, Mapping[str, int] | Iterable[str]] | Iterable[Any] | Any
"""What `qrels_of` takes."""
QUERY_NAMES = ("query-id", "query_id", "qid", "query")
DOCUMENT_NAMES = ("corpus-id", "corpus_id", "doc_id", "document_id", "docid", "docno", "document")
GRADE_NAMES = ("score", "relevance", "rel", "grade", "label")
FORMS = (
    'judgements are {"q1": {"d1": 1}}, {"q1": ["d1", "d2"]} or {"q1": {"d1", "d2"}}, a list of ("q1", "d1") or '
    '("q1", "d1", 1), or a table with the columns query-id, corpus-id and score'
)
GRADES = range(-(2**31), 2**31)
"""What trec_eval and ir-measures hold."""


def qrels_of(judgements: Judgements) -> Qrels:
    """Judgements as query id → document id → relevance.

    judgements: a mapping from query ids to mappings (document id → relevance), lists or sets of relevant documents; an
    iterable of (query, document) or (query, document, relevance); or records or a table (pandas, polars, Arrow) with
    the columns query-id, corpus-id and score, or ir-measures' names for them. Without a relevance it is 1; an integer
    id stands for its digits. Raises InputError for any other form, a relevance that is no whole number, and a pair that
    is judged twice with different relevance.
    """
    qrels: Qrels = {}
    if isinstance(judgements, Mapping):
        for key in judgements:
            qrels[_identifier(key, "query")] = {}  # a query without judgements is known, and is not counted
    for query, document, grade in _triples(judgements):
        judged = qrels.setdefault(_identifier(query, "query"), {})
        name, relevance = _identifier(document, "document"), _relevance(grade, query, document)
        if judged.setdefault(name, relevance) != relevance:
            raise InputError(
                f"query {query!r} and document {document!r} are judged twice, as {judged[name]} and {relevance}"
            )
    return qrels


def _triples(judgements: Any) -> Iterator[tuple[Any, Any, Any]]:
    match judgements:
        case Mapping():
            for query, judged in judgements.items():
                yield from _of_query(query, judged)
        case _ if is_table(judgements):
            yield from map(_of_record, _rows(judgements))
        case str() | bytes() | bytearray():
            raise InputError(f"a file is read by read_qrels({judgements!r}); {FORMS}")
        case Iterable():
            yield from map(_of_item, judgements)
        case _:
            raise InputError(f"a {type(judgements).__name__} holds no judgements; {FORMS}")


def _rows(table: Any) -> Iterable[Any]:
    try:
        return rows_of(table)
    except DocumentError:
        raise InputError(f"a {type(table).__name__} is one column; {FORMS}") from None


def _of_query(query: Any, judged: Any) -> Iterator[tuple[Any, Any, Any]]:
    match judged:
        case Mapping():
            for document, grade in judged.items():
                yield query, document, grade
        case Iterable() if not isinstance(judged, str | bytes):
            for document in judged:
                if isinstance(document, tuple):
                    raise InputError(f"query {query!r} has the document {document!r}, which is no id; {FORMS}")
                yield query, document, 1
        case _:
            raise InputError(f"query {query!r} has {brief(repr(judged))}, which is no list of documents; {FORMS}")


def _of_item(item: Any) -> tuple[Any, Any, Any]:
    row = row_of(item)
    match row:
        case Mapping():
            return _of_record(row)
        case [query, document]:
            return query, document, 1
        case [query, document, grade]:
            return query, document, grade
        case _:
            raise InputError(f"{brief(repr(item))} is no judgement; {FORMS}")


def _of_record(record: Mapping[Any, Any]) -> tuple[Any, Any, Any]:
    grade = next((record[name] for name in GRADE_NAMES if name in record), 1)
    return _named(record, QUERY_NAMES), _named(record, DOCUMENT_NAMES), grade


def _named(record: Mapping[Any, Any], names: tuple[str, ...]) -> Any:
    name = next((name for name in names if name in record), None)
    if name is None:
        there = ", ".join(map(str, record)) or "none"
        raise InputError(f"a judgement has no column {names[0]}; there are {brief(there)}")
    return record[name]


def _identifier(value: Any, what: str) -> str:
    try:
        return identifier_of(value)
    except DocumentError:
        raise InputError(f"the {what} {brief(repr(value))} of a judgement is no id: a text or an integer") from None


def _relevance(grade: Any, query: Any, document: Any) -> int:
    whole = isinstance(grade, int | np.integer | np.bool_) or (
        isinstance(grade, float | np.floating) and float(grade).is_integer()
    )
    if not whole or int(grade) not in GRADES:
        raise InputError(
            f"query {query!r} and document {document!r}: a relevance is a whole number of 32 bits, not "
            f"{brief(repr(grade))}"
        )
    return int(grade)
