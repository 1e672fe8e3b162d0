"""A document's score is that of its best passage, by the passage's own evidence and its document's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from twofold.collection.collection import Collection
from twofold.collection.opening import create, open_collection
from twofold.encoders.hashed_words import HashedWords
from twofold.engine import LEXICAL
from twofold.passage_scores import PassageScores
from twofold.searching.candidate_scores import CandidateScores, PassageEvidence
from twofold.searching.fusion import Fusion
from twofold.searching.hybrid import SearchMode

FUSION = Fusion(chance=0.2, share=0.5)
FILLING = "common words stand here and say nothing at all of what is asked"
PLACED = f"{FILLING} {FILLING} {FILLING} the narwhal sings at night {FILLING} {FILLING}"


def floats(*values: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.array(values, np.float32)


@pytest.fixture
def collection(tmp_path: Path) -> Iterator[Collection]:
    """Documents of several passages and of one; windows of 16 words."""
    with create(tmp_path / "c", HashedWords(64, max_words=16)) as made:
        made.add([{"id": "long", "text": PLACED}, {"id": "other", "text": f"{FILLING} {FILLING}"}])
        made.add([{"id": f"short{n}", "text": f"a whale of {n} tons"} for n in range(20)])
        made.tune()
        yield made


def test_the_best_passage_and_its_score_are_those_of_the_document() -> None:
    passages = PassageScores(np.array([4, 9]), np.array([3, 1]), np.array([40, 41, 42, 90]), floats(0.6, 0.5, 0.4, 0.5))
    evidence = floats(0.0, 2.0, 1.0, 0.5)
    sides = CandidateScores(passages.nearest(), floats(1.0, 0.5), 0.6, PassageEvidence(passages, evidence, factor=1.5))
    found, weight = sides.fused(FUSION), 1.5 * FUSION.lexical_weight(0.6)
    expected = FUSION.beyond_chance(passages.scores) + np.float32(weight) * evidence
    assert found.passages.tolist() == [41, 90]
    assert found.scores.tolist() == expected[[1, 3]].tolist()
    assert found.of_passages is not None
    assert found.of_passages.scores.tolist() == expected.tolist()
    assert (found.dense.tolist(), found.evidence.tolist(), found.weight) == (
        floats(0.5, 0.5).tolist(),
        [2.0, 0.5],
        weight,
    )


def test_documents_of_one_passage_score_as_without_passages_to_the_bit() -> None:
    dense, evidence = floats(0.61, 0.37, 0.2), floats(0.3, 1.7, 0.0)
    passages = PassageScores(np.arange(3), np.ones(3, np.int64), np.arange(3), dense)
    without = CandidateScores(passages.nearest(), evidence, 0.61).fused(FUSION)
    within = PassageEvidence(passages, evidence, factor=1.0)
    assert CandidateScores(passages.nearest(), evidence, 0.61, within).fused(FUSION).scores.tobytes() == (
        without.scores.tobytes()
    )


def test_of_equal_passages_the_earlier_is_the_best() -> None:
    passages = PassageScores(np.array([1]), np.array([3]), np.array([5, 6, 7]), floats(0.1, 0.4, 0.4))
    assert passages.best().tolist() == [1]


@pytest.mark.parametrize("mode", ["lexical", "hybrid"])
def test_a_hit_shows_the_passage_that_has_the_words(collection: Collection, mode: SearchMode) -> None:
    hit = collection.search("narwhal sings", k=1, mode=mode)[0]
    assert hit.id == "long"
    assert "narwhal" in hit.passage.text


def test_the_parts_of_a_score_are_those_of_the_best_passage(collection: Collection) -> None:
    with collection.searcher() as searcher:
        chance = searcher.snapshot.state(LEXICAL)["mixing"][searcher.snapshot.space.name]["fusion"]["chance"]
    for hit in collection.search("the narwhal sings whale", k=5):
        parts = hit.parts
        expected = (parts["dense"] - chance) / (1 - chance) + parts["lexical weight"] * parts["lexical evidence"]
        assert hit.score == pytest.approx(expected, rel=1e-4)


def test_an_index_without_passages_answers_as_before_until_optimize_makes_one_with_them(
    collection: Collection,
) -> None:
    path = Path(collection.path)
    with collection.searcher() as searcher:
        state = dict(searcher.snapshot.state(LEXICAL))
        assert state.pop("passages") == [searcher.snapshot.space.name, 0]
    known = [(hit.id, hit.score) for hit in collection.search("narwhal sings", k=5)]
    with collection._engine.writing() as writer:
        writer.put_state(LEXICAL, state)
    with open_collection(path) as again:
        before = [(hit.id, hit.score) for hit in again.search("narwhal sings", k=5)]
        assert before != known
        with again.searcher() as searcher:
            lexical = searcher.snapshot.lexical()
            assert lexical is not None
            assert lexical.passage_evidence("narwhal", np.arange(2)) is None
        again.optimize()
        assert [(hit.id, hit.score) for hit in again.search("narwhal sings", k=5)] == known


def test_documents_behind_the_index_have_passages_too(collection: Collection) -> None:
    collection.add([{"id": "later", "text": PLACED.replace("narwhal", "walrus")}])
    assert "walrus" in collection.search("walrus sings", k=1, mode="lexical")[0].passage.text
    found = [(hit.id, hit.score, hit.passage) for hit in collection.search("walrus sings", k=3)]
    collection.optimize()
    assert [(hit.id, hit.score, hit.passage) for hit in collection.search("walrus sings", k=3)] == found


def test_another_space_has_other_passages_so_the_index_is_made_anew(collection: Collection) -> None:
    collection.migrate(HashedWords(64, max_words=8), switch=True)
    with collection.searcher() as searcher:
        lexical = searcher.snapshot.lexical()
        assert lexical is not None
        assert lexical.passage_evidence("narwhal", np.arange(1)) is None
    collection.optimize()
    with collection.searcher() as searcher:
        snapshot = searcher.snapshot
        lexical, documents = snapshot.lexical(), np.array([snapshot.find(["long"])["long"]])
        assert lexical is not None
        found = lexical.passage_evidence("narwhal", documents)
        assert found is not None
        assert found[0].tolist() == [len(snapshot.passages(documents).handles)]


def test_passages_of_hits_have_the_scores_that_the_document_would_have_by_each(collection: Collection) -> None:
    for hit in collection.search("the narwhal sings whale", k=5, passages=3):
        scores = [each.score or 0.0 for each in hit.passages]
        assert scores[0] == hit.score
        assert scores == sorted(scores, reverse=True)
    ranked = collection.search("the narwhal sings whale", k=30, unit="passage")
    whole = {hit.id: hit.score for hit in collection.search("the narwhal sings whale", k=30)}
    best = {hit.id: hit.score for hit in reversed(ranked)}
    assert best == {name: whole[name] for name in best}
    evidence = {hit.passage.text: hit.parts["lexical evidence"] for hit in ranked if hit.id == "long"}
    assert max(evidence, key=evidence.__getitem__).count("narwhal") == 1
    assert len(set(evidence.values())) > 1
