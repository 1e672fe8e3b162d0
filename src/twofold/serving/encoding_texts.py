"""Texts of a request → vectors: which side, how many tokens, what is too long."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from twofold.errors import InputError, LimitError, TruncationError
from twofold.scores import Vectors
from twofold.serving.asking import check_text
from twofold.serving.served import Served
from twofold.serving.settings import Limits


async def encoded(
    served: Served, texts: Sequence[str], limits: Limits, *, side: str, truncate: bool
) -> tuple[Vectors, int]:
    """float32 (n, dimension), and the tokens of the texts, special ones left out.

    truncate: texts that are too long are cut; otherwise they are refused. Raises LimitError, TruncationError,
    InputError for an empty text.
    """
    check_texts(texts, limits)
    counts = await served.read(partial(_tokens, served, texts))
    longest = served.collection.encoder.contract.max_tokens or 0
    if not truncate and longest:
        for place, count in enumerate(counts):
            if count > longest - 2:  # the special tokens at both ends
                raise TruncationError(
                    f"text {place} has {count:,} tokens and the model reads {longest - 2:,}; divide it, or ask for "
                    '"truncate": true'
                )
    return await served.encode(side, texts), sum(counts)


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


def _tokens(served: Served, texts: Sequence[str]) -> list[int]:
    tokens = served.collection.encoder.tokens
    return [0] * len(texts) if tokens is None else [len(spans) for spans in tokens.spans(texts)]
