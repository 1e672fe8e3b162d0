"""Whether the encoder knows the script of what is added is told from a sample, and said once."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

import pytest

from twofold.collection.adding import ENCODED_AT_ONCE
from twofold.collection.collection import Collection
from twofold.collection.opening import create
from twofold.collection.suiting import TEXTS as LOOKED_AT
from twofold.encoders.hashed_words import HashedWords
from twofold.encoders.loading import load_encoder
from twofold.protocols import Encoder

# The beginning of the Universal Declaration of Human Rights.
UNKNOWN = {
    "Chinese": "人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心，并应以兄弟关系的精神相对待。",
    "Japanese": "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。",
    "Korean": "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다.",
    "Thai": "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ",
    "Arabic": "يولد جميع الناس أحرارا متساوين في الكرامة والحقوق. وقد وهبوا عقلا وضميرا",
    "Cyrillic": "Все люди рождаются свободными и равными в своем достоинстве и правах.",
    "Hebrew": "כל בני האדם נולדו בני חורין ושווים בערכם ובזכויותיהם.",
    "Devanagari": "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है।",
}
KNOWN = {
    "english": "All human beings are born free and equal in dignity and rights.",
    "german": "Alle Menschen sind frei und gleich an Würde und Rechten geboren.",
    "french": "Tous les êtres humains naissent libres et égaux en dignité et en droits.",
    "polish": "Wszyscy ludzie rodzą się wolni i równi pod względem swej godności i swych praw.",
    "code": "def f(x, y): return x[i] + y[j] - a * b / c  # i, j, k, n, m, p, q",
    "few letters": "東京 1868",
    "numbers": "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25",
    "one name in it": "All human beings are born free and equal in 東京.",
}


@pytest.fixture(scope="module")
def embedded() -> Encoder:
    return load_encoder()


@pytest.fixture
def collection(embedded: Encoder) -> Iterator[Collection]:
    with create(None, embedded) as made:
        yield made


@pytest.mark.parametrize("script", UNKNOWN)
def test_texts_in_a_script_that_the_encoder_hardly_knows_are_reported(
    collection: Collection, script: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "twofold"):
        said = collection.add([("a", UNKNOWN[script])]).unsuited
    assert said.startswith(f"the texts are mostly {script}, which the encoder hardly knows")
    assert "BAAI/bge-m3" in said
    assert [record.getMessage().endswith(said) for record in caplog.records] == [True]


@pytest.mark.parametrize("name", KNOWN)
def test_texts_that_the_encoder_knows_are_not(collection: Collection, name: str) -> None:
    assert collection.add([("a", KNOWN[name])]).unsuited == ""


def test_titles_count_and_most_texts_decide(collection: Collection) -> None:
    strange, known = UNKNOWN["Thai"], KNOWN["english"]
    assert collection.add([{"id": "a", "title": strange, "text": "ok"}]).unsuited
    assert not collection.add([("b", strange), ("c", known), ("d", known), ("e", known)]).unsuited
    assert collection.add([("f", known), ("g", strange), ("h", strange), ("i", strange)]).unsuited


class Counting(HashedWords):
    """HashedWords that knows no writing, and counts the texts that it was asked about."""

    asked: list[int]

    def unfamiliar(self, texts: Sequence[str]) -> float:
        self.asked.append(len(texts))
        return 1.0


def test_a_few_texts_of_the_first_block_are_looked_at_and_nothing_that_is_there_already() -> None:
    encoder = Counting(16)
    encoder.asked = []
    documents = [(str(n), f"document number {n} of many") for n in range(ENCODED_AT_ONCE + 50)]
    with create(None, encoder) as made:
        assert made.add(documents).unsuited
        assert encoder.asked == [LOOKED_AT]
        assert made.add(documents).unsuited == ""
        assert encoder.asked == [LOOKED_AT]


def test_an_encoder_that_cannot_tell_is_not_asked() -> None:
    with create(None, HashedWords(16)) as made:
        assert made.add([("a", UNKNOWN["Chinese"])]).unsuited == ""
