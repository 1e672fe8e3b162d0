"""The bench of tables: both ways add the same documents, in turns; no time is asserted."""

from __future__ import annotations

from pathlib import Path

import pytest

from twofold.bench.corpus import corpus
from twofold.bench.tables import DICTS, FRAME, bench_tables, measure_added
from twofold.collection.opening import open_collection


@pytest.mark.parametrize("kind", [DICTS, FRAME])
def test_either_way_adds_the_documents_of_the_corpus_with_their_vectors(kind: str, tmp_path: Path) -> None:
    documents = corpus(None, 30, 8, tmp_path)
    measured = measure_added(kind, tmp_path / "c", documents)
    with open_collection(tmp_path / "c") as collection:
        assert list(collection) == list(documents.documents())
        assert collection.info().passages == 30
    assert measured.seconds > 0
    if measured.held is not None and measured.peak is not None:
        assert measured.peak > 0


def test_a_row_for_each_way_with_its_share_of_the_time_of_dicts() -> None:
    (table,) = bench_tables(count=20, dimension=8, rounds=2).tables
    assert [row[0] for row in table.rows] == [DICTS, FRAME]
    assert table.rows[0][2] == 1
