"""One state of a lexical index, as a search sees it: it does not change while it is held."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from twofold.errors import QueryError
from twofold.lexical.asking import Question
from twofold.lexical.state import State
from twofold.scores import Mask, Numbers, Scores

SPARE = 64
"""Proposed beyond what is asked for, so that ties and what is not allowed seldom need a second look."""
GROWTH = 4


@dataclass(frozen=True, slots=True)
class Asking:
    """How queries are understood: what one asks for, None where that is nothing; and its text, without signs."""

    question: Callable[[str], Question | None]
    text: Callable[[str], str]


class LexicalReader:
    """BM25 scores of one state. Implements protocols.Lexical."""

    def __init__(self, state: State, plain: Asking, language: Asking) -> None:
        self._state = state
        self._ask = plain.question
        self._text = plain.text
        self._language = language

    @property
    def commit(self) -> int:
        """The collection's commit up to which it has read; of later ones it may know a part after a crash."""
        return self._state.commit

    @property
    def generation(self) -> int:
        """The collection's generation that this commit belongs to."""
        return self._state.generation

    def with_query_language(self) -> LexicalReader:
        """The same state, whose queries are of the query language: "a phrase", AND, OR, NOT, +, -, (, ), ^.

        Only for those who ask for it: in a user's own words such signs mean nothing. Searching raises QueryError.
        """
        return LexicalReader(self._state, self._language, self._language)

    def text(self, query: str) -> str:
        """What the query says without the signs of the language and what it excludes: what a vector is made of."""
        return self._text(query)

    def restriction(self, query: str) -> Mask | None:
        """bool (document numbers that were read,): which documents may be found, also by meaning; None for any."""
        question = self._ask(query)
        return None if question is None else question.restriction(self._state.end)

    def candidates(self, query: str, count: int, allowed: Mask) -> tuple[Numbers, Scores]:
        """The best `count` document numbers (int64) with their scores (float32), and all that tie with the last.

        Best first, equal scores by number. allowed: bool (document numbers,), which documents may appear; numbers
        beyond its end may not.
        """
        if count < 0:
            raise QueryError(f"a count of candidates is 0 or more, not {count}")
        question = self._ask(query)
        passing = int(np.count_nonzero(allowed))
        if question is None or count == 0 or passing == 0:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        depth = count * len(allowed) // passing + SPARE
        if passing * question.cost <= depth:
            return _best(question, np.flatnonzero(allowed), count)
        return _searched(question, count, allowed, depth)

    def scores(self, query: str, documents: Numbers) -> Scores:
        """float32 (n,): the scores of these documents, in their order; 0 where no term is shared."""
        question = self._ask(query)
        if question is None or len(documents) == 0:
            return np.zeros(len(documents), np.float32)
        distinct, places = np.unique(np.asarray(documents, dtype=np.int64), return_inverse=True)
        scores: Scores = _finite(question.exact(distinct))[places]
        return scores

    def weight(self, query: str) -> float:
        """The sum of the inverse document frequencies of the query's terms that some document has."""
        question = self._ask(query)
        return 0.0 if question is None else question.weight

    def coverage(self, query: str, texts: Sequence[str]) -> Scores:
        """float32 (n,): the sum of the inverse document frequencies of the query's terms that each text has, each once.

        Terms that no document has, and words that the query excludes, count for nothing.
        """
        question = self._ask(query)
        return np.zeros(len(texts), np.float32) if question is None else question.coverage(texts)


def _searched(question: Question, count: int, allowed: Mask, depth: int) -> tuple[Numbers, Scores]:
    """The best of the documents that rank first; so many are looked through that no other can be among them."""
    while True:
        numbers, proposed = question.proposed(depth)
        all_seen, last = len(numbers) < depth, float(proposed[-1]) if len(proposed) else 0.0
        within = np.flatnonzero(numbers < len(allowed))
        within = within[allowed[numbers[within]]]
        numbers, proposed = numbers[within], proposed[within]
        if len(numbers) >= count:
            line = float(proposed[count - 1]) * (1 - question.slack)
            if all_seen or line > last * (1 + question.slack):
                return _best(question, np.sort(numbers[proposed * (1 + question.slack) >= line]), count)
        elif all_seen:
            return _best(question, np.sort(numbers), count)
        depth *= GROWTH


def _best(question: Question, numbers: Numbers, count: int) -> tuple[Numbers, Scores]:
    """The best of these documents, which are ascending, with all that tie with the last; none that scores 0."""
    scores = _finite(question.exact(numbers))
    order = np.argsort(-scores, kind="stable")
    falling = scores[order]
    last = falling[count - 1] if len(falling) > count else 0
    order = order[(falling >= last) & (falling > 0)]
    return numbers[order], scores[order]


def _finite(scores: Scores) -> Scores:
    if not np.isfinite(scores).all():
        raise QueryError("a boost (^) of the query is so large that scores are no numbers any more; make it smaller")
    return scores
