"""A teacher: another encoder or a cross-encoder, whose scores of documents are used in training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from twofold.encoders.loading import load_encoder
from twofold.encoding import encoded_to_compare
from twofold.models.locating import find_model
from twofold.models.pair_folder import is_cross_encoder
from twofold.protocols import Encoder
from twofold.rankers.cross_encoder import CrossEncoder, load_cross_encoder
from twofold.scores import Vectors
from twofold.training.examples import Examples
from twofold.training.losses import TEMPERATURE

Teacher = Encoder | CrossEncoder
Wanted = Mapping[str, Iterable[str]]
"""Query → documents, by their ids."""
Taught = dict[str, dict[str, float]]
"""Query → document → score."""


def load_teacher(name: str) -> Teacher:
    """A folder or a hub name: a cross-encoder where its folder says so, else an encoder. Raises ModelError."""
    return load_cross_encoder(name) if is_cross_encoder(find_model(name, bare=True).folder) else load_encoder(name)


def identity_of(teacher: Teacher) -> Mapping[str, Any]:
    """What decides its scores, as JSON."""
    if isinstance(teacher, CrossEncoder):
        return {"cross-encoder": teacher.network.fingerprint, "folder": teacher.name}
    return teacher.contract.to_json()


def compared_queries(encoder: Encoder, texts: Sequence[str]) -> Vectors:
    """float32 (n, dimension): queries as the encoder's similarity compares them, of unit length for cosine."""
    return encoded_to_compare(encoder, "query", texts)


def compared_documents(encoder: Encoder, texts: Sequence[str]) -> Vectors:
    """float32 (n, dimension): documents as the encoder's similarity compares them, of unit length for cosine."""
    return encoded_to_compare(encoder, "document", texts)


def rated(teacher: Teacher, examples: Examples, wanted: Wanted) -> Taught:
    """How much of an answer each document is, where shares are taken of it: an encoder's similarity, or the probability
    that a cross-encoder gives it.
    """
    if not isinstance(teacher, CrossEncoder):
        return _compared(teacher, examples, wanted)
    logits = _read(teacher, examples, wanted)
    return {
        query: {each: float(1 / (1 + np.exp(-logit))) for each, logit in of.items()} for query, of in logits.items()
    }


def taught(teacher: Teacher, examples: Examples, wanted: Wanted) -> Taught:
    """What a loss learns, on the scale of cosines: an encoder's similarity, or a cross-encoder's logits times the
    TEMPERATURE by which cosines are divided.
    """
    if not isinstance(teacher, CrossEncoder):
        return _compared(teacher, examples, wanted)
    logits = _read(teacher, examples, wanted)
    return {query: {each: TEMPERATURE * logit for each, logit in of.items()} for query, of in logits.items()}


def _read(teacher: CrossEncoder, examples: Examples, wanted: Wanted) -> Taught:
    """A cross-encoder's logits; every pair is read once."""
    pairs = [(query, document) for query, each in wanted.items() for document in dict.fromkeys(each)]
    logits = teacher.pair_logits([(examples.queries[query], examples.text(document)) for query, document in pairs])
    found: Taught = {query: {} for query in wanted}
    for (query, document), logit in zip(pairs, logits.tolist(), strict=True):
        found[query][document] = logit
    return found


def _compared(teacher: Encoder, examples: Examples, wanted: Wanted) -> Taught:
    """An encoder's score of each query with the given documents: their cosine, or their product where its contract says
    so. Every text is encoded once.
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
