"""Writes blocks to a collection and says what was acknowledged, until it is killed.

    python writes_until_killed.py FOLDER FIRST [STEP COUNT]

FIRST: the number of the first block. STEP COUNT: kills itself when it has reached that step so many times. Where the
collection has two spaces, both take their share.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from storing import block, both, document

from twofold.block import Block
from twofold.engines.local.disk import Disk
from twofold.engines.local.engine import Store
from twofold.engines.local.spaces import segments

PER_BLOCK = 7


class Killing(Disk):
    """Kills the process at the nth time that a step is reached."""

    def __init__(self, step: str, count: int) -> None:
        super().__init__()
        self._step, self._left = step, count

    def reached(self, step: str) -> None:
        if step == self._step:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def numbered(number: int) -> Block:
    """The nth block: new documents, and one that every block replaces."""
    documents = [document(f"{number}-{position}", n=number) for position in range(PER_BLOCK)]
    return block([*documents, document("replaced", f"version {number}")], rows=[*[1, 2, 0] * 2, 1, 1])


def main() -> None:
    folder, first, *kill = sys.argv[1:]
    segments.SEGMENT_ROWS = 40  # so that killing meets new segments too
    disk = Killing(kill[0], int(kill[1])) if kill else None
    with Store.open(Path(folder), disk=disk) as store:
        for number in range(int(first), 10_000):
            with store.writing() as writer:
                sent = numbered(number)
                writer.commit(both(sent) if len(writer.spaces()) > 1 else sent)
                print(number, flush=True)
                if number % 3 == 2:
                    writer.delete(evens(store, number - 1))
                    print(-number, flush=True)


def evens(store: Store, number: int) -> list[int]:
    """The documents of a block that its second successor deletes: the even ones."""
    with store.snapshot() as snapshot:
        return list(snapshot.find([f"{number}-{position}" for position in range(0, PER_BLOCK, 2)]).values())


if __name__ == "__main__":
    main()
