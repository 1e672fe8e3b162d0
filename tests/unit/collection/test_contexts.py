"""The context of passages is part of a space's contract: it is kept, compared, said, and migrated to another."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from twofold.collection.building import open_or_create
from twofold.collection.collection import Collection
from twofold.collection.opening import create, open_collection
from twofold.encoders.hashed_words import HashedWords
from twofold.errors import InputError

SIZES = {"tokens": 16, "overlap": 0}
TEXT = "# Mars\n\n" + "\n\n".join(" ".join(f"{name}{n}" for n in range(11)) + "." for name in "abc") + "\n"
DOCUMENT = {"id": "d", "title": "Planets", "text": TEXT}


def vectors(collection: Collection) -> np.ndarray[tuple[int, int], np.dtype[np.float16]]:
    with collection.searcher() as searcher:
        return np.concatenate([block for _, block in searcher.dense.stored()])


def test_a_collection_keeps_its_context(tmp_path: Path) -> None:
    with create(tmp_path / "c", HashedWords(64), passages=SIZES, context="headings") as collection:
        collection.add([DOCUMENT])
    with open_collection(tmp_path / "c", HashedWords(64)) as collection:
        assert collection.contract.context == "headings"
        assert "headings" in collection.info().facts()["context"]
    with pytest.raises(InputError, match="context='headings', not 'none'"):
        open_or_create(tmp_path / "c", HashedWords(64), context="none")


def test_contexts_make_different_vectors_of_the_same_passages() -> None:
    made = {}
    for context in ("none", "title", "headings"):
        with create(None, HashedWords(64), passages=SIZES, context=context) as collection:
            collection.add([DOCUMENT])
            made[context] = vectors(collection)[1]
    assert not np.array_equal(made["none"], made["title"])
    assert not np.array_equal(made["title"], made["headings"])


def test_a_migration_changes_the_context_with_the_same_encoder(tmp_path: Path) -> None:
    with create(tmp_path / "c", HashedWords(64), passages=SIZES) as collection:
        collection.add([DOCUMENT])
        assert collection.migrate(HashedWords(64)).space == "main"
        report = collection.migrate(HashedWords(64), context="none", switch=True)
        assert report.space == "space-2"
        assert collection.contract.context == "none"
        assert "context none" in str(collection.info().spaces[1])
        moved = vectors(collection)
    with create(None, HashedWords(64), passages=SIZES, context="none") as collection:
        collection.add([DOCUMENT])
        assert sorted(map(tuple, vectors(collection))) == sorted(map(tuple, moved))


def test_the_document_around_passages_is_encoded_with_them() -> None:
    passages = {"tokens": 24, "overlap": 0}
    sentence = "It grew fast and was loved by all who came to see it there. "
    texts = [f"Berlin is a city. {sentence * 3}", f"The oak is a tree. {sentence * 3}"]
    with create(None, passages=passages, context="document") as collection:
        report = collection.add([{"id": str(n), "text": text} for n, text in enumerate(texts)])
        assert report.passages == 6
        last = [collection.search(sentence, mode="dense", k=2)[n].document.id for n in (0, 1)]
        assert sorted(last) == ["0", "1"]
        once = vectors(collection)
        collection.delete(all=True)
        collection.add([{"id": "1", "text": texts[1]}])
        np.testing.assert_array_equal(vectors(collection), once[3:])
