"""Terms as numbers: a hash, by which records know a term, and a small id, by which one process counts many at once."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b

HASH_BYTES = 7
"""Of 56 bits: among ten million different terms the chance that any two have one hash is 1 in 1,400."""
KEPT = 1_000_000
"""Words and terms that are remembered, as many as memory is meant for."""
NONE, NOTHING = 0, "-"
"""The id of a word that has no term, as stop words have none, and what stands for it in a text of terms; no word is."""


@lru_cache(maxsize=65_536)
def hashed(term: str) -> int:
    """56 bits of BLAKE2b."""
    return int.from_bytes(blake2b(term.encode("utf-8", "surrogatepass"), digest_size=HASH_BYTES).digest(), "little")


class Vocabulary(dict[str, int]):
    """A term → its id, given when it is first asked for; ids hold until `trim`. One thread at a time.

    terms, hashes: of each id. words: a folded word → the id of its term.
    """

    def __init__(self, term: Callable[[str], str | None]) -> None:
        super().__init__()
        self.terms = [NOTHING]
        self.hashes = array("Q", [0])
        self.words = _Words(self, term)

    def __missing__(self, term: str) -> int:
        number = self[term] = len(self.terms)
        self.terms.append(term)
        self.hashes.append(hashed.__wrapped__(term))
        return number

    def trim(self) -> None:
        """Forgets everything where it has become too much."""
        if len(self.words) > KEPT or len(self) > KEPT:
            self.words.clear()
            self.clear()
            del self.terms[1:], self.hashes[1:]


class _Words(dict[str, int]):
    """Most words of a text were met before."""

    def __init__(self, vocabulary: Vocabulary, term: Callable[[str], str | None]) -> None:
        super().__init__()
        self._vocabulary = vocabulary
        self._term = term

    def __missing__(self, word: str) -> int:
        term = self._term(word)
        number = self[word] = NONE if term is None else self._vocabulary[term]
        return number
