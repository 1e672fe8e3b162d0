"""Cross-encoders in int8: the folder that is written, what it says of itself, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from random_cross_encoders import classifier, language_model, with_modules

from twofold.errors import InputError, ModelError
from twofold.models.int8_products import beside_int8
from twofold.models.locating import find_model
from twofold.models.pair_folder import is_cross_encoder
from twofold.models.pair_model import PROBE_PAIRS
from twofold.rankers.cross_encoder import load_cross_encoder
from twofold.rankers.quantizing import quantize_cross_encoder

PAIRS = [("who wrote it?", "Grace Hopper wrote it."), ("a cell", "The cell is small.")]
MAKERS: dict[str, Callable[[Path], Path]] = {
    "a classifier": lambda folder: classifier("bert", folder),
    "modules": with_modules,
    "a language model": lambda folder: language_model(folder, 5, 9),
}


@pytest.mark.parametrize("kind", MAKERS)
def test_the_folder_is_the_cross_encoder_that_int8_makes_of_the_model(kind: str, tmp_path: Path) -> None:
    folder = MAKERS[kind](tmp_path / "plain")
    report = quantize_cross_encoder(folder, to=tmp_path / "int8", pairs=PAIRS)
    assert report.bytes_after < 0.6 * report.bytes_before
    assert [each.to_json()["pairs"] for each in report.losses.values()] == [len(PROBE_PAIRS), len(PAIRS)]
    assert "mean difference" in (tmp_path / "int8" / "README.md").read_text(encoding="utf-8")
    written, rounded = load_cross_encoder(tmp_path / "int8"), load_cross_encoder(folder, precision="int8")
    assert written.precision == rounded.precision == ("f32" if beside_int8() is None else "int8")
    scores = written.pair_scores(PAIRS)
    np.testing.assert_array_equal(scores, rounded.pair_scores(PAIRS))
    exact = load_cross_encoder(folder, precision="f32").pair_scores(PAIRS)
    assert 0 < np.abs(scores - exact).max() < 0.05
    expanded = load_cross_encoder(tmp_path / "int8", precision="f32").pair_scores(PAIRS)
    assert 0 < np.abs(expanded - exact).max() < 0.05


def test_what_is_in_int8_already_or_has_no_room_is_refused(tmp_path: Path) -> None:
    folder = classifier("bert", tmp_path / "plain")
    quantize_cross_encoder(folder, to=tmp_path / "int8")
    with pytest.raises(ModelError, match="is in int8 already"):
        quantize_cross_encoder(tmp_path / "int8", to=tmp_path / "again")
    with pytest.raises(InputError, match="something here already"):
        quantize_cross_encoder(folder, to=tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["int8", "plain"]


def test_folders_that_score_pairs_are_told_from_encoders(tmp_path: Path) -> None:
    assert is_cross_encoder(classifier("roberta", tmp_path / "classifier"))
    assert is_cross_encoder(with_modules(tmp_path / "modules"))
    assert not is_cross_encoder(find_model(None).folder)
