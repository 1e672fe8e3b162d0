"""`twofold bench` hands on what was asked and prints a report; what the figures are is tested with the benches."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Twofold = Callable[..., Any]

HEADER = b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': %-25b, }" + b" " * 39 + b"\n"
"""A .npy file without numbers, whose header claims a shape."""


def test_a_bench_prints_where_it_was_made_and_its_table(hashed: Path, twofold: Twofold) -> None:
    done = twofold("bench", "search", hashed, "--rounds", 1)
    assert done.status == 0, done.err
    assert done.out.startswith("machine: ")
    assert "p95 (ms)" in done.out


def test_a_bench_gives_the_same_as_json_on_either_side_of_its_name(hashed: Path, twofold: Twofold) -> None:
    for words in (("bench", "--json", "search", hashed), ("bench", "search", hashed, "--json")):
        report = twofold(*words, "--rounds", 1).json
        assert set(report) == {"header", "tables"}
        assert [column["name"] for column in report["tables"][0]["columns"]][1:] == ["p50", "p95", "p99"]


def test_what_is_to_be_measured_may_be_missing(tmp_path: Path, twofold: Twofold) -> None:
    for name in ("quality", "search", "indexing", "serve"):
        words = (name, tmp_path / "none")
        done = twofold("bench", *words, "--encoder", "hashed-words:8")
        assert (done.status, done.out) == (1, ""), words
        assert done.err.startswith("twofold: error: ")


NOT_VECTORS = {
    "missing": (None, "there is no such file"),
    "no numpy": (b"not numpy", "this is no .npy file of vectors"),
    "objects": (np.array([[1, "a"]], dtype=object), "this is no .npy file of vectors"),
    "words": (np.array([["a", "b"]] * 300), "must be numbers"),
    "one line": (np.ones(300, np.float32), "the shape (300,)"),
    "NaN": (np.full((300, 64), np.nan, np.float32), "NaN"),
    "an archive": (b"", "an .npz archive of arrays (first)"),
    "a shape that lies": (HEADER % b"(4611686018427387904, 64)", "this is no .npy file of vectors"),
    "an open bracket": (HEADER % b"((((((((((((((((((((((((", "this is no .npy file of vectors"),
    "a shape of words": (HEADER % b"('a', 64)", "this is no .npy file of vectors"),
    "no line": (np.ones((0, 64), np.float32), ""),
}


@pytest.mark.parametrize("name", NOT_VECTORS)
def test_vectors_that_cannot_be_measured_are_refused(name: str, hashed: Path, tmp_path: Path, twofold: Twofold) -> None:
    content, said = NOT_VECTORS[name]
    path, good = tmp_path / "v.npy", tmp_path / "good.npy"
    np.save(good, np.random.default_rng(0).standard_normal((300, 64), dtype=np.float32))
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        np.save(path, content)
    if name == "an archive":
        with path.open("wb") as file:
            np.savez(file, first=np.ones((300, 64), np.float32))
    for words in (("index", path), ("index", good, "--queries", path), ("lookups", hashed, "--queries", path)):
        done = twofold("bench", *words)
        assert (done.status, done.out) == (1, ""), words
        assert done.err.startswith("twofold: error: ")
        assert str(path) in done.err
        assert said in done.err


def test_a_place_that_no_picture_can_be_drawn_at_is_refused_before_the_measurement(
    tmp_path: Path, twofold: Twofold
) -> None:
    np.save(tmp_path / "v.npy", np.random.default_rng(0).standard_normal((300, 64), dtype=np.float32))
    (tmp_path / "a.svg").mkdir()
    done = twofold("bench", "index", tmp_path / "missing.npy", "--plot", tmp_path / "a.svg")
    assert (done.status, "a.svg: this is a folder" in done.err) == (1, True)


@pytest.mark.parametrize(
    "words",
    ["vectors --count 0", "search --threads 0", "startup --rounds 0", "indexing --limit -1", "serve --clients x"],
)
def test_a_bench_counts_from_one(words: str, twofold: Twofold) -> None:
    done = twofold("bench", *words.split())
    assert (done.status, "is no whole number of at least 1" in done.err) == (2, True)
