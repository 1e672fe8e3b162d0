"""`index`, `add`, `delete` and `optimize` killed at a random moment, or at each of their effects: whole commits are
there, each once, and the same command again ends where an undisturbed run ends.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from commands import Commands
from states import State, between, state

from twofold.collection.adding import ENCODED_AT_ONCE
from twofold.collection.opening import open_collection
from twofold.errors import NotACollectionError

DOCUMENTS = 1_500
QUESTIONS = ("number 700", "version two", "text")
STEPS = ["catalogue created", "created", "vectors written", "segment created", "rows copied", "recorded", "committed"]
STEPS += [
    "indexes kept",
    "old segment removed",
    "compacted",
    "part filled",
    "part named",
    "manifest published",
    "leftover removed",
]


def write_data(folder: Path) -> None:
    """Two files: documents, and later versions of every second of them with as many new ones."""
    first = [{"id": f"d{n}", "text": f"text number {n} " * 5, "n": n} for n in range(DOCUMENTS)]
    later = [{"id": f"d{n}", "text": f"version two of {n}", "n": n} for n in range(0, 2 * DOCUMENTS, 2)]
    for name, records in (("first.jsonl", first), ("later.jsonl", later)):
        (folder / name).write_text("".join(json.dumps(record) + "\n" for record in records))


def commands(data: Path, collection: Path) -> list[list[str]]:
    where = json.dumps({"n": {"$gte": DOCUMENTS // 4}})
    return [
        ["index", str(data / "first.jsonl"), "--to", str(collection), "--encoder", "hashed-words:16"],
        ["add", str(collection), str(data / "later.jsonl")],
        ["delete", str(collection), "--where", where],
        ["optimize", str(collection)],
        ["optimize", str(collection), "--index", "scan"],
    ]


class Rehearsal:
    """The commands run undisturbed once, each state kept, so that each can be killed from the one before it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.commands = Commands(folder / "said")
        write_data(folder)
        self.states, self.seconds = [State({}, [])], []
        self.kept = [folder / "none"]
        for number, words in enumerate(commands(folder, folder / "undisturbed")):
            self.seconds.append(self.commands.finished(words))
            self.states.append(state(folder / "undisturbed", QUESTIONS))
            self.kept.append(shutil.copytree(folder / "undisturbed", folder / f"kept {number}"))
        # Begun a second time, for the first start pays for the server's.
        self.seconds[0] = self.commands.finished(commands(folder, folder / "timed")[0])

    def begun(self, position: int) -> list[str]:
        """The command at a position, over a fresh copy of what it started from."""
        place = self.folder / "c"
        shutil.rmtree(place, ignore_errors=True)
        if self.kept[position].exists():
            shutil.copytree(self.kept[position], place)
        return commands(self.folder, place)[position]

    def check(self, position: int, words: list[str]) -> None:
        """That whole commits are there, and that the same command again ends where an undisturbed run ends."""
        place = self.folder / "c"
        before, after = self.states[position : position + 2]
        found = state(place, QUESTIONS).documents
        between(words[0], found, before.documents, after.documents, ENCODED_AT_ONCE)
        self.commands.finished(words)
        assert state(place, QUESTIONS) == after


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    made = Rehearsal(tmp_path_factory.mktemp("rehearsal"))
    assert [len(each.documents) for each in made.states] == [0, 1_500, 2_250, 375, 375, 375]
    yield made
    shutil.rmtree(made.folder)


def killed_at_random(rehearsal: Rehearsal, times: int) -> int:
    """Kills each command so many times at random moments; gives how many kills met a running command."""
    draw, met = random.Random(29), 0
    for _ in range(times):
        for position in range(len(rehearsal.seconds)):
            words = rehearsal.begun(position)
            met += rehearsal.commands.killed_after(words, rehearsal.seconds[position] * draw.uniform(0.1, 1.0))
            rehearsal.check(position, words)
    return met


def killed_at_effects(rehearsal: Rehearsal, every: int) -> int:
    """Kills each command before every nth of its effects; gives how many kills that were."""
    kills = 0
    for position in range(len(rehearsal.seconds)):
        effect = 0
        while True:
            words = rehearsal.begun(position)
            died = rehearsal.commands.killed_at(words, effect=effect)
            rehearsal.check(position, words)
            if not died:
                break
            kills, effect = kills + 1, effect + every
    return kills


def killed_at_steps(rehearsal: Rehearsal, most: int, steps: Sequence[str] = STEPS) -> int:
    """Kills each command when it reaches each named step for the first to the nth time; gives how many kills."""
    kills = 0
    for position in range(len(rehearsal.seconds)):
        for step in steps:
            for times in range(1, most + 1):
                words = rehearsal.begun(position)
                died = rehearsal.commands.killed_at(words, step=(step, times))
                rehearsal.check(position, words)
                if not died:
                    break
                kills += 1
    return kills


def test_a_command_killed_as_its_user_runs_it_did_whole_commits(rehearsal: Rehearsal) -> None:
    """`python -m twofold`, killed once it has committed something; the tests below leave the imports out."""
    words = rehearsal.begun(0)
    with subprocess.Popen([sys.executable, "-m", "twofold", *words], stderr=subprocess.PIPE) as process:
        while process.poll() is None and not has_documents(rehearsal.folder / "c"):
            pass
        process.kill()
    rehearsal.check(0, words)


def has_documents(collection: Path) -> bool:
    try:
        with open_collection(collection) as opened:
            return len(opened) > 0
    except NotACollectionError:
        return False


def test_a_command_killed_at_random_did_whole_commits_and_running_it_again_finishes_the_job(
    rehearsal: Rehearsal,
) -> None:
    assert killed_at_random(rehearsal, 2) >= 2


def test_a_command_killed_at_an_effect_or_a_step_finishes_the_job_when_run_again(rehearsal: Rehearsal) -> None:
    assert killed_at_effects(rehearsal, 13) >= 3
    assert killed_at_steps(rehearsal, 1, ["vectors written", "recorded", "manifest published"]) == 8


@pytest.mark.long
def test_commands_killed_hundreds_of_times_end_as_if_undisturbed(rehearsal: Rehearsal) -> None:
    met = killed_at_random(rehearsal, 100)
    effects, steps = killed_at_effects(rehearsal, 1), killed_at_steps(rehearsal, 9)
    drawn = 100 * len(rehearsal.seconds)
    print(f"{met} of {drawn} random kills met a running command, {effects} kills at effects, {steps} at named steps")
    assert met >= 200
    assert effects >= 40
    assert steps >= 40
