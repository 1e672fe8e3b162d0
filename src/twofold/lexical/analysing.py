"""How a text becomes terms: the same way for documents and for queries."""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tantivy import Filter, TextAnalyzer, TextAnalyzerBuilder, Tokenizer

from twofold.errors import InputError

STEMMED_AND_STOPPED = frozenset(
    {"danish", "dutch", "english", "finnish", "french", "german", "hungarian", "italian", "norwegian", "portuguese"}
    | {"russian", "spanish", "swedish"}
)
"""Languages of which tantivy carries a stemmer and stop words."""
STEMMED = frozenset({"arabic", "greek", "romanian", "tamil", "turkish"})
"""Languages of which it carries a stemmer only."""
ANALYSERS = (*sorted(STEMMED_AND_STOPPED | STEMMED), "plain", "ngram")

LONGEST_TERM = 255
"""Bytes; longer runs of letters are no words and are left out. Lucene's limit too."""
LONGEST_GRAM = 8
ONE_LETTER = list(string.ascii_lowercase)
"""What is left of contractions and possessives; digits stay, since "type 2" is not "type 1"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LexicalSettings:
    """Which terms a text is made of.

    analyser: a language (its stemmer, its stop words where there are any, one-letter words left out); "plain" (words as
    they stand, in lower case: names, languages without a stemmer); or "ngram" (every run of `shortest` to `longest`
    characters: scripts without spaces, and code). A query shorter than `shortest` finds nothing. Raises InputError.
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


def analyser(settings: LexicalSettings) -> TextAnalyzer:
    """Text → terms, as the settings say."""
    if settings.analyser == "ngram":
        grams = Tokenizer.ngram(settings.shortest, settings.longest, False)
        return TextAnalyzerBuilder(grams).filter(Filter.lowercase()).build()
    words = TextAnalyzerBuilder(Tokenizer.simple())
    words = words.filter(Filter.remove_long(LONGEST_TERM + 1)).filter(Filter.lowercase())
    if settings.analyser == "plain":
        return words.build()
    if settings.analyser in STEMMED_AND_STOPPED:
        words = words.filter(Filter.stopword(settings.analyser))
    return words.filter(Filter.custom_stopword(ONE_LETTER)).filter(Filter.stemmer(settings.analyser)).build()
