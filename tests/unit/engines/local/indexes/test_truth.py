"""What many questions find exactly, in one pass, is what each finds alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import twofold
from twofold.collection.collection import Collection
from twofold.encoders.hashed_words import HashedWords
from twofold.engines.local.derived.indexes import truth
from twofold.engines.local.derived.indexes.recall import masks_by_share
from twofold.engines.local.derived.indexes.truth import Proposed, exact_answers, proposed
from twofold.engines.local.engine import Store
from twofold.engines.local.spaces.exact import ExactSearch
from twofold.indexes.flat import FlatIndex

RNG = np.random.default_rng(3)


@pytest.fixture(scope="module")
def collection() -> Iterator[Collection]:
    with twofold.create(None, HashedWords(32, max_words=8)) as made:
        words = [f"w{n}" for n in range(50)]
        made.add([{"id": f"d{n}", "text": " ".join(RNG.choice(words, RNG.integers(1, 60)))} for n in range(900)])
        made.delete([f"d{n}" for n in range(0, 900, 7)])
        yield made


def test_one_pass_finds_what_each_question_finds_alone(collection: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(truth, "ROWS", 100)
    queries = collection.encoder.encode_queries([f"w{n} w{n + 1} w{3 * n % 50}" for n in range(40)])
    with Store.open(collection.path) as store, store.snapshot() as snapshot:
        exact = ExactSearch(snapshot, FlatIndex(snapshot))
        everything = snapshot.row_mask(None)
        some = masks_by_share(everything, snapshot.documents_of(np.arange(len(everything))))
        masks = [everything, *some.values(), np.zeros(len(everything), np.bool_)]
        answers = exact_answers(
            snapshot, exact, proposed(snapshot, queries, masks, top=10, generation=0), masks, depth=50, top=10
        )
        for mask, found in zip(masks, answers, strict=True):
            for query, together in zip(queries, found, strict=True):
                alone = exact.nearest(query, depth=50, top=10, allowed=mask)
                assert together.documents.tolist() == alone.documents.tolist()
                assert together.scores.tolist() == alone.scores.tolist()


def test_what_was_kept_serves_after_documents_came_and_went(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(truth, "ROWS", 100)
    words = [f"w{n}" for n in range(50)]
    texts = [{"id": f"d{n}", "text": " ".join(RNG.choice(words, RNG.integers(1, 60)))} for n in range(1_200)]
    with twofold.create(None, HashedWords(32, max_words=8)) as made:
        queries = made.encoder.encode_queries([f"w{n} w{n + 1} w{3 * n % 50}" for n in range(40)])
        made.add(texts[:700])
        for change in (lambda: made.add(texts[700:]), lambda: made.delete([f"d{n}" for n in range(0, 1_200, 5)])):
            with Store.open(made.path) as store, store.snapshot() as snapshot:
                kept = proposed(snapshot, queries, [snapshot.row_mask(None)], top=10, generation=0)
            change()
            with Store.open(made.path) as store, store.snapshot() as snapshot:
                everything = snapshot.row_mask(None)
                again = Proposed.from_bytes(kept.to_bytes())
                assert again.fits(1, len(everything), 0)
                again.follow(snapshot, [everything])
                assert again.covered == len(everything)
                exact = ExactSearch(snapshot, FlatIndex(snapshot))
                for query, found in zip(
                    queries, exact_answers(snapshot, exact, again, [everything], depth=50, top=10)[0], strict=True
                ):
                    alone = exact.nearest(query, depth=50, top=10, allowed=everything)
                    assert found.documents.tolist() == alone.documents.tolist()
                    assert found.scores.tolist() == alone.scores.tolist()


def test_what_was_kept_is_worn_where_most_of_it_was_deleted_and_fits_no_other_rows(
    collection: Collection,
) -> None:
    queries = collection.encoder.encode_queries([f"w{n}" for n in range(10)])
    with Store.open(collection.path) as store, store.snapshot() as snapshot:
        everything = snapshot.row_mask(None)
        kept = proposed(snapshot, queries, [everything], top=10, generation=3)
        assert not kept.worn
        assert kept.fits(1, len(everything), 3)
        assert not kept.fits(2, len(everything), 3)
        assert not kept.fits(1, len(everything) - 1, 3)
        assert not Proposed.from_bytes(kept.to_bytes()).fits(1, len(everything), 4)
        kept.follow(snapshot, [np.zeros(len(everything), np.bool_)])
        assert kept.worn


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut short"])
def test_other_bytes_are_no_questions(content: bytes) -> None:
    with pytest.raises(ValueError, match="no questions"):
        Proposed.from_bytes(content)
