"""Training data: queries, documents and positive pairs; from a BEIR folder or a file of pairs."""

from __future__ import annotations

import hashlib
import json
import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from twofold.documents import Document, titled
from twofold.errors import InputError
from twofold.rankings import Qrels
from twofold.readers.beir import read_beir
from twofold.readers.pairs import read_pairs


@dataclass(frozen=True, slots=True)
class Examples:
    """Queries (id → text), documents (id → document), and the positive documents of each query, at least one.

    negatives: documents that the data name as non-answers, by query.
    """

    name: str
    queries: Mapping[str, str]
    documents: Mapping[str, Document]
    positives: Mapping[str, tuple[str, ...]]
    negatives: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """SHA-256 over all texts and pairs: equal data give equal bits."""
        whole = hashlib.sha256()
        for identifier, query in sorted(self.queries.items()):
            related = [self.positives[identifier], *filter(None, [self.negatives.get(identifier)])]
            whole.update(json.dumps([identifier, query, *related]).encode())
        for identifier, document in sorted(self.documents.items()):
            whole.update(json.dumps([identifier, document.title, document.text]).encode())
        return whole.hexdigest()

    def text(self, document: str) -> str:
        """What is encoded of a document: its title, a space, its text."""
        found = self.documents[document]
        return titled(found.title, found.text)

    def drawn(self, count: int | None, seed: int) -> Examples:
        """At most `count` of the queries, drawn with the seed; all if count is None."""
        if count is None or count >= len(self.queries):
            return self
        drawn = set(random.Random(seed).sample(sorted(self.queries), count))  # noqa: S311 - repeatable, no secret
        queries = {query: text for query, text in self.queries.items() if query in drawn}
        return replace(self, queries=queries, positives={query: self.positives[query] for query in queries})

    def qrels(self, queries: list[str]) -> Qrels:
        """The positives of these queries as judgements."""
        return {query: dict.fromkeys(self.positives[query], 1) for query in queries}


def read_examples(path: str | Path, *, pairs: int | None = None, seed: int = 0) -> Examples:
    """The training split of a BEIR folder, or a file of pairs (.jsonl, .tsv, .csv; plain, .gz or .xz).

    pairs: how many queries at most, drawn by the seed; all documents stay. Positives are judgements above 0, negatives
    what pairs name so; of pairs with scores those above the middle of the scores are positive, the others
    negative. Equal texts of pairs are one query, one document. Raises InputError for what is neither, a
    judged document that the corpus lacks, and where no query has a positive.
    """
    examples = _of_folder(Path(path)) if Path(path).is_dir() else _of_pairs(Path(path))
    if not examples.positives:
        raise InputError("no query has a positive document, so there is nothing to learn from", path=path)
    return examples.drawn(pairs, seed)


def _of_folder(folder: Path) -> Examples:
    beir = read_beir(folder, "train")
    documents = {document.id: document for document in beir.documents() if document.has_content}
    positives = {}
    for query, judged in beir.qrels.items():
        found = tuple(sorted(each for each, grade in judged.items() if grade > 0))
        lacking = next((each for each in found if each not in documents), None)
        if lacking is not None:
            raise InputError(f"judges the document {lacking!r}, of which the corpus has no text", path=folder)
        if found:
            positives[query] = found
    return Examples(beir.name, {query: beir.queries[query] for query in positives}, documents, positives)


def _of_pairs(path: Path) -> Examples:
    queries: dict[str, str] = {}
    documents: dict[str, str] = {}
    related: dict[bool, dict[str, dict[str, None]]] = {True: {}, False: {}}
    pairs = list(read_pairs(path))
    middle = _middle([pair.score for pair in pairs if pair.score is not None])
    for pair in pairs:
        belongs = pair.score is None or pair.score > middle
        texts = [(pair.positive, belongs), *([] if pair.negative is None else [(pair.negative, False)])]
        if not all(text.strip() for text in (pair.query, *(text for text, _ in texts))):
            raise InputError("holds a pair with an empty text", path=path)
        query = queries.setdefault(pair.query, f"q{len(queries)}")
        for text, is_answer in texts:
            document = documents.setdefault(text, f"d{len(documents)}")
            related[is_answer].setdefault(query, {})[document] = None
    positives, negatives = related[True], related[False]
    return Examples(
        path.name.split(".")[0],
        {identifier: text for text, identifier in queries.items() if identifier in positives},
        {identifier: Document(identifier, text) for text, identifier in documents.items()},
        {query: tuple(found) for query, found in positives.items()},
        {
            query: tuple(each for each in negatives.get(query, ()) if each not in found)
            for query, found in positives.items()
        },
    )


def _middle(scores: list[float]) -> float:
    """Half way between the lowest score and the highest; below all where there is only one."""
    if not scores or min(scores) == max(scores):
        return -math.inf
    return (min(scores) + max(scores)) / 2
