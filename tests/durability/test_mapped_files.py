"""A system that keeps mapped files, as Windows does: writing goes on, and what could not be removed goes later."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from mapped import kept_while_mapped, mapped
from storing import OTHER, OTHER_SPACE, block, both, content, document, expected, main_of, new_store

import twofold
from twofold.encoders.hashed_words import HashedWords
from twofold.engines.local.engine import Store
from twofold.space import MAIN

ENCODER = HashedWords(16)


@pytest.fixture(autouse=True)
def forbidden() -> Iterator[list[str]]:
    """The paths of mapped files that somebody wanted to remove."""
    gc.collect()
    with kept_while_mapped() as refused:
        yield refused


def files(home: Path) -> list[str]:
    return sorted(path.name for path in home.iterdir())


def test_compacting_under_a_snapshot_leaves_its_file_to_the_next_writer(tmp_path: Path, forbidden: list[str]) -> None:
    home, old = tmp_path / "c" / "vectors" / "main", block([document("a"), document("b")], rows=4)
    with new_store(tmp_path / "c") as store:
        with store.writing() as writer:
            writer.commit(old)
        held = store.snapshot()
        seen = held.vectors(np.arange(8))
        with store.writing() as writer:
            writer.delete([0])
            assert writer.compact().documents == 1
            assert forbidden
            assert files(home) == ["000001.f16", "000002.f16"]
            # Neither it nor the next compaction writes into the file that is still mapped.
            writer.commit(block([document("c")]))
            writer.delete([1])
            writer.compact()
        assert files(home)[0] == "000001.f16"
        assert held.vectors(np.arange(8)).tolist() == seen.tolist() == main_of(old).vectors.tolist()
        assert list(content(store)) == ["c"]
        held.close()
        del held
        gc.collect()
        with store.writing() as writer:
            writer.commit(block([document("d")]))
        assert store.verify().clean
        assert content(store) == expected([block([document("c")]), block([document("d")])])
    gc.collect()
    with Store.open(tmp_path / "c") as store, store.writing():
        pass
    assert len(files(home)) == 1


def test_compacting_lets_go_of_what_its_own_process_has_searched(tmp_path: Path, forbidden: list[str]) -> None:
    with new_store(tmp_path / "c") as store:
        with store.writing() as writer:
            writer.commit(block([document("a"), document("b")], rows=4))
        content(store)
        assert any(name.endswith("000001.f16") for name in mapped())
        with store.writing() as writer:
            writer.delete([0])
            assert writer.compact().bytes > 0
        assert not forbidden
        assert files(tmp_path / "c" / "vectors" / "main") == ["000002.f16"]


def test_all_rows_gone_and_new_ones_come_while_the_old_file_is_mapped(tmp_path: Path, forbidden: list[str]) -> None:
    old, fresh = block([document("old")], rows=4), block([document("fresh")], rows=4)
    with new_store(tmp_path / "c") as store, store.writing() as writer:
        writer.commit(old)
        held = store.snapshot()
        rows, _ = held.rows_of(held.document_numbers())
        assert held.vectors(rows).tolist() == main_of(old).vectors.tolist()
        writer.delete([0])
        writer.compact()
        assert forbidden
        writer.commit(fresh)
        assert content(store) == expected([fresh])
        assert held.vectors(rows).tolist() == main_of(old).vectors.tolist()
        held.close()
        assert store.verify().clean


def test_a_space_that_is_dropped_while_it_is_mapped_goes_with_a_later_writer(
    tmp_path: Path, forbidden: list[str]
) -> None:
    with new_store(tmp_path / "c", other=True) as store:
        with store.writing() as writer:
            writer.commit(both(block([document("a")])))
        held = store.snapshot()
        other = held.in_space(OTHER)
        seen = other.vectors(np.arange(2)).tolist()
        with store.writing() as writer:
            writer.drop_space(OTHER)
        assert forbidden
        assert files(tmp_path / "c" / "vectors") == [MAIN, OTHER]
        assert other.vectors(np.arange(2)).tolist() == seen
        with store.writing() as writer:  # the name is free, though the files are still there
            writer.add_space(OTHER_SPACE)
            writer.drop_space(OTHER)
        held.close()
        del held, other
        gc.collect()
        with store.writing():
            pass
        assert files(tmp_path / "c" / "vectors") == [MAIN]
        assert store.verify().clean


@pytest.mark.parametrize("kind", ["scan", "ivf", "hnsw"])
def test_a_life_with_indexes_under_searchers_is_never_refused(tmp_path: Path, kind: str) -> None:
    texts = {f"d{number}": f"word{number % 40} and word{number % 7} of {number}" for number in range(400)}
    with twofold.create(tmp_path / "c", ENCODER) as collection:
        collection.add(list(texts.items())[:300])
        collection.optimize(index=kind)
        with collection.searcher() as searcher:
            before = [hit.id for hit in searcher.search("word3", k=5)]
            collection.add(list(texts.items())[300:])
            collection.delete([f"d{number}" for number in range(0, 300, 3)])
            collection.optimize(index=kind)
            collection.optimize(index="flat")
            collection.optimize(index=kind)
            assert [hit.id for hit in searcher.search("word3", k=5)] == before
        assert collection.verify().clean
        assert len(collection) == 300
        found = [hit.id for hit in collection.search("word3", k=5)]
    gc.collect()
    with twofold.open(tmp_path / "c", ENCODER) as collection:
        collection.add([("last", "nothing of it")])
        assert collection.verify().clean
        assert [hit.id for hit in collection.search("word3", k=5)] == found
        live = {Path(each).name for each in mapped() if str(tmp_path) in each}
        assert live <= {path.name for path in tmp_path.rglob("*")}
