"""Migrating a collection: what it costs, what is compared, what goes on meanwhile, and the way back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import twofold
from twofold.collection import filling
from twofold.collection.collection import Collection
from twofold.collection.migrating import MigrationCost
from twofold.contract import Contract
from twofold.encoders.given_vectors import GivenVectors
from twofold.encoders.hashed_words import HashedWords
from twofold.engines.local.derived.indexes import choosing
from twofold.errors import ContractError, InputError
from twofold.reports import EncodingReport
from twofold.scores import Vectors

WORDS = ["apple", "bee", "car", "dog", "eel", "fox", "goat", "hen", "ink", "jam"]
DOCUMENTS = [(f"d{n}", f"The {WORDS[n % 10]} of the {WORDS[n // 10]}. It is number{n}.") for n in range(60)]
OLD, NEW = HashedWords(16), HashedWords(64)


class Own:
    """An encoder of the user's own, which is searched lexically too; it cannot be loaded again."""

    precision = "f32"
    source: Mapping[str, Any] = {"kind": "own"}

    def __init__(self, dimension: int) -> None:
        self._words = HashedWords(dimension)
        self.contract = Contract(weights=f"own-{dimension}", tokenizer="own", dimension=dimension, pooling="sum",
                                 max_tokens=1000)  # fmt: skip

    def encode_queries(self, texts: Any, *, report: EncodingReport | None = None) -> Vectors:
        return self._words.encode_queries(texts, report=report)

    def encode_documents(self, texts: Any, *, report: EncodingReport | None = None) -> Vectors:
        return self._words.encode_documents(texts, report=report)


@pytest.fixture
def collection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Collection]:
    monkeypatch.setattr(filling, "AT_ONCE", 8)
    with twofold.create(tmp_path / "c", OLD) as made:
        made.add(DOCUMENTS)
        yield made


def searched(collection: Collection) -> str:
    return next(space.name for space in collection.info().spaces if space.searched)


def test_the_new_space_gives_what_a_collection_made_with_that_encoder_gives(collection: Collection) -> None:
    with twofold.create(None, NEW) as fresh:
        fresh.add(DOCUMENTS)
        expected = [[(hit.id, hit.score) for hit in fresh.search(word, k=60, mode="dense")] for word in WORDS]
    before = [[(hit.id, hit.score) for hit in collection.search(word, k=60, mode="dense")] for word in WORDS]
    costs: list[MigrationCost] = []
    report = collection.migrate(NEW, name="wider", told=costs.append)
    assert (report.space, report.documents, report.switched) == ("wider", 60, False)
    assert (costs[0].documents, costs[0].passages, costs[0].bytes) == (60, 60, 60 * 64 * 2)
    assert [[(hit.id, hit.score) for hit in collection.search(word, k=60, mode="dense")] for word in WORDS] == before
    collection.switch_space("wider")
    assert collection.contract == NEW.contract
    assert [[(hit.id, hit.score) for hit in collection.search(word, k=60, mode="dense")] for word in WORDS] == expected
    collection.switch_space("main")
    assert [[(hit.id, hit.score) for hit in collection.search(word, k=60, mode="dense")] for word in WORDS] == before


def test_additions_and_deletions_go_on_while_the_space_is_filled(collection: Collection) -> None:
    added = iter(range(100))

    def meanwhile(done: int, total: int | None) -> None:
        number = next(added)
        with twofold.open(collection.path) as other:
            other.add([(f"late{number}", f"a late zebra{number}")] if number < 3 else [])
            other.delete([f"d{number}", f"d{59 - number}"])
            assert other.search("number30", mode="dense")[0].id == "d30"

    report = collection.migrate(NEW, switch=True, progress=meanwhile)
    assert report.switched
    assert searched(collection) == "space-2"
    assert collection.verify().damage == []
    assert collection.search("zebra2", mode="dense")[0].id == "late2"
    info = collection.info()
    assert {space.documents for space in info.spaces} == {info.documents}
    collection.add([("both", "an okapi"), ("d30", "changed into an ibex")])
    assert collection.search("okapi", mode="dense")[0].id == "both"
    collection.switch_space("main")
    assert collection.search("okapi", mode="dense")[0].id == "both"
    assert collection.search("ibex", mode="dense")[0].id == "d30"


def test_only_the_metadata_changed_and_nothing_is_encoded_in_either_space(tmp_path: Path) -> None:
    with twofold.create(tmp_path / "c", OLD) as made:
        made.add([{"id": "a", "text": "an apple"}, {"id": "b", "text": "a bee"}])
        made.migrate(NEW)
        report = made.add([{"id": "a", "text": "an apple", "year": 1}])
        assert (report.metadata_only, report.passages) == (1, 0)
        for name in ("main", "space-2"):
            made.switch_space(name)
            assert made.search("apple", where={"year": 1})[0].id == "a"
        assert made.verify().damage == []


def test_spaces_are_compared_by_judged_queries_with_intervals(collection: Collection) -> None:
    queries = {f"q{n}": f"number{n}" for n in range(60)}
    qrels = {f"q{n}": {f"d{n}": 1} for n in range(60)}
    found = collection.migrate(NEW, queries=queries, qrels=qrels).compared
    assert found is not None
    assert found.judged is not None
    (contrast,) = found.judged.contrasts
    assert contrast.measure == "nDCG@10"
    assert contrast.difference.low > 0  # sixteen numbers are too few for so many words
    assert found.to_json()["judged"]["baseline"] == "main"


def test_without_judgements_the_first_ten_are_held_against_each_other(collection: Collection) -> None:
    found = collection.migrate(NEW).compared
    assert found is not None
    assert found.judged is None
    assert found.origin == "titles and openings of documents"
    assert 0 < found.overlap.low <= found.overlap.mean <= found.overlap.high < 1
    given = collection.migrate(NEW, queries={"q": "apple"}).compared
    assert given is not None
    assert (given.queries, given.origin) == (1, "queries given")


def test_what_cannot_be_migrated_is_refused(collection: Collection) -> None:
    collection.migrate(NEW, name="wider")
    for work, said in (
        (lambda: collection.migrate(HashedWords(8), name="wider"), "'wider' was made by another encoder"),
        (lambda: collection.migrate(GivenVectors(4)), "cannot be made from the stored texts"),
        (lambda: collection.migrate(NEW, qrels={"q": {"d1": 1}}), "'q' is judged, but has no text"),
        (lambda: collection.switch_space("nowhere"), "there is no space 'nowhere'"),
        (lambda: collection.drop_space("main"), "is the space that is searched"),
    ):
        with pytest.raises(InputError, match=said):
            work()
    assert [space.name for space in collection.info().spaces] == ["main", "wider"]


def test_vectors_made_elsewhere_are_migrated_from_and_the_way_on_is_said(tmp_path: Path) -> None:
    with twofold.create(tmp_path / "c", GivenVectors(4)) as made:
        made.add([("a", "an apple"), ("b", "a bee")], vectors=np.eye(2, 4, dtype=np.float32))
        made.add([{"id": "bare"}], vectors=np.ones((1, 4), np.float32))
        made.migrate(NEW, name="texts")
        made.add([("d", "a dog")], vectors=np.ones((1, 4), np.float32))
        made.switch_space("texts")
        assert [hit.id for hit in made.search("dog", k=1, mode="dense")] == ["d"]
        assert [(space.documents, space.passages) for space in made.info().spaces] == [(4, 4), (4, 3)]
        with pytest.raises(InputError, match=r"'main' holds vectors made elsewhere.*--drop main"):
            made.add([("e", "an eel")])
        made.drop_space("main")
        assert made.add([("e", "an eel")]).added == 1


def test_after_the_switch_the_old_encoder_is_refused_and_the_new_one_taken(collection: Collection) -> None:
    collection.migrate(NEW, switch=True)
    with pytest.raises(ContractError):
        twofold.open(collection.path, OLD)
    with twofold.open(collection.path, NEW) as again:
        assert again.contract == NEW.contract


def test_hybrid_scores_are_right_from_the_switch_on(tmp_path: Path) -> None:
    old, new = Own(32), Own(256)
    with twofold.create(tmp_path / "new", new) as fresh:
        fresh.add(DOCUMENTS)
        fresh.tune()
        known = fresh.info().lexical
        expected = [(hit.id, hit.score) for hit in fresh.search("apple of number7", k=20)]
    with twofold.create(tmp_path / "c", old) as made:
        made.add(DOCUMENTS)
        before = made.info().lexical
        made.migrate(new, switch=True)
        after = made.info().lexical
        assert None not in (before, after, known)
        assert before != after
        assert after == known
        assert [(hit.id, hit.score) for hit in made.search("apple of number7", k=20)] == expected
        made.switch_space("main")
        assert made.info().lexical == before


def test_a_large_collection_has_the_index_of_the_new_space_from_the_switch_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choosing, "FROM_ROWS", 500)
    texts = [(f"d{n}", f"The {WORDS[n % 10]} of the {WORDS[n // 100]}. It is number{n}.") for n in range(900)]
    with twofold.create(tmp_path / "c", OLD) as made:
        made.add(texts)
        assert made.info().index is not None
        before = (tmp_path / "c" / "indexes" / "main" / "manifest-0.json").read_bytes()
        made.migrate(NEW)
        assert not (tmp_path / "c" / "indexes" / "space-2").exists()
        made.switch_space("space-2")
        index = made.info().index
        assert index is not None
        assert index.rows == 900
        assert made.search("number77", k=1)[0].id == "d77"
        assert (tmp_path / "c" / "indexes" / "main" / "manifest-0.json").read_bytes() == before
        made.drop_space("main")
        assert sorted(path.name for path in (tmp_path / "c" / "indexes").iterdir()) == ["space-2"]
        assert made.verify().damage == []


def test_a_searcher_that_is_held_answers_from_the_space_that_it_was_made_with(collection: Collection) -> None:
    with collection.searcher() as held:
        before = [(hit.id, hit.score) for hit in held.search("apple", k=60)]
        collection.migrate(NEW, switch=True)
        collection.drop_space("main")
        assert [(hit.id, hit.score) for hit in held.search("apple", k=60)] == before
    after = [hit.score for hit in collection.search("apple", k=60)]
    assert after != [score for _, score in before]
    assert np.isfinite(after).all()
