"""The queries of a call: texts, vectors, or a vector beside each text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from unicodedata import category

import numpy as np

from twofold.contract import Contract
from twofold.errors import QueryError, VectorError
from twofold.scores import Vectors, scaled
from twofold.searching.hybrid import SearchMode


@dataclass(frozen=True, slots=True)
class Query:
    """One query.

    text: for lexical search, for rankers, and for the encoder where there is no vector; None for a vector alone.
    vector: float32 (dimension,), given by the user and scaled as the contract says; None where the encoder makes it.
    """

    text: str | None
    vector: Vectors | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """One query, its mode, and a function that returns its vector. alone: other threads are free to help."""

    query: Query
    mode: SearchMode
    vector: Callable[[], Vectors]
    alone: bool = False


def queries_of(
    queries: Sequence[str | Vectors] | Vectors, vectors: Sequence[Vectors] | Vectors | None, contract: Contract
) -> list[Query]:
    """The queries of a call, checked.

    queries: texts, or vectors (dimension,). vectors: one beside each text, (n, dimension). Raises QueryError for an
    empty text, for what is neither text nor vector, and for vectors that are more or fewer than the texts; VectorError
    for a vector that does not fit the contract.
    """
    if vectors is None:
        return [_query(query, None, contract, place) for place, query in enumerate(queries)]
    if not hasattr(vectors, "__len__"):
        raise QueryError(f"vectors holds one vector a query, not {type(vectors).__name__}")
    if len(vectors) != len(queries):
        raise QueryError(
            f"{len(vectors)} vectors came with {len(queries)} queries; give one vector a query, in the same order"
        )
    pairs = zip(queries, vectors, strict=True)
    return [_query(query, vector, contract, place) for place, (query, vector) in enumerate(pairs)]


def _query(query: Any, vector: Any, contract: Contract, place: int) -> Query:
    """place: the query's position in the call, named where it is not the first."""
    named = f"query {place}" if place else "the query"
    if not isinstance(query, str):
        if vector is not None:
            raise QueryError(f"{named} has a vector beside it, so it must be a text, not {type(query).__name__}")
        return Query(None, _vector(query, contract, f"{named}'s vector" if place else "the query vector"))
    if unseen(query):
        raise QueryError(f"{named}: it is empty" if place else "the query is empty")
    return Query(query, None if vector is None else _vector(vector, contract, f"the vector of {named}"))


def _vector(values: Any, contract: Contract, what: str) -> Vectors:
    """float32 (dimension,): one query vector, scaled as the contract compares vectors."""
    if not isinstance(values, list | tuple) and not hasattr(values, "__array__"):
        raise QueryError(f"a query is a text or a vector, not {type(values).__name__}")
    try:
        line = np.asarray(values)
    except ValueError:  # lists of several lengths
        raise VectorError(f"{what} must be a list of {contract.dimension} numbers") from None
    if line.dtype.kind == "U":
        raise QueryError("a query is one text or one vector, not a list of texts; search_many takes several queries")
    if line.shape != (contract.dimension,):
        several = "; search_many takes several queries" if line.ndim == 2 else ""
        raise VectorError(f"{what} has the shape {line.shape}; this collection takes ({contract.dimension},){several}")
    if line.dtype.kind not in "fiu":
        raise VectorError(f"{what} must be numbers, not {line.dtype}")
    with np.errstate(over="ignore"):
        line = np.ascontiguousarray(line, np.float32)
    if not np.isfinite(line).all():
        raise VectorError(f"{what} holds NaN, infinity, or a number beyond those of float32")
    if contract.similarity == "cosine" and not line.any():
        raise VectorError(f"{what} is a zero vector, which has no direction")
    vector: Vectors = scaled(line[None], contract.similarity, what=what)[0]
    return vector


def unseen(text: str) -> bool:
    """Whether a text has only invisible characters: spaces, controls, joiners, lone surrogates."""
    return all(category(character)[0] in "ZC" for character in text)


def checked_count(value: object, name: str) -> int:
    """A whole number from 1 on, or QueryError naming what was given."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise QueryError(f"{name} is a count from 1 on, not {value!r}")
    return int(value)
