"""Which analyser suits texts: told by their script, and within one by their most usual words."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

TEXTS, CHARACTERS = 200, 2_000
"""So many texts are looked at, and so many characters of each."""
SHARE = 0.5
"""A script is that of the texts where it has more than this share of their letters."""
UNSPACED_SHARE = 0.2
"""The same for scripts without spaces: a text of theirs holds names and numbers in Latin letters, and a character of
theirs says as much as a word."""
USUAL = 0.08
"""A language's usual words are at least this share of all words of its texts: English has .30, a list of names none."""
FEWEST_WORDS = 30
"""With fewer words the language is not told."""

_LETTERS = re.compile(r"[^\W\d_]")
_WORDS = re.compile(r"[^\W\d_]+")
_SCRIPTS = {
    "Chinese": ((0x3400, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF)),
    "Japanese": ((0x3040, 0x30FF), (0x31F0, 0x31FF), (0xFF66, 0xFF9F)),
    "Korean": ((0x1100, 0x11FF), (0x3130, 0x318F), (0xAC00, 0xD7AF)),
    "Thai": ((0x0E00, 0x0E7F),),
    "Lao": ((0x0E80, 0x0EFF),),
    "Burmese": ((0x1000, 0x109F),),
    "Khmer": ((0x1780, 0x17FF),),
    "Tibetan": ((0x0F00, 0x0FFF),),
    "Cyrillic": ((0x0400, 0x052F),),
    "Greek": ((0x0370, 0x03FF), (0x1F00, 0x1FFF)),
    "Arabic": ((0x0600, 0x06FF), (0x0750, 0x077F), (0xFB50, 0xFDFF), (0xFE70, 0xFEFF)),
    "Tamil": ((0x0B80, 0x0BFF),),
    "Latin": ((0x0041, 0x024F), (0x1E00, 0x1EFF)),
}
_UNSPACED = frozenset({"Chinese", "Japanese", "Korean", "Thai", "Lao", "Burmese", "Khmer", "Tibetan"})
_USUAL_WORDS = {
    "english": "the of and to in is that for it was with as on be by at this are from or an which",
    "german": "der die und das ist nicht den von mit dem ein zu sich auf eine für im auch als werden",
    "french": "de la en le les des et est une dans qui que pour pas sur plus par du au avec ce sont aux",
    "spanish": "de la en el los las que y en del una por con para es se no un como más su al fue",
    "italian": "e a in la il di che è la per una con non del si da della sono nel gli anche dei più alla",
    "portuguese": "de a e o os que não uma com em para do da é por mais dos como ao foi das na no",
    "dutch": "de het een van en is dat niet op te zijn voor met die aan er ook als bij werd",
    "swedish": "och att det som en på är av för med den till inte om ett han var de från har",
    "danish": "og at det er en af til på for den med som der ikke de har et fra var blev",
    "norwegian": "og det er en av til på for som med den ikke at de har et fra var ble også",
    "finnish": "ja on ei se että oli ovat kun mutta tai myös hän jos joka sekä kuin ole olla mukaan vuonna",
    "hungarian": "a az és hogy nem is egy van meg ez de volt csak mint már még vagy ki azt amely",
    "romanian": "și de în la a cu pe nu este din care că mai o sunt fost pentru ca dar prin",
    "turkish": "ve bir bu da de için ile olarak çok daha gibi olan en ne var kadar sonra ancak olduğu tarafından",
    "russian": "и в не на что с по как это из к у за от для но о был его же",
    "arabic": "في من على إلى أن عن مع هذا هذه التي الذي كان كانت ما لا قد بين بعد ذلك كما",
}
_LANGUAGES = Counter(word for words in _USUAL_WORDS.values() for word in words.split())
"""In how many languages a word is usual."""
_OF_SCRIPT = {
    "Cyrillic": ("russian",),
    "Arabic": ("arabic",),
    "Latin": tuple(name for name in _USUAL_WORDS if name not in ("russian", "arabic")),
}
"""The languages that are told apart within a script; one that has none of their words gets no stemmer."""
_OWN = {"Greek": "greek", "Tamil": "tamil"}


@dataclass(frozen=True, slots=True)
class Guess:
    """An analyser, and why it was taken, in words; empty where too little was to be seen and it is the usual one."""

    analyser: str
    reason: str = ""


def likely_analyser(texts: Iterable[str], usual: str = "english") -> Guess:
    """The analyser that suits these texts, of which the first are looked at; `usual` where that cannot be told."""
    looked_at = " ".join(text[:CHARACTERS] for text in islice(texts, TEXTS))
    letters = Counter(_script_of(character) for character in _LETTERS.findall(looked_at))
    total = letters.total()
    unspaced = sum(letters[script] for script in _UNSPACED)
    if total and unspaced > UNSPACED_SHARE * total:
        return Guess("ngram", f"mostly {_unspaced_name(letters)}")
    script, count = next(iter(letters.most_common(1)), ("", 0))
    if not total or count <= SHARE * total:
        return Guess(usual)
    if script in _OWN:
        return Guess(_OWN[script], f"mostly {script}")
    if script not in _OF_SCRIPT:
        return Guess("plain", f"mostly of a script that no stemmer is for{f' ({script})' if script else ''}")
    return _by_usual_words(_WORDS.findall(looked_at.lower()), script, usual)


def main_script(texts: Iterable[str]) -> str:
    """The script of most letters of these texts, of which the first are looked at, by its English name; "" without."""
    looked_at = " ".join(text[:CHARACTERS] for text in islice(texts, TEXTS))
    letters = Counter(_script_of(letter) or _named(letter) for letter in _LETTERS.findall(looked_at))
    script = letters.most_common(1)[0][0] if letters else ""
    return _unspaced_name(letters) if script in _UNSPACED else script


def _by_usual_words(words: list[str], script: str, usual: str) -> Guess:
    if len(words) < FEWEST_WORDS:
        return Guess(usual if script == "Latin" else _OF_SCRIPT[script][0])
    counted = Counter(words)
    shares = {name: _share(counted, len(words), name) for name in _OF_SCRIPT[script]}
    best = max(shares, key=shares.__getitem__)
    if shares[best] >= USUAL:
        return Guess(best, f"mostly {best.capitalize()}")
    if script == "Latin":
        return Guess(usual)  # names, code, tables: words without a language, or one that no stemmer is for
    return Guess("plain", f"mostly {script}, but not {_OF_SCRIPT[script][0].capitalize()}")


def _share(counted: Counter[str], words: int, language: str) -> float:
    """The share of the language's usual words; a word of several languages counts as much less."""
    return sum(counted[word] / _LANGUAGES[word] for word in _USUAL_WORDS[language].split()) / words


def _unspaced_name(letters: Counter[str]) -> str:
    """The language of a script without spaces: Japanese is written with Chinese characters too."""
    if letters["Japanese"] > letters["Chinese"] / 10:
        return "Japanese"
    return max(_UNSPACED, key=lambda script: (letters[script], script))


def _named(letter: str) -> str:
    """The script as Unicode names its letters: HEBREW LETTER SHIN is Hebrew."""
    return unicodedata.name(letter, "").partition(" ")[0].capitalize()


def _script_of(letter: str) -> str:
    code = ord(letter)
    return next((name for name, ranges in _SCRIPTS.items() if any(first <= code <= last for first, last in ranges)), "")
