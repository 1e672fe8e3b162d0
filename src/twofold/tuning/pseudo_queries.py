"""Questions for a collection that has none: titles and openings of its own documents.

Real questions lie elsewhere than documents do, so an index must not be measured with stored vectors; a title or a few
words of a text, encoded as a query, come nearer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from twofold.documents import Document

WORDS = 10
"""Words of an opening: questions in search logs are shorter, those of judged collections about as long."""
_SENTENCE = re.compile(r"(?<=[.!?])\s")


def pseudo_queries(documents: Iterable[Document]) -> Iterator[str]:
    """A question from each document that has words: its title, else the first words of its second sentence or of its
    text. By turns, so that titled collections give both kinds.
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
