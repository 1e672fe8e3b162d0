"""The longest batch is tried in a process of its own, and divided until it fits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from twofold.contract import Contract
from twofold.encoders.loading import load_encoder
from twofold.errors import InputError
from twofold.training import memory_guard
from twofold.training.memory_guard import fitting, halved, peak_of
from twofold.training.settings import TrainingSettings

ROWS = [(f"question {number}", "an answer of some words " * number, "another text") for number in range(1, 65)]
SETTINGS = TrainingSettings(batch=64)


@pytest.fixture(scope="module")
def contract(base: Path) -> Contract:
    return load_encoder(base).contract


def test_a_larger_batch_takes_more_memory(base: Path, contract: Contract) -> None:
    held = np.ones(2**27, np.float64)  # a gigabyte of the parent, which is not the child's
    many = [(" ".join(row),) * 3 for row in ROWS[-1:]] * 2048
    peaks = [peak_of(base, contract, many[:count], SETTINGS) for count in (64, 2048)]
    assert peaks[0] is not None
    assert peaks[1] is not None
    assert 0 < peaks[0] < held.nbytes
    assert peaks[1] > peaks[0] + 100_000_000


def test_a_batch_that_surely_fits_is_not_tried(base: Path, contract: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_guard, "peak_of", None)
    assert fitting(base, contract, ROWS, SETTINGS) == SETTINGS
    named = replace(SETTINGS, micro_batch=3)
    assert fitting(base, contract, ROWS, named) == named


def test_the_longest_rows_are_tried_in_smaller_pieces_until_they_fit(
    base: Path, contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def peak(_base: Path, _contract: Contract, rows: list[tuple[str, ...]], settings: TrainingSettings) -> int | None:
        tried.append(settings.micro_batch)
        assert rows == sorted(ROWS, key=lambda row: -len("".join(row)))[:64]
        return None if settings.micro_batch is None else settings.micro_batch * 1000  # the first was killed

    monkeypatch.setattr(memory_guard, "peak_of", peak)
    monkeypatch.setattr(memory_guard, "memory_left", lambda: 10_000)
    assert fitting(base, contract, [*ROWS, ("q", "a", "n")], SETTINGS).micro_batch == 8
    assert tried == [None, 32, 16, 8]
    monkeypatch.setattr(memory_guard, "memory_left", lambda: 100)
    with pytest.raises(InputError, match="a step of a single text does not fit"):
        fitting(base, contract, ROWS, SETTINGS)


@pytest.mark.parametrize("end", ["os.kill(os.getpid(), 9)", "raise MemoryError"])
def test_a_process_that_was_killed_has_no_peak(
    end: str, base: Path, contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = f"guard._step = lambda *_: exec({end!r})"
    monkeypatch.setattr(
        memory_guard, "CHILD", f"import os, twofold.training.memory_guard as guard; {step}; print(guard.child())"
    )
    assert peak_of(base, contract, ROWS, SETTINGS) is None


def test_a_step_that_fails_otherwise_says_why(base: Path, contract: Contract) -> None:
    with pytest.raises(InputError, match=r"the first step cannot be made: .*missing"):
        peak_of(base / "missing", contract, ROWS, SETTINGS)


def test_losses_that_take_a_batch_whole_cannot_be_divided() -> None:
    with pytest.raises(InputError, match="the loss kl needs it whole"):
        halved(replace(SETTINGS, loss="kl", teacher="x"))
    assert halved(replace(SETTINGS, batch=7)).micro_batch == 3
