"""How well a tokenizer knows the writing of texts: the share of their letters that it makes no words or syllables of.

A model has learned nothing from unknown tokens, and next to nothing from single letters. Letters are counted, not
tokens, since one unknown token may be a whole sentence of a script without spaces.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from tokenizers import Encoding

SYLLABLES = ((0x3040, 0x30FF), (0x3400, 0x9FFF), (0xAC00, 0xD7AF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF))
"""Kana, Chinese characters, Hangul: one is a syllable or a word, so a token of one alone says something."""
LACKED = 0.1
"""A vocabulary that lacks more than this share of the syllables was not made from their language, and those that it has
say little. The embedded encoder's lacks a third to a half of the characters of Chinese texts; a Chinese one hardly any.
"""


def unfamiliar_share(texts: Iterable[str], encodings: Iterable[Encoding], unknown: int | None) -> float:
    """The share, from 0 to 1, of letters in unknown tokens, in pieces of a letter, and alone in a token within a word.

    encodings: of the texts, without special tokens. unknown: the number of the unknown token. 0 where there are no
    letters.
    """
    letters = lost = syllables = lacked = 0
    for text, encoding in zip(texts, encodings, strict=True):
        lengths = _lengths(len(text), encoding, unknown)
        is_letter = [unicodedata.category(character)[0] in "LM" for character in text]
        for place, length in enumerate(lengths):
            if not is_letter[place] or length is None:
                continue
            if any(first <= ord(text[place]) <= last for first, last in SYLLABLES):
                syllables += 1
                lacked += length == 0
            else:
                letters += 1
                in_a_word = any(is_letter[max(place - 1, 0) : place] + is_letter[place + 1 : place + 2])
                lost += length == 0 or (length == 1 and in_a_word)
    if lacked > LACKED * syllables:
        lacked = syllables
    return (lost + lacked) / (letters + syllables) if letters + syllables else 0.0


def _lengths(characters: int, encoding: Encoding, unknown: int | None) -> list[int | None]:
    """For each character the length of its token: 0 where it is unknown or in pieces, None where it is in no token."""
    lengths: list[int | None] = [None] * characters
    for number, (start, end) in zip(encoding.ids, encoding.offsets, strict=True):
        for place in range(start, end):
            whole = lengths[place] is None and number != unknown
            lengths[place] = end - start if whole else 0
    return lengths
