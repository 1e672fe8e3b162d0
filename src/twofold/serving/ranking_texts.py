"""Scores of texts for a query: by the server's cross-encoder, or by an encoder's vectors."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from twofold.errors import InputError, QueryError
from twofold.serving.counted import Counted
from twofold.serving.encoding_texts import check_texts, spans_of, tokens_of
from twofold.serving.hall import Hall
from twofold.serving.served import Served


async def ranked(hall: Hall, served: Served | None, query: str, texts: Sequence[str], *, raw: bool = False) -> Counted:
    """The score of each text, from 0 to 1; the tokens that were read, and the texts that were cut.

    served: the collection whose encoder scores, by the cosine of query and text, where it is above 0; None for the
    server's cross-encoder. raw: the cross-encoder's own scores, or the cosines. Raises LimitError, InputError.
    """
    limits = hall.settings.limits
    check_texts(texts, limits)
    check_texts([query], limits)
    if served is not None:
        one, documents = await asyncio.gather(served.encode("query", [query]), served.encode("document", texts))
        for lost in one.cut.values():
            raise QueryError(f"the query is {lost:,} tokens longer than the model reads")
        asked = one.values[0]
        lengths = np.linalg.norm(documents.values, axis=1) * np.linalg.norm(asked)
        cosines = documents.values @ asked / np.maximum(lengths, np.float32(1e-12))
        read = await tokens_of(served, [query, *texts]) - sum(one.cut.values()) - sum(documents.cut.values())
        return Counted(cosines if raw else np.clip(cosines, 0, 1), documents.cut, read)
    ranker = hall.ranker
    if ranker is None:
        raise InputError("this server has no cross-encoder; start it with --rerank MODEL")
    scored = await hall.pairs.ask((query, texts), len(texts))
    return scored if raw else replace(scored, values=ranker.probabilities(scored.values))


async def shortened(hall: Hall, served: Served | None, texts: list[str], most: int | None) -> list[str]:
    """Texts cut after `most` tokens each, None for no limit. Raises InputError where tokens are not known.

    served: as for `ranked`.
    """
    if most is None or (served is None and hall.ranker is not None and most >= hall.ranker.max_tokens):
        return texts
    spans = None if served is None else await spans_of(served, texts)
    if spans is None:
        raise InputError(
            "this model does not say how it divides texts, so max_tokens_per_doc cannot be kept; leave it out: texts "
            "are cut where the model's input ends"
        )
    return [text[: each[most - 1, 1]] if len(each) > most else text for text, each in zip(texts, spans, strict=True)]


def best_first(scored: Counted) -> list[tuple[int, float]]:
    """Place and score of each text, the best first, equal scores by their place."""
    scores = [float(each) for each in scored.values]
    return sorted(enumerate(scores), key=lambda each: (-each[1], each[0]))
