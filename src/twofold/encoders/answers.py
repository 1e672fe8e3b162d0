"""The answers of an embeddings API of OpenAI's shape: {"data": [{"index": 0, "embedding": […]}, …]}."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np

from twofold.errors import ModelError, VectorError, brief
from twofold.scores import Vectors


def vectors_of(answer: Mapping[str, Any], count: int, said: str) -> Vectors:
    """float32 (count, numbers), in the order of `index`; where no vector has one, in the order of the answer.

    An embedding is a list of numbers or base64 of little-endian float32. said: who answered, for messages. Raises
    ModelError for an answer of another shape, VectorError for other vectors than one a text, all of one length.
    """
    data = answer.get("data")
    if not isinstance(data, list) or not all(isinstance(each, dict) and "embedding" in each for each in data):
        raise ModelError(
            f"{said} answered without a list of embeddings under data: {brief(repr(dict(answer)))}; is this an API of "
            "OpenAI's shape?"
        )
    if len(data) != count:
        raise VectorError(f"{said} returned {len(data)} vectors for {count} texts; none is used")
    places = [each.get("index") for each in data]
    if places == [None] * count:
        places = list(range(count))
    if any(type(place) is not int for place in places) or sorted(places) != list(range(count)):
        raise VectorError(f"{said} returned vectors with the index {brief(str(places))} for {count} texts")
    vectors: list[Any] = [None] * count
    for place, each in zip(places, data, strict=True):
        vectors[place] = _vector(each["embedding"], said)
    if len(lengths := {len(vector) for vector in vectors}) != 1:
        raise VectorError(f"{said} returned vectors of {' and '.join(map(str, sorted(lengths)))} numbers in one answer")
    return np.stack(vectors)


def _vector(embedding: object, said: str) -> Vectors:
    """float32 (numbers,)."""
    try:
        if isinstance(embedding, str):
            return np.frombuffer(base64.b64decode(embedding, validate=True), dtype="<f4").astype(np.float32)
        vector = np.array(embedding)
    except ValueError:
        vector = np.array(None)
    if vector.ndim != 1 or vector.dtype.kind not in "iuf" or not len(vector):
        raise VectorError(f"{said} returned {brief(repr(embedding), 60)} in place of a list of numbers")
    with np.errstate(over="ignore"):  # infinity is refused as such
        return vector.astype(np.float32)
