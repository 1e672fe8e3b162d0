from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from twofold.encoders.hashed_words import HashedWords
from twofold.encoders.loading import load_encoder
from twofold.encoders.similarity import similarity
from twofold.errors import InputError
from twofold.evaluation.sentences import evaluate_sentences
from twofold.readers.pairs import read_pairs
from twofold.reports import EncodingReport
from twofold.scores import Vectors

PAIRS = [
    ("a cat sat on the mat", "a cat sat on the mat", 5.0),
    ("a cat sat on the mat", "a cat lay on the mat", 4.0),
    ("a cat sat on the mat", "a dog lay on a sofa", 1.5),
    ("a cat sat on the mat", "rates rose again", 0.0),
]


def test_an_encoder_that_scores_as_people_do_correlates_fully() -> None:
    report = EncodingReport()
    evaluation = evaluate_sentences(HashedWords(256), PAIRS, report=report)
    assert evaluation.pairs == 4
    assert evaluation.spearman.value == pytest.approx(100)
    assert 90 < evaluation.pearson.value < 100
    assert evaluation.pearson.low <= evaluation.pearson.value <= evaluation.pearson.high
    assert report.texts == 8


class QuerySideOnly(HashedWords):
    """Has no document side."""

    def encode_documents(self, texts: Sequence[str], *, report: EncodingReport | None = None) -> Vectors:
        raise AssertionError("neither sentence is a document")


def test_both_sentences_go_to_the_query_side() -> None:
    assert evaluate_sentences(QuerySideOnly(256), PAIRS) == evaluate_sentences(HashedWords(256), PAIRS)


def test_the_correlation_turns_with_the_judgements() -> None:
    turned = [(first, second, -judged) for first, second, judged in PAIRS]
    assert evaluate_sentences(HashedWords(256), turned).spearman.value == pytest.approx(-100)


def test_it_prints_as_a_table_and_goes_to_json() -> None:
    evaluation = evaluate_sentences(HashedWords(256), PAIRS)
    assert "spearman (×100)" in evaluation.table().to_text()
    assert json.loads(json.dumps(evaluation.to_json())).keys() == {"spearman", "pearson", "pairs"}


def test_too_few_pairs_and_equal_judgements_are_refused() -> None:
    with pytest.raises(InputError, match="at least two pairs, not 1"):
        evaluate_sentences(HashedWords(8), PAIRS[:1])
    with pytest.raises(InputError, match="all of one side are equal"):
        evaluate_sentences(HashedWords(8), [(first, second, 1.0) for first, second, _ in PAIRS])


@pytest.mark.data
def test_the_embedded_encoder_reaches_its_published_figure(judged: Path) -> None:
    encoder = load_encoder()
    pairs = [(pair.query, pair.positive, pair.score or 0.0) for pair in read_pairs(judged / "sts/stsb-en-test.tsv.xz")]
    evaluation = evaluate_sentences(encoder, pairs)
    assert evaluation.pairs == 1379
    assert evaluation.spearman.value == pytest.approx(82.03, abs=0.3)
    one = similarity([pairs[0][0]], [pairs[0][1]], encoder=encoder)
    assert one.shape == (1, 1)
