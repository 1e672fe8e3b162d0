"""The similarity of texts, without a collection: both sides are encoded, every pair is scored."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from twofold.encoders.adapted import adapted
from twofold.encoders.loading import load_encoder
from twofold.encoding import encoded_to_compare
from twofold.protocols import AnyEncoder
from twofold.reports import EncodingReport
from twofold.scores import Vectors, dense_scores


def similarity(
    queries: Sequence[str],
    documents: Sequence[str],
    *,
    encoder: AnyEncoder | None = None,
    report: EncodingReport | None = None,
) -> Vectors:
    """The score of every query with every document: float32 (queries, documents), higher is more similar.

    A score is the cosine, or the dot product where the encoder's contract says so, with the same bits as one text with
    one text.

    queries, documents: texts, encoded by the query and by the document side. encoder: as in `create`; by default the
    embedded one, loaded at each call. report: counts truncated texts, queries first. Raises InputError for anything but
    lists of texts, ModelError for a model that cannot be loaded.
    """
    encoder = load_encoder(encoder) if encoder is None or isinstance(encoder, str | Path) else adapted(encoder)
    of_queries = encoded_to_compare(encoder, "query", queries, report)
    of_documents = encoded_to_compare(encoder, "document", documents, report)
    scores = np.empty((len(of_queries), len(of_documents)), dtype=np.float32)
    for place, vector in enumerate(of_queries):
        scores[place] = dense_scores(vector, of_documents)
    return scores
