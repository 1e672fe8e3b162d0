"""What the answers of searches hold, for the description of the server: a client is generated from it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Told(BaseModel):
    """An answer; a field that it does not have is not told."""

    model_config = ConfigDict(extra="forbid")


class PassageTold(Told):
    """A span of a document's text."""

    start: int = Field(description="In characters of the document's text.")
    end: int
    text: str
    headings: list[str] = Field(default=[], description="Under which it stands, the highest first.")
    page: int | None = Field(default=None, description="On which it begins, from 1 on, where the text has pages.")
    score: float | None = Field(default=None, description="Where several passages were asked for.")
    context: PassageTold | None = Field(default=None, description="The passage with its neighbours, with `context`.")
    highlights: list[tuple[int, int]] = Field(
        default=[], description="Places of the query's terms in the document's text, with `marks`."
    )
    sentence: PassageTold | None = Field(default=None, description="The one nearest to the query, with `marks`.")


class HitTold(PassageTold):
    """A document that answers a query, and its best passage."""

    id: str
    score: float
    relevance: float | None = Field(description="How probable it is that the document is relevant, 0 to 1.")
    title: str
    metadata: dict[str, Any]
    passages: list[PassageTold] = Field(default=[], description="The best ones, with `passages`.")
    parts: dict[str, float] = Field(default={}, description="Of the score, with `explain`.")
    document: str | None = Field(default=None, description="The whole text, with `whole`.")
    marks: list[tuple[int, int]] = Field(default=[], description="Places in `text` to be highlighted, with `marks`.")


class HitsTold(Told):
    """The hits of one query, best first."""

    hits: list[HitTold]


class ResultsTold(Told):
    """The hits of each of several queries, in their order."""

    results: list[HitsTold]
