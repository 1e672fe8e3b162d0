"""The table of a static query tower: packing, files, and what a query's vector is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from twofold.errors import ModelError
from twofold.models.static_table import StaticTable

ROWS = np.random.default_rng(5).standard_normal((50, 8)).astype(np.float32)


def test_a_packed_number_is_off_by_half_a_step_at_most() -> None:
    table = StaticTable.packed(ROWS, "space", {})
    steps = np.abs(ROWS).max(axis=1, keepdims=True) / 127
    unpacked = table.rows * table.scales.astype(np.float32)[:, None]
    assert table.rows.dtype == np.int8
    assert (np.abs(unpacked - ROWS) <= steps * 0.6).all()  # half a step, and what float16 rounds of the scale


def test_a_row_of_zeros_stays_one() -> None:
    table = StaticTable.packed(np.vstack([np.zeros((1, 8), np.float32), ROWS]), "space", {})
    assert not table.rows[0].any()


def test_a_query_is_the_unit_sum_of_its_tokens_rows() -> None:
    table = StaticTable(np.array([[3, 0], [0, 4], [1, 1]], np.int8), np.array([1, 1, 2], np.float16), "space", {})
    np.testing.assert_allclose(table.vector([0, 1]), [0.6, 0.8], rtol=1e-6)
    np.testing.assert_allclose(table.vector([0, 0, 1, 2]), np.array([8, 6]) / 10, rtol=1e-6)


def test_a_file_gives_the_table_back_and_equal_tables_equal_bytes(tmp_path: Path) -> None:
    table = StaticTable.packed(ROWS, "space", {"texts": "riddles", "made": "here"})
    for name in ("one", "two"):
        table.write(tmp_path / name)
    found = StaticTable.read(tmp_path / "one")
    np.testing.assert_array_equal(found.rows, table.rows)
    np.testing.assert_array_equal(found.scales, table.scales)
    assert (found.aligned_to, dict(found.about)) == ("space", {"texts": "riddles", "made": "here"})
    assert found.fingerprint == table.fingerprint
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_another_row_or_space_is_another_fingerprint() -> None:
    table = StaticTable.packed(ROWS, "space", {})
    changed = ROWS.copy()
    changed[3, 3] += 1
    prints = {
        each.fingerprint
        for each in (table, StaticTable.packed(changed, "space", {}), StaticTable.packed(ROWS, "elsewhere", {}))
    }
    assert len(prints) == 3


def test_what_is_no_tower_is_said(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("a note")
    for name in ("notes", "missing"):
        with pytest.raises(ModelError, match=f"{name} is no static query tower"):
            StaticTable.read(tmp_path / name)
