"""How a text becomes terms: the same way for documents and for queries."""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any

from tantivy import Filter, TextAnalyzer, TextAnalyzerBuilder, Tokenizer

from twofold.errors import InputError
from twofold.lexical.folding import Folding
from twofold.lexical.vocabulary import NOTHING, Vocabulary

STEMMED_AND_STOPPED = frozenset(
    {"danish", "dutch", "english", "finnish", "french", "german", "hungarian", "italian", "norwegian", "portuguese"}
    | {"russian", "spanish", "swedish"}
)
"""Languages of which tantivy carries a stemmer and stop words."""
STEMMED = frozenset({"arabic", "greek", "romanian", "tamil", "turkish"})
"""Languages of which it carries a stemmer only."""
ANALYSERS = (*sorted(STEMMED_AND_STOPPED | STEMMED), "plain", "ngram")

RULES = 2
"""The version of how texts become terms: an index made by another one is made again."""
FOLDED_STOP_WORDS = {"german": ["dass"]}
"""Stop words that tantivy's lists have only as they were before folding (daß)."""
LONGEST_TERM = 255
"""Bytes; longer runs of letters are no words and are left out. Lucene's limit too."""
LONGEST_GRAM = 8
TIMES_A_TERM = 8
"""So often a term of a query counts at most: a text pasted many times over is no surer of its words. Okapi's share of a
query term, (k3 + 1) · n / (k3 + n), ends there too with k3 = 7 (Robertson and Walker, TREC-8, 1999); below the bound
each time counts, as in Lucene.
"""
TERMS_KEPT = 65_536
"""Words of queries whose terms are remembered."""
ONE_LETTER = list(string.ascii_lowercase)
"""What is left of contractions and possessives; digits stay, since "type 2" is not "type 1"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LexicalSettings:
    """Which terms a text is made of.

    All spellings of a character are one (folding.py): case, composed and decomposed, full-width, ligatures; "turkish"
    knows that ı is no i. analyser: a language (its stemmer, its stop words where there are any, one-letter words left
    out); "plain" (words as they stand: names, languages without a stemmer); or "ngram" (every run of `shortest` to
    `longest` characters: scripts without spaces, and code). A query shorter than `shortest` finds nothing. Raises
    InputError.
    """

    analyser: str = "english"
    shortest: int = 2
    longest: int = 3

    def __post_init__(self) -> None:
        if self.analyser not in ANALYSERS:
            raise InputError(f"there is no analyser {self.analyser!r}; there are {', '.join(ANALYSERS)}")
        for size in (self.shortest, self.longest):
            if isinstance(size, bool) or not isinstance(size, int):
                raise InputError(f"the length of an n-gram is a whole number, not {size!r}")
        if not 1 <= self.shortest <= self.longest <= LONGEST_GRAM:
            raise InputError(
                f"n-grams have 1 to {LONGEST_GRAM} characters, the shortest no more than the longest; "
                f"these have {self.shortest} to {self.longest}"
            )

    def to_json(self) -> dict[str, Any]:
        """The settings as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> LexicalSettings:
        """The settings that `to_json` wrote."""
        return cls(**values)


class Analysis:
    """Text → terms, as the settings say: folded (folding.py), then divided, stopped and stemmed by tantivy.

    written: by which tantivy divides the texts that `read` gives.
    """

    def __init__(self, settings: LexicalSettings) -> None:
        self.settings = settings
        self.grams = settings.analyser == "ngram"
        self._folded = Folding(settings.analyser, words=not self.grams)
        self._analyser = _analyser(settings)
        self._term = lru_cache(TERMS_KEPT)(self._stemmed)
        self.vocabulary = Vocabulary(self._stemmed)
        self.written = self._analyser if self.grams else _divider()

    def terms(self, text: str) -> list[str]:
        """The terms of any text, in their order."""
        if self.grams:
            return self._analyser.analyze(self._folded(text))
        return [term for _, term in self.placed(text)]

    def folded(self, text: str) -> str:
        """The text with one spelling for each character, as terms are made of it; a space stands between words."""
        return self._folded(text)

    def placed(self, text: str) -> list[tuple[int, str]]:
        """Terms that are words, each with its place among the words of the text, stop words counted."""
        words = self._folded(text).split()
        return [(place, term) for place, word in enumerate(words) if (term := self._term(word)) is not None]

    def read(self, text: str) -> tuple[list[int], str]:
        """The ids of a text's terms in the vocabulary, and the text that tantivy is to divide into the same terms.

        Words without a term keep their places. One thread at a time.
        """
        folded = self._folded(text)
        if self.grams:
            return [self.vocabulary[term] for term in self._analyser.analyze(folded)], folded
        ids = list(map(self.vocabulary.words.__getitem__, folded.split()))
        terms = self.vocabulary.terms
        # itemgetter gathers many from a list in a third of the time of map; given one, it gives no tuple.
        return ids, " ".join(itemgetter(*ids)(terms)) if len(ids) > 1 else "".join(terms[each] for each in ids)

    def ids(self, text: str) -> list[int]:
        """The ids of a text's terms in the vocabulary. One thread at a time."""
        folded = self._folded(text)
        if self.grams:
            return [self.vocabulary[term] for term in self._analyser.analyze(folded)]
        return list(map(self.vocabulary.words.__getitem__, folded.split()))

    def _stemmed(self, word: str) -> str | None:
        """The term of a folded word; the word itself where its stem would be empty."""
        found = self._analyser.analyze(word)
        return (found[0] or word) if found else None


def _divider() -> TextAnalyzer:
    """Terms with spaces between them → the terms, in their places."""
    return TextAnalyzerBuilder(Tokenizer.whitespace()).filter(Filter.custom_stopword([NOTHING])).build()


def _analyser(settings: LexicalSettings) -> TextAnalyzer:
    """Folded text → terms."""
    if settings.analyser == "ngram":
        return TextAnalyzerBuilder(Tokenizer.ngram(settings.shortest, settings.longest, False)).build()
    words = TextAnalyzerBuilder(Tokenizer.whitespace()).filter(Filter.remove_long(LONGEST_TERM + 1))
    if settings.analyser == "plain":
        return words.build()
    if settings.analyser in STEMMED_AND_STOPPED:
        words = words.filter(Filter.stopword(settings.analyser))
    left_out = ONE_LETTER + FOLDED_STOP_WORDS.get(settings.analyser, [])
    return words.filter(Filter.custom_stopword(left_out)).filter(Filter.stemmer(settings.analyser)).build()
