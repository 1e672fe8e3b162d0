"""Adds, updates, deletes, joins pieces, optimizes, migrates and backs up in a child that is killed at some moment;
checks what is left.

    python keeps_up_until_killed.py FOLDER SEED KILLS [MODEL]

MODEL: the folder of an encoder of token vectors, which the collection then keeps, gives up and gets again. Each child
goes on where the one before was killed: before an effect on files, at a named step, or by an alarm. What it
acknowledged it notes beside the collection. This process itself never searches, so its children inherit no threads.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from faults import kill_at_step, killing, watched

import twofold
from twofold.collection import filling
from twofold.collection.collection import Collection
from twofold.encoders.hashed_words import HashedWords
from twofold.encoders.token_vectors import load_token_encoder
from twofold.engines.local import maintaining
from twofold.engines.local.derived.indexes import choosing, upkeep
from twofold.engines.local.spaces import segments
from twofold.errors import QueryError
from twofold.token_codes import STORED, TokenCodes

TOGETHER = 8
"""Documents of one block; the first ones are deleted later, and the others updated."""
DELETED = 3
REWRITTEN = 6
"""Of those that are updated, the first ones up to this get another text, the others metadata alone."""
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
OPERATIONS = ["add"] * 3 + ["update", "delete", "maintain", "backup"] + ["optimize", "migrate"] * 2
WITH_TOKENS = ["add"] * 3 + ["update", "tokens"] * 2 + ["delete", "optimize", "migrate", "backup"]
STEPS_A_ROUND = 4
LEFT = 250
"""Documents beyond which the oldest blocks are deleted whole, so that no round takes longer than the first ones."""


def texts(number: int) -> dict[str, str]:
    """The documents of a block, by id."""
    return {f"{number}-{n}": f"block{number} word{number % 7} document{n} of them" for n in range(TOGETHER)}


def gone(number: int) -> list[str]:
    """The documents of a block that are deleted after a while."""
    return list(texts(number))[:DELETED]


def changed(number: int) -> list[dict[str, Any]]:
    """What an update gives of a block."""
    rest = list(texts(number).items())[DELETED:]
    return [
        {"id": each, "turned": number, **({"text": f"turned {text}"} if n < REWRITTEN else {})}
        for n, (each, text) in enumerate(rest, start=DELETED)
    ]


Held = dict[str, tuple[str, dict[str, Any]]]
"""Text and metadata by id."""


def applied(held: Held, step: str) -> Held:
    """What is there after one more step: `+3` adds a block, `=3` updates it, `-3` deletes some of it, `x3` all."""
    sign, number = step[0], int(step[1:])
    match sign:
        case "+":
            return held | {each: (text, {}) for each, text in texts(number).items()}
        case "=":
            given = {record["id"]: record for record in changed(number)}
            return held | {
                each: (record.get("text", texts(number)[each]), {"turned": number}) for each, record in given.items()
            }
    deleted = set(gone(number) if sign == "-" else texts(number))
    return {each: content for each, content in held.items() if each not in deleted}


def expected(said: list[str]) -> Held:
    """The documents that are there after what was acknowledged."""
    held: Held = {}
    for line in said:
        held = applied(held, line)
    return held


def contents(collection: Collection) -> Held:
    """The documents that are there."""
    found = [(each.id, (each.text, dict(each.metadata))) for each in collection]
    assert len(found) == len(dict(found)) == collection.count()
    return dict(found)


def opened(folder: Path) -> Collection:
    """The collection with the encoder of the space that is searched."""
    with twofold.open(folder) as found:
        dimension = found.contract.dimension
    return twofold.open(folder, ENCODERS[dimension])


def migrate(collection: Collection) -> None:
    """To the encoder that is not searched, whole, from wherever an earlier one stopped."""
    name = "wide" if collection.contract.dimension == DIMENSIONS["narrow"] else "narrow"
    for space in collection.info().spaces:
        if not space.searched and space.name != name and not space.of_tokens:
            collection.drop_space(space.name)
    before = next(space.name for space in collection.info().spaces if space.searched)
    collection.migrate(ENCODERS[DIMENSIONS[name]], name=name, switch=True)
    collection.drop_space(before)


def keep_tokens(collection: Collection, model: str, *, anew: bool) -> None:
    """Keeps token vectors, from wherever an earlier call stopped; anew: after those that are there are dropped."""
    if anew and any(space.of_tokens for space in collection.info().spaces):
        collection.drop_space(STORED)
    collection.add_token_vectors(model)


def back_up(collection: Collection, to: Path, model: str | None) -> None:
    """Makes a copy, which must be whole."""
    shutil.rmtree(to, ignore_errors=True)
    collection.backup(to)
    with opened(to) as copy:
        assert copy.verify().clean
        assert contents(copy) == contents(collection)
        if model is not None:
            check_tokens(copy, model)


def arm(draw: random.Random, stack: ExitStack) -> None:
    """From here on death is near: before an effect on files, at a named step, or at any moment."""
    match draw.choice(["effect", "step", "alarm"]):
        case "effect":
            stack.enter_context(watched(killing(draw.randint(0, draw.choice([5, 20, 80])))))
        case "step":
            kill_at_step(draw.choice(STEPS), draw.randint(1, draw.choice([1, 3, 9])))
        case _:
            signal.setitimer(signal.ITIMER_REAL, draw.uniform(0.001, draw.choice([0.02, 0.2, 1])))


def work(folder: Path, seed: str, model: str | None) -> None:
    """A few steps of everything, each noted when it was acknowledged; the seed decides which of them is the last."""
    draw = random.Random(seed)
    doomed = draw.randrange(STEPS_A_ROUND)
    notes = os.open(folder.parent / "acknowledged.txt", os.O_WRONLY | os.O_APPEND)
    said = (folder.parent / "acknowledged.txt").read_text().splitlines()
    numbers = [int(line[1:]) for line in said if line[0] == "+"]
    done = {sign: {int(line[1:]) for line in said if line[0] == sign} for sign in "-=x"}

    def note(sign: str, number: int) -> None:
        os.write(notes, f"{sign}{number}\n".encode())

    with opened(folder) as collection, ExitStack() as stack:
        for turn in range(STEPS_A_ROUND):
            if turn == doomed:
                arm(draw, stack)
            whole = collection.count() > LEFT
            match "delete" if whole else draw.choice(OPERATIONS if model is None else WITH_TOKENS):
                case "add":
                    numbers.append(numbers[-1] + 1)
                    collection.add(texts(numbers[-1]).items())
                    note("+", numbers[-1])
                case "delete" | "update" as operation:
                    sign = "x" if whole else "-" if operation == "delete" else "="
                    fit = [each for each in numbers[:-1] if each not in done["x"] | done[sign]][:5]
                    if not fit:
                        continue
                    number = draw.choice(fit)
                    done[sign].add(number)
                    if sign == "=":
                        collection.update(changed(number))
                    else:
                        collection.delete(list(texts(number)) if whole else gone(number))
                    note(sign, number)
                case "maintain":
                    collection.maintain(60)
                case "optimize":
                    collection.optimize(index=draw.choice(["scan", "hnsw", "flat"]))
                case "migrate":
                    migrate(collection)
                case "backup":
                    back_up(collection, folder.parent / "copy", model)
                case "tokens" if model is not None:
                    keep_tokens(collection, model, anew=draw.random() < 0.5)


def check(folder: Path, model: str | None) -> None:
    """That what was acknowledged is there, beyond it one whole step or none, and that nothing is half published."""
    path = folder.parent / "acknowledged.txt"
    said = path.read_text().splitlines()
    last = max(int(line[1:]) for line in said if line[0] == "+")
    with opened(folder) as collection:
        report = collection.verify()
        assert report.clean, report.damage
        found, held = contents(collection), expected(said)
        steps = [f"+{last + 1}", *(f"{sign}{number}" for number in range(last + 1) for sign in "-=x")]
        states = [([], held), *(([step], applied(held, step)) for step in steps)]
        more = next((step for step, state in states if state == found), None)
        assert more is not None, f"{len(found)} documents, {len(held)} were acknowledged"
        with path.open("a") as notes:
            notes.writelines(f"{step}\n" for step in more)
        check_answers(collection, last, set(found))
        if model is not None:
            check_tokens(collection, model)


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


def check_tokens(collection: Collection, model: str) -> None:
    """That each document has the vectors of its tokens once and is found by them; or that a search says they lack."""
    space = next((space for space in collection.info().spaces if space.of_tokens), None)
    if space is None or not space.complete:
        with pytest.raises(QueryError, match="keeps no" if space is None else "not complete"):
            collection.search("block1", ranker=STORED)
        return
    encoder = load_token_encoder(model)
    codes = TokenCodes(encoder.dimension, 4)
    with collection.searcher() as searcher:
        snapshot = searcher.snapshot
        numbers = snapshot.select()
        documents = snapshot.documents(numbers)
        words, rows = codes.rows(encoder.encode_documents([each.text for each in documents]))
        stored = snapshot.passages(numbers, STORED)
        assert np.bincount(stored.owners, minlength=len(numbers)).tolist() == rows.tolist()
        assert np.array_equal(snapshot.codes(stored.handles, STORED), words)
        assert space.bytes == words.nbytes
        query = f"{documents[-1].text} and what it is"
        vectors = codes.turned(encoder.encode_queries([query]).vectors)
        scores = dict(zip([each.id for each in documents], codes.maxsim(vectors, words, rows).tolist(), strict=True))
        hits = searcher.search(query, k=20, ranker=STORED)
        assert [(hit.id, hit.score) for hit in hits] == sorted(scores.items(), key=lambda each: (-each[1], each[0]))[
            :20
        ]


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


def make(folder: Path, model: str | None) -> None:
    """A collection of a few blocks that can be searched in every mode."""
    with twofold.create(folder, ENCODERS[DIMENSIONS["narrow"]], token_vectors=model) as collection:
        for number in range(8):
            collection.add(texts(number).items())
        collection.tune()
        collection.optimize(index="scan")
        collection.migrate(ENCODERS[DIMENSIONS["wide"]], name="wide", switch=True)
        collection.drop_space("main")


def main(folder: Path, seed: str, kills: int, model: str | None = None) -> None:
    """Kills so often, and checks after each round."""
    for (module, name), value in SMALL.items():
        patch.object(module, name, value).start()
    assert child(make, folder, model) == 0
    (folder.parent / "acknowledged.txt").write_text("".join(f"+{number}\n" for number in range(8)))
    ends, turn = Counter[int](), 0
    while ends[-signal.SIGKILL] + ends[-signal.SIGALRM] < kills:
        turn += 1
        end = child(work, folder, f"{seed} {turn}", model)
        assert end in (0, -signal.SIGKILL, -signal.SIGALRM), f"turn {turn} of seed {seed} ended with {end}"
        ends[end] += 1
        assert child(check, folder, model) == 0, f"after turn {turn} of seed {seed}"
    print({signal.Signals(-end).name if end else "done": count for end, count in ends.items()})


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), *sys.argv[4:])
