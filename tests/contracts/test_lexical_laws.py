"""Whatever scores documents by their terms keeps the laws of `LexicalReader`."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from twofold.lexical import reading
from twofold.lexical.analysing import LexicalSettings
from twofold.lexical.index import LexicalIndex
from twofold.lexical.reading import LexicalReader
from twofold.lexical.stretches import Tail, Text, recorded
from twofold.scores import Mask, Scores

DOCUMENTS = 2_500
RNG = np.random.default_rng(11)
WORDS = [f"word{number}" for number in range(400)]
RARE_FIRST = 1 / np.arange(1, len(WORDS) + 1)


def text_of(length: int) -> str:
    return " ".join(RNG.choice(WORDS, size=length, p=RARE_FIRST / RARE_FIRST.sum()))


TEXTS = [text_of(int(length)) for length in RNG.integers(3, 60, DOCUMENTS)]
QUERIES = [text_of(int(length)) for length in RNG.integers(1, 12, 40)] + [
    text_of(200),
    "word1 word1 word1 word9 word30",
]
EVERYTHING: Mask = np.ones(DOCUMENTS, np.bool_)
NUMBERS = np.arange(DOCUMENTS)


def passages_of(text: str) -> list[str]:
    """Long documents have three passages of equal length."""
    words = text.split()
    third = len(words) // 3
    cuts = (words[:third], words[third : 2 * third], words[2 * third :])
    return [" ".join(each) for each in cuts] if len(words) > 30 else []


def documents(first: int, end: int) -> list[Text]:
    return [Text(number, TEXTS[number], passages_of(TEXTS[number])) for number in range(first, end)]


def index_of(folder: Path, *ends: int) -> LexicalIndex:
    """An index that has read as far as each of these numbers, one after the other."""
    index = LexicalIndex.create(folder, LexicalSettings(analyser="plain"))
    for end in ends:
        index = index.extended(documents(index.end, end), end)
    return index


def tail_of(index: LexicalIndex) -> Tail:
    records = recorded(index.analysis, index.end, documents(index.end, DOCUMENTS), DOCUMENTS)
    tail = Tail(index.folder, records)
    tail.make_matchable(index.analysis, documents(index.end, DOCUMENTS))
    return tail


def whole(folder: Path) -> LexicalReader:
    return index_of(folder, DOCUMENTS).reader(passages=True)


def in_many_commits(folder: Path) -> LexicalReader:
    return index_of(folder, *range(250, DOCUMENTS + 1, 250)).reader(passages=True)


def half_of_it_in_memory(folder: Path) -> LexicalReader:
    index = index_of(folder, 900, 1_300)
    return index.reader(tail_of(index), passages=True)


def all_of_it_in_memory(folder: Path) -> LexicalReader:
    index = index_of(folder)
    return index.reader(tail_of(index), passages=True)


def asked_in_the_query_language(folder: Path) -> LexicalReader:
    index = index_of(folder, 2_000)
    return index.reader(tail_of(index), passages=True).with_query_language()


MADE = [whole, in_many_commits, half_of_it_in_memory, all_of_it_in_memory, asked_in_the_query_language]


@pytest.fixture(scope="module", params=MADE, ids=lambda make: make.__name__)
def lexical(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> LexicalReader:
    make: Callable[[Path], LexicalReader] = request.param
    return make(tmp_path_factory.mktemp("lexical"))


@pytest.fixture(autouse=True, params=["by proposals", "by looking through all"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever takes less time; both have to find the same."""
    monkeypatch.setattr(reading, "POSTINGS_A_PROPOSAL", 1 if request.param == "by proposals" else 10**9)
    monkeypatch.setattr(reading, "DIRECTLY", 1)


@pytest.fixture(params=[None, 0.9, 0.5, 0.005], ids=["all", "most", "half", "few"])
def allowed(request: pytest.FixtureRequest) -> Mask:
    return EVERYTHING if request.param is None else RNG.random(DOCUMENTS) < request.param


@pytest.fixture(scope="module")
def every_score(lexical: LexicalReader) -> dict[str, Scores]:
    return {query: lexical.scores(query, NUMBERS) for query in (*QUERIES[:4], QUERIES[-1])}


def test_candidates_are_the_best_of_all_scores_with_all_that_tie_with_the_last(
    lexical: LexicalReader, every_score: dict[str, Scores], allowed: Mask
) -> None:
    for query, scores in every_score.items():
        for count in (1, 7, 50):
            among = np.where(allowed, scores, 0)
            falling = np.argsort(-among, kind="stable")
            last = among[falling[count - 1]] if count < len(falling) else 0
            expected = falling[(among[falling] >= last) & (among[falling] > 0)]
            numbers, found = lexical.candidates(query, count, allowed)
            assert numbers.tolist() == expected.tolist()
            assert found.tobytes() == scores[expected].tobytes()
            assert numbers.dtype == np.int64
            assert found.dtype == np.float32


def test_a_score_has_the_same_bits_alone_and_in_every_company(lexical: LexicalReader) -> None:
    for query in QUERIES[-4:]:
        together = lexical.scores(query, NUMBERS[:200])
        alone = np.concatenate([lexical.scores(query, NUMBERS[number : number + 1]) for number in range(200)])
        assert together.tobytes() == alone.tobytes()
        shuffled = RNG.permutation(200)
        assert lexical.scores(query, NUMBERS[shuffled]).tobytes() == together[shuffled].tobytes()


def test_more_candidates_begin_with_fewer(lexical: LexicalReader) -> None:
    for query in QUERIES[:20]:
        many, scores = lexical.candidates(query, 100, EVERYTHING)
        few, their = lexical.candidates(query, 10, EVERYTHING)
        assert few.tolist() == many[: len(few)].tolist()
        assert their.tobytes() == scores[: len(few)].tobytes()
        assert len(few) == min(len(many), 10) or their[9] == their[-1]


def test_what_shares_no_term_scores_nothing_and_is_no_candidate(lexical: LexicalReader) -> None:
    assert lexical.scores("absent", NUMBERS).tolist() == [0] * DOCUMENTS
    assert len(lexical.candidates("absent", 10, EVERYTHING)[0]) == 0
    assert lexical.evidence("absent", NUMBERS).tolist() == [0] * DOCUMENTS
    having = {number for number, text in enumerate(TEXTS) if "word300" in text.split()}
    assert set(lexical.candidates("word300", DOCUMENTS, EVERYTHING)[0].tolist()) == having


def test_evidence_is_the_sum_of_emphasised_terms_by_the_share_of_the_query_that_is_there(
    lexical: LexicalReader,
) -> None:
    terms = ["word390", "word0", "word7"]
    frequencies = {term: sum(term in text.split() for text in TEXTS) for term in terms}
    rarities = {term: math.log1p((DOCUMENTS - n + 0.5) / (n + 0.5)) for term, n in frequencies.items()}
    rarest = math.log1p((DOCUMENTS - 0.5) / 1.5)
    weights = {term: rarity**1.5 / rarest for term, rarity in rarities.items()}
    parts = {term: lexical.scores(term, NUMBERS).astype(np.float64) / rarities[term] for term in terms}
    had = sum(weights[term] * (parts[term] > 0) for term in terms)
    expected = sum(weights[term] * parts[term] for term in terms) * (had / sum(weights.values())) ** 0.25
    assert lexical.evidence(" ".join(terms), NUMBERS) == pytest.approx(expected, rel=1e-5)
    assert weights["word390"] / weights["word0"] > rarities["word390"] / rarities["word0"]


def test_evidence_has_the_same_bits_alone_and_in_every_company(lexical: LexicalReader) -> None:
    for query in QUERIES[-4:]:
        together = lexical.evidence(query, NUMBERS[:200])
        alone = np.concatenate([lexical.evidence(query, NUMBERS[number : number + 1]) for number in range(200)])
        assert together.tobytes() == alone.tobytes()
        shuffled = RNG.permutation(200)
        assert lexical.evidence(query, NUMBERS[shuffled]).tobytes() == together[shuffled].tobytes()


def test_the_evidence_of_passages_is_that_of_documents_which_are_these_passages(
    lexical: LexicalReader, tmp_path: Path
) -> None:
    """Documents of one passage count as one passage in the statistics, and have no evidence of passages."""
    alone = [passages_of(text) or [text] for text in TEXTS]
    every = [passage for passages in alone for passage in passages]
    index = LexicalIndex.create(tmp_path, LexicalSettings(analyser="plain")).extended(enumerate(every), len(every))
    several = np.repeat([len(passages) > 1 for passages in alone], list(map(len, alone)))
    for query in QUERIES[-4:]:
        found = lexical.passage_evidence(query, NUMBERS)
        assert found is not None
        assert found[0].tolist() == [len(passages) if len(passages) > 1 else 0 for passages in alone]
        expected = index.reader().evidence(query, np.flatnonzero(several))
        assert found[1].tobytes() == expected.tobytes()


def test_the_scores_of_passages_are_those_of_documents_which_are_these_passages(
    lexical: LexicalReader, tmp_path: Path
) -> None:
    alone = [passages_of(text) or [text] for text in TEXTS]
    every = [passage for passages in alone for passage in passages]
    index = LexicalIndex.create(tmp_path, LexicalSettings(analyser="plain")).extended(enumerate(every), len(every))
    for query in QUERIES[-4:]:
        found = lexical.passage_scores(query, NUMBERS)
        assert found is not None
        assert found[0].tolist() == list(map(len, alone))
        assert found[1].tobytes() == index.reader().scores(query, np.arange(len(every))).tobytes()
        parts = [lexical.passage_scores(query, NUMBERS[number : number + 1]) for number in range(200)]
        together = lexical.passage_scores(query, NUMBERS[:200])
        assert together is not None
        assert together[1].tobytes() == b"".join(each[1].tobytes() for each in parts if each is not None)


def test_the_evidence_of_a_passage_has_the_same_bits_alone_and_in_every_company(lexical: LexicalReader) -> None:
    for query in QUERIES[-4:]:
        together = lexical.passage_evidence(query, NUMBERS[:200])
        alone = [lexical.passage_evidence(query, NUMBERS[number : number + 1]) for number in range(200)]
        assert together is not None
        assert together[1].tobytes() == b"".join(each[1].tobytes() for each in alone if each is not None)


def test_without_passages_there_is_neither_evidence_nor_a_score_of_them(tmp_path: Path) -> None:
    reader = index_of(tmp_path, 10).reader()
    assert reader.passage_evidence("word1", NUMBERS[:5]) is None
    assert reader.passage_scores("word1", NUMBERS[:5]) is None


def test_nothing_allowed_and_nothing_asked_for_give_nothing(lexical: LexicalReader) -> None:
    assert len(lexical.candidates("word1", 10, np.zeros(DOCUMENTS, np.bool_))[0]) == 0
    assert len(lexical.candidates("word1", 0, EVERYTHING)[0]) == 0
    assert len(lexical.scores("word1", NUMBERS[:0])) == 0


def test_numbers_beyond_what_is_allowed_or_known_are_not_found(lexical: LexicalReader) -> None:
    numbers, _ = lexical.candidates("word1", DOCUMENTS, EVERYTHING[:100])
    assert len(numbers)
    assert numbers.max() < 100
    assert lexical.scores("word1", np.array([DOCUMENTS + 5, 10**12])).tolist() == [0, 0]


def test_words_alone_restrict_nothing_and_are_what_a_vector_is_made_of(lexical: LexicalReader) -> None:
    for query in QUERIES[:5]:
        assert lexical.restriction(query) is None
        assert lexical.text(query) == query
