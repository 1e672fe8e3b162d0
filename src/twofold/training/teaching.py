"""A teacher: another encoder, which says of documents how well they answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from twofold.protocols import Encoder
from twofold.training.examples import Examples


def taught(teacher: Encoder, examples: Examples, wanted: Mapping[str, Iterable[str]]) -> dict[str, dict[str, float]]:
    """The teacher's cosine of each query with the documents that are wanted of it; every text is encoded once."""
    documents = sorted({document for each in wanted.values() for document in each})
    places = {document: place for place, document in enumerate(documents)}
    queries = teacher.encode_queries([examples.queries[query] for query in wanted])
    answers = teacher.encode_documents([examples.text(document) for document in documents])
    scores = {}
    for vector, (query, each) in zip(queries, wanted.items(), strict=True):
        mine = list(dict.fromkeys(each))
        found = np.einsum("ij,j->i", answers[[places[document] for document in mine]], vector)
        scores[query] = dict(zip(mine, found.tolist(), strict=True))
    return scores
