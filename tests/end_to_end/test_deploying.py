"""What deploy/ starts is what the command line has, and each file is what its reader takes."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from twofold.cli.main import parser
from twofold.serving.running import DRAIN

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"


def container(word: str) -> Any:
    """The list of an instruction of the container file."""
    (found,) = re.findall(rf"^{word} (\[.*\])$", (DEPLOY / "Containerfile").read_text(), re.MULTILINE)
    return json.loads(found)


def composed() -> Any:
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["twofold"]


def unit() -> dict[str, str]:
    lines = (DEPLOY / "twofold.service").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def test_the_container_serves_with_keys_at_every_address() -> None:
    started = container("ENTRYPOINT") + container("CMD")
    asked = parser().parse_args(started[1:])
    assert started[0] == "twofold"
    assert (asked.host, asked.port, asked.keys) == ("0.0.0.0", 8080, "/run/secrets/twofold-keys")


def test_the_image_is_made_of_files_that_are_there() -> None:
    text = (DEPLOY / "Containerfile").read_text()
    copied = [name for line in re.findall(r"^COPY (?!--)(.*) \S+$", text, re.MULTILINE) for name in line.split()]
    assert "src" in copied
    assert [name for name in copied if not (ROOT / name).exists()] == []


def test_the_composed_service_is_the_image_and_is_stopped_after_its_requests_ended() -> None:
    service = composed()
    asked = parser().parse_args([*container("ENTRYPOINT")[1:], *service["command"]])
    assert asked.keys == f"/run/secrets/{service['secrets'][0]}"
    assert (DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]).resolve() == DEPLOY / "Containerfile"
    assert service["ports"] == [f"127.0.0.1:8080:{asked.port}"]
    assert int(service["stop_grace_period"].removesuffix("s")) > DRAIN


def test_the_unit_serves_on_loopback_and_is_stopped_after_its_requests_ended() -> None:
    asked = parser().parse_args(unit()["ExecStart"].split()[1:])
    assert (asked.host, asked.collections) == ("127.0.0.1", ["wiki.twofold"])
    assert int(unit()["TimeoutStopSec"]) > DRAIN


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    path = tmp_path / "twofold.service"
    path.write_text((DEPLOY / "twofold.service").read_text().replace("/opt/twofold/bin/twofold", sys.executable))
    done = subprocess.run(["systemd-analyze", "verify", path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
