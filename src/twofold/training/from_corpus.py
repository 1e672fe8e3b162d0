"""Examples from a corpus alone: its own titles, headings and sentences serve as queries.

A sentence is a query for the rest of its passage (the inverse cloze task, Lee, Chang & Toutanova 2019), a title or
heading for the text below it. The query is removed from the text, so that copying cannot solve the task.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from twofold.documents import Document
from twofold.errors import InputError
from twofold.training.examples import Examples
from twofold.training.splitting import near_duplicates

SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])|\n+")
HEADING = re.compile(r"#{1,6}\s+(\S.*)")
SHORTEST, LONGEST = 20, 300
"""Characters of a sentence that may ask: shorter ones say little, longer ones are no questions."""
REST = 40
"""Characters of text that must be left below what asks."""
COMPARED = 60
"""Words by which documents are held against each other: near-duplicates repeat from the beginning on."""


def examples_of(documents: Iterable[Document], name: str, *, pairs: int | None = None, seed: int = 0) -> Examples:
    """Pairs from a corpus: up to three of each document, near-duplicates once.

    pairs: how many at most, drawn by the seed. Raises InputError if no document has a title, heading or sentence that
    could be a query.
    """
    different = _different([document for document in documents if document.text.strip()])
    queries: dict[str, str] = {}
    rest: dict[str, Document] = {}
    positives: dict[str, tuple[str, ...]] = {}
    for document in different:
        asking, left = _divided(document, seed)
        if len(left) < REST:
            continue
        rest[document.id] = Document(document.id, left)
        for number, text in enumerate(dict.fromkeys(asking)):
            queries[f"{document.id}#{number}"] = text
            positives[f"{document.id}#{number}"] = (document.id,)
    if not queries:
        raise InputError(f"{name} has neither titles nor headings nor documents of several sentences to learn from")
    return Examples(name, queries, rest, positives).drawn(pairs, seed)


def _different(documents: list[Document]) -> list[Document]:
    """The documents without those that nearly repeat an earlier one."""
    openings = {document.id: " ".join(document.text.split()[:COMPARED]) for document in documents}
    repeated = {later for later, _ in near_duplicates(openings)}
    return [document for document in documents if document.id not in repeated]


def _divided(document: Document, seed: int) -> tuple[list[str], str]:
    """The queries for a document, and the text that is left for each."""
    pieces = [piece.strip() for piece in SENTENCE.split(document.text) if piece and piece.strip()]
    headings = [match[1].strip() for piece in pieces if (match := HEADING.fullmatch(piece))]
    sentences = [piece for piece in pieces if not HEADING.fullmatch(piece)]
    asking = [document.title.strip()] if document.title.strip() else []
    asking += headings[:1]
    able = [place for place, piece in enumerate(sentences) if SHORTEST <= len(piece) <= LONGEST]
    if able and len(sentences) > 1:
        # By the document's own id, so that neither order nor neighbours decide which sentence asks.
        digest = hashlib.blake2b(f"{seed} {document.id}".encode(), digest_size=8).digest()
        asking.append(sentences.pop(able[int.from_bytes(digest, "little") % len(able)]))
    return asking, " ".join(sentences)
