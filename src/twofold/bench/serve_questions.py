"""Texts that a server is asked: real questions, and none of them twice, since servers keep vectors of questions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from twofold.collection.collection import Collection
from twofold.documents import titled
from twofold.errors import InputError
from twofold.readers.queries import read_queries

WORDS_A_QUERY = 6
FROM_DOCUMENTS = 5_000


class Questions:
    """A supply of different texts: the questions as they are, then each with a word of another behind it.

    repeated: how many had to be given again, because there were no more.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self.repeated = 0
        self._texts = texts
        self._each = _different(texts)

    def take(self, count: int) -> list[str]:
        """So many texts, those that were not given yet as long as there are some."""
        taken = list(islice(self._each, count))
        while len(taken) < count:
            self._each = _different(self._texts)
            more = list(islice(self._each, count - len(taken)))
            self.repeated += len(more)
            taken += more
        return taken


def questions_for(collection: Collection, path: Path | None) -> list[str]:
    """Those of a file; without one, words from the middle of documents. Raises InputError where there are none."""
    if path is not None:
        return list(dict.fromkeys(read_queries(path).values()))
    documents = islice(collection, FROM_DOCUMENTS)
    words = (titled(each.title, each.text).split() for each in documents if each.has_content)
    found = list(dict.fromkeys(" ".join(each[len(each) // 2 :][:WORDS_A_QUERY]) for each in words))
    if not found:
        raise InputError("the documents have no words to make questions of; give some: --queries FILE")
    return found


def _different(texts: Sequence[str]) -> Iterator[str]:
    yield from texts
    seen = set(texts)
    for shift in range(1, len(texts)):
        for place, text in enumerate(texts):
            longer = f"{text} {texts[(place + shift) % len(texts)].split()[-1]}"
            if longer not in seen:
                seen.add(longer)
                yield longer
