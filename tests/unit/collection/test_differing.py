"""What `differences` and `verify --against` see: every kind of difference, and none where there is none."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import twofold
from twofold.cli.main import main
from twofold.collection import differing
from twofold.collection.collection import Collection
from twofold.collection.ranking_differences import ranking_difference
from twofold.encoders.given_vectors import GivenVectors
from twofold.encoders.hashed_words import HashedWords
from twofold.errors import InputError

VECTORS = np.random.default_rng(5).normal(size=(40, 16)).astype(np.float32)
DOCUMENTS = [
    {"id": f"d{n}", "title": f"Title {n}", "text": f"First. Sentence {n} has word{n % 7}.", "n": n} for n in range(40)
]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(differing, "AT_ONCE", 7)


@pytest.fixture(scope="module")
def first() -> Iterator[Collection]:
    with filled() as made:
        yield made


def filled(documents: list[dict[str, object]] = DOCUMENTS, vectors: object = VECTORS) -> Collection:
    made = twofold.create(None, GivenVectors(16))
    made.add(documents, vectors=np.asarray(vectors))
    return made


def shuffled() -> Collection:
    return filled(vectors=np.roll(VECTORS, 1, axis=0))


def changed(place: int, **fields: object) -> list[dict[str, object]]:
    documents = [dict(each) for each in DOCUMENTS]
    documents[place].update(fields)
    return documents


def bent() -> Collection:
    vectors = VECTORS.copy()
    vectors[17] *= -1
    return filled(vectors=vectors)


def test_equal_collections_have_no_difference_whatever_their_order(first: Collection) -> None:
    with filled(DOCUMENTS[::-1], VECTORS[::-1]) as second:
        second.add({"id": "gone", "text": "for a while"}, vectors=VECTORS[:1])
        second.delete("gone")
        second.optimize()
        found = first.differences(second)
    assert found.same, found.named
    assert (found.compared, found.vector, found.changed, found.moved) == (40, 0, 0, 0)
    assert {each.mode: each.overlap for each in found.rankings} == {"dense": 1, "lexical": 1, "hybrid": 1}
    assert [each.questions for each in found.rankings] == [40, 40, 40]


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (lambda: filled(DOCUMENTS[1:], VECTORS[1:]), "document 'd0' is here only"),
        (lambda: filled(changed(3, id="new")), "document 'new' is there only"),
        (lambda: filled(changed(20, text="another")), "document 'd20' has another text"),
        (lambda: filled(changed(20, title="another")), "document 'd20' has another title"),
        (lambda: filled(changed(20, n=20.5)), "document 'd20' has another metadata"),
        (bent, "document 'd17' has another vector, by up to"),
        (shuffled, "document 'd39' has another vector"),
    ],
)
def test_every_break_is_seen_and_named(first: Collection, other: Callable[[], Collection], said: str) -> None:
    with other() as second:
        found = first.differences(second)
    assert not found.same
    assert said in " ".join(found.named) or found.moved == 40, found.named


def test_shuffled_vectors_change_the_rankings_and_moved_documents_are_counted(first: Collection) -> None:
    with shuffled() as second:
        found = first.differences(second)
    rankings = {each.mode: each for each in found.rankings}
    assert (found.moved, found.changed) == (40, 0)
    assert rankings["dense"].overlap < 0.7
    assert not rankings["dense"].same
    assert rankings["lexical"].same
    assert sum("another vector" in each for each in found.named) == 5


def test_a_sample_compares_the_content_of_some_and_the_ids_of_all(first: Collection) -> None:
    with filled(DOCUMENTS[:-1], VECTORS[:-1]) as second:
        found = first.differences(second, sample=10)
    assert (found.compared, found.only_here) == (10, 1)
    assert "document 'd39' is here only" in found.named
    with pytest.raises(InputError, match="sample is a count from 1 on"):
        first.differences(first, sample=0)


def test_other_dimensions_are_a_difference_and_nothing_is_ranked(first: Collection) -> None:
    with twofold.create(None, GivenVectors(4)) as second:
        second.add(DOCUMENTS, vectors=VECTORS[:, :4])
        found = first.differences(second)
    assert "the space main holds vectors of 16 float16 numbers here, 4 float16 there" in found.named
    assert found.rankings == []


def test_given_queries_are_asked_with_the_encoder() -> None:
    with twofold.create(None, HashedWords(16)) as one, twofold.create(None, HashedWords(16)) as two:
        one.add(DOCUMENTS)
        two.add(DOCUMENTS)
        assert one.differences(two, queries={"q": "word3 sentence"}).rankings[0].questions == 1
        two.add({"id": "word3", "text": "word3 sentence"})
        two.delete("d3")
        found = one.differences(two, queries={"q": "word3 sentence"})
    assert "dense: the first ten of 'word3 sentence' differ" in found.named


def test_ties_may_change_places_and_nothing_else_may() -> None:
    one = [[("a", 0.9), ("b", 0.5), ("c", 0.5)]]
    swapped, cut = [[("a", 0.9), ("c", 0.5), ("b", 0.5)]], [[("a", 0.9), ("b", 0.5), ("d", 0.5 + 1e-8)]]
    lower, shorter = [[("a", 0.9), ("b", 0.5), ("d", 0.4)]], [[("a", 0.9), ("b", 0.5)]]
    for other, overlap in ((one, 1), (swapped, 1), (cut, 1), (lower, 2 / 3), (shorter, 2 / 3), ([[]], 0)):
        found, places = ranking_difference("dense", one, other)
        assert found.overlap == pytest.approx(overlap)
        assert places == ([] if overlap == 1 else [0])
    found, places = ranking_difference("dense", one, [[("a", 0.9 + 1e-4), ("b", 0.5), ("c", 0.5)]])
    assert (found.overlap, found.same, places) == (1, False, [0])
    assert ranking_difference("dense", [[]], [[]])[0].same


def test_the_command_line_says_what_differs_and_ends_with_status_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, documents in (("one", DOCUMENTS), ("two", changed(4, text="another text"))):
        with twofold.create(name, HashedWords(16)) as made:
            made.add(documents)
    Path("q.tsv").write_text("q1\tword3 sentence\n")
    assert main(["verify", "one", "--against", "two", "--queries", "q.tsv", "--quiet"]) == 1
    told = capsys.readouterr().out
    assert "document 'd4' has another text\n" in told
    assert "1 have another content, 1 other vectors or passages" in told
    assert main(["verify", "one", "--against", "one", "--sample", "5", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["same"], found["compared"], found["documents"]) == (True, 5, [40, 40])
    for words in (["--sample", "5"], ["--against", "two", "--recall"]):
        with pytest.raises(SystemExit, match="2"):
            main(["verify", "one", *words])
