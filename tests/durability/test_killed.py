"""A writer killed at any moment: what it acknowledged is there once, and the next one goes on."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import writes_until_killed
from storing import both, content, expected, new_store
from writes_until_killed import PER_BLOCK, evens, numbered

from twofold.engines.local.engine import Store
from twofold.space import MAIN

SCRIPT = Path(writes_until_killed.__file__)
STEPS = ["vectors written", "segment created", "recorded", "committed"]


def after(last: int, deleted: bool, space: str = MAIN) -> dict[str, Any]:
    """What a space holds after the blocks 0 to `last`, and after the deletion that follows some of them."""
    found = expected([both(numbered(number)) for number in range(last + 1)], space)
    for number in range(last + 1):
        if number % 3 == 2 and (number < last or deleted):
            for position in range(0, PER_BLOCK, 2):
                found.pop(f"{number - 1}-{position}", None)
    return found


def killed(folder: Path, first: int, *, seconds: float = 30, step: tuple[str, int] | None = None) -> list[int]:
    """Runs a writer until it is killed; gives what it acknowledged."""
    command = [sys.executable, str(SCRIPT), str(folder), str(first)]
    command += [step[0], str(step[1])] if step else []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": str(SCRIPT.parent)}) as writer:
        assert writer.stdout is not None
        said = ""
        if step is None:
            said = writer.stdout.readline()  # the clock starts with the first acknowledgement
            time.sleep(seconds)
            writer.kill()
        said += writer.stdout.read()
    assert writer.returncode == -9
    return [int(line) for line in said.split("\n") if line]


def check(folder: Path, last: int, deleted: bool) -> int:
    """That all that was acknowledged is there once, and beyond it one whole step or none; gives the last block."""
    following = (last, True) if last % 3 == 2 and not deleted else (last + 1, False)
    with Store.open(folder) as store:
        assert store.verify().damage == []
        contents = {space.name: content(store, space.name) for space in store.description.spaces}
    found = contents[MAIN]
    assert found in (after(last, deleted), after(*following)), f"{len(found)} documents after block {last}"
    where = (last, deleted) if found == after(last, deleted) else following
    assert all(held == after(*where, space) for space, held in contents.items())
    return where[0]


def rehearse(folder: Path, kills: list[dict[str, Any]], *, other: bool = False) -> None:
    """Writes, is killed, checks, and goes on where it was, again and again."""
    new_store(folder, other=other).close()
    last = -1
    for kill in kills:
        acknowledged = killed(folder, last + 1, **kill)
        done = (bool(acknowledged) and acknowledged[-1] < 0) or not acknowledged
        last = check(folder, max([last, *acknowledged]), done)
        with Store.open(folder) as store, store.writing() as writer, store.snapshot() as snapshot:
            # The writer has cut off what was left.
            for seen in (snapshot.in_space(space.name) for space in snapshot.spaces):
                home, dimension = folder / "vectors" / seen.space.name, seen.space.dimension
                sizes = {path.name: path.stat().st_size for path in home.iterdir()}
                assert sizes == {f"{each.number:06d}.f16": each.size(dimension) for each in seen.segments}
            if last % 3 == 2:
                writer.delete(evens(store, last - 1))
            assert content(store) == after(last, True)


def test_a_writer_killed_at_random_moments_loses_nothing(tmp_path: Path) -> None:
    draw = random.Random(11)
    rehearse(tmp_path / "c", [{"seconds": draw.uniform(0, 0.3)} for _ in range(6)])


def test_a_writer_killed_at_each_named_step_loses_nothing(tmp_path: Path) -> None:
    draw = random.Random(12)
    rehearse(tmp_path / "c", [{"step": (step, draw.randint(1, 3))} for step in STEPS])


def test_a_writer_of_two_spaces_killed_at_each_named_step_loses_nothing_in_either(tmp_path: Path) -> None:
    draw = random.Random(14)
    rehearse(tmp_path / "c", [{"step": (step, draw.randint(1, 5))} for step in STEPS], other=True)


@pytest.mark.long
def test_a_writer_killed_at_random_moments_many_times_loses_nothing(tmp_path: Path) -> None:
    draw = random.Random(13)
    for round_ in range(10):
        kills: list[dict[str, Any]] = [{"seconds": draw.uniform(0, 0.3)} for _ in range(10)]
        kills += [{"step": (draw.choice(STEPS), draw.randint(1, 9))} for _ in range(10)]
        draw.shuffle(kills)
        rehearse(tmp_path / str(round_), kills)
