"""Hard negatives: near the question, not its answer, and never what is held out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from twofold.collection.collection import Collection
from twofold.collection.opening import create
from twofold.documents import Document
from twofold.encoders.hashed_words import HashedWords
from twofold.errors import InputError
from twofold.reports import EncodingReport
from twofold.scores import Vectors
from twofold.training.examples import Examples
from twofold.training.mining import mine
from twofold.training.settings import TrainingSettings

TEXTS = {
    "answer": "red fox jumps high",
    "copy": "red fox jumps high",
    "close": "red fox jumps",
    "hard": "red fox house",
    "dev": "red fox garden",
    "easy": "green whale",
    "far": "yellow mountain",
}


@pytest.fixture
def collection() -> Iterator[Collection]:
    with create(None, HashedWords(4096)) as made:
        made.add(Document(name, text) for name, text in TEXTS.items())
        yield made


def examples(positive: str = "answer") -> Examples:
    documents = {name: Document(name, text) for name, text in TEXTS.items()}
    return Examples("zoo", {"q": "red fox jumps"}, documents, {"q": (positive,)})


def test_a_negative_is_near_and_not_too_near(collection: Collection) -> None:
    settings = TrainingSettings(negatives=1, margin=0.95)
    triplets, report = mine(collection, examples(), ["q"], {"dev"}, settings)
    assert [each.to_json() for each in triplets] == [["q", "answer", ["hard"]]]
    assert (report.judged, report.same_text, report.margin, report.held_out) == (1, 1, 1, 1)
    assert (report.kept, report.filled) == (1, 0)
    assert report.candidates == len(TEXTS)


def test_the_margin_is_a_share_of_the_answers_score(collection: Collection) -> None:
    [triplet], report = mine(collection, examples("hard"), ["q"], set(), TrainingSettings(margin=0.01))
    assert report.margin >= 4  # all that share a word with the question
    assert triplet.negatives[0] in ("easy", "far")
    [triplet], report = mine(collection, examples(), ["q"], set(), TrainingSettings(margin=1.0, negatives=2))
    assert report.margin == 1  # the one that repeats the question
    assert set(triplet.negatives) == {"dev", "hard"}


def test_the_window_skips_the_first_ranks(collection: Collection) -> None:
    settings = TrainingSettings(negatives=1, window=(5, 7))
    [triplet], report = mine(collection, examples(), ["q"], set(), settings)
    assert triplet.negatives[0] in ("easy", "far")
    assert report.candidates == 2


def test_places_that_the_window_leaves_are_filled_from_what_is_allowed(collection: Collection) -> None:
    settings = TrainingSettings(negatives=3, window=(0, 1), seed=1)
    [triplet], report = mine(collection, examples(), ["q"], {"dev", "hard"}, settings)
    assert len(triplet.negatives) == 3
    assert not {"answer", "dev", "hard"} & set(triplet.negatives)
    assert report.filled == 3 - report.kept
    assert mine(collection, examples(), ["q"], {"dev", "hard"}, settings)[0] == [triplet]


def test_none_are_mined_where_none_are_asked_for(collection: Collection) -> None:
    [triplet], report = mine(collection, examples(), ["q"], set(), TrainingSettings(negatives=0))
    assert triplet.negatives == ()
    assert report.candidates == 0


def test_too_few_documents_are_said(collection: Collection) -> None:
    with pytest.raises(InputError, match="7 documents are too few"):
        mine(collection, examples(), ["q"], set(), TrainingSettings(negatives=7))


def test_what_the_teacher_takes_for_an_answer_is_no_negative(collection: Collection) -> None:
    class Teacher(HashedWords):
        """Takes the house for an answer, whatever it is asked."""

        def encode_documents(self, texts: Sequence[str], *, report: EncodingReport | None = None) -> Vectors:
            vectors = super().encode_documents(texts, report=report)
            for place, text in enumerate(texts):
                if "house" in text:
                    vectors[place] = self.encode_queries(["red fox jumps"])[0]
            return vectors

    settings = TrainingSettings(negatives=1, margin=0.95)
    [triplet], report = mine(collection, examples(), ["q"], {"dev"}, settings, Teacher(4096))
    assert triplet.negatives[0] in ("easy", "far")
    assert report.teacher == 1
    assert report.false_negatives is not None
    assert report.false_negatives == pytest.approx((1.0, 0.2065, 1.0), abs=1e-3)  # one of one, by Wilson
    assert "1 by the teacher, who takes 100.0% [20.7%, 100.0%]" in str(report)
    _, without = mine(collection, examples(), ["q"], {"dev"}, settings)
    assert (without.teacher, without.false_negatives) == (0, None)


def test_negatives_that_came_with_the_data_go_first(collection: Collection) -> None:
    given = replace(examples(), negatives={"q": ("far", "dev")})
    [triplet], report = mine(collection, given, ["q"], {"dev"}, TrainingSettings(negatives=2))
    assert triplet.negatives == ("far", "hard")
    assert (report.given, report.kept) == (1, 2)
