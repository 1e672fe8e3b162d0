"""Using Twofold sends nothing anywhere: OpenVINO's package would report each import to its maker."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import os, sys
forks = []
os.register_at_fork(before=lambda: forks.append(1))
import twofold
assert len(twofold.load_encoder().encode_queries(["water"])) == 1
print(len(forks), sorted(name for name, module in sys.modules.items() if "openvino_telemetry" in name and module))
"""
IN_CI = ("CI", "TF_BUILD", "JENKINS_URL")
"""Variables under which OpenVINO's package sends nothing by itself."""


def test_encoding_a_text_loads_no_telemetry_starts_no_process_and_writes_nothing_to_the_home_folder(
    tmp_path: Path,
) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in IN_CI}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**environment, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "0 []\n"
    assert [str(path) for path in tmp_path.rglob("*") if path.is_file()] == []
