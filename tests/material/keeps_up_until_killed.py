"""Adds, deletes, joins pieces, optimizes and migrates in a child that is killed at some moment; checks what is left.

    python keeps_up_until_killed.py FOLDER SEED KILLS

Each child goes on where the one before was killed: before an effect on files, at a named step, or by an alarm. What it
acknowledged it notes beside the collection. This process itself never searches, so its children inherit no threads.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

import numpy as np
from faults import kill_at_step, killing, watched

import twofold
from twofold.collection import filling
from twofold.collection.collection import Collection
from twofold.encoders.hashed_words import HashedWords
from twofold.engines.local import maintaining
from twofold.engines.local.derived.indexes import choosing, upkeep
from twofold.engines.local.spaces import segments

TOGETHER = 8
"""Documents of one block; the first ones are deleted later."""
DELETED = 3
DIMENSIONS = {"narrow": 32, "wide": 48}
ENCODERS = {dimension: HashedWords(dimension) for dimension in DIMENSIONS.values()}
SMALL = {
    (choosing, "FROM_ROWS"): 40,
    (upkeep, "MORE_ROWS"): 10,
    (maintaining, "BEHIND"): 20,
    (segments, "SEGMENT_ROWS"): 64,
    (filling, "AT_ONCE"): 16,
}
STEPS = [
    "committed", "described", "indexes kept", "manifest published", "old segment removed", "part filled", "part named",
    "part synced", "recorded", "rows copied", "segment created", "space begun", "space filled", "space removed",
    "vectors written",
]  # fmt: skip
OPERATIONS = ["add"] * 3 + ["delete", "maintain"] + ["optimize", "migrate"] * 2
STEPS_A_ROUND = 4
LEFT = 250
"""Documents beyond which the oldest blocks are deleted whole, so that no round takes longer than the first ones."""


def texts(number: int) -> dict[str, str]:
    """The documents of a block, by id."""
    return {f"{number}-{n}": f"block{number} word{number % 7} document{n} of them" for n in range(TOGETHER)}


def gone(number: int) -> list[str]:
    """The documents of a block that are deleted after a while."""
    return list(texts(number))[:DELETED]


def expected(said: list[str]) -> set[str]:
    """The ids that are there after what was acknowledged: `+ 3` an added block, `- 3` its deletion, `x 3` all of it."""
    left: set[str] = set()
    for line in said:
        sign, number = line[0], int(line[1:])
        if sign == "+":
            left |= set(texts(number))
        else:
            left -= set(gone(number) if sign == "-" else texts(number))
    return left


def opened(folder: Path) -> Collection:
    """The collection with the encoder of the space that is searched."""
    with twofold.open(folder) as found:
        dimension = found.contract.dimension
    return twofold.open(folder, ENCODERS[dimension])


def migrate(collection: Collection) -> None:
    """To the encoder that is not searched, whole, from wherever an earlier one stopped."""
    name = "wide" if collection.contract.dimension == DIMENSIONS["narrow"] else "narrow"
    for space in collection.info().spaces:
        if not space.searched and space.name != name:
            collection.drop_space(space.name)
    before = next(space.name for space in collection.info().spaces if space.searched)
    collection.migrate(ENCODERS[DIMENSIONS[name]], name=name, switch=True)
    collection.drop_space(before)


def arm(draw: random.Random, stack: ExitStack) -> None:
    """From here on death is near: before an effect on files, at a named step, or at any moment."""
    match draw.choice(["effect", "step", "alarm"]):
        case "effect":
            stack.enter_context(watched(killing(draw.randint(0, draw.choice([5, 20, 80])))))
        case "step":
            kill_at_step(draw.choice(STEPS), draw.randint(1, draw.choice([1, 3, 9])))
        case _:
            signal.setitimer(signal.ITIMER_REAL, draw.uniform(0.001, draw.choice([0.02, 0.2, 1])))


def work(folder: Path, seed: str) -> None:
    """A few steps of everything, each noted when it was acknowledged; the seed decides which of them is the last."""
    draw = random.Random(seed)
    doomed = draw.randrange(STEPS_A_ROUND)
    notes = os.open(folder.parent / "acknowledged.txt", os.O_WRONLY | os.O_APPEND)
    said = (folder.parent / "acknowledged.txt").read_text().splitlines()
    numbers = [int(line[1:]) for line in said if line[0] == "+"]
    deleted = {sign: {int(line[1:]) for line in said if line[0] == sign} for sign in "-x"}

    def note(sign: str, number: int) -> None:
        os.write(notes, f"{sign}{number}\n".encode())

    with opened(folder) as collection, ExitStack() as stack:
        for turn in range(STEPS_A_ROUND):
            if turn == doomed:
                arm(draw, stack)
            whole = collection.count() > LEFT
            match "delete" if whole else draw.choice(OPERATIONS):
                case "add":
                    numbers.append(numbers[-1] + 1)
                    collection.add(texts(numbers[-1]).items())
                    note("+", numbers[-1])
                case "delete":
                    none = deleted["x"] if whole else deleted["x"] | deleted["-"]
                    fit = [each for each in numbers[:-1] if each not in none][:5]
                    if not fit:
                        continue
                    number = draw.choice(fit)
                    sign = "x" if whole else "-"
                    deleted[sign].add(number)
                    collection.delete(list(texts(number)) if whole else gone(number))
                    note(sign, number)
                case "maintain":
                    collection.maintain(60)
                case "optimize":
                    collection.optimize(index=draw.choice(["scan", "hnsw", "flat"]))
                case "migrate":
                    migrate(collection)


def check(folder: Path) -> None:
    """That what was acknowledged is there, beyond it one whole step or none, and that nothing is half published."""
    path = folder.parent / "acknowledged.txt"
    said = path.read_text().splitlines()
    last = max(int(line[1:]) for line in said if line[0] == "+")
    with opened(folder) as collection:
        report = collection.verify()
        assert report.clean, report.damage
        found = [each.id for each in collection]
        assert len(found) == len(set(found)) == collection.count()
        steps = [f"+{last + 1}", *(f"{sign}{number}" for number in range(last + 1) for sign in "-x")]
        states = [([], expected(said)), *(([step], expected([*said, step])) for step in steps)]
        more = next((step for step, ids in states if ids == set(found)), None)
        assert more is not None, f"{len(found)} documents, {len(expected(said))} were acknowledged"
        with path.open("a") as notes:
            notes.writelines(f"{step}\n" for step in more)
        check_answers(collection, last, set(found))


def check_answers(collection: Collection, last: int, ids: set[str]) -> None:
    """That each space is whole or being filled, every score is that of the space that is searched, and words count."""
    searched = next(space for space in collection.info().spaces if space.searched)
    assert searched.complete
    assert searched.documents == len(ids)
    encoder, text = ENCODERS[searched.dimension], f"block{last} word{last % 7}"
    query = encoder.encode_queries([text])[0]
    hits = collection.search(query, k=20)
    stored = encoder.encode_documents([hit.document.text for hit in hits]).astype(np.float16).astype(np.float32)
    assert twofold.scores.dense_scores(query, stored).tolist() == [hit.score for hit in hits]
    assert {hit.id for hit in hits} <= ids
    hashed = {hit.id for hit in collection.search(f"block{last}", k=20, mode="lexical")}
    assert hashed == ids & set(texts(last))


def child(job: Callable[..., None], *arguments: object) -> int:
    """Does a job in a forked child; gives how that ended."""
    process = os.fork()
    if process == 0:
        try:
            job(*arguments)
            os._exit(0)
        except BaseException:  # noqa: BLE001 - a child must not go on as its parent
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def make(folder: Path) -> None:
    """A collection of a few blocks that can be searched in every mode."""
    with twofold.create(folder, ENCODERS[DIMENSIONS["narrow"]]) as collection:
        for number in range(8):
            collection.add(texts(number).items())
        collection.tune()
        collection.optimize(index="scan")
        collection.migrate(ENCODERS[DIMENSIONS["wide"]], name="wide", switch=True)
        collection.drop_space("main")


def main(folder: Path, seed: str, kills: int) -> None:
    """Kills so often, and checks after each round."""
    for (module, name), value in SMALL.items():
        patch.object(module, name, value).start()
    assert child(make, folder) == 0
    (folder.parent / "acknowledged.txt").write_text("".join(f"+{number}\n" for number in range(8)))
    ends, turn = Counter[int](), 0
    while ends[-signal.SIGKILL] + ends[-signal.SIGALRM] < kills:
        turn += 1
        end = child(work, folder, f"{seed} {turn}")
        assert end in (0, -signal.SIGKILL, -signal.SIGALRM), f"turn {turn} of seed {seed} ended with {end}"
        ends[end] += 1
        assert child(check, folder) == 0, f"after turn {turn} of seed {seed}"
    print({signal.Signals(-end).name if end else "done": count for end, count in ends.items()})


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
