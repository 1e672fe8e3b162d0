"""Several threads that fork at the same moment, as libraries do that report or compile in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import os, sys, threading, warnings
import twofold

warnings.simplefilter("ignore")  # newer Pythons warn of forks beside threads
collection = twofold.create(sys.argv[1], encoder=twofold.HashedWords(8))
collection.add([{"id": "a", "text": "water"}])
begun, failed = threading.Barrier(6), []


def forks() -> None:
    begun.wait()
    for _ in range(20):
        child = os.fork()
        if child == 0:
            os._exit(0 if collection.search("water")[0].id == "a" else 1)
        failed.extend([] if os.waitpid(child, 0)[1] == 0 else [child])


threads = [threading.Thread(target=forks, daemon=True) for _ in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("failed:", len(failed), "found:", collection.search("water")[0].id)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_threads_that_fork_at_once_neither_wait_for_ever_nor_lose_locks(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "c")], capture_output=True, text=True, timeout=240, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "failed: 0 found: a\n", "")
