"""Anonymous memory is seen, of this process and of its children, stage by stage."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from twofold.memory import anonymous_bytes

MEBIBYTE = 2**20

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="this system has no /proc")


STAGES = """
import time
from twofold.memory import PeakMemory

def hold(memory, stage, size):
    memory.stage(stage)
    block = b"x" * size
    sampled = memory.samples
    while memory.samples < sampled + 2:  # the second one began while the block was held
        time.sleep(0.001)

with PeakMemory() as memory:
    hold(memory, "small", 1)
    hold(memory, "large", 64 * 2**20)
    hold(memory, "small again", 1)
print(*(memory.peaks[stage] for stage in ("small", "large", "small again")))
"""
"""Run by an interpreter of its own: what else this one holds may shrink at any moment."""


def test_a_stage_keeps_the_peak_that_was_reached_in_it() -> None:
    ran = subprocess.run([sys.executable, "-c", STAGES], capture_output=True, text=True, check=True)
    small, large, again = map(int, ran.stdout.split())
    assert large - small > 48 * MEBIBYTE
    assert large - again > 48 * MEBIBYTE


PARENT = """
import os, subprocess, sys
from twofold.memory import anonymous_bytes

hold = "block = bytearray(b'x' * (64 * 2**20)); print('ready', flush=True); input()"
before = anonymous_bytes(os.getpid())
with subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
    child.stdout.readline()
    during = anonymous_bytes(os.getpid())
    child.communicate("\\n")
print(before, during)
"""


def test_what_a_child_holds_counts() -> None:
    ran = subprocess.run([sys.executable, "-c", PARENT], capture_output=True, text=True, check=True)
    before, during = map(int, ran.stdout.split())
    assert during - before > 48 * MEBIBYTE


def test_a_process_that_is_not_there_is_unknown() -> None:
    assert anonymous_bytes(2**22 + 1) is None
