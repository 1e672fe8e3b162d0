"""Hits, runs and judgements: search results, and what they are evaluated with."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from twofold.documents import Document, Passage
from twofold.errors import InputError, brief

Run = dict[str, dict[str, float]]
"""A run as in TREC: query id → document id → score; higher is better."""
Qrels = dict[str, dict[str, int]]
"""Judgements as in TREC: query id → document id → relevance; above 0 is relevant."""


def ranked(scores: Mapping[str, float]) -> list[str]:
    """The document ids of one query of a run, best first; equal scores by the smaller id.

    A score that is not finite raises InputError, since it cannot be ranked.
    """
    for document, score in scores.items():
        if not math.isfinite(score):
            raise InputError(f"document {document!r}: the score is {score}, which cannot be ranked")
    return sorted(scores, key=lambda document: (-scores[document], document))


class Marking(Protocol):
    """What a query says about a text."""

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Start and end of the query's terms in characters, ascending and apart."""

    def sentence(self, text: str, start: int, end: int) -> tuple[int, int]:
        """Start and end of the sentence nearest to the query, of those that lie in text[start:end] or overlap it."""


@dataclass(frozen=True, slots=True, repr=False)
class Hit:
    """One document that answers a query.

    score: higher is better (docs/scores.md). document: the whole of it. passage: its best span for this query. parts:
    of the score, by name ("dense", "lexical", "lexical evidence", "lexical weight", or a ranker's name). relevance: how
    probable it is that the document is relevant, from 0 to 1; None where it cannot be said (docs/relevance.md). more:
    further passages, best first, where several were asked for. marking: reads the query's terms in a text; None where
    the query was no text.
    """

    score: float
    document: Document
    passage: Passage
    parts: Mapping[str, float] = field(default_factory=dict)
    relevance: float | None = None
    more: tuple[Passage, ...] = ()
    marking: Marking | None = field(default=None, compare=False)

    @property
    def passages(self) -> tuple[Passage, ...]:
        """The best passages: the one that is shown, then the others by their scores, as many as were asked for."""
        return (self.passage, *self.more)

    @property
    def highlights(self) -> list[tuple[int, int]]:
        """Start and end of the query's terms in the passage, in characters of the document's text, ascending, apart."""
        first = self.passage.start
        spans = [] if self.marking is None else self.marking.spans(self.text)
        return [(first + start, first + end) for start, end in spans]

    @property
    def sentence(self) -> Passage | None:
        """The sentence of the passage that has most of the query; None where the query was no text."""
        if self.marking is None:
            return None
        start, end = self.marking.sentence(self.document.text, self.passage.start, self.passage.end)
        return Passage.of(self.document.text, start, end)

    @property
    def id(self) -> str:
        """The document's id."""
        return self.document.id

    @property
    def title(self) -> str:
        """The document's title."""
        return self.document.title

    @property
    def text(self) -> str:
        """The passage's text; the whole text is `document.text`."""
        return self.passage.text

    @property
    def metadata(self) -> Mapping[str, Any]:
        """The document's metadata."""
        return self.document.metadata

    def __repr__(self) -> str:
        return f"Hit({self.id!r}, {self.score:.6f}, {brief(self.text)!r})"

    def explain(self) -> str:
        """The score and its parts, in one line."""
        parts = ", ".join(f"{name} {value:.6f}" for name, value in self.parts.items())
        span = f"characters {self.passage.start}-{self.passage.end}"
        return (
            f"{self.id}: {self.score:.6f} ({parts}; best passage: {span})"
            if parts
            else f"{self.id}: {self.score:.6f} ({span})"
        )

    def to_json(self) -> dict[str, Any]:
        """The hit as JSON values, as the command line prints it.

        Headings and page of the passage where there are any; passages and context where they were asked for.
        """
        told = {
            "id": self.id,
            "score": self.score,
            "relevance": self.relevance,
            "title": self.title,
            "text": self.text,
            "start": self.passage.start,
            "end": self.passage.end,
            **self.passage.place_json(),
            "metadata": dict(self.metadata),
        }
        if self.passage.context is not None:
            told["context"] = self.passage.context.to_json()
        if self.more or self.passage.score is not None:
            told["passages"] = [passage.to_json() for passage in self.passages]
        return told
