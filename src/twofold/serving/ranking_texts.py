"""Scores of texts for a query: by the server's cross-encoder, or by an encoder's vectors."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np

from twofold.errors import InputError
from twofold.serving.encoding_texts import check_texts
from twofold.serving.hall import Hall
from twofold.serving.served import Served


async def ranked(
    hall: Hall, served: Served | None, query: str, texts: Sequence[str], *, raw: bool = False
) -> list[float]:
    """The score of each text, from 0 to 1.

    served: the collection whose encoder scores, by the cosine of query and text, where it is above 0; None for the
    server's cross-encoder. raw: the cross-encoder's own scores. Raises LimitError, InputError.
    """
    limits = hall.settings.limits
    check_texts(texts, limits)
    check_texts([query], limits)
    if served is not None:
        (asked,), documents = await asyncio.gather(served.encode("query", [query]), served.encode("document", texts))
        lengths = np.linalg.norm(documents, axis=1) * np.linalg.norm(asked)
        cosines = documents @ asked / np.maximum(lengths, np.float32(1e-12))
        return [float(each) for each in np.clip(cosines, 0, 1)]
    ranker = hall.ranker
    if ranker is None:
        raise InputError("this server has no cross-encoder; start it with --rerank MODEL")
    scores = await hall.pairs.ask((query, texts), len(texts))
    return [float(each) for each in (scores if raw else ranker.probabilities(scores))]
