"""Look-ups of a collection: recall is counted, filters let through what they say; no time is asserted."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from twofold.bench import cold, lookups
from twofold.bench.cold import cold_look_ups, drop_from_cache
from twofold.bench.lookups import bench_lookups
from twofold.collection.opening import create
from twofold.encoders.given_vectors import GivenVectors
from twofold.engines.local.spaces import indexed
from twofold.errors import InputError
from twofold.scores import unit_vectors

VECTORS = unit_vectors(np.random.default_rng(0).standard_normal((2_000, 32), dtype=np.float32))


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(indexed, "FEW", 0)
    monkeypatch.setattr(lookups, "FILTERED", 5)
    with create(tmp_path / "c", GivenVectors(32)) as collection:
        documents = [{"id": str(n), "text": "text", "part": n % 1_000, "word": "w"} for n in range(len(VECTORS))]
        collection.add(documents, vectors=VECTORS)
        collection.optimize(index="scan", queries=VECTORS[:20] + VECTORS[20:40])
    np.save(tmp_path / "q.npy", VECTORS[:30] + VECTORS[30:60])
    return tmp_path


def test_recall_is_counted_whole_and_filtered(path: Path) -> None:
    whole, filtered, cold = bench_lookups(path / "c", path / "q.npy", field="part").tables
    assert [row[0] for row in whole.rows][:2] == ["scan, depth 200", "scan, depth 50"]
    assert 0.5 < whole.rows[1][1].value <= whole.rows[0][1].value <= 1  # type: ignore[union-attr]  # intervals
    assert [row[0] for row in filtered.rows] == ["50.00% pass", "5.00% pass", "0.10% pass"]
    assert filtered.rows[2][1].value == 1.0  # type: ignore[union-attr]  # an interval
    assert [row[0] for row in cold.rows] == ["opening", "the first look-up then", "100 look-ups in a row"]
    assert all(0 < p50 <= worst for _, p50, worst in cold.rows)  # type: ignore[operator]  # numbers


def test_a_system_that_cannot_forget_files_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cold, "FORGET", None)
    table = cold_look_ups(path / "c", VECTORS[:2])
    assert (table.rows, table.notes) == ((), ("this system cannot be asked to forget files",))


def test_every_file_is_dropped(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not hasattr(os, "posix_fadvise"):
        pytest.skip("this system cannot be asked to forget files")
    dropped = []
    monkeypatch.setattr(cold, "FORGET", lambda descriptor, *_: dropped.append(os.fstat(descriptor).st_ino))
    drop_from_cache(path / "c")
    assert set(dropped) == {file.stat().st_ino for file in (path / "c").rglob("*") if file.is_file()}


def test_a_field_without_enough_numbers_is_refused(path: Path) -> None:
    with pytest.raises(InputError, match=r"never numbers|too few documents"):
        bench_lookups(path / "c", path / "q.npy", field="word")
