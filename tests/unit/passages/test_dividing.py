"""Passages of a size end where the text divides itself, repeat whole sentences, and no setting is taken wrongly."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from twofold.collection.opening import create
from twofold.collection.settings import Settings
from twofold.documents import Document
from twofold.encoders.given_vectors import GivenVectors
from twofold.encoders.hashed_words import HashedWords
from twofold.errors import InputError
from twofold.passages.dividing import Division, divide
from twofold.passages.sizes import Sizes, checked_mode, sizes_of

READER = HashedWords(1024)
"""A token is a word here, or a mark."""


def division(text: str, tokens: int, overlap: int = 0, title: str = "") -> Division:
    return divide([Document("d", text, title)], READER, {"tokens": tokens, "overlap": overlap})[0]


def passages(text: str, tokens: int, overlap: int = 0) -> list[str]:
    return [text[start:end] for start, end in division(text, tokens, overlap).spans.tolist()]


def words(name: str, count: int) -> str:
    return " ".join(f"{name}{n}" for n in range(count))


def test_a_text_that_fits_is_one_passage_as_it_stands() -> None:
    assert passages("  Two words. \n", 8) == ["  Two words. \n"]


def test_passages_end_where_paragraphs_do() -> None:
    paragraphs = [f"{words(name, 11)}.\n\n" for name in "abc"]
    assert passages("".join(paragraphs), 16) == paragraphs


def test_a_section_begins_a_passage() -> None:
    first, second = f"# One\n\n{words('a', 9)}.\n\n", f"# Two\n\n{words('b', 9)}.\n"
    assert passages(first + second, 18) == [first, second]


def test_a_heading_is_not_parted_from_what_follows_it() -> None:
    text = f"{words('a', 10)}.\n\n## Heading\n\n{words('b', 10)}.\n"
    assert passages(text, 16)[1].startswith("## Heading\n\nb0")


def test_sentences_are_whole_where_they_fit() -> None:
    sentences = [f"{words(name, 9)}. " for name in "ABCDEF"]
    assert passages("".join(sentences), 21) == ["".join(sentences[at : at + 2]) for at in (0, 2, 4)]


def test_code_is_whole_where_it_fits() -> None:
    code = "```\n" + "".join(f"{words('x', 3)}\n\n" for _ in range(3)) + "```\n"
    text = f"{words('a', 9)}.\n\n{code}\n{words('b', 9)}.\n"
    assert any(code in passage for passage in passages(text, 24))


def test_an_overlap_repeats_whole_sentences_and_no_heading_is_preceded_by_one() -> None:
    sentences = [f"{words(name, 4)}. " for name in "ABCDEF"]
    found = passages("".join(sentences) + "\n\n# Next\n\n" + words("g", 12), 18, 6)
    assert found[1].startswith("B0") or found[1].startswith("C0")
    assert found[0].endswith(found[1].split(". ")[0] + ". ")
    assert any(passage.startswith("# Next") for passage in found)


def test_every_passage_carries_the_title() -> None:
    found = division(words("a", 60), 16, 0, "A title")
    assert len(found.inputs) > 3
    assert all(text.startswith("A title a") and len(text.split()) <= 16 for text in found.inputs)


def test_what_an_encoder_reads_limits_the_size() -> None:
    found = divide([Document("d", words("a", 3 * READER.token_limit))], READER, {"tokens": 10**6, "overlap": 0})[0]
    assert [len(text.split()) for text in found.inputs] == [READER.token_limit] * 3


def test_a_change_moves_the_boundaries_near_it_alone() -> None:
    text = "".join(f"{words(f'p{n}x', 9 + n % 5)}.\n\n" for n in range(60))
    before, after = passages(text, 40), passages(text.replace("p30x0", "new words here p30x0"), 40)
    assert len(set(after) - set(before)) <= 4


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        ("windows", "passages is 'auto', 'none' or"),
        ({}, "passages is 'auto', 'none' or"),
        ({"overlap": 3}, "passages is 'auto', 'none' or"),
        ({"tokens": 100, "size": 3}, "passages is 'auto', 'none' or"),
        ({"tokens": 7}, "tokens of passages are a count from 8 on, not 7"),
        ({"tokens": "many"}, "not 'many'"),
        ({"tokens": True}, "not True"),
        ({"tokens": 90, "overlap": 31}, "overlap of at most 30, not 31"),
        ({"tokens": 90, "overlap": -1}, "overlap of passages are a count from 0 on"),
    ],
)
def test_a_setting_that_says_nothing_is_refused(mode: object, said: str) -> None:
    with pytest.raises(InputError, match=said):
        checked_mode(mode)


def test_a_setting_is_stored_with_its_overlap() -> None:
    settings = Settings(passages={"tokens": 200})
    assert settings.to_json()["passages"] == {"tokens": 200, "overlap": 25}
    assert Settings.from_json(settings.to_json()) == settings
    assert sizes_of(settings.passages) == Sizes(tokens=200, overlap=25)
    assert sizes_of("auto") is sizes_of("none") is None


@pytest.mark.parametrize("mode", [{"tokens": 40}, {"tokens": 40, "overlap": 4}])
def test_a_collection_divides_by_its_sizes_and_hits_show_the_passage(mode: Mapping[str, int]) -> None:
    text = "".join(f"{words(name, 20)}.\n\n" for name in "abcdef")
    with create(None, READER, passages=mode) as collection:
        report = collection.add([Document("d", text)])
        (hit,) = collection.search("e3 e4 e5", k=1, mode="dense")
        assert report.passages > 3
        start, end = hit.passage.start, hit.passage.end
        assert "e3 e4 e5" in text[start:end]
        assert hit.passage.text == text[start:end]
        assert "passages of up to 40 tokens" in collection.info().facts()["documents"]


def test_sizes_are_refused_for_an_encoder_that_does_not_say_how_it_reads() -> None:
    with pytest.raises(InputError, match="says how it reads"):
        create(None, GivenVectors(4), passages={"tokens": 100})


def test_more_than_the_encoder_reads_at_once_is_refused() -> None:
    most = READER.token_limit
    with pytest.raises(InputError, match=f"ask for at most {most}"):
        create(None, READER, passages={"tokens": most + 1})
    create(None, READER, passages={"tokens": most}).close()
