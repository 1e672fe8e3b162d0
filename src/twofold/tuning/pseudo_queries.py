"""Pseudo-queries from a collection's own documents: titles and openings.

Vectors of real questions differ from those of documents, so an index must not be measured with stored vectors; a title
or a few words of a text, encoded as a query, are more similar to real questions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from twofold.documents import Document

WORDS = 10
"""Words of an opening: questions in search logs are shorter, those of judged collections about as long."""
_SENTENCE = re.compile(r"(?<=[.!?])\s")


def pseudo_queries(documents: Iterable[Document]) -> Iterator[str]:
    """A question from each document with words: its title, else the first words of its second sentence or of its text.
    The two alternate, so that collections with titles give both kinds.
    """
    for number, document in enumerate(documents):
        title, opening = " ".join(document.title.split()), _opening(document.text)
        chosen = opening if number % 2 and opening else title or opening
        if chosen:
            yield chosen


def _opening(text: str) -> str:
    sentences = _SENTENCE.split(text, maxsplit=2)
    sentence = sentences[1] if len(sentences) > 1 else sentences[0]
    return " ".join(sentence.split()[:WORDS])
