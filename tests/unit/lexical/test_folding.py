"""All spellings that a reader takes for one are one, and nothing else is."""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twofold.lexical.analysing import Analysis, LexicalSettings
from twofold.lexical.folding import TRADE_MARKS, Folding
from twofold.lexical.index import LexicalIndex

WORDS, SIGNS = Folding("plain", words=True), Folding("ngram", words=False)
FORMS: tuple[Literal["NFC", "NFD", "NFKC", "NFKD"], ...] = ("NFC", "NFD", "NFKC", "NFKD")

SAME = [
    ("café", "cafe\u0301"),
    ("Việt Nam", unicodedata.normalize("NFD", "VIỆT NAM")),
    ("한국어", unicodedata.normalize("NFD", "한국어")),
    ("ẹ̀kọ́", unicodedata.normalize("NFD", "Ẹ̀KỌ́")),
    ("cooperate", "co\u00adop\u200ber\u2060ate"),
    ("\ufeffbyte order", "byte order"),
    ("left\u200e to right", "left to right"),
    ("می‌خواهم", "میخواهم"),
    ("क्‍ष", "क्ष"),
    ("office flow", "oﬃce ﬂow"),
    ("œuvre Æsop", "oeuvre aesop"),
    ("ＡＢＣ１２３", "abc123"),
    ("ｶﾞｲﾄﾞ", "ガイド"),
    ("İstanbul", "istanbul"),
    ("I\u0307stanbul", "istanbul"),
    ("İSTANBUL".lower(), "istanbul"),
    ("Iğdır", "IĞDIR"),
    ("Straße", "STRASSE"),
    ("ẞ", "ss"),
    ("ΟΔΥΣΣΕΥΣ", "οδυσσευς"),
    ("العـــربية", "العربية"),
    ("كِتَابٌ", "كتاب"),
    ("שָׁלוֹם", "שלום"),
    ("ﷺ", "صلى الله عليه وسلم"),
    ("١٩٨٤", "1984"),
    ("１९८४", "1984"),
    ("it’s", "it's"),
    ("Hawaiʻi", "Hawai'i"),
    ("well\u2011known", "well-known"),
    ("a\u00a0b\u3000c\u2028d", "a b c d"),
    ("H₂O m²", "h2o m2"),
    ("Twofold™", "twofold"),
    ("\u00c5ngstr\u00f6m", "\u212bngstr\u00f6m"),
    ("ﾊﾝｸﾞﾙ", "ハングル"),
    ("神", "\ufa19"),
    ("⼈", "人"),
    ("𝐛𝐨𝐥𝐝", "bold"),
    ("România știre", "românia ştire"),
    ("\ud800red", "red"),
    ("red\0whale", "red whale"),
]
DIFFERENT = [
    ("resume", "résumé"),
    ("schon", "schön"),
    ("ano", "año"),
    ("ма", "мӑ"),
    ("कि", "क"),
    ("हिन्दी", "हिनदी"),
    ("สวย", "สวาย"),
    ("か", "が"),
    ("l", "1"),
    ("o", "ø"),
    ("type 1", "type 2"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_spellings_of_one_word_are_one(one: str, other: str) -> None:
    assert WORDS(one).split() == WORDS(other).split() != []


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_letters_that_tell_words_apart_stay(one: str, other: str) -> None:
    assert WORDS(one) != WORDS(other)
    assert SIGNS(one) != SIGNS(other)


def stands_alone(character: str) -> bool:
    """Whether a character is a sign of its own, though its compatible form is part of a word."""
    return character in TRADE_MARKS or unicodedata.normalize("NFKC", character).startswith(" ")


@pytest.mark.parametrize("fold", [WORDS, SIGNS], ids=["words", "signs"])
def test_every_character_is_folded_the_same_in_every_form(fold: Folding) -> None:
    every = "".join(f"x{chr(code)}y" for code in range(sys.maxunicode + 1) if not stands_alone(chr(code)))
    folded = fold(every)
    assert fold(folded) == folded
    assert fold(every.casefold()) == folded
    for form in FORMS:
        assert fold(unicodedata.normalize(form, every)) == folded, form


@settings(max_examples=500, deadline=None)
@given(st.text(st.characters(exclude_categories=[]), max_size=12))
def test_folding_any_text_twice_changes_nothing(text: str) -> None:
    for fold in (WORDS, SIGNS):
        folded = fold(text)
        assert fold(folded) == folded
        assert fold(unicodedata.normalize("NFD", text)) == fold(unicodedata.normalize("NFC", text)) == folded
        folded.encode()


@given(st.text(st.characters(max_codepoint=127)))
def test_ascii_is_only_put_in_lower_case(text: str) -> None:
    assert WORDS(text).split() == "".join(c if c.isalnum() else " " for c in text.lower()).split()


def test_marks_that_belong_to_a_letter_do_not_divide_a_word() -> None:
    for word in ("हिन्दी", "தமிழ்", "ภาษาไทย", "ខ្មែរ", "ẹ̀kọ́", "বাংলা"):
        assert WORDS(f"({word})").split() == [WORDS(word)]


def test_a_zero_width_space_divides_words_only_where_it_is_their_only_sign() -> None:
    assert WORDS("ភាសា\u200bខ្មែរ").split() == ["ភាសា", "ខ្មែរ"]
    assert WORDS("zero\u200bwidth") == "zerowidth"
    assert SIGNS("ภาษา\u200bไทย") == "ภาษาไทย"


def test_signs_stay_for_ngrams_and_emoji_are_one_with_and_without_what_is_not_seen() -> None:
    assert SIGNS("a->b “x”") == 'a->b "x"'
    assert SIGNS("❤️") == SIGNS("❤")
    assert SIGNS("👩\u200d💻") == SIGNS("👩💻")
    assert WORDS("👩\u200d💻 ❤️").split() == []


def test_turkish_keeps_its_two_letters_apart_and_other_languages_do_not_know_them() -> None:
    turkish = Folding("turkish", words=True)
    assert turkish("ISPARTA") == turkish("ısparta") == "ısparta"
    assert turkish("İZMİR") == turkish("I\u0307zmir") == turkish("izmir") == "izmir"
    assert WORDS("ISPARTA") == WORDS("ısparta") == "isparta"


def test_danish_stop_words_with_a_letter_of_their_own_are_known() -> None:
    assert Folding("danish", words=True)("Æble") == "æble"
    assert Folding("english", words=True)("Æble") == "aeble"


@pytest.mark.parametrize("analyser", ["english", "plain", "ngram", "german"])
def test_either_spelling_finds_documents_of_both(tmp_path: Path, analyser: str) -> None:
    texts = [text.replace("\ud800", "") for pair in SAME for text in pair]  # a document has no lone surrogate
    made = LexicalIndex.create(tmp_path, LexicalSettings(analyser=analyser))
    documents = ((n, f"{text} end") for n, text in enumerate(texts))
    index = made.extended(documents, len(texts)).reader()
    numbers, analysis = np.arange(len(texts)), Analysis(LexicalSettings(analyser=analyser))
    for place in range(0, len(texts), 2):
        for query in texts[place : place + 2]:
            scores = index.scores(query, numbers)[place : place + 2]
            # Stop words, and what is shorter than an n-gram, are never found.
            assert (scores > 0).tolist() == [bool(analysis.terms(query))] * 2, query
