"""`mine`: hard negatives of a collection's judged queries, in the forms that sentence-transformers trains on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any

from twofold.collection.collection import Collection
from twofold.documents import Document
from twofold.errors import InputError
from twofold.files import write_aside
from twofold.judgements import Judgements, qrels_of
from twofold.progress import Progress, displayed
from twofold.training.examples import Examples
from twofold.training.mining import MiningReport, Triplet, hard_negatives
from twofold.training.settings import FIRST, FORMATS, LAST, MARGIN, NEGATIVES, TrainingSettings

QUERIES_AT_ONCE = 256
DOCUMENTS_KEPT = 50_000
"""Documents that are in memory while candidates are compared."""


@dataclass(frozen=True, slots=True)
class HardNegatives:
    """A query, a document that answers it, and documents near the query that do not, the nearest first.

    anchor, positive, negatives: the texts as they are encoded, a title before its text; ids: those of the three.
    """

    anchor: str
    positive: str
    negatives: tuple[str, ...]
    ids: Triplet


@dataclass(frozen=True, slots=True)
class Mined:
    """What `mine` found: a row for each pair of a query and its answer that has a negative.

    num_negatives: how many were asked for a row; a row has fewer where the ranks that were looked at hold no more.
    report: candidates by outcome. without: pairs for which no negative was found. missing: judged documents that the
    collection does not hold, or that have no text, sorted; they are no answers here.
    """

    rows: tuple[HardNegatives, ...] = field(repr=False)
    num_negatives: int
    report: MiningReport
    without: int
    missing: tuple[str, ...]

    def records(self, format: str = "triplet") -> list[dict[str, Any]]:  # noqa: A002 - the word that people look for
        """Rows as dicts, named and ordered as sentence-transformers' `mine_hard_negatives` has its columns.

        format: "triplet" (anchor, positive, negative: a row for each negative), "n-tuple" (anchor, positive, negative_1
        to negative_n, without the pairs that have fewer), "labeled-pair" (anchor, document, label: 1 for an answer, 0
        for a negative) or "labeled-list" (anchor, documents, labels: a row for each query). Raises InputError for
        another one.
        """
        return list(_form(format)(self))

    def write(self, path: str | Path, format: str = "triplet") -> int:  # noqa: A002 - as above
        """Writes the records as JSON Lines, whole or not at all, and returns their number.

        `datasets.load_dataset("json", data_files=…)` reads them. Raises InputError for a name that does not end in
        .jsonl, and where there are no records; StorageError.
        """
        check_name(path)
        records = self.records(format)
        if not records:
            raise InputError(
                "no pair has as many negatives as were asked for, so nothing is written; ask for fewer, or look deeper"
            )
        with write_aside(path) as file:
            file.writelines(json.dumps(record, ensure_ascii=False).encode() + b"\n" for record in records)
        return len(records)


def mine(
    collection: Collection,
    queries: Mapping[str, str],
    qrels: Judgements,
    *,
    num_negatives: int = NEGATIVES,
    range_min: int = FIRST,
    range_max: int = LAST,
    relative_margin: float = MARGIN,
    progress: Progress | bool = False,
) -> Mined:
    """Finds documents that the collection's own search ranks high for judged queries, and that are not their answers.

    queries: id → text. qrels: judgements in any form that `evaluate` takes; a relevance above 0 is an answer. Options
    are called as in sentence-transformers' `mine_hard_negatives`: num_negatives for each pair of query and answer, from
    the ranks range_min to before range_max of the search (hybrid where there is a lexical index), without documents
    whose dense score is above the answer's less relative_margin of it, which are often answers that nobody judged
    (Moreira et al. 2024). Answers, and documents with an answer's text, are left out. The same collection gives the
    same negatives. progress: True shows it on standard error, a function is called with the queries done. Raises
    InputError for options beyond their range, an answered query without a text, and no answer in the collection.
    """
    settings = mining_settings(num_negatives, (range_min, range_max), relative_margin)
    examples, missing = _examples(collection, queries, qrels_of(qrels))
    report, rows, without, asked = MiningReport(), [], 0, list(examples.queries)
    with displayed(progress, "Mining", "queries") as shown:
        for first in range(0, len(asked), QUERIES_AT_ONCE):
            block = asked[first : first + QUERIES_AT_ONCE]
            triplets, counts = hard_negatives(collection, examples, block, set(), settings)
            report.add(counts)
            without += sum(not each.negatives for each in triplets)
            rows += [_row(examples, each) for each in triplets if each.negatives]
            shown(first + len(block), len(asked))
    return Mined(tuple(rows), num_negatives, report, without, missing)


def check_name(path: str | Path) -> None:
    """Raises InputError for a file of negatives with another ending than .jsonl."""
    if Path(path).suffix.lower() != ".jsonl":
        raise InputError("negatives are written as JSON Lines; name the file NAME.jsonl", path=path)


def mining_settings(negatives: int, window: tuple[int, int], margin: float) -> TrainingSettings:
    """The options of `mine` as settings of the miner. Raises InputError for one beyond its range."""
    rules = {
        "num_negatives is at least 1": negatives >= 1,
        "range_min is at least 0, and below range_max, which is at most 1,000": 0 <= window[0] < window[1] <= 1000,
        f"num_negatives is at most range_max less range_min, {window[1] - window[0]}": negatives
        <= window[1] - window[0],
        "relative_margin is at least 0 and below 1": 0 <= margin < 1,
    }
    broken = next((rule for rule, holds in rules.items() if not holds), None)
    if broken is not None:
        raise InputError(broken)
    return TrainingSettings(negatives=negatives, window=window, margin=1 - margin)


class _Stored(Mapping[str, Document]):
    """A collection's documents by id, read when they are asked for; the last ones stay in memory."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self._read = lru_cache(DOCUMENTS_KEPT)(collection.__getitem__)

    def __getitem__(self, identifier: str) -> Document:
        return self._read(identifier)

    def __iter__(self) -> Iterator[str]:
        return iter(self._collection.ids())

    def __len__(self) -> int:
        return len(self._collection)


def _examples(
    collection: Collection, queries: Mapping[str, str], qrels: Mapping[str, Mapping[str, int]]
) -> tuple[Examples, tuple[str, ...]]:
    """The answered queries, and the answers that the collection lacks."""
    answers = {query: [each for each, grade in judged.items() if grade > 0] for query, judged in qrels.items()}
    textless = next((query for query, found in answers.items() if found and query not in queries), None)
    if textless is not None:
        raise InputError(f"the query {textless!r} is judged, but has no text among the queries")
    held, missing = {}, set()
    for query, found in answers.items():
        documents = {each: collection.get(each) for each in found}
        there = tuple(sorted(each for each, document in documents.items() if document and document.has_content))
        missing.update(documents.keys() - set(there))
        if there:
            held[query] = there
    if not held:
        raise InputError("no judged query has an answer in the collection, so there is nothing to mine for")
    texts = {query: queries[query] for query in held}
    return Examples(str(collection.path.name), texts, _Stored(collection), held), tuple(sorted(missing))


def _row(examples: Examples, ids: Triplet) -> HardNegatives:
    negatives = tuple(dict.fromkeys(map(examples.text, ids.negatives)))
    return HardNegatives(examples.queries[ids.query], examples.text(ids.positive), negatives, ids)


def _triplets(mined: Mined) -> Iterator[dict[str, Any]]:
    for row in mined.rows:
        for negative in row.negatives:
            yield {"anchor": row.anchor, "positive": row.positive, "negative": negative}


def _tuples(mined: Mined) -> Iterator[dict[str, Any]]:
    for row in mined.rows:
        if len(row.negatives) == mined.num_negatives:
            named = {f"negative_{place}": text for place, text in enumerate(row.negatives, start=1)}
            yield {"anchor": row.anchor, "positive": row.positive, **named}


def _labelled(mined: Mined) -> Iterator[tuple[str, dict[str, int]]]:
    """Each query with its documents, answers first, and their labels; none twice."""
    for _, group in groupby(mined.rows, key=lambda row: row.ids.query):
        rows = list(group)
        negatives = {negative: 0 for row in rows for negative in row.negatives}
        yield (
            rows[0].anchor,
            {row.positive: 1 for row in rows}
            | {text: label for text, label in negatives.items() if text not in {row.positive for row in rows}},
        )


def _labelled_pairs(mined: Mined) -> Iterator[dict[str, Any]]:
    for anchor, labels in _labelled(mined):
        for document, label in labels.items():
            yield {"anchor": anchor, "document": document, "label": label}


def _labelled_lists(mined: Mined) -> Iterator[dict[str, Any]]:
    for anchor, labels in _labelled(mined):
        yield {"anchor": anchor, "documents": list(labels), "labels": list(labels.values())}


def _form(name: str) -> Callable[[Mined], Iterator[dict[str, Any]]]:
    if name not in FORMATS:
        raise InputError(f"a format of negatives is one of {', '.join(FORMATS)}, not {name!r}")
    return dict(zip(FORMATS, (_triplets, _tuples, _labelled_pairs, _labelled_lists), strict=True))[name]
