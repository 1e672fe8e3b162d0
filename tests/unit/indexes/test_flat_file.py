"""An index file that plain FAISS reads."""

from __future__ import annotations

import io
from pathlib import Path

import faiss
import numpy as np
import pytest

from twofold.indexes.flat_file import write_flat_index


def drawn(rows: int, dimension: int) -> np.ndarray[tuple[int, int], np.dtype[np.float16]]:
    return np.random.default_rng(rows).standard_normal((rows, dimension)).astype(np.float16)


@pytest.mark.parametrize(("rows", "dimension"), [(1, 1), (7, 3), (1_000, 384), (300, 31)])
def test_faiss_reads_every_vector_and_finds_by_the_inner_product(rows: int, dimension: int, tmp_path: Path) -> None:
    vectors = drawn(rows, dimension)
    with (tmp_path / "index").open("wb") as file:
        write_flat_index(file, np.array_split(vectors, min(rows, 3)), rows=rows, dimension=dimension)
    index = faiss.read_index(str(tmp_path / "index"))
    assert (index.ntotal, index.d, index.metric_type) == (rows, dimension, faiss.METRIC_INNER_PRODUCT)
    assert np.array_equal(index.reconstruct_n(0, rows), vectors.astype(np.float32))
    query = np.random.default_rng(1).standard_normal(dimension).astype(np.float32)
    scores, found = index.search(query[None], min(rows, 5))
    exact = vectors.astype(np.float64) @ query
    assert found[0].tolist() == np.argsort(-exact, kind="stable")[:5].tolist()
    assert np.allclose(scores[0], exact[found[0]], rtol=1e-5, atol=1e-5)


def test_the_file_is_what_faiss_itself_writes(tmp_path: Path) -> None:
    vectors = drawn(9, 5)
    index = faiss.IndexScalarQuantizer(5, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
    index.add(vectors.astype(np.float32))
    file = io.BytesIO()
    write_flat_index(file, [vectors], rows=9, dimension=5)
    assert file.getvalue() == faiss.serialize_index(index).tobytes()


def test_an_index_of_nothing_can_be_read_and_grows(tmp_path: Path) -> None:
    with (tmp_path / "index").open("wb") as file:
        write_flat_index(file, [], rows=0, dimension=4)
    index = faiss.read_index(str(tmp_path / "index"))
    index.add(drawn(2, 4).astype(np.float32))
    assert index.ntotal == 2
