"""The similarity of texts, without a collection: both sides are encoded, every pair is scored."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from twofold.encoders.loading import load_encoder
from twofold.encoding import checked_encoder, encoded_to_compare
from twofold.protocols import Encoder
from twofold.reports import EncodingReport
from twofold.scores import Vectors, dense_scores


def similarity(
    queries: Sequence[str],
    documents: Sequence[str],
    *,
    encoder: Encoder | None = None,
    report: EncodingReport | None = None,
) -> Vectors:
    """The score of every query with every document: float32 (queries, documents), higher is more similar.

    A score is the cosine, or the dot product where the encoder's contract says so, with the same bits as one text with
    one text.

    queries, documents: texts, encoded by the query and by the document side. encoder: the embedded default, loaded at
    each call, by default. report: counts truncated texts, queries first. Raises InputError for anything but lists of
    texts, ModelError if the default cannot be loaded.
    """
    encoder = load_encoder() if encoder is None else checked_encoder(encoder)
    of_queries = encoded_to_compare(encoder, "query", queries, report)
    of_documents = encoded_to_compare(encoder, "document", documents, report)
    scores = np.empty((len(of_queries), len(of_documents)), dtype=np.float32)
    for place, vector in enumerate(of_queries):
        scores[place] = dense_scores(vector, of_documents)
    return scores
