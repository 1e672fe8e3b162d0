"""Several processes make the vectors of one: the same bits in the same order, and an error where a process dies."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from twofold.encoders.loading import load_encoder
from twofold.encoders.transformer import TransformerEncoder
from twofold.errors import InputError, ModelError
from twofold.models import workers as module
from twofold.reports import EncodingReport

TEXTS = [f"text {number} {'about something ' * (number * 37 % 60)}" for number in range(300)]


@pytest.fixture(autouse=True)
def small_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TASK", 1000)


@pytest.fixture(scope="module")
def two() -> TransformerEncoder:
    return load_encoder(precision="f32", threads=2, workers=2, dim=100)


def test_vectors_of_two_processes_are_those_of_one_in_the_same_order(two: TransformerEncoder) -> None:
    one, reports = load_encoder(precision="f32", dim=100), (EncodingReport(), EncodingReport())
    expected = one.encode_documents(TEXTS, report=reports[0])
    np.testing.assert_array_equal(two.encode_documents(TEXTS, report=reports[1]), expected)
    assert len(multiprocessing.active_children()) == 2
    assert reports[0] == reports[1]
    assert two.contract == one.contract


def test_few_texts_are_encoded_without_other_processes() -> None:
    encoder = load_encoder(workers=2)
    before = len(multiprocessing.active_children())
    assert encoder.encode_queries(["one", "two"]).shape == (2, 384)
    assert encoder.encode_documents([]).shape == (0, 384)
    assert len(multiprocessing.active_children()) == before


def test_a_process_that_is_killed_ends_in_an_error_and_the_next_call_starts_others(two: TransformerEncoder) -> None:
    expected = two.encode_documents(TEXTS)
    for process in multiprocessing.active_children():
        os.kill(int(process.pid or 0), signal.SIGKILL)
    with pytest.raises(ModelError, match="one of 2 worker processes ended before its work was done"):
        two.encode_documents(TEXTS)
    np.testing.assert_array_equal(two.encode_documents(TEXTS), expected)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_process_starts_workers_of_its_own_which_end_with_it(tmp_path: Path) -> None:
    script = tmp_path / "forks.py"
    script.write_text(
        """
import os, sys
import twofold
import twofold.models.workers as module

if __name__ == "__main__":
    module.TASK = 1000
    texts = [f"text {n} " * 40 for n in range(60)]
    encoder = twofold.load_encoder(workers=2, threads=2)
    before = encoder.encode_documents(texts)
    child = os.fork()
    if not child:
        os._exit(0 if (encoder.encode_documents(texts) == before).all() else 3)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    )
    found = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120)
    assert (found.stdout, found.returncode) == ("0\n", 0), found.stderr


def test_a_script_without_a_guard_is_told_of_it(tmp_path: Path) -> None:
    script = tmp_path / "unguarded.py"
    script.write_text(
        "import twofold, twofold.models.workers as m\nm.TASK = 100\n"
        "twofold.load_encoder(workers=2).encode_documents(['some words here ' * 20] * 40)\n"
    )
    found = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120)
    assert found.returncode == 1
    assert 'starts work outside of `if __name__ == "__main__":`' in found.stderr


@pytest.mark.parametrize("count", [0, -1, True, 1.5, "2"])
def test_a_count_that_is_none_is_refused(count: int) -> None:
    with pytest.raises(InputError, match="workers must be a whole number of at least 1"):
        load_encoder(workers=count)


def test_what_worker_processes_cannot_do_is_refused_in_words() -> None:
    with pytest.raises(InputError, match="share the cores of the CPU, not torch:cpu"):
        load_encoder(device="torch:cpu", workers=2)
    with pytest.raises(InputError, match="from a folder in int8; make it, `twofold quantize "):
        load_encoder(precision="int8", workers=2)
