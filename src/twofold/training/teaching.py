"""A teacher: another encoder, whose scores of documents are used in training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from twofold.encoding import encoded_to_compare
from twofold.protocols import Encoder
from twofold.scores import Vectors
from twofold.training.examples import Examples


def compared_queries(encoder: Encoder, texts: Sequence[str]) -> Vectors:
    """float32 (n, dimension): queries as the encoder's similarity compares them, of unit length for cosine."""
    return encoded_to_compare(encoder, "query", texts)


def compared_documents(encoder: Encoder, texts: Sequence[str]) -> Vectors:
    """float32 (n, dimension): documents as the encoder's similarity compares them, of unit length for cosine."""
    return encoded_to_compare(encoder, "document", texts)


def taught(teacher: Encoder, examples: Examples, wanted: Mapping[str, Iterable[str]]) -> dict[str, dict[str, float]]:
    """The teacher's score of each query with the given documents: their cosine, or their product where
    its contract says so. Every text is encoded once.
    """
    documents = sorted({document for each in wanted.values() for document in each})
    places = {document: place for place, document in enumerate(documents)}
    queries = compared_queries(teacher, [examples.queries[query] for query in wanted])
    answers = compared_documents(teacher, [examples.text(document) for document in documents])
    scores = {}
    for vector, (query, each) in zip(queries, wanted.items(), strict=True):
        mine = list(dict.fromkeys(each))
        found = np.einsum("ij,j->i", answers[[places[document] for document in mine]], vector)
        scores[query] = dict(zip(mine, found.tolist(), strict=True))
    return scores
