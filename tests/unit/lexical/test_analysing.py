"""Texts become terms as the settings say."""

from __future__ import annotations

import json

import pytest

from twofold.errors import InputError
from twofold.lexical.analysing import ANALYSERS, Analysis, LexicalSettings


@pytest.mark.parametrize("name", ANALYSERS)
def test_settings_go_to_json_and_back_and_every_analyser_reads_any_text(name: str) -> None:
    settings = LexicalSettings(analyser=name)
    assert LexicalSettings.from_json(json.loads(json.dumps(settings.to_json()))) == settings
    for text in ("", "\0", "a", "Ein Haus, 東京タワー и дом", "\U0001f600" * 50, "x" * 100_000):
        Analysis(settings).terms(text)


def test_english_words_lose_their_endings_stop_words_and_single_letters() -> None:
    assert Analysis(LexicalSettings()).terms("The Houses of s, a 7 and RUNNING 42") == ["hous", "7", "run", "42"]


def test_plain_words_stay_as_they_are_but_for_their_case() -> None:
    assert Analysis(LexicalSettings(analyser="plain")).terms("The C-Houses of x") == ["the", "c", "houses", "of", "x"]


def test_ngrams_find_inside_of_scripts_without_spaces() -> None:
    assert Analysis(LexicalSettings(analyser="ngram")).terms("東京都") == ["東京", "東京都", "京都"]


def test_a_run_of_letters_that_is_no_word_is_left_out() -> None:
    assert Analysis(LexicalSettings()).terms("ab " + "x" * 256 + " " + "y" * 255) == ["ab", "y" * 255]


@pytest.mark.parametrize(
    "wrong",
    [{"analyser": "klingon"}, {"shortest": 0}, {"shortest": 3, "longest": 2}, {"longest": 9}, {"longest": True}],
)
def test_settings_that_mean_nothing_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError):
        LexicalSettings.from_json(wrong)


@pytest.mark.parametrize("name", ANALYSERS)
def test_what_is_read_of_a_text_are_its_terms_in_their_places(name: str) -> None:
    analysis = Analysis(LexicalSettings(analyser=name))
    for text in (
        "The Houses of s, a 7 and RUNNING 42",
        "Ein Haus, daß 東京タワー и дом αγε πάω",
        "x" * 256 + " y " + "z" * 255,
        "",
    ):
        ids, written = analysis.read(text)
        terms = [analysis.vocabulary.terms[each] for each in ids if each]
        assert terms == analysis.terms(text) == analysis.written.analyze(written)
        if not analysis.grams:
            places = [place for place, each in enumerate(ids) if each]
            assert list(zip(places, terms, strict=True)) == analysis.placed(text)


def test_a_word_whose_stem_would_be_empty_stays_as_it_is() -> None:
    assert Analysis(LexicalSettings(analyser="greek")).terms("αγε") == ["αγε"]
