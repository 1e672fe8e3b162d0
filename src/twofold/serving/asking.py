"""The options of a search, as HTTP and agents give them: one table, which follows `Collection.search`.

An option that `Collection.search` has is a field of `SearchOptions` of the same name, and reaches it as it is; what has
another form in JSON is in `TRANSLATED`. tests/unit/serving/test_asking.py compares both.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from twofold.errors import InputError, LimitError, QueryError
from twofold.protocols import Ranker
from twofold.serving.settings import Limits

Where = dict[str, Any]
Vector = list[float]


class Strict(BaseModel):
    """A body whose unknown fields are refused, as are numbers for texts and texts for numbers."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class SearchOptions(Strict):
    """The options of `Collection.search`."""

    k: int = Field(default=10, ge=1, description="Hits at most.")
    offset: int = Field(default=0, ge=0, description="Hits before the first one, for pages.")
    where: Where | None = Field(default=None, description="A filter on metadata.", examples=[{"year": {"$lt": 1990}}])
    depth: int | None = Field(default=None, ge=1, description="Length of the ranking.")
    exact: bool = Field(default=False, description="Without the approximate index.")
    mode: Literal["dense", "lexical", "hybrid"] | None = Field(default=None, description="Hybrid, where possible.")
    ranker: bool | str | None = Field(default=None, description="The server's cross-encoder; false for none.")
    rerank_depth: int | None = Field(default=None, ge=1, description="Documents that the ranker scores.")
    rerank_weight: float | None = Field(default=None, ge=0, le=1, description="The ranker's share in the new score.")
    strict: bool = Field(default=False, description="Refuse a filter whose fields no document has.")
    unit: Literal["document", "passage"] = Field(default="document", description="What a hit is.")
    passages: int | None = Field(default=None, ge=1, description="The best passages of each document, with scores.")
    context: int = Field(default=0, ge=0, description="Neighbours with which a passage comes, on each side.")
    min_score: float | None = Field(default=None, description="Leaves out hits with a smaller score.")
    min_relevance: float | None = Field(default=None, description="Leaves out hits that are less relevant, 0 to 1.")


class SearchBody(SearchOptions):
    """One query, or several; vectors in place of texts, or beside them."""

    query: str | Vector | None = Field(default=None, description="A text, or a vector.")
    queries: list[str] | list[Vector] | None = Field(default=None, description="Several, answered on one commit.")
    vector: Vector | None = Field(default=None, description="That of the query text, used instead of encoding it.")
    vectors: list[Vector] | None = Field(default=None, description="One for each of the texts in `queries`.")
    explain: bool = Field(default=False, description="Adds the parts of each score.")
    whole: bool = Field(default=False, description="Adds the whole text of each document.")
    marks: bool = Field(default=False, description="Adds the places of the query's terms, and the best sentence.")


@dataclass(frozen=True, slots=True)
class Question:
    """One query with its options. options: keyword arguments of `Collection.search`; key: equal for equal options."""

    query: Any
    vector: Any
    options: Mapping[str, Any]
    key: str

    @property
    def encodes(self) -> str | None:
        """The text that has to be encoded for it; None where none has."""
        needs = isinstance(self.query, str) and self.vector is None and self.options.get("mode") != "lexical"
        return self.query if needs and self.query.strip() else None


Rankers = Callable[[bool | str], Ranker | None]


def questions_of(body: SearchBody, where: Where | None, rankers: Rankers, limits: Limits) -> list[Question]:
    """The queries of a body. where: its filter with that of the key. Raises QueryError, LimitError."""
    if (body.query is None) == (body.queries is None):
        raise QueryError("give query, or queries, one of the two")
    if (body.vectors is not None and body.queries is None) or (body.vector is not None and body.query is None):
        raise QueryError("vector goes with query, and vectors with queries")
    queries: list[Any] = [body.query] if body.queries is None else list(body.queries)
    vectors: list[Any] = [body.vector] * len(queries) if body.vectors is None else list(body.vectors)
    if len(queries) > limits.batch:
        raise LimitError(f"this server takes {limits.batch:,} queries at once, not {len(queries):,}")
    if len(vectors) != len(queries):
        raise QueryError(f"there are {len(queries):,} queries and {len(vectors):,} vectors")
    if body.offset + body.k > limits.k or (body.depth or 0) > limits.k or (body.rerank_depth or 0) > limits.k:
        raise LimitError(
            f"this server ranks {limits.k:,} documents a query at most (k with offset, depth, rerank_depth)"
        )
    for query in queries:
        check_text(query, limits)
    options = options_of(body, where, rankers)
    asked = bool(options["ranker"]) if "ranker" in options else None  # False is none, not given is the stored one
    key = json.dumps({**options, "ranker": asked}, sort_keys=True)
    return [
        Question(_array(query), None if vector is None else _array(vector), options, key)
        for query, vector in zip(queries, vectors, strict=True)
    ]


def options_of(body: SearchOptions, where: Where | None, rankers: Rankers) -> dict[str, Any]:
    """Keyword arguments of `Collection.search`; what was not given is left out."""
    given = body.model_dump(include=set(SearchOptions.model_fields), exclude_unset=True, exclude_none=True)
    given.pop("where", None)
    if where is not None:
        given["where"] = where
    if given.get("ranker", False) is not False:
        given["ranker"] = rankers(given["ranker"])
    return given


def check_text(text: object, limits: Limits) -> None:
    """Raises LimitError for a text that is too long, InputError for one that is no text of Unicode."""
    if not isinstance(text, str):
        return
    if len(text) > limits.text:
        raise LimitError(f"this server takes texts of {limits.text:,} characters at most, not {len(text):,}")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InputError("a text holds a lone surrogate, which is no character") from None


def _array(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, which a search refuses
        return np.array(value, np.float32)
