"""An audit of training data before training: duplicates, leaks, pairs without a common word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from twofold.tables import Column, Table
from twofold.training.examples import Examples
from twofold.training.mining import Triplet
from twofold.training.splitting import near_duplicates, words_of

SHEET = 50
"""Mined negatives to look at: enough to see whether one in ten of them is an answer."""


@dataclass(frozen=True, slots=True)
class Audit:
    """Counts over training data.

    near_queries: pairs of queries with nearly the same words. equal_documents: documents whose text another has too.
    shared_answers: pairs whose document also answers another query; a batch holds only one of them. wordless: pairs
    without a word in common, which no lexical search finds. leaked_answers, leaked_queries: documents that answer
    queries of training and of the test split, and test queries that nearly repeat a training query; None without a test
    split. sheet: mined negatives for inspection, (query, answer, negative) texts.
    """

    queries: int
    pairs: int
    documents: int
    near_queries: int
    equal_documents: int
    shared_answers: int
    wordless: int
    leaked_answers: int | None
    leaked_queries: int | None
    sheet: tuple[tuple[str, str, str], ...] = ()

    def table(self) -> Table:
        """Each check, its count, and its meaning."""
        rows = [
            ("pairs of queries that nearly repeat each other", self.near_queries, "kept on one side of the split"),
            ("documents with a text that another has too", self.equal_documents, "never negatives of one another"),
            ("pairs whose answer is another query's too", self.shared_answers, "never in one batch"),
            ("pairs without a word in common", self.wordless, "only meaning finds these"),
        ]
        if self.leaked_answers is not None and self.leaked_queries is not None:
            rows += [
                ("answers of training queries and of test queries", self.leaked_answers, "the test is easier by them"),
                ("test queries that nearly repeat a training query", self.leaked_queries, "the test is easier by them"),
            ]
        title = f"{self.queries:,} queries, {self.pairs:,} pairs, {self.documents:,} documents"
        return Table(title, (Column("what"), Column("how many"), Column("what it means")), tuple(rows))

    def to_json(self) -> dict[str, Any]:
        """Everything by name."""
        named = ("query", "answer", "negative")
        return {**asdict(self), "sheet": [dict(zip(named, each, strict=True)) for each in self.sheet]}


def audit(
    examples: Examples,
    triplets: Sequence[Triplet] = (),
    test: tuple[Mapping[str, str], Iterable[str]] | None = None,
) -> Audit:
    """Audits training data.

    triplets: what was mined, of which the first of each of 50 queries go into the sheet. test: the queries of a test
    split (id → text) and the documents that answer them.
    """
    pairs = [(query, document) for query, found in examples.positives.items() for document in found]
    answered = Counter(document for _, document in pairs)
    texts = Counter(examples.text(document) for document in examples.documents)
    return Audit(
        queries=len(examples.queries),
        pairs=len(pairs),
        documents=len(examples.documents),
        near_queries=sum(1 for _ in near_duplicates(examples.queries)),
        equal_documents=sum(count for count in texts.values() if count > 1),
        shared_answers=sum(answered[document] > 1 for _, document in pairs),
        wordless=sum(
            not words_of(examples.queries[query]) & words_of(examples.text(document)) for query, document in pairs
        ),
        leaked_answers=None if test is None else len(set(answered) & set(test[1])),
        leaked_queries=None if test is None else _leaked(examples.queries, test[0]),
        sheet=tuple(_sheet(examples, triplets)),
    )


def _leaked(train: Mapping[str, str], test: Mapping[str, str]) -> int:
    both = {
        **{f"train {name}": text for name, text in train.items()},
        **{f"test {name}": text for name, text in test.items()},
    }
    crossing = {
        one if one.startswith("test ") else other
        for one, other in near_duplicates(both)
        if one.startswith("test ") != other.startswith("test ")
    }
    return len(crossing)


def _sheet(examples: Examples, triplets: Sequence[Triplet]) -> list[tuple[str, str, str]]:
    step = max(1, len(triplets) // SHEET)
    return [
        (examples.queries[each.query], examples.text(each.positive), examples.text(each.negatives[0]))
        for each in triplets[::step][:SHEET]
        if each.negatives
    ]
