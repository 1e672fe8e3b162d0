"""Texts of a request → vectors: which side, how many tokens, what is too long."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from twofold.errors import InputError, LimitError
from twofold.scores import Vectors
from twofold.serving.asking import check_text
from twofold.serving.served import Served
from twofold.serving.settings import Limits


async def encoded(
    served: Served, texts: Sequence[str], limits: Limits, *, side: str, truncate: bool
) -> tuple[Vectors, int]:
    """float32 (n, dimension), and the tokens of the texts, special ones and prompts left out.

    truncate: texts that are too long are cut, and the tokens beyond are not counted; otherwise they are refused. Raises
    LimitError, TruncationError, InputError for an empty text.
    """
    check_texts(texts, limits)
    made = await served.encode(side, texts)
    if not truncate:
        made.check_whole()
    return made.values, await tokens_of(served, texts) - sum(made.cut.values())


async def tokens_of(served: Served, texts: Sequence[str]) -> int:
    """The tokens of texts, without special ones and prompts; 0 where the encoder does not say how it divides texts."""
    return sum(len(spans) for spans in await spans_of(served, texts) or ())


async def spans_of(served: Served, texts: Sequence[str]) -> list[NDArray[np.int32]] | None:
    """For each text int32 (tokens, 2), characters; None where the encoder does not say how it divides texts."""
    return await served.read(partial(_spans, served, texts))


def check_texts(texts: Sequence[str], limits: Limits) -> None:
    """Raises LimitError, InputError for texts that cannot be encoded."""
    if not texts:
        raise InputError("there is no text to encode")
    if len(texts) > limits.batch:
        raise LimitError(f"this server takes {limits.batch:,} texts at once, not {len(texts):,}")
    for place, text in enumerate(texts):
        if not text:
            raise InputError(f"text {place} is empty")
        check_text(text, limits)


def check_dimensions(served: Served, dimensions: int | None) -> None:
    """Raises InputError for another number of dimensions than the model has: its vectors are not cut."""
    whole = served.collection.contract.dimension
    if dimensions is not None and dimensions != whole:
        raise InputError(f"this model makes vectors of {whole} numbers, not of {dimensions}")


def _spans(served: Served, texts: Sequence[str]) -> list[NDArray[np.int32]] | None:
    tokens = served.collection.encoder.tokens
    return None if tokens is None else tokens.spans(texts)
