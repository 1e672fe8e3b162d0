"""Anonymous memory is seen, of this process and of its children, stage by stage."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from twofold.memory import PeakMemory, anonymous_bytes

MEBIBYTE = 2**20

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="this system has no /proc")


def test_a_stage_keeps_the_peak_that_was_reached_in_it() -> None:
    with PeakMemory() as memory:
        memory.stage("small")
        time.sleep(0.1)
        memory.stage("large")
        block = np.ones(64 * MEBIBYTE, dtype=np.uint8)
        time.sleep(0.1)
        del block
    assert memory.peaks["large"] - memory.peaks["small"] > 48 * MEBIBYTE


def test_what_a_child_holds_counts() -> None:
    before = anonymous_bytes(os.getpid())
    hold = "block = bytearray(b'x' * (64 * 2**20)); print('ready', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        during = anonymous_bytes(os.getpid())
        child.communicate("\n")
    assert before is not None
    assert during is not None
    assert during - before > 48 * MEBIBYTE


def test_a_process_that_is_not_there_is_unknown() -> None:
    assert anonymous_bytes(2**22 + 1) is None
