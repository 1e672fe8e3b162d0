"""A backup made while another process writes, and one that is killed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import writes_until_killed
from storing import content, expected, new_store
from writes_until_killed import PER_BLOCK, numbered

from twofold.engines.local.engine import Store
from twofold.errors import NotACollectionError

SCRIPT = Path(writes_until_killed.__file__)
ENVIRONMENT = {"PYTHONPATH": os.pathsep.join([str(SCRIPT.parent), str(SCRIPT.parents[2] / "src")])}
KILLED = """
import sys
from pathlib import Path
from writes_until_killed import Killing
from twofold.engines.local.engine import Store
folder, target, step = sys.argv[1:]
with Store.open(Path(folder), disk=Killing(step, 1)) as store:
    store.backup(target)
"""


def states(wanted: set[int]) -> dict[int, dict[str, Any]]:
    """What the writer's collection holds after these of its commits."""
    found: dict[int, dict[str, Any]] = {}
    now: dict[str, Any] = {}
    commit = number = 0
    while len(found) < len(wanted):
        if commit in wanted:
            found[commit] = dict(now)
        if commit % 4 == 3:  # every third block is followed by a deletion
            for position in range(0, PER_BLOCK, 2):
                del now[f"{number - 2}-{position}"]
        else:
            now.update(expected([numbered(number)]))
            number += 1
        commit += 1
    return found


def backed_up_while_written(folder: Path, target: Path, count: int) -> list[int]:
    """Makes so many backups beside a writer; each holds one commit. Gives which commits these were."""
    new_store(folder).close()
    command = [sys.executable, str(SCRIPT), str(folder), "0"]
    commits = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        with Store.open(folder) as store:
            for number in range(count):
                commits.append(store.backup(target / str(number)).commit)
                time.sleep(0.02)
        writer.kill()
        writer.stdout.read()
    assert writer.returncode == -9
    known = states(set(commits))
    for number, commit in enumerate(commits):
        with Store.open(target / str(number)) as copy:
            assert copy.verify().damage == []
            assert content(copy) == known[commit]
    return commits


def test_every_backup_beside_a_writer_is_one_commit_whole(tmp_path: Path) -> None:
    commits = backed_up_while_written(tmp_path / "c", tmp_path / "backups", 6)
    assert len(set(commits)) > 1  # the writer went on meanwhile


@pytest.mark.long
def test_many_backups_beside_a_writer_are_one_commit_each(tmp_path: Path) -> None:
    commits = backed_up_while_written(tmp_path / "c", tmp_path / "backups", 30)
    assert len(set(commits)) > 20


@pytest.mark.parametrize("step", ["catalogue copied", "segment copied", "description copied", "copy verified"])
def test_a_killed_backup_is_not_there_and_the_next_one_is(tmp_path: Path, step: str) -> None:
    with new_store(tmp_path / "c") as store, store.writing() as writer:
        for number in range(4):
            writer.commit(numbered(number))
    command = [sys.executable, "-c", KILLED, str(tmp_path / "c"), str(tmp_path / "copy"), step]
    assert subprocess.run(command, env=ENVIRONMENT, check=False).returncode == -9
    assert not (tmp_path / "copy").exists()
    left = [path for path in tmp_path.iterdir() if path.name.startswith(".copy.")]
    assert len(left) == 1
    if step in ("catalogue copied", "segment copied"):
        with pytest.raises(NotACollectionError):
            Store.open(left[0])
    with Store.open(tmp_path / "c") as store:
        assert store.verify().clean
        store.backup(tmp_path / "copy")
        with Store.open(tmp_path / "copy") as copy:
            assert content(copy) == content(store)
