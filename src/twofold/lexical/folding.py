"""Normalising text: equal characters for different spellings of a word, when indexing and searching.

Unicode's NFKC_Casefold (UAX #31), which makes composed and decomposed, full-width, ligature and capital forms equal and
leaves out what is not seen (soft hyphens, joiners, direction marks), and beyond it what ICU's folding for search does
except for accents: digits of all scripts, apostrophes, dashes, marks that Arabic and Hebrew may do without. Accents
stay, for whether "resume" is "résumé" is a question of language.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from unicodedata import category, decimal, normalize

UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Default_Ignorable_Code_Point of Unicode's DerivedCoreProperties.txt."""
OPTIONAL = re.compile(
    "[\u0640\u064b-\u0652\u0656-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u08d3-\u08e1\u08e3-\u08ff"
    "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7]"
)
"""Arabic vowel signs and the stretching tatweel, Hebrew points and accents: most texts are written without."""
TYPED_AS = {
    **dict.fromkeys("‘’‚‛′`ʹʻʼʽʾʿˈꞌ", "'"),
    **dict.fromkeys("“”„‟«»", '"'),
    **dict.fromkeys("‐‑‒–—―−", "-"),
    "æ": "ae",
    "œ": "oe",
    "ı": "i",
    "ș": "ş",
    "ț": "ţ",
}
"""Characters for which others are typed; the last two since Romanian, and its stemmer, long had to do with cedillas."""
TRADE_MARKS = "™℠🅪🅫🅬"
"""Compatible with letters, but no part of the name before them."""
OWN_LETTERS = {"danish": {"æ": "æ"}, "norwegian": {"æ": "æ"}, "turkish": {"ı": "ı", "i": "i", "I": "ı"}}
"""What is a letter of its own in a language, and the Turkish pairs ı I and i İ."""
WORD_CATEGORIES = ("L", "N", "Mn", "Mc")
"""Letters, numbers and the marks on them; all other characters stand between words."""
BEYOND_ASCII = re.compile("[^\0-\x7f]+")
ZERO_WIDTH_SPACE = "\u200b"
WORDS_APART = re.compile("(?<=[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff])\u200b")
"""A zero-width space where it is the only sign that a word ends: Thai, Lao, Burmese, Khmer."""


class Folding:
    """One way of folding text.

    language: whose own letters are kept, if it has any. words: only words are left, with spaces between them; otherwise
    all signs stay.
    """

    def __init__(self, language: str, *, words: bool) -> None:
        self._table = _Characters(OWN_LETTERS.get(language, {}), words)
        self._words = words
        self._ascii = _bytes(self._table)

    def __call__(self, text: str) -> str:
        """The folded text, NFC; any text will do, and folding it again changes nothing."""
        if self._ascii is not None and text.isascii():
            return text.encode().translate(self._ascii).decode()
        if self._words and ZERO_WIDTH_SPACE in text:
            text = WORDS_APART.sub(" ", text)
        folded = self._translated(normalize("NFC", text))
        return normalize("NFC", folded.replace("i\u0307", "i"))

    def _translated(self, text: str) -> str:
        """Each character by the table; those of ASCII as bytes, which takes a tenth of the time."""
        if self._ascii is None:
            return text.translate(self._table)
        plain = text.encode("utf-8", "surrogatepass").translate(self._ascii).decode("utf-8", "surrogatepass")
        return BEYOND_ASCII.sub(lambda found: found[0].translate(self._table), plain)


def _bytes(table: Mapping[int, str]) -> bytes | None:
    """The table's part for ASCII, with other bytes of UTF-8 as they are; None where it leads beyond ASCII."""
    folded = "".join(map(table.__getitem__, range(128)))
    return folded.encode() + bytes(range(128, 256)) if folded.isascii() and len(folded) == 128 else None


class _Characters(dict[int, str]):
    """What becomes of a character, for str.translate; made at first need, so that it holds only what was met."""

    def __init__(self, own: Mapping[str, str], words: bool) -> None:
        super().__init__()
        self._own = own
        self._words = words

    def __missing__(self, code: int) -> str:
        folded = self[code] = self._folded(chr(code))
        return folded

    def _folded(self, character: str) -> str:
        if UNSEEN.match(character):
            return ""
        if character in TRADE_MARKS:
            return " "
        compatible = normalize("NFKC", character)
        if compatible.startswith(" "):
            return " "  # an accent that stands alone is shown on a space
        return "".join(self._part(part) for each in compatible for part in self._lower(each))

    def _lower(self, character: str) -> str:
        return self._own.get(character) or normalize("NFKC", character.casefold())

    def _part(self, character: str) -> str:
        if OPTIONAL.match(character):
            return ""
        if (digit := decimal(character, None)) is not None:
            return str(digit)
        typed = self._own.get(character) or TYPED_AS.get(character, character)
        kind = category(typed[0])
        if kind == "Cs" and not self._words:
            return "\ufffd"
        between = kind[0] in "ZC" or (self._words and not kind.startswith(WORD_CATEGORIES))
        return " " if between else typed
