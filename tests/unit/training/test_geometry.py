"""Alignment and uniformity by hand-computed figures."""

from __future__ import annotations

import math

import numpy as np
import pytest

from twofold.training.geometry import geometry

AXES = np.eye(3, dtype=np.float32)


def test_equal_pairs_are_aligned_and_orthogonal_documents_lie_two_apart() -> None:
    found = geometry(AXES, AXES)
    assert found.alignment == 0
    assert found.uniformity == pytest.approx(-4)  # log of exp(-2 * 2), for each of three pairs


def test_documents_in_one_place_are_not_uniform() -> None:
    queries = np.array([[1, 0], [0, 1]], dtype=np.float32)
    documents = np.array([[0, 1], [0, 1]], dtype=np.float32)
    found = geometry(queries, documents)
    assert found.alignment == pytest.approx(1)  # squared distances 2 and 0
    assert found.uniformity == 0


def test_uniformity_is_the_logarithm_of_a_mean() -> None:
    documents = np.array([[1, 0], [0, 1], [-1, 0]], dtype=np.float32)
    expected = math.log((2 * math.exp(-4) + math.exp(-8)) / 3)
    assert geometry(documents, documents).uniformity == pytest.approx(expected)
